#!/bin/bash
# The datasets of a task from one run of online SAC: all there, in order, and the same bytes on any number of ranks and
# however often the run was stopped or killed.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

settings=(task=pointmass collect.steps=8000 collect.start_steps=300 collect.eval_every=200 collect.save_every=500
    sac.hidden=32 sac.actor_lr=1e-3 sac.critic_lr=1e-3 sac.alpha_lr=1e-3 train.batch=64)
family=(--family --rows 2000 "${settings[@]}")
sets=(pointmass-random.hdf5 pointmass-medium.hdf5 pointmass-mixed.hdf5 pointmass-expert.hdf5
    pointmass-medium-expert.hdf5)
files=("${sets[@]}" replay.hdf5 progress.csv family.txt policies/policy-0000000200.h5 policies/policy-0000008000.h5)

# column SET NUMBER: of family.txt.
column() {
    awk -v set="pointmass-$1" -v k="$2" '$1 == set { print $k }' one/family.txt
}

less() {
    awk -v a="$1" -v b="$2" 'BEGIN { exit !(a + 0 < b + 0) }'
}

has_part() { # NAME NUMBER
    [ -f "$1/replay.hdf5.parts/part-00000$2.h5" ]
}

# begin NAME RANKS NUMBER: in the background, until that part is there.
begin() {
    local name=$1 ranks=$2 number=$3
    if [ "$ranks" -eq 0 ]; then
        "$program" collect "$name" "${family[@]}" >out 2>err </dev/null &
    else
        mpirun -n "$ranks" "$program" collect "$name" "${family[@]}" >out 2>err </dev/null &
    fi
    child=$!
    until has_part "$name" "$number"; do
        kill -0 "$child" 2>/dev/null || return 1
        sleep 0.005
    done
}

# ends_with CODE: the run in the background.
ends_with() {
    wait "$child"
    local code=$?
    child=''
    [ $code -eq "$1" ] || echo "        exit code $code, not $1"
    [ $code -eq "$1" ]
}

echo '# one process'
exits 0 0 collect one "${family[@]}"
verdict 'a family' $?
for file in "${files[@]}"; do
    check "$file is there" test -s "one/$file"
done
check 'nothing half made is left' test ! -e one/replay.hdf5.parts
for set in "${sets[@]}"; do
    exits 0 0 data info "one/$set"
    verdict "$set reads as a dataset" $?
done
check 'medium returns more than random' less "$(column random 4)" "$(column medium 4)"
check 'expert returns more than medium' less "$(column medium 4)" "$(column expert 4)"
check 'mixed ends where medium begins' test "$(column mixed 2)" = "$(column medium 7)"
check 'rows as asked' test "$(column random 2) $(column medium 2) $(column expert 2)" = '2000 2000 2000'
exits 0 0 collect one "${family[@]}"
check 'a second time changes nothing' grep -q 'is done here' err
exits 2 0 collect one "${family[@]}" collect.steps=9000
check 'other settings are refused' grep -q 'collect.steps: 8000 -> 9000' err
exits 2 0 collect one --family --rows 100 "${settings[@]}"
check 'other rows are refused' grep -q 'has 2000 rows, not 100' err
exits 2 0 collect one --online --policy x.h5
check 'what cannot stand together' grep -q 'online cannot stand beside --policy' err

echo '# other ranks, stops and kills'
for ranks in 2 4; do
    exits 0 "$ranks" collect "on-$ranks" "${family[@]}"
    verdict "$ranks ranks" $?
    check 'the same bytes' same_files one "on-$ranks" "${files[@]}"
done
begin stopped 0 1 && kill -USR2 "$child" && ends_with 75
verdict 'stopped: exit 75' $?
check 'it says how to go on' grep -q 'the same command goes on from here' err
begin stopped 2 3 && : >stopped/stop && ends_with 75
verdict 'gone on with on two ranks, and stopped there' $?
cp -r stopped/replay.hdf5.parts parts
begin stopped 0 5 && kill -KILL "$child"
ends_with 137 2>/dev/null
verdict 'gone on with alone, and killed' $?
exits 0 2 collect stopped "${family[@]}"
verdict 'ended on two ranks' $?
check 'the same bytes as without' same_files one stopped "${files[@]}"
rm one/pointmass-expert.hdf5 one/pointmass-medium-expert.hdf5
exits 0 0 collect one "${family[@]}"
check 'what was missing is made again' same_files one on-2 "${files[@]}"
for file in replay.hdf5 pointmass-random.hdf5; do # as if killed while it deleted the parts of a file
    cp -r parts "one/$file.parts"
done
mkdir one/beat && : >one/beat/0
exits 0 0 collect one "${family[@]}"
check 'parts of files that are there go' test -z "$(compgen -G 'one/*.parts')"
check 'and the last sign of life' test ! -e one/beat

rm one/pointmass-medium.hdf5
mkdir one/pointmass-medium.hdf5.parts # of a policy that --force makes anew
cp "$work"/parts/part-000000.h5 one/pointmass-medium.hdf5.parts/
exits 0 0 collect one "${family[@]}" --force
verdict 'by force, whatever parts there are' $?
check 'the same bytes' same_files one on-2 "${files[@]}"

echo '# a task whose data come from another reward'
exits 0 2 collect jump --family task=halfcheetah-jump collect.steps=1500 collect.eval_every=1500 eval.episodes=1 \
    sac.hidden=16 train.batch=16
verdict 'halfcheetah-jump' $?
check 'the replay buffer and the relabeled one' test -s jump/halfcheetah-jump-behavior.hdf5 -a -s jump/halfcheetah-jump.hdf5
finish
