#!/bin/bash
# HDF5 files with changed bytes, through the whole command: datasets in both layouts, policies with and without a seal,
# models. Whatever HDF5 makes of them, a command ends with 0, 1, 2 or 76 and one message, never by a signal, within 10 s
# and 1 GiB. MOPO_HOSTILE_ROUNDS=N (40) is the number of files of each kind; MOPO_HOSTILE_SEED=N (1) the first seed.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none
smoke=$source_dir/configs/smoke.yaml
exits 0 0 collect d4rl.hdf5 task=pointmass --rows 500 &&
    exits 0 0 data convert d4rl.hdf5 toy/minari-v0 &&
    exits 0 0 train "$smoke" dataset=d4rl.hdf5 run_dir=run train.epochs=1 train.updates_per_epoch=5 sac.hidden=16
verdict 'right files' $?
mv toy/minari-v0/data/main_data.hdf5 minari.hdf5
head -c -46 run/policy.h5 >policy.h5 # without its seal: what others make
check 'mutated files' python3 "$source_dir/tests/bad/hostile.py" "$program" "${MOPO_HOSTILE_ROUNDS:-40}" "${MOPO_HOSTILE_SEED:-1}" "$smoke"
sed -n 's/^/        /p' check
finish
