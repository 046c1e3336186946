#!/bin/bash
# Seconds of an epoch by phase, beside the floors of `mopo bench`: bench/epoch.sh BUILD [RANKS ...] (default: 1 2).
# Runs the built-in configuration, shortened (EPOCHS, PASSES: default 4 and 3), in a scratch folder, once for each
# number of ranks. Means are over all epochs but the first, whose model buffer is still filling.
set -euo pipefail
build=$(cd "${1:?the build folder, e.g. build}" && pwd)
shift
ranks=("${@:-1}")
[ $# -gt 0 ] || ranks=(1 2)
report=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/epoch_report.py
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

export OPENBLAS_NUM_THREADS=1
for n in "${ranks[@]}"; do
    echo "mpirun -n $n mopo" >&2
    mpirun -n "$n" "$build/mopo" train run_dir="np$n" "train.epochs=${EPOCHS:-4}" "model.max_epochs=${PASSES:-3}" \
        >"np$n.out" || { tail -n 20 "np$n.out"; exit 1; }
done
"$build/mopo" bench --json >floors.json
python3 "$report" floors.json "${ranks[@]/#/np}"
