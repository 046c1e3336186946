#!/bin/bash
# The tasks are the same on MuJoCo 3: their tests are built against a release of it and must reproduce the same
# trajectories and recordings. MUJOCO3_DIR names the release (a folder with include/ and lib/); without it, releases
# unpacked in the usual places are taken; without any, the test is skipped.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

tests=(test_env test_env_planar test_env_trajectories test_env_ant)
releases=()
for dir in "${MUJOCO3_DIR:-}" ~/.mujoco/mujoco-3* /opt/mujoco-3*; do
    [ -f "$dir/include/mujoco/mujoco.h" ] && releases+=("$dir")
    [ -z "${MUJOCO3_DIR:-}" ] || break
done
if [ -n "${MUJOCO3_DIR:-}" ] && [ ${#releases[@]} -eq 0 ]; then
    echo "        MUJOCO3_DIR=$MUJOCO3_DIR has no include/mujoco/mujoco.h"
    verdict "a release of MuJoCo 3 in MUJOCO3_DIR" 1
    finish
fi
if [ ${#releases[@]} -eq 0 ]; then
    skip "MuJoCo 3: none in ~/.mujoco or /opt; unpack a release and set MUJOCO3_DIR to its folder"
    exit 77
fi

for dir in "${releases[@]}"; do
    name=$(basename "$dir")
    build=$work/$name
    check "$name: configure" cmake -S "$source_dir" -B "$build" -DMUJOCO_DIR="$dir" -DCMAKE_BUILD_TYPE=Release \
        -DMOPO_BENCH=OFF -DMOPO_TEST_PARTS=unit
    check "$name: build" cmake --build "$build" --parallel "$(nproc)" --target "${tests[@]}"
    for test in "${tests[@]}"; do
        "$build/$test" >"$work/out" 2>"$work/err"
        verdict "$name: $test" $?
        grep -hE 'largest error|largest [0-9]' "$work/out" "$work/err" | sed 's/^/        /'
    done
    check "$name: it is the library in use" grep -q "=> $(realpath "$dir")/" <(ldd "$build/test_env")
done
finish
