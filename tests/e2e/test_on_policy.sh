#!/bin/bash
# An on-policy agent (MOReL with its own optimizer): it learns; its result does not depend on ranks, learners or stops;
# and what does not go with it is refused with advice.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

base=("$source_dir/configs/smoke.yaml" dataset=data.hdf5 algo=morel-npg model.hidden=32 model.max_epochs=10
    rollout.batch=64 rollout.horizon=40 npg.clone_updates=50 train.epochs=5)

# train NAME RANKS SETTINGS...: a run in directory NAME.
train() {
    local name=$1 ranks=$2
    shift 2
    exits 0 "$ranks" train "${base[@]}" "$@" "run_dir=$name" || {
        verdict "run $name on $ranks ranks" 1
        return 1
    }
}

# refused WHAT PATTERN SETTINGS...: exit 2, and the message has the pattern.
refused() {
    local what=$1 pattern=$2
    shift 2
    exits 2 0 train "${base[@]}" run_dir=refused "$@"
    verdict "$what: exit 2" $?
    check "$what: says so" grep -q "$pattern" err
}

# column NAME LINE RUN: a number of metrics.csv; line 1 is the first epoch's.
column() {
    awk -F, -v name="$1" -v line="$2" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i } NR == line + 1 { print $at[name] }' \
        "$3/metrics.csv"
}

never_says() { # PATTERN FILES...
    ! grep -q "$@"
}

greater() {
    awk -v a="$1" -v b="$2" 'BEGIN { exit !(a > b) }'
}

echo '# ranks and learners'
train one 0
for ranks in 1 2 3; do
    train more "$ranks" && check "$ranks ranks: same bytes" same_run one more
    rm -rf more
done
for pair in 2/2 3/2 4/2 4/4 5/4; do
    train more "${pair%/*}" "ranks.learners=${pair#*/}" &&
        check "${pair%/*} ranks, ${pair#*/} of them learners: same bytes" same_run one more
    rm -rf more
done

echo '# stops'
train short 2 train.epochs=2
cp -r short short2
cp -r short short4
train short 0 && check 'after 2 epochs, 2 ranks, then 1: same bytes' same_run one short
train short2 3 ranks.learners=2 && check 'after 2 epochs, then 3 ranks, 2 learners: same bytes' same_run one short2
train short4 4 ranks.learners=4 && check 'after 2 epochs, then 4 learners: same bytes' same_run one short4
check 'each start finds the threshold of HALT anew, and the same' test \
    "$(grep -h -o 'rollouts halt above .*' one/log.txt short/log.txt short2/log.txt short4/log.txt | sort | uniq -c |
        awk '{ print NR, $1 }')" = '1 7'
check 'its phase was made again' grep -q 'made again from 1 rollout phases' short/log.txt
check 'and came out as it was' never_says 'came out different' short/log.txt short2/log.txt short4/log.txt
"$program" train "${base[@]}" run_dir=cloned npg.clone_updates=30000 >out 2>err </dev/null &
child=$!
until compgen -G 'cloned/ckpt/prepare-*[0-9]' >/dev/null || ! kill -0 "$child" 2>/dev/null; do
    sleep 0.01
done
check 'killed while the start is cloned' kill -KILL "$child"
wait "$child" 2>/dev/null
child=''
train cloned 2 npg.clone_updates=30000 && check 'it goes on there' grep -q "behavior's model: going on after" cloned/log.txt
train whole 0 npg.clone_updates=30000 && check 'on 2 ranks: same bytes' same_run whole cloned

echo '# what an epoch is'
check 'one update' test "$(column updates 5 one)" -eq 5
check 'its own rows and no others' test "$(column buffer_rows 5 one)" = "$(column model_rows 5 one)"
check 'HALT ends trajectories' greater "$(column halted 1 one)" 0

echo '# learning'
train learns 2 dataset=more.hdf5 collect.rows=20000 model.hidden=64 model.max_epochs=15 rollout.batch=200 \
    rollout.horizon=100 penalty.halt_pessimism=1 sac.gamma=0.99 train.epochs=20 eval.episodes=20 eval.every=20
check 'it is nearly as good as the best there is (score 100), from random data (0)' greater "$(column score 20 learns)" 80
# of its own noisy actions, so the first number is that of the start
check 'its rows in the model have a third more reward' \
    greater "$(column model_reward 20 learns)" "$(awk -v r="$(column model_reward 1 learns)" 'BEGIN { print r * 4 / 3 }')"
exits 0 0 eval learns --episodes 5
verdict 'mopo eval plays the policy' $?

echo '# what it does not go with'
refused 'two updates an epoch' 'train.updates_per_epoch is not 1' train.updates_per_epoch=2
refused 'rows of the data' 'train.real_ratio is not 0' train.real_ratio=0.05
refused 'rows of an older policy' 'rollout.lag is not 0' rollout.lag=1
refused 'rows of several epochs' 'rollout.retain is not 1' rollout.retain=2
refused 'random actions' 'rollout.actions is not policy' rollout.actions=uniform
refused 'candidates' 'has no critic' eval.candidates=4
finish
