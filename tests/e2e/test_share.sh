#!/bin/bash
# Runs that share fitted ensembles (model.share): one fits, others wait or take it, and all end with the bytes of runs
# that share nothing.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mopo_on 0 collect rows.hdf5 task=pointmass --rows 1000 seed=1
base=("$source_dir/configs/smoke.yaml" dataset=rows.hdf5 collect.rows=0 train.epochs=1 train.updates_per_epoch=10
    model.hidden=16 rollout.batch=64 eval.episodes=2)
# Enough passes to be caught in between.
long=("${base[@]}" model.max_epochs=60 model.patience=1000)

one='' two='' three='' # processes in the background

# start NAME RANKS WORDS...: in the background; its process goes to the variable NAME, its output to NAME.err.
start() {
    local -n pid_of=$1
    local err=$1.err ranks=$2
    shift 2
    if [ "$ranks" -eq 0 ]; then
        "$program" "$@" >/dev/null 2>"$err" </dev/null &
    else
        "${launcher[@]}" -n "$ranks" "$program" "$@" >/dev/null 2>"$err" </dev/null &
    fi
    # shellcheck disable=SC2034
    pid_of=$!
}

# until_seen PID COMMAND...: wait until it succeeds or the process has ended.
until_seen() {
    child=$1
    shift
    until_true "$@"
    local code=$?
    child=''
    return $code
}

# ends WHAT PID CODE
ends() {
    wait "$2"
    local code=$?
    [ $code -eq "$3" ] || echo "        exit code $code, not $3"
    [ $code -eq "$3" ]
    verdict "$1" $?
}

