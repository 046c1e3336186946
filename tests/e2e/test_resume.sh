#!/bin/bash
# A run that was killed or stopped, and started again on other ranks, ends with the bytes of one left alone.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Enough passes and epochs to be caught in between; the model buffer goes round (rollout.retain).
base=("$source_dir/configs/smoke.yaml" dataset=data.hdf5 rollout.retain=2 model.max_epochs=25 model.patience=100
    train.epochs=8)

# start RANKS NAME SETTINGS...: begin the run in the background; $child is the process or its mpirun.
start() {
    local ranks=$1 name=$2
    shift 2
    if [ "$ranks" -eq 0 ]; then
        "$program" train "${base[@]}" "run_dir=$name" "$@" >out 2>err </dev/null &
    else
        "${launcher[@]}" -n "$ranks" "$program" train "${base[@]}" "run_dir=$name" "$@" >out 2>err </dev/null &
    fi
    child=$!
}

# killed WHAT RANKS NAME CONDITION... -- SETTINGS...: run until the condition holds, then kill.
killed() {
    local what=$1 ranks=$2 name=$3 condition=()
    shift 3
    while [ "$1" != -- ]; do
        condition+=("$1")
        shift
    done
    shift
    start "$ranks" "$name" "$@"
    until_true "${condition[@]}" && kill_a_rank "$ranks"
    verdict "$what" $?
}

# stops WHAT RANKS NAME LINES COMMAND...: run until so many lines are there, do COMMAND, expect exit 75.
stops() {
    local what=$1 ranks=$2 name=$3 lines=$4
    shift 4
    start "$ranks" "$name"
    until_true has_lines "$name" "$lines" && "$@"
    wait "$child"
    local code=$?
    child=''
    [ $code -eq 75 ]
    verdict "$what: exit 75" $?
    check "$what: says that the same command goes on" grep -q 'the same command goes on from here' err
}

goes_on() { # WHAT RANKS NAME REFERENCE SETTINGS...
    local what=$1 ranks=$2 name=$3 reference=$4
    shift 4
    exits 0 "$ranks" train "${base[@]}" "run_dir=$name" "$@" || verdict "$what: goes on" 1
    check "$what: same bytes" same_run "$reference" "$name"
}

exits 0 0 train "${base[@]}" run_dir=whole
verdict 'a run that nobody disturbs' $?

echo '# kill -9'
killed 'killed while the model is fitted' 0 model in_model_phase model --
check 'no model yet' test ! -e model/model.h5
goes_on 'model phase, 1 rank, then 2' 2 model whole
check 'it went on in the middle of the fit' grep -q 'model: going on after pass' model/log.txt
killed 'killed while the model is fitted by 3 ranks' 3 model3 in_model_phase model3 --
goes_on 'model phase, 3 ranks, then 1' 0 model3 whole
killed 'killed while the model is fitted by teams of 2' 8 model8 in_model_phase model8 -- ranks.team=2
goes_on 'model phase, 8 ranks in teams, then 2' 2 model8 whole
killed 'killed while a team of 2 shares the last member' 2 model2 in_model_phase model2 --
goes_on 'model phase, 2 ranks, then 7 in teams' 7 model2 whole ranks.team=2
killed 'killed after 4 epochs' 0 policy has_lines policy 4 --
goes_on 'policy phase, 1 rank, then 3' 3 policy whole
check 'it went on from a checkpoint' grep -q 'model buffer made again' policy/log.txt
check 'the log ends with where the time went' grep -Eq '^ *[0-9.]+  compute( +[0-9.]+){3} +[0-9]+ % +[0-9.]+ %$' policy/log.txt
check 'and with the memory' grep -q 'memory: peak' policy/log.txt
killed 'killed after 2 epochs on 3 ranks' 3 twice has_lines twice 2 --
killed 'and killed again after 5 on 1' 0 twice has_lines twice 5 --
goes_on 'twice, then 2 ranks' 2 twice whole
killed 'killed with 2 learners' 4 learners has_lines learners 3 -- ranks.learners=2
goes_on '2 learners and 2 workers, then 1 rank' 0 learners whole

