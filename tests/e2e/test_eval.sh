#!/bin/bash
# eval plays the episodes of a run's last evaluation, on any number of ranks, and knows policies of others.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# number FILE KEY: a number of the last JSON line, as it stands there.
number() {
    python3 -c 'import json, sys; print(repr(json.loads(open(sys.argv[1]).readlines()[-1])[sys.argv[2]]))' "$1" "$2"
}

echo '# the policy of a run'
exits 0 2 train "$source_dir/configs/smoke.yaml" dataset=data.hdf5 run_dir=run train.epochs=2 eval.episodes=5
verdict 'a run' $?
for ranks in 0 2 3 8; do
    exits 0 "$ranks" eval run --json
    verdict "eval on $ranks ranks" $?
    cp out "eval-$ranks.json"
    check 'one JSON object' python3 -m json.tool "eval-$ranks.json"
    check 'the same on any ranks' cmp eval-0.json "eval-$ranks.json"
done
for key in return_mean return_std return_min return_max length_mean score; do
    check "$key is that of the last metrics line" \
        test "$(number eval-0.json "$key")" = "$(number run/metrics.jsonl "$key")"
done
exits 0 0 eval run --json --episodes 7
check 'more episodes begin with the same ones' python3 -c '
import json
few, more = (json.load(open(name))["returns"] for name in ("eval-0.json", "out"))
assert len(few) == 5 and len(more) == 7 and more[:5] == few'
exits 0 0 eval run/policy.h5 --json --episodes 5 task=pointmass
check 'the file alone plays the same' python3 -c '
import json
a, b = (json.load(open(name)) for name in ("eval-0.json", "out"))
assert a["returns"] == b["returns"]'
exits 0 0 eval run --json seed=9
check 'another seed: other episodes' differ out eval-0.json
exits 0 2 eval run
check 'text for people' grep -q 'run/policy.h5 on pointmass, 5 episodes with the mean action' out
exits 2 0 eval run/policy.h5 task=halfcheetah
verdict 'a policy of another task: exit 2' $?
check 'with both sizes' grep -q 'has 4 inputs and 2 actions, task halfcheetah has 17 and 6' err

echo '# policies of others: SAC and TQC of Stable-Baselines3 on HalfCheetah-v3'
for pair in sac/9511 tqc/11414; do # mean of ten episodes elsewhere
    name=${pair%/*}
    policy=$shared/data/sb3_actors/${name}_halfcheetah-v3_actor.hdf5
    if [ ! -f "$policy" ]; then
        skip "$policy is not there"
        continue
    fi
    exits 0 3 eval "$policy" task=halfcheetah --episodes 3 --json
    verdict "$name plays" $?
    printf '        return %s\n' "$(number out return_mean)"
    check "within 8 % of ${pair#*/}" python3 -c '
import json, sys
assert abs(json.load(open("out"))["return_mean"] / float(sys.argv[1]) - 1) < 0.08' "${pair#*/}"
done
finish