# The only directory of a folder of shared ensembles.
only() {
    local all=("$1"/*/)
    [ ${#all[@]} -eq 1 ] && printf '%s' "${all[0]%/}"
}

said() { # TEXT FILE
    grep -qs "$1" "$2"
}

echo '# one fit for a grid'
exits 0 2 model fit "${base[@]}" model.share=models
verdict 'model fit on 2 ranks' $?
check 'says where the model lies' said "^$(only models)/model.h5$" out
check 'and how good it is' said 'holdout MSE: best member 0\.[0-9]*, worst of the 2 elites' out
check 'its checkpoints are gone' test ! -e "$(only models)/ckpt"
check 'nobody fits there' test ! -s "$(only models)/lock" -a ! -e "$(only models)/beat"
cp "$(only models)/model.h5" first.h5
exits 0 0 model fit "${base[@]}" model.share=models
verdict 'again: exit 0' $?
check 'says that it is there' said 'was there already' out
ranks=(0 2 3 0)
for i in 0 1 2 3; do
    exits 0 "${ranks[i]}" train "${base[@]}" model.share=models "penalty.lambda=$i" "run_dir=cell$i"
    verdict "a cell of the grid on ${ranks[i]} ranks" $?
    check 'takes the model' said "model: taken from $(only models)/model.h5" "cell$i/log.txt"
    check 'does not fit' test "$(grep -c 'model pass' "cell$i/log.txt")" -eq 0
    check 'has a copy of it' cmp first.h5 "cell$i/model.h5"
done
exits 0 2 train "${base[@]}" penalty.lambda=1 run_dir=alone
verdict 'the same cell without sharing' $?
check 'same bytes' same_run alone cell1
mopo plan "${base[@]}" model.share=models
check 'mopo plan counts no fit then' said 'no model fit: there is a shared model' out
rm -r models
exits 0 0 train "${base[@]}" model.share=models/in/depth penalty.lambda=1 run_dir=first
verdict 'a run that comes first fits the model' $?
check 'same bytes as without sharing' same_run alone first
check 'and leaves it for others' cmp alone/model.h5 "$(only models/in/depth)/model.h5"
check 'its log has the passes' said 'model pass   1' first/log.txt
check 'the log there, too' said 'model pass   1' "$(only models/in/depth)/log.txt"
exits 0 0 rerun cell1
verdict 'mopo rerun fits it anew, to the same bytes' $?
check 'fits' said 'model pass   1' cell1-rerun/log.txt
exits 0 0 train "${base[@]}" model.share=elsewhere penalty.lambda=1 run_dir=first train.epochs=2
verdict 'a run goes on with another folder, or none' $?
exits 0 0 train "${base[@]}" model.share=seeds model.seed=0 seed=1 run_dir=seed1
exits 0 0 train "${base[@]}" model.share=seeds model.seed=0 seed=2 run_dir=seed2
check 'runs of two seeds share one model' test -n "$(only seeds)"
check 'that of its own seed' cmp alone/model.h5 seed2/model.h5

echo '# at the same time'
exits 0 0 train "${long[@]}" run_dir=whole
verdict 'a longer fit, without sharing' $?
start one 0 train "${long[@]}" model.share=busy run_dir=one
until_seen "$one" compgen -G 'busy/*/ckpt/model-*[0-9]' >/dev/null
verdict 'one process fits' $?
until_seen "$one" compgen -G 'busy/*/beat/0' >/dev/null
verdict 'and shows that it lives' $?
kill -STOP "$one"
start two 2 train "${long[@]}" model.share=busy run_dir=two ranks.patience=2
until_seen "$two" said 'waiting for it' two/log.txt
verdict 'another waits for it' $?
check 'and says for whom' said "another process (host .*, pid $one, since .*) fits the shared model" two/log.txt
start three 0 train "${long[@]}" model.share=busy run_dir=three
until_seen "$three" said 'waiting for it' three/log.txt
kill -USR2 "$three"
ends 'stopped while it waits: 75' "$three" 75
check 'says so' said 'stopped as asked (SIGUSR2) while another process fits' three.err
start three 0 model fit "${long[@]}" model.share=busy
until_seen "$three" said 'waiting for it' three.err
touch "$(only busy)/stop"
ends 'model fit stopped by a file while it waits: 75' "$three" 75
sleep 3 # longer than the patience: who waits must not be taken for stuck
check 'waiting ranks are no hang' kill -0 "$two"
kill -KILL "$one"
wait "$one" 2>/dev/null
ends 'the fitting one is killed: the waiting one ends well' "$two" 0
check 'it went on from the checkpoint' said 'model: going on after pass' two/log.txt
check 'and tells of the killed one' said "the process before this one (host .*, pid $one, .*) was killed" two/log.txt
check 'same bytes' same_run whole two
check 'nothing of it is left' test ! -e "$(only busy)/ckpt" -a ! -e "$(only busy)/beat"
exits 0 3 train "${long[@]}" model.share=busy run_dir=one
verdict 'the killed one started again' $?
check 'same bytes' same_run whole one

start one 2 train "${long[@]}" model.share=both run_dir=both1
start two 0 train "${long[@]}" model.share=both run_dir=both2
ends 'two that start at once: the one ends well' "$one" 0
ends 'and the other' "$two" 0
check 'one of them fitted' test "$(cat both?/log.txt | grep -c 'model pass   2 ')" -eq 1
check 'same bytes' same_run whole both1
check 'same bytes' same_run whole both2

start one 0 model fit "${long[@]}" model.share=stopped
until_seen "$one" compgen -G 'stopped/*/ckpt/model-*[0-9]' >/dev/null
kill -USR2 "$one"
ends 'model fit stopped by SIGUSR2: 75' "$one" 75
check 'no model yet' test ! -e "$(only stopped)/model.h5"
exits 0 2 model fit "${long[@]}" model.share=stopped
verdict 'goes on on 2 ranks' $?
check 'from there' said 'going on after pass' err
check 'same bytes' cmp whole/model.h5 "$(only stopped)/model.h5"

echo '# what can be wrong'
start one 0 model fit "${long[@]}" model.share=other
until_seen "$one" compgen -G 'other/*/ckpt/model-*[0-9]' >/dev/null
kill -KILL "$one"
wait "$one" 2>/dev/null
mv rows.hdf5 kept.hdf5
mopo collect rows.hdf5 task=pointmass --rows 1000 seed=2
exits 2 2 model fit "${long[@]}" model.share=other
verdict 'half a fit of other data: exit 2' $?
check 'says what to do' said "put the dataset back, or delete or rename this directory of model.share" err
exits 2 2 train "${base[@]}" model.share=models/in/depth run_dir=wrong
verdict 'a model of other data: exit 2' $?
check 'says which directory' said "$(only models/in/depth)/model.h5 was fitted to other data than rows.hdf5" err
check 'the run has no model' test ! -e wrong/model.h5
mv kept.hdf5 rows.hdf5
printf 'x' | dd of="$(only models/in/depth)/model.h5" bs=1 seek=5000 conv=notrunc status=none
exits 76 2 train "${base[@]}" model.share=models/in/depth run_dir=damaged
verdict 'a damaged model: exit 76' $?
check 'says which' said "$(only models/in/depth)/model.h5" err
check 'and what to do' said 'delete it' err
exits 76 0 model fit "${base[@]}" model.share=models/in/depth
verdict 'model fit, too' $?
touch file
exits 1 2 train "${base[@]}" model.share=file run_dir=nowhere
verdict 'a folder that cannot be made: exit 1' $?
check 'says which' said 'model.share: file: cannot create the directory' err
exits 2 2 model fit "${base[@]}"
verdict 'model fit without a folder: exit 2' $?
exits 2 0 model fit "${base[@]}" model.share=models algo=sac
verdict 'model fit of a method without a model: exit 2' $?
check 'says why' said 'uses no model' err
(
    ulimit -f 16 # blocks of 1024 bytes
    exits 1 0 model fit "${long[@]}" model.share=full
)
verdict 'no room: exit 1' $?
exits 0 0 model fit "${long[@]}" model.share=full
verdict 'with room it goes on' $?
check 'same bytes' cmp whole/model.h5 "$(only full)/model.h5"
finish
