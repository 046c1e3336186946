#!/bin/bash
# Each command once, on 2 ranks where it has a use for them, and a run that is killed and goes on. Short enough for the
# builds with sanitizers and with the other MPI, whose end-to-end test it is.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

base=("$source_dir/configs/smoke.yaml" dataset=data.hdf5 train.epochs=6 rollout.retain=2)

works() { # WHAT RANKS ARGUMENTS...
    exits 0 "${@:2}"
    verdict "$1" $?
}

works 'collect' 2 collect data.hdf5 task=pointmass --rows 2000
works 'data info' 0 data info data.hdf5
works 'data check' 2 data check data.hdf5 task=pointmass
works 'train on 1 rank' 0 train "${base[@]}" run_dir=whole

"${launcher[@]}" -n 2 "$program" train "${base[@]}" run_dir=killed >out 2>err </dev/null &
child=$!
while kill -0 "$child" 2>/dev/null && [ "$(lines_of killed/metrics.jsonl)" -lt 2 ]; do
    sleep 0.01
done
kill_a_rank 2
verdict 'one of 2 ranks is killed' $?
works 'the run goes on' 2 train "${base[@]}" run_dir=killed
check 'it went on from a checkpoint' grep -q 'model buffer made again' killed/log.txt
check 'same bytes' same_run whole killed

works 'eval' 2 eval whole --episodes 2
works 'model report' 2 model report whole
works 'config' 0 config show "${base[@]}"
exits 2 2 train "${base[@]}" run_dir=never sac.gamma=2
verdict 'a wrong setting is refused' $?
head -c 3000 data.hdf5 >short.hdf5
exits 76 2 train "${base[@]}" run_dir=never dataset=short.hdf5
verdict 'a damaged dataset is refused' $?
finish
