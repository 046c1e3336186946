#!/bin/bash
# Numbers that run away, each provoked by settings or data: one message says which quantity went first and what
# usually cures it, the exit code is 1 on all ranks, no checkpoint or policy holds such a number, and the
# checkpoint before is whole.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

smoke=$source_dir/configs/smoke.yaml
number=0

messages() {
    grep -a '^mopo' err
}

# says CODE RANKS TEXT ARGUMENTS...: training ends with this code and one message, which holds TEXT and, of
# numbers that ran away, the cures and what is left. Each time in a directory of its own, $dir.
says() {
    local code=$1 ranks=$2 text=$3
    shift 3
    number=$((number + 1))
    dir=run$number
    exits "$code" "$ranks" train "$smoke" run_dir=$dir train.epochs=40 "$@" || return 1
    [ "$(messages | wc -l)" -eq 1 ] && messages | grep -qF -- "$text" && [ ! -e $dir/policy.h5 ] || return 1
    [ "$code" -ne 1 ] || messages | grep -q 'usual cures: .*checkpoint'
}

# told WHAT CODE TEXT ARGUMENTS...: on one process and on three ranks.
told() {
    local what=$1 ranks
    shift
    for ranks in 0 3; do
        says "$1" "$ranks" "${@:2}"
        verdict "$what, $ranks ranks" $?
    done
}

# table COLUMN VALUE: 600 random rows, and in one of them this.
table() {
    awk -v column="$1" -v value="$2" 'BEGIN {
        srand(1); OFS = ","
        print "observations_0,observations_1,observations_2,observations_3,actions_0,actions_1,rewards,terminals,timeouts"
        for (i = 0; i < 600; i++) {
            for (j = 1; j <= 7; j++) $j = 2 * rand() - 1
            if (i == 77) $column = value
            print $1, $2, $3, $4, $5, $6, $7, 0, i % 60 == 59
        }
    }'
}

# dataset NAME COLUMN VALUE
dataset() {
    table "$2" "$3" >"$1.csv"
    exits 0 0 data convert "$1.csv" "$1.hdf5" || verdict "the dataset $1" 1
}

dataset good 1 0
dataset nan 7 nan
dataset inf 2 inf
dataset huge 7 1e30
dataset far 3 1e30

# --- what the data hold ---
told 'NaN in a column is found when it is read' 76 "'rewards' row 77 column 0 is nan" dataset=nan.hdf5
told 'so is infinity' 76 "'observations' row 77 column 1 is inf" dataset=inf.hdf5
told 'a reward of 1e30' 1 'the dataset went first: in transition 76 the reward has the size 1e+30' dataset=huge.hdf5
check 'shows in the loss of the model' grep -q 'model pass 1: the loss of ensemble member' err
told 'a state of 1e30' 1 'the dataset went first: in transition 75 the next state' dataset=far.hdf5

# --- the agent, in an epoch that is not the first ---
late=(dataset=huge.hdf5 train.real_ratio=1 train.updates_per_epoch=1 train.batch=16)
says 1 0 'the critic loss of the agent is inf' "${late[@]}"
verdict 'the critic' $?
first=$(messages)
check 'names a checkpoint that is there' test -d "$(grep -o "$dir/ckpt/policy-[0-9]*" <<<"$first")"
check 'and its settings' grep -q 'sac.critic_lr' <<<"$first"
check 'and how Q grew' grep -q 'the mean Q went from' <<<"$first"
exits 1 0 train "$smoke" run_dir=$dir train.epochs=40 "${late[@]}"
verdict 'the same command' $?
check 'goes on from it' grep -q 'going on after epoch' err
check 'to the same update' test "$(messages | grep -o 'update [0-9]*')" = "$(grep -o 'update [0-9]*' <<<"$first")"
says 1 3 "$(grep -o 'epoch [0-9]*: update [0-9]*' <<<"$first")" "${late[@]}"
verdict 'is that of 3 ranks' $?
steep=(dataset=good.hdf5 sac.reward_scale=1e9 sac.gamma=1 sac.tau=1 sac.critic_lr=1 sac.actor_lr=1 sac.alpha=1e8
    penalty.lambda=1e9)
told 'squares of gradients that overflow' 1 'squared gradients of agent sac are no longer finite' "${steep[@]}"
told 'the clone of the behavior' 1 "behavior's model: update " dataset=far.hdf5 train.agent=brac train.real_ratio=1 \
    brac.clone_updates=100
check 'the dataset is to blame' grep -q 'the dataset went first' err
check 'no checkpoint was there' grep -q 'No checkpoint was saved yet' err

# --- the model ---
wild=(dataset=good.hdf5 rollout.horizon=1000 rollout.batch=64 rollout.guard=0 termination.rule=never
    model.max_epochs=1 model.lr=1 penalty.lambda=0)
told 'states that run away' 1 'the model went first: its rewards of this epoch are' "${wild[@]}"
check 'the horizon is named' grep -q 'rollout.horizon' err
check 'rows that were left out before are told, once' test "$(grep -ac 'warning: epoch 1: of [0-9]* predicted rows [0-9]* are left out' err)" -eq 1
check 'with what cures it' grep -aq 'warning: .* are left out .*usual cures: a smaller rollout.horizon' err
check 'the model that was saved is whole' test -d "$dir/ckpt/model-000001"

# --- settings that no run could survive ---
told 'a learning rate of 1e30' 2 'model.lr: found 1e30, allowed is' dataset=good.hdf5 model.lr=1e30
finish