killed 'killed between collection and training' 3 between test -e between.hdf5 -- dataset=between.hdf5
goes_on 'dataset collected on 3 ranks, then 1' 0 between whole dataset=between.hdf5
check 'the dataset: same bytes' cmp data.hdf5 between.hdf5

echo '# kill -9 with rollout.lag 0'
exits 0 0 train "${base[@]}" run_dir=whole0 rollout.lag=0
verdict 'undisturbed' $?
killed 'killed after 4 epochs' 0 lag0 has_lines lag0 4 -- rollout.lag=0
goes_on 'lag 0, 1 rank, then 2' 2 lag0 whole0 rollout.lag=0

echo '# asked to save'
save_signal() { # PROCESS, until the checkpoint of an epoch is there; saves it lacks come every thousandth epoch
    kill -USR1 "$child" && until_true compgen -G "$1/ckpt/policy-*[0-9]" >/dev/null
}
saves() { # WHAT RANKS NAME
    killed "$1: saved, then killed" "$2" "$3" save_signal_after "$3" 2 -- checkpoint.every=1000
    goes_on "$1" 0 "$3" whole checkpoint.every=1000
    check "$1: from what was saved" grep -q 'model buffer made again' "$3/log.txt"
}
save_signal_after() { # NAME LINES
    has_lines "$1" "$2" && save_signal "$1"
}
saves 'SIGUSR1 to 1 process' 0 saved
saves 'SIGUSR1 to mpirun of 3' 3 saved3
check 'and says so' grep -q 'SIGUSR1: saved as asked' saved3/log.txt

echo '# asked to stop'
user_signal() {
    kill -USR2 "$child"
}
stops 'SIGUSR2 to 1 process' 0 signal 2 user_signal
goes_on 'SIGUSR2' 0 signal whole
if command -v strace >/dev/null && strace -qq -o /dev/null true; then # the first socket is MPI's, which opens then
    strace -qq -o /dev/null -e trace=socket -e inject=socket:signal=USR2:when=1 \
        "$program" train "${base[@]}" run_dir=early >out 2>err </dev/null
    check 'SIGUSR2 while MPI starts: exit 75' test $? -eq 75
    goes_on 'SIGUSR2 while MPI starts' 0 early whole
fi
stops 'SIGUSR2 to mpirun of 3' 3 signal3 2 user_signal
check 'the stop is told once' test "$(grep -c 'mopo train: stopped after epoch' err)" -eq 1
goes_on 'SIGUSR2 to mpirun' 2 signal3 whole
stops 'a file named stop' 2 file 2 touch file/stop
check 'the file is gone' test ! -e file/stop
goes_on 'a file named stop' 0 file whole

echo '# settings of a run that is there'
exits 0 2 train "${base[@]}" run_dir=longer train.epochs=5
verdict 'a run of 5 epochs' $?
cp -r longer damaged
cp -r longer ruined
goes_on 'train.epochs raised to 8' 0 longer whole
exits 2 0 train "${base[@]}" run_dir=longer train.epochs=6
verdict 'train.epochs lowered: exit 2' $?
check 'and says so' grep -q 'train.epochs is 6, but longer has done 8 already' err
exits 2 0 train "${base[@]}" run_dir=longer sac.gamma=0.5
verdict 'another sac.gamma: exit 2' $?
check 'and names it' grep -q 'sac.gamma: 0.99 -> 0.5' err
goes_on 'a finished run once more' 2 longer whole

echo '# damaged checkpoints'
printf 'x' | dd of=damaged/ckpt/policy-000005/state.h5 bs=1 seek=4000 conv=notrunc 2>/dev/null
goes_on 'the newest is damaged' 2 damaged whole
check 'a warning names it' grep -q 'warning: .*policy-000005' err
check 'it went on from the one before' grep -q 'model buffer made again' damaged/log.txt
for state in ruined/ckpt/*/state.h5; do
    truncate -s 100 "$state"
done
exits 76 3 train "${base[@]}" run_dir=ruined
verdict 'all are damaged: exit 76, no fresh start' $?
check 'and says so once' test "$(grep -c '^mopo train: ' err)" -eq 1
finish
