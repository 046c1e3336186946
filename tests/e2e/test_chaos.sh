#!/bin/bash
# Kill anywhere: short runs on random ranks, disturbed at random instants and started again on other ranks until they
# have ended, give the bytes of a run left alone. A blow is SIGKILL, SIGTERM or SIGSTOP to a random rank, or SIGKILL to
# mpirun. Says at the end how many blows fell in which phase.
#   test_chaos.sh PROGRAM [ROUNDS]     rounds also from MOPO_CHAOS_ROUNDS (20; an hour or so: 300)
#   MOPO_CHAOS_SEED=N                  the rounds of an earlier call (printed); the instants depend on the machine
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rounds=${2:-${MOPO_CHAOS_ROUNDS:-20}}
seed=${MOPO_CHAOS_SEED:-$(date +%s)}
RANDOM=$seed
echo "seed $seed, $rounds rounds"

tiny=("$source_dir/configs/smoke.yaml" model.hidden=64 rollout.retain=2 train.epochs=5)
kinds=(mopo offline on-policy collect online)
declare -A command=(
    [mopo]="train ${tiny[*]} collect.rows=6000 model.max_epochs=15 model.patience=100 train.updates_per_epoch=150"
    [offline]="train ${tiny[*]} algo=brac-v brac.clone_updates=1500 brac.warm_updates=50 train.updates_per_epoch=80"
    [on - policy]=''
    [collect]='collect FILE task=hopper seed=3 --rows 40000'
    [online]='collect DIR --online task=pointmass collect.steps=3000 collect.start=300 collect.eval_every=1000 collect.save_every=500 sac.hidden=32'
)
