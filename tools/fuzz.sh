#!/bin/bash
# Fuzzes every reader with libFuzzer, or those that are named: tools/fuzz.sh SECONDS [NAME ...]. NAME is that of a file
# tests/fuzz/fuzz_NAME.c. What was found before is kept in build/fuzz/corpus; an input that breaks something is kept in
# build/fuzz as NAME-crash-..., NAME-timeout-... or NAME-oom-..., and makes this fail.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:?the seconds for each are missing}
shift

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz --parallel "$(nproc)" >/dev/null
cd build/fuzz
export ASAN_OPTIONS=allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1
[ $# -gt 0 ] || { set -- ../../tests/fuzz/fuzz_*.c && set -- "${@##*/fuzz_}" && set -- "${@%.c}"; }
failed=0
for name in "$@"; do
    mkdir -p "corpus/$name"
    printf '%-12s ' "$name"
    if "./fuzz_$name" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=1024 -artifact_prefix="$name-" \
        -print_final_stats=1 "corpus/$name" "../../tests/fuzz/seeds/$name" >"$name.log" 2>&1; then
        awk '/number_of_executed_units/ { runs = $2 } /DONE/ { cov = $4 } END { print runs " runs, " cov " edges" }' "$name.log"
    else
        echo "FAILED: build/fuzz/$name.log"
        failed=1
    fi
done
exit "$failed"
