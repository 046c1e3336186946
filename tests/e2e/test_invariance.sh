#!/bin/bash
# The result of a run is a function of its settings: not of the number of ranks, of who learns, or of the day.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

smoke=$source_dir/configs/smoke.yaml
tiny=(task=halfcheetah collect.rows=2000 model.members=3 model.elites=2 model.hidden=32 model.layers=2
    model.max_epochs=2 rollout.batch=200 rollout.units=8 rollout.horizon=2 rollout.retain=1 train.epochs=2
    train.updates_per_epoch=20 train.batch=64 sac.hidden=32 eval.episodes=2)

# train NAME RANKS SETTINGS...: a run in directory NAME.
train() {
    local name=$1 ranks=$2
    shift 2
    exits 0 "$ranks" train "$@" "run_dir=$name" || {
        verdict "run $name on $ranks ranks" 1
        return 1
    }
}

# as_reference REFERENCE NAME WHAT RANKS SETTINGS...: one more run; its files must be those of the reference.
as_reference() {
    local reference=$1 name=$2 what=$3
    shift 3
    train "$name" "$@" && check "$what: same bytes" same_run "$reference" "$name"
    rm -rf "${name:?}"
}

echo '# a collected dataset'
for task in pointmass halfcheetah; do
    for ranks in 0 2 3; do
        exits 0 "$ranks" collect "$task-$ranks.hdf5" "task=$task" seed=5 --rows 2500 ||
            verdict "collect $task on $ranks ranks" 1
    done
    check "$task on 2 ranks: same bytes" cmp "$task-0.hdf5" "$task-2.hdf5"
    check "$task on 3 ranks: same bytes" cmp "$task-0.hdf5" "$task-3.hdf5"
done
exits 0 0 collect other.hdf5 task=pointmass seed=6 --rows 2500
check 'another seed: other bytes' differ pointmass-0.hdf5 other.hdf5

echo '# pointmass, records one epoch old (rollout.lag 1)'
lag1=("$smoke" dataset=pointmass-0.hdf5 rollout.retain=2 train.epochs=5)
train lag1 0 "${lag1[@]}"
as_reference lag1 again 'the same once more' 0 "${lag1[@]}"
for ranks in 1 2 3 4 8; do
    as_reference lag1 more "$ranks ranks" "$ranks" "${lag1[@]}"
done
for pair in 2/2 3/2 4/2 4/4 5/4 8/4; do
    as_reference lag1 shared "${pair%/*} ranks, ${pair#*/} of them learners" "${pair%/*}" "${lag1[@]}" \
        "ranks.learners=${pair#*/}"
done
for ranks in 1 2 3; do
    MOPO_HOST_RANKS=$ranks as_reference lag1 hosts "4 learners, hosts of $ranks" 4 "${lag1[@]}" ranks.learners=4
done

echo '# pointmass, three members fitted by teams of ranks'
teams=("${lag1[@]}" model.shards=8 train.epochs=1)
train teams 0 "${teams[@]}"
check 'other shards of a member: another model' differ teams/model.h5 lag1/model.h5
for pair in 2/2 4/4 8/2 14/4 16/1 16/4; do
    as_reference teams more "${pair%/*} ranks, ${pair#*/} of a team" "${pair%/*}" "${teams[@]}" \
        "ranks.team=${pair#*/}"
done

echo '# pointmass, records of the epoch itself (rollout.lag 0)'
train lag0 0 "${lag1[@]}" rollout.lag=0
check 'lag 0 is not lag 1' differ lag0/policy.h5 lag1/policy.h5
check 'lag 0 has the same model' cmp lag0/model.h5 lag1/model.h5
for pair in 2/0 3/2 4/4; do
    as_reference lag0 more "${pair%/*} ranks, learners ${pair#*/}" "${pair%/*}" "${lag1[@]}" rollout.lag=0 \
        "ranks.learners=${pair#*/}"
done

