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
exits 0 2 eval run --json sac.gamma=0.5 eval.episodes=5
verdict 'a setting that does not matter here' $?
check 'is told once' test "$(grep -c 'sac.gamma=0.5: not used; mopo eval uses task, seed' err)" -eq 1
check 'and changes nothing' cmp eval-0.json out
exits 0 2 eval run
check 'text for people' grep -q 'run/policy.h5 on pointmass, 5 episodes with the mean action' out
for ranks in 0 3; do
    exits 0 "$ranks" eval run --sample --json
    verdict "sampled actions on $ranks ranks" $?
    cp out "sample-$ranks.json"
done
check 'the same on any ranks' cmp sample-0.json sample-3.json
check 'not those of the mean action, and it says so' python3 -c '
import json
mean, sampled = (json.load(open(f"{name}-0.json")) for name in ("eval", "sample"))
assert (mean["actions"], sampled["actions"]) == ("mean", "sampled")
assert all(a != b for a, b in zip(mean["returns"], sampled["returns"]))'
exits 0 0 eval run --sample
check 'to people too' grep -q '5 episodes with sampled actions' out
exits 0 0 train "$source_dir/configs/smoke.yaml" dataset=bear.hdf5 algo=bear run_dir=bear train.epochs=1 \
    train.updates_per_epoch=5
exits 0 2 eval bear
verdict 'BEAR plays' $?
check 'the best of many, and it says so' grep -q '4 episodes with the best of 100 actions' out
mkdir begun && cp run/used.yaml begun
exits 2 0 eval begun
verdict 'a run without its policy yet: exit 2' $?
check 'says when it comes' grep -q 'written when training ends' err
exits 2 0 eval run/policy.h5 task=halfcheetah
verdict 'a policy of another task: exit 2' $?
check 'with both sizes' grep -q 'has 4 inputs and 2 actions, task halfcheetah has 17 and 6' err

# returns WHAT POLICY TASK MEAN PERCENT [WORD]: the mean return of some episodes is that which others measured.
returns() {
    local what=$1 policy=$2 task=$3 want=$4 band=$5
    shift 5
    exits 0 2 eval "$policy" "task=$task" env.inertia=legacy --episodes 4 --json "$@"
    verdict "$what plays" $?
    printf '        return %s\n' "$(number out return_mean)"
    check "within $band % of $want" python3 -c '
import json, sys
assert abs(json.load(open("out"))["return_mean"] / float(sys.argv[1]) - 1) < float(sys.argv[2]) / 100' "$want" "$band"
}

echo '# policies of others: SAC and TQC of Stable-Baselines3 on the v3 robots'
policy=$shared/data/sb3_actors/sac_walker2d-v3_actor.hdf5
if [ -f "$policy" ]; then
    exits 2 2 eval "$policy"
    verdict 'nobody says which task: exit 2' $?
    exits 2 2 collect others.hdf5 --policy "$policy"
    verdict 'nor to collect' $?
    check 'it is asked for' grep -q 'say task=NAME' err
fi
# Means of ten episodes elsewhere. Bands: four standard deviations of an episode over sqrt(4), or more; about one in
# fifty episodes of the TQC cheetah falls, and the ten elsewhere have such a one.
while read -r name task want band; do
    policy=$shared/data/sb3_actors/${name}_$task-v3_actor.hdf5
    if [ -f "$policy" ]; then
        returns "$name, $task" "$policy" "$task" "$want" "$band"
    else
        skip "$policy is not there"
    fi
done <<'TABLE'
sac halfcheetah 9511 3
tqc halfcheetah 11414 8
tqc hopper 3749 1
sac walker2d 3858 14
TABLE

echo '# policies of others: TRPO of openai/imitation, through the converter'
cat >unfolded.py <<'PYTHON'
"""unfolded.py LADDER ITERATION CONVERTED: the mean action by the ladder's own formula and by the converted file."""
import sys

import h5py
import numpy as np

p = h5py.File(sys.argv[1])[f"snapshots/iter{int(sys.argv[2]):07d}/GaussianPolicy"]
q = h5py.File(sys.argv[3])["metadata/policy"]
norm = p["obsnorm/Standardizer"]
mean, square = norm["mean_1_D"][0], norm["meansq_1_D"][0]
inputs = q["fc0/weight"].shape[1]
s = np.zeros((100, len(mean)))
s[:, :inputs] = np.random.default_rng(1).normal(size=(100, inputs))
x = (s - mean) / (np.sqrt(np.maximum(0, square - mean**2)) + 1e-6)
y = s[:, :inputs]
for k, there in enumerate(("hidden/FeedforwardNet/layer_0", "hidden/FeedforwardNet/layer_2", "out")):
    here = q[f"fc{k}" if k < 2 else "last_fc"]
    x = x @ p[there + "/AffineLayer/W"][:] + p[there + "/AffineLayer/b"][0]
    y = y @ here["weight"][:].T.astype(float) + here["bias"][:]
    if k < 2:
        x, y = np.tanh(x), np.tanh(y)
assert np.abs(x - y).max() < 1e-4 * np.abs(x).max(), np.abs(x - y).max()  # weights were rounded to float32
assert np.allclose(q["last_fc_log_std/bias"], p["logstdevs_1_Da"][0]) and not np.any(q["last_fc_log_std/weight"])
PYTHON
h5py=''
for python in python3 /usr/bin/python3; do
    [ -n "$h5py" ] || ! "$python" -c 'import h5py' 2>/dev/null || h5py=$python
done
[ -n "$h5py" ] || skip 'no Python with h5py'
while read -r file iteration task want band word; do
    [ -n "$h5py" ] || continue
    ladder=$shared/data/trpo_policy_ladder_openai_imitation/$file.h5
    if [ ! -f "$ladder" ]; then
        skip "$ladder is not there"
        continue
    fi
    check "$file $iteration is converted" "$h5py" "$source_dir/tools/policy_from_trpo.py" "$ladder" "$iteration" trpo.h5
    check 'to the same policy' "$h5py" unfolded.py "$ladder" "$iteration" trpo.h5
    returns "$file $iteration $word" trpo.h5 "$task" "$want" "$band" ${word:+"$word"}
done <<'TABLE'
log_HalfCheetah-v1_2 480 halfcheetah 3563 6 --sample
log_Hopper-v1_4 480 hopper 3777 1
log_Walker2d-v1_1 80 walker2d 3115 2
log_Ant-v1_0 240 ant 3596 5 env.ant_observation=27
TABLE
finish
