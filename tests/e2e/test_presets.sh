#!/bin/bash
# Every preset of `mopo config show tables`, those to come as well, in a run of seconds: it ends, the result is the
# same for any number of ranks and learners, and a run that was stopped goes on to the same bytes, on other ranks.
#   MOPO_ALL_RANKS=1    also on 1, 2, 3, 4, 7, 8 and 16 ranks, in a quarter of an hour
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

all_ranks=${MOPO_ALL_RANKS:+1 2 3 4 7 8 16}

exits 0 0 collect rows.hdf5 task=pointmass seed=3 --rows 1500 || verdict 'collect' 1
for ranks in $all_ranks; do
    exits 0 "$ranks" collect more.hdf5 task=pointmass seed=3 --rows 1500
    check "rows collected on $ranks ranks: same bytes" cmp rows.hdf5 more.hdf5
    rm -f more.hdf5
done
find_presets
has_the_methods() {
    local want
    for want in mopo mbpo mbpo-no-ensemble sac bear brac-p brac-v morel morel-npg bc; do
        [[ " ${presets[*]} " == *" $want "* ]] || return 1
    done
}
check 'the table has the methods of the paper' has_the_methods

for preset in "${presets[@]}"; do
    preset_run "$preset"
    exits 0 0 train "${run[@]}" run_dir=one
    verdict "$preset trains" $?
    check "$preset leaves finite metrics" \
        python3 -c 'import csv, sys
rows = list(csv.DictReader(open("one/metrics.csv")))
assert len(rows) == 3, rows
assert all(float(r["return_mean"]) == float(r["return_mean"]) for r in rows)
assert any(r["actor_loss"] for r in rows)'
    exits 0 3 train "${run[@]}" run_dir=three ranks.learners=2 && check "$preset: 3 ranks, 2 learners: same bytes" \
        same_results one three
    exits 0 1 train "${run[@]}" run_dir=stopped train.epochs=1
    exits 0 2 train "${run[@]}" run_dir=stopped && check "$preset: stopped, then 2 ranks: same bytes" \
        same_results one stopped
    for ranks in $all_ranks; do
        exits 0 "$ranks" train "${run[@]}" run_dir=more
        check "$preset: $ranks ranks: same bytes" same_results one more
        rm -rf more
    done
    mopo eval one --json && check "$preset: its policy plays as in its last evaluation" \
        python3 -c 'import csv, json
last = list(csv.DictReader(open("one/metrics.csv")))[-1]
now = json.load(open("out"))["return_mean"]
assert abs(now - float(last["return_mean"])) <= 1e-6 * abs(now), (now, last["return_mean"])'
    rm -rf one three stopped
done

echo '# stopped while the behavior is cloned'
clone=("${tiny[@]}" algo=brac-v brac.clone_updates=4000)
exits 0 0 train "${clone[@]}" run_dir=whole || verdict 'a run with a long clone' 1
mkdir -p halted
(
    for ((i = 0; i < 600; i++)); do # until the clone is under way
        ! grep -qs "behavior's model: update" halted/log.txt || break
        sleep 0.05
    done
    touch halted/stop
) &
exits 75 1 train "${clone[@]}" run_dir=halted
verdict 'a stop file ends the clone with code 75' $?
check 'the message says how far it came' grep -q "updates of the behavior's model as asked" err
exits 0 2 train "${clone[@]}" run_dir=halted && check 'the clone goes on on 2 ranks: same bytes' \
    same_files whole halted policy.h5 metrics.jsonl metrics.csv

echo '# said'
exits 0 0 train "${tiny[@]}" algo=bc bear.sigma=5 sac.gamma=0.9 run_dir=said train.epochs=1
check 'a setting of another agent does nothing, and that is said' \
    grep -q 'bear.sigma=5: not used, since train.agent is bc' err
check 'what all agents share is not meant' bash -c '! grep -q sac.gamma err'

echo '# refused'
exits 2 0 train "${tiny[@]}" algo=bearr run_dir=no
verdict 'an unknown preset: exit code 2' $?
check 'it names the known ones' grep -q 'allowed is mopo' err
exits 2 0 train "${tiny[@]}" algo=bc eval.candidates=5 run_dir=no
verdict 'candidates without a critic: exit code 2' $?
check 'it says why' grep -q 'has no critic' err

finish
