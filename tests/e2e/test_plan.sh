#!/bin/bash
# mopo plan: what it prints for all kinds of runs, that it leaves nothing behind, and each mistake with its exit code.
# Nothing here looks at how long anything took.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mkdir tmp && export TMPDIR=$work/tmp
smoke=$source_dir/configs/smoke.yaml

cat >has.py <<'PYTHON'
"""has.py FILE RANKS [COST ...] [-COST ...]: FILE is a plan with a run on RANKS, with these costs and without those."""
import json
import sys

plan = json.load(open(sys.argv[1], encoding="utf-8"))
assert plan["plan_format"] == 1
runs = {run["ranks"]: run for run in plan["runs"]}
assert list(runs) == sorted(runs) and {1, 2, 4, 8, 16, 32, 64} <= set(runs), runs.keys()
assert int(sys.argv[2]) in runs and plan["recommended_ranks"] in runs
phases = ("load", "model_fit", "reports", "first_rows", "epochs")
for n, run in runs.items():
    assert abs(run["total"] - sum(run[key] for key in phases)) <= 1e-6 * run["total"], run
    assert all(run[key] >= 0 for key in phases) and run["total"] > 0, run
    assert abs(run["efficiency"] * n * run["total"] - runs[1]["total"]) <= 1e-6 * runs[1]["total"], run
    assert 1 <= run["learners"] <= n and run["host_bytes"] >= run["rank_bytes"] > 1e6, run
costs = {name for name, seconds in plan["unit_seconds"].items() if seconds > 0}
for name in sys.argv[3:]:
    assert (name[1:] not in costs) if name[0] == "-" else (name in costs), (name, costs)
assert plan["memory"] and plan["checkpoint_bytes"] > 0 and plan["run_bytes"] > plan["checkpoint_bytes"]
assert plan["rows"] > 0 and plan["cores"] >= 1
PYTHON

# plans NAME RANKS MPIRUN COST ... -- ARGUMENTS ...: a plan as JSON with RANKS and these costs.
plans() {
    local name=$1 ranks=$2 mpirun=$3 costs=()
    shift 3
    while [ "$1" != -- ]; do
        costs+=("$1")
        shift
    done
    shift
    exits 0 "$mpirun" plan "$@" --json && cp out plan.json && python3 has.py plan.json "$ranks" "${costs[@]}"
    verdict "$name" $?
}

plans 'the smallest run' 16 0 collect store update rollout fit_step eval load save predict -prepare -terminal -- "$smoke" -n 16
plans 'three ranks more, measured on two' 3 2 update rollout latency -- "$smoke" -n 3
check 'with messages measured' grep -q '"messages_measured": true' plan.json
plans 'a method without a model' 64 0 update eval -rollout -fit_step -predict -- "$smoke" algo=bc
plans 'SAC on the data' 64 0 update eval -rollout -fit_step -- "$smoke" algo=sac
plans 'updates before the first epoch' 64 0 prepare update -rollout -- "$smoke" algo=brac-p
plans 'on-policy' 100 0 prepare update rollout -- "$smoke" algo=morel-npg rollout.batch=16 rollout.units=4 \
    rollout.horizon=10 npg.clone_updates=10 -n 100
plans 'a learned end, a penalty that halts' 64 0 terminal predict -- "$smoke" termination.rule=learned penalty.type=halt
plans 'a robot' 64 0 truth eval -- "$source_dir/configs/task/hopper.yaml" dataset=none.hdf5 data.max_rows=3000 \
    model.hidden=16 sac.hidden=16 rollout.batch=64 rollout.units=8
check 'says that its rows are assumed' grep -q '"rows_assumed": true' plan.json
check 'and its passes' grep -q '"passes_assumed": true' plan.json

python3 "$source_dir/tools/cart_csv.py" >log.csv
mopo data convert log.csv log.hdf5
none=("$source_dir/configs/task/none.yaml" dataset=log.hdf5 data.action_low=-12 data.action_high=12)
plans 'without a simulator' 64 0 eval rollout -truth -- "${none[@]}" rollout.batch=64 rollout.units=8 model.hidden=16

exits 0 0 plan "$smoke" -n 16 --passes 7
verdict 'as text' $?
check 'with the passes' grep -q '^7 passes of the model fit (--passes)' out
check 'costs' grep -qE '^  update +[0-9.]+  an update' out
check 'runs' grep -qE '^ +16 ' out
check 'memory' grep -q 'once a host' out
check 'one recommendation' test "$(grep -c '^Take ' out)" -eq 1
exits 0 0 plan "$smoke" -n 16 --slurm seed=3
verdict 'for SLURM' $?
check 'as one line' grep -qE \
    "^sbatch --ntasks=16 --time=00:05:00 --mem-per-cpu=[0-9]+M slurm/train.sbatch $smoke seed=3 ranks.learners=[124]\$" out
check 'and no other' test "$(wc -l <out)" -eq 1

# fails CODE TEXT ARGUMENTS...: it ends with this code and says TEXT.
fails() {
    local code=$1 text=$2
    shift 2
    exits "$code" 0 "$@" && grep -qF -- "$text" err
    verdict "$*" $?
}

fails 2 'from 1 to 4096' plan "$smoke" -n 0
fails 2 '--passes' plan "$smoke" --passes many
fails 2 '--json cannot stand beside --slurm' plan "$smoke" --json --slurm
fails 2 'did you mean --slurm' plan "$smoke" --slurn
fails 2 'give the file' plan "$source_dir/configs/task/none.yaml" dataset=nowhere.hdf5
fails 2 'dataset' plan "$source_dir/configs/task/hopper.yaml" dataset=hopper-nothing-v9
fails 2 'train.epochs' plan "$smoke" train.epochs=0
check 'no run directory was made' test ! -e runs
check 'no file is left in TMPDIR' test -z "$(find tmp -mindepth 1 -name 'mopo-plan-*')"
finish
