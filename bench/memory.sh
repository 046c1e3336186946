#!/bin/bash
# Memory of many ranks on one host: bench/memory.sh BUILD [RANKS] (default: 16).
# Trains on ROWS (default 1000000) rows of HalfCheetah with small networks, once with 1 rank and once with RANKS, and
# takes the largest sum of Pss (shared pages counted once) over all ranks. The dataset should be there once:
# sum <= 1.3 dataset + RANKS own, where own is what one rank takes beside the dataset.
set -euo pipefail
build=$(cd "${1:?the build folder, e.g. build}" && pwd)
ranks=${2:-16}
rows=${ROWS:-1000000}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
export OPENBLAS_NUM_THREADS=1

# kB of all children of mpirun (process $1), now
pss() {
    local sum=0 kb pid
    for pid in $(pgrep -P "$1"); do
        kb=$(awk '/^Pss:/ {print $2}' "/proc/$pid/smaps_rollup" 2>/dev/null || true)
        sum=$((sum + ${kb:-0}))
    done
    echo "$sum"
}

# the largest sum of a run with $1 ranks
height() {
    local most=0 now
    mpirun -n "$1" "$build/mopo" train task=halfcheetah dataset=data.hdf5 run_dir="np$1" model.members=3 model.elites=2 \
        model.hidden=32 model.layers=2 model.max_epochs=1 rollout.batch=256 rollout.units=16 rollout.horizon=3 \
        train.epochs=1 train.updates_per_epoch=20 train.batch=64 eval.episodes=1 >"np$1.out" 2>&1 &
    local mpirun=$!
    while kill -0 "$mpirun" 2>/dev/null; do
        now=$(pss "$mpirun")
        most=$((now > most ? now : most))
        sleep 0.2
    done
    wait "$mpirun" || { tail -n 20 "np$1.out" >&2; exit 1; }
    echo "$most"
}

mpirun -n 2 "$build/mopo" collect data.hdf5 task=halfcheetah seed=1 --rows "$rows" >collect.out 2>&1 ||
    { tail -n 20 collect.out; exit 1; }
one=$(height 1)
many=$(height "$ranks")
awk -v rows="$rows" -v one="$one" -v many="$many" -v ranks="$ranks" 'BEGIN {
    dataset = rows * 42 * 4 / 1e6 # MB: records of 2 * 17 + 6 + 2 floats
    one *= 1024 / 1e6
    many *= 1024 / 1e6
    own = one - dataset
    printf "dataset %.1f MB, own %.1f MB (1 rank: %.1f MB), %d ranks: %.1f MB, ratio %.3f\n",
        dataset, own, one, ranks, many, many / (1.3 * dataset + ranks * own)
}'
