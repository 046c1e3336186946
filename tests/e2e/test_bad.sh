#!/bin/bash
# Some hundred wrong command lines, configurations and files (tests/bad): to each one message and the promised exit code.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none
bad=$source_dir/tests/bad
mkdir fix
if ! check 'wrong HDF5 files' "$(dirname "$program")/make_bad_files" fix; then
    finish
fi
cp "$source_dir/configs/smoke.yaml" fix
check 'a right one' exits 0 0 collect fix/good.hdf5 task=pointmass --rows 1500
check 'a run' exits 0 0 train fix/smoke.yaml dataset=fix/good.hdf5 run_dir=fix/run train.epochs=1 \
    train.updates_per_epoch=5 sac.hidden=16
for cases in "$bad"/*.txt; do
    python3 "$bad/run.py" "$program" fix "$cases" >out 2>err
    code=$?
    verdict "$(tail -n 1 out) of $(basename "$cases")" $code
done
finish
