#!/bin/bash
# Data without a simulator: from a table to a policy, judged in the model and by fitted Q evaluation.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

limits=(data.action_low=-12 data.action_high=12)
tiny=("$source_dir/configs/task/none.yaml" dataset=cart.hdf5 "${limits[@]}" model.members=3 model.elites=2
    model.hidden=32 model.layers=2 model.max_epochs=3 rollout.batch=200 rollout.units=8 rollout.retain=2 train.epochs=3
    train.updates_per_epoch=30 train.batch=64 sac.hidden=32 eval.episodes=5 eval.model_steps=20
    termination.updates=300 fqe.updates=300)

python3 "$source_dir/tools/cart_csv.py" >cart.csv || verdict 'the table' 1
exits 0 0 data convert cart.csv cart.hdf5
verdict 'a table becomes a dataset' $?
exits 2 0 data convert cart.csv cart.hdf5 && grep -q -- '--force' err
verdict 'it is not written over' $?
exits 0 0 data convert cart.hdf5 toy/cart-v0 && exits 0 0 data convert toy/cart-v0/data/main_data.hdf5 back.hdf5
verdict "to Minari's layout and back" $?
exits 76 0 train "${tiny[@]:0:2}" run_dir=no && grep -q 'actions' err
verdict 'volts are no actions unless their limits are given' $?

exits 0 0 train "${tiny[@]}" run_dir=own && grep -q 'in the model' out && grep -q 'learned from' err
verdict 'a run on one rank' $?
for ranks in 2 3; do
    exits 0 "$ranks" train "${tiny[@]}" "run_dir=own-$ranks" && check "$ranks ranks: same bytes" same_run own "own-$ranks"
    check "$ranks ranks: the same rule" cmp own/termination.h5 "own-$ranks/termination.h5"
done

exits 0 0 eval own --json && cp out one.json && exits 0 3 eval own --json && check 'eval on 3 ranks: same' cmp out one.json
check 'both judgments' python3 - one.json <<'PYTHON'
import json, math, sys
r = json.load(open(sys.argv[1]))
assert r["task"] == "none" and len(r["returns"]) == 5 and r["length_mean"] <= 20, r
assert all(math.isfinite(r[k]) for k in ("fqe_value", "fqe_std", "data_value")), r
PYTHON
exits 0 0 eval own && grep -q 'fitted Q' out && grep -q 'in the model' out
verdict 'and in words' $?
wild=("${tiny[@]}" train.real_ratio=1 train.epochs=2 model.lr=1 model.max_epochs=1 termination.rule=never
    rollout.guard=0 eval.model_steps=500)
exits 0 3 train "${wild[@]}" run_dir=wild && test "$(grep -c 'warning: epoch [12]: 5 of 5 episodes in the model end early' err)" -eq 2
verdict 'a model that runs away: a warning with each evaluation' $?
exits 0 0 eval wild --json && grep -q 'warning: wild/policy.h5: 5 of 5 episodes in the model end early' err &&
    grep -q '"cut_episodes": 5' out
verdict 'and of mopo eval' $?
exits 0 0 train "${wild[@]}" run_dir=guarded rollout.guard=1000 && ! grep -q 'end early' err
verdict 'the guard that it names helps' $?
exits 2 0 eval own/policy.h5 task=none && grep -q 'run directory' err
verdict 'a policy alone cannot be judged without a simulator' $?
exits 2 0 collect more.hdf5 task=none && grep -q 'no simulator' err
verdict 'nothing can be collected' $?
exits 2 0 train "${tiny[@]}" run_dir=bad termination.rule=bounds termination.bounds=7:0..1 && grep -q 'no column 7' err
verdict 'bounds on a column that is not there' $?
finish
