#!/bin/bash
# One command from a fresh Debian 12 to a trained policy: installs what the build needs, builds, runs mopo on every core.
# Arguments go to mopo: ./demo.sh train configs/demo.yaml seed=1. MOPO_RANKS=N starts N ranks instead of one per core.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ "${1:-}" = --help ]; then
    sed -n '2,3s/^# //p' "$0"
    exit 0
fi

# Only mopo speaks on stdout.
{
    "$root/tools/install_dependencies.sh" build
    [ -n "${CMAKE_GENERATOR:-}" ] || ! command -v ninja >/dev/null || export CMAKE_GENERATOR=Ninja
    (cd "$root" && cmake --preset release && cmake --build --preset release --parallel "$(nproc)")
} >&2

# Hyperthreads share their core's vector units, so a rank on each would only wait.
cores=$(lscpu --parse=core,socket | grep -v '^#' | sort -u | wc -l)
allowed=$(nproc)
ranks=${MOPO_RANKS:-$((cores < allowed ? cores : allowed))}

export OPENBLAS_NUM_THREADS=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none
export OMPI_MCA_btl_vader_single_copy_mechanism=none # containers forbid reading another process's memory
if [ "$(id -u)" -eq 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
exec mpirun -n "$ranks" "$root/build/release/mopo" "$@"