echo '# pointmass, variants'
train none 0 "${lag1[@]}" penalty.type=none
check 'without a penalty: another policy' differ none/policy.h5 lag1/policy.h5
as_reference none more 'without a penalty, 3 ranks' 3 "${lag1[@]}" penalty.type=none
train seed 0 "${lag1[@]}" seed=1
check 'another seed: another policy' differ seed/policy.h5 lag1/policy.h5
check 'another seed: another model' differ seed/model.h5 lag1/model.h5
normed=("${lag1[@]}" model.spectral_norm=true model.target_scale=zscore model.members=5 eval.every=3)
train normed 0 "${normed[@]}"
as_reference normed more 'spectral norm, z-scored targets, rare evaluations, 4 ranks' 4 "${normed[@]}"
real=("${lag1[@]}" train.real_ratio=1)
train real 0 "${real[@]}"
check 'without model data no model is fitted' test ! -e real/model.h5
train real3 3 "${real[@]}" && check 'without model data, 3 ranks: same bytes' \
    same_files real real3 policy.h5 metrics.jsonl metrics.csv

echo '# pointmass, the pessimism of others'
# resumed NAME REFERENCE WHAT SETTINGS...: two epochs on 2 ranks, the others on 1, end as the reference.
resumed() {
    local name=$1 reference=$2 what=$3
    shift 3
    train "$name" 2 "$@" train.epochs=2 && train "$name" 1 "$@" &&
        check "$what, resumed: same bytes" same_run "$reference" "$name"
}
for algo in mopo mbpo mbpo-no-ensemble morel; do
    train "$algo" 0 "${lag1[@]}" "algo=$algo" && check "algo=$algo has its report" test -s "$algo/penalty.txt"
done
check 'mbpo is MOPO without a penalty' cmp mbpo/metrics.csv none/metrics.csv
halt=("${lag1[@]}" algo=morel rollout.starts=initial rollout.member=trajectory rollout.horizon=12
    penalty.halt_form=absorbing penalty.halt_cost=2 penalty.halt_pessimism=1.5 train.real_ratio=0)
train halt 0 "${halt[@]}"
# shellcheck disable=SC2016
check 'some rows of each epoch halt, not all' awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    { if ($at["halted"] <= 0 || $at["halted"] >= $at["model_rows"]) exit 1 }' halt/metrics.csv
for ranks in 1 2 3; do
    as_reference halt more "MOReL, $ranks ranks" "$ranks" "${halt[@]}"
done
as_reference halt more 'MOReL, 4 ranks, 2 of them learners' 4 "${halt[@]}" ranks.learners=2
resumed halted halt MOReL "${halt[@]}"
oracle=("${lag1[@]}" penalty.type=oracle rollout.starts=initial rollout.member=trajectory)
train oracle 0 "${oracle[@]}"
for ranks in 1 2 3; do
    as_reference oracle more "oracle, $ranks ranks" "$ranks" "${oracle[@]}"
done
resumed asked oracle oracle "${oracle[@]}"
for type in frobenius mean_gap pairwise ensemble_std mixture_std ll_var loo_kl; do
    train "$type" 0 "${lag1[@]}" "penalty.type=$type" train.epochs=2
    as_reference "$type" more "$type, 3 ranks" 3 "${lag1[@]}" "penalty.type=$type" train.epochs=2
    check "$type: another policy than max_std" differ "$type/policy.h5" lag1/policy.h5
done
exits 2 0 train "${lag1[@]}" run_dir=alone penalty.type=pairwise model.members=1 model.elites=1
verdict 'one member cannot disagree' $?
exits 2 0 train "${lag1[@]}" run_dir=blind penalty.type=oracle task=none
verdict 'the oracle needs a simulator' $?

echo '# HalfCheetah, MuJoCo in the loop; every run collects its own dataset'
train cheetah 0 "${tiny[@]}" dataset=cheetah.hdf5
for ranks in 2 3; do
    as_reference cheetah more "$ranks ranks" "$ranks" "${tiny[@]}" dataset=cheetah.hdf5
done
train seen 0 "${tiny[@]}" dataset=cheetah.hdf5 penalty.type=oracle
as_reference seen more 'oracle, 2 ranks' 2 "${tiny[@]}" dataset=cheetah.hdf5 penalty.type=oracle
train cheetah2 2 "${tiny[@]}" dataset=cheetah2.hdf5
check 'its dataset, collected on 2 ranks: same bytes' cmp cheetah.hdf5 cheetah2.hdf5
finish
