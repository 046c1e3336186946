#!/bin/bash
# Datasets by name: found in the folders of this machine, or one message that says how to get them.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

smoke=$source_dir/configs/smoke.yaml
export HOME=$work/home # what this machine has does not count
unset MOPO_DATA D4RL_DATASET_DIR MINARI_DATASETS_PATH

says() {
    check "it says $1" grep -qF -- "$1" err
}

echo '# a name that is nowhere'
for ranks in 0 3; do
    exits 2 $ranks train "$source_dir/configs/paper/walker2d-mixed.yaml" run_dir=none
    verdict "the paper's configuration without its dataset, ranks: $ranks" $?
    check 'in one message' test "$(grep -ac '^mopo' err)" -eq 1
    says 'dataset: walker2d-medium-replay-v0 is not on this machine'
    says 'http://rail.eecs.berkeley.edu/datasets/offline_rl/gym_mujoco/walker_mixed.hdf5'
    says '8832937 bytes'
    says d23588d4e07e58cbc276efea183edaa26eede5a44a1c2265adc8cdb6f68a56c7
    says "\$MOPO_DATA (not set) and $HOME/.d4rl/datasets"
done
exits 2 0 train "$smoke" dataset=hopper-random-v2 run_dir=none
verdict 'collect.rows does not make up a published set' $?
says 'hopper-random-v2 is not on this machine'
exits 2 0 train "$smoke" dataset=hopper-random run_dir=none
verdict 'a name without version' $?
says 'there are hopper-random-v0, hopper-random-v1, hopper-random-v2'
exits 2 0 data info halfcheetah-meduim-v2
verdict 'a mistyped name' $?
says 'did you mean halfcheetah-medium-v2?'
exits 2 0 data info mujoco/hopper/expert-v0
verdict "a set of Minari's" $?
says 'minari download mujoco/hopper/expert-v0'

echo '# a name that is there'
mkdir -p own home/.d4rl/datasets
exits 0 0 collect own/hopper-medium-replay-v2.hdf5 task=pointmass --rows 1500
verdict 'a file that stands for it' $?
export MOPO_DATA=$work/own
exits 0 0 data info hopper-mixed-v2
verdict 'data info finds it in the folder MOPO_DATA' $?
check 'and says which file it read' grep -qx "$work/own/hopper-medium-replay-v2.hdf5" out
check 'and that the published one has another size' grep -q 'has [0-9]* bytes, not 75854457' out
exits 0 3 train "$smoke" dataset=hopper-mixed-v2 run_dir=by-name
verdict 'training finds it' $?
says 'bytes, not 75854457: a cut or altered download?'
check 'used.yaml keeps the name' grep -qE '^dataset: hopper-mixed-v2 ' by-name/used.yaml
check 'the manifest has the path' grep -qF "$work/own/hopper-medium-replay-v2.hdf5" by-name/manifest.json
exits 0 0 train "$smoke" dataset=own/hopper-medium-replay-v2.hdf5 run_dir=by-path
verdict 'training on its path' $?
check 'makes the same bytes' same_run by-name by-path
mv own/hopper-medium-replay-v2.hdf5 home/.d4rl/datasets/hopper_medium_replay-v2.hdf5
exits 0 0 data info hopper-mixed-v2
verdict "it is found in d4rl's cache, too" $?
finish
