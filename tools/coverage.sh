#!/bin/bash
# Which lines of src/ the tests execute: tools/coverage.sh [--all]. Builds build/coverage, runs the unit, MPI and short
# end-to-end tests (--all: every one), prints lines per file and fails below 90 % of all lines, or 95 % of those that
# read what others wrote or go on with a run. Needs gcovr (Debian's package).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=build/coverage

# Minutes at -O0, and over lines that the others have been through.
skipped='e2e\.test_(adding|docs|family|invariance|mujoco3|on_policy|presets|resume)$|bench\.quick'
case ${1:-} in
'') ;;
--all) skipped='^$' ;;
*)
    sed -n '2,4s/^# //p' "$0" >&2
    exit 2
    ;;
esac
if ! command -v gcovr >/dev/null; then
    echo 'tools/coverage.sh: gcovr is missing: apt-get install gcovr' >&2
    exit 1
fi

cmake --preset coverage
cmake --build --preset coverage --parallel "$(nproc)"
find "$build" -name '*.gcda' -delete
failed=0
ctest --preset coverage --parallel "$(nproc)" --exclude-regex "$skipped" || failed=1

report() { # report PERCENT FILTER...
    local least=$1 filters=()
    shift
    for filter in "$@"; do
        filters+=(--filter "$filter")
    done
    gcovr --root . "${filters[@]}" -j "$(nproc)" --fail-under-line "$least" "$build" || failed=1
}

echo 'Checkpoint, resume and readers, at least 95 %:'
report 95 'src/run/(checkpoint|history|manifest|metrics|model_file|online_files|parts|policy_(file|parts|read)|rundir|lock|sealed).*\.c' \
    'src/data/(bounds|csv|d4rl|dataset|h5|minari|recording|registry|source|starts).*\.c' \
    'src/base/(checksum|dir|file|slab|text)\.c' 'src/config/(yaml|config_key)\.c'
echo 'All of src/, at least 90 %:'
report 90 'src/'
exit "$failed"
