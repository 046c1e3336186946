#!/bin/bash
# Ranks that share memory meet where they must: src/comm/group.c, share.c and shared.c are run by threads in place of
# ranks, under the thread sanitizer, which also knows orders that this CPU would never show. Then each thing that makes
# the order is taken out of a copy, and the sanitizer has to notice.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
work=$(mktemp -d -t mopo-window.XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

flags=(-std=c17 -D_DEFAULT_SOURCE -DMOPO_ASSERTS=1 -O1 -g -pthread -I tests/threads -I src)
if ! "${CC:-cc}" "${flags[@]}" -c -o "$work/ranks.o" tests/threads/ranks.c 2>"$work/err"; then
    cat "$work/err"
    exit 1
fi

# race_in FOLDER: run the sources in this folder; 0 clean, 66 a race.
race_in() {
    "${CC:-cc}" "${flags[@]}" -fsanitize=thread -o "$1/window" "$1"/{group,share,shared}.c src/base/reduce.c \
        tests/threads/window.c "$work/ranks.o" || exit 1
    TSAN_OPTIONS=halt_on_error=1 timeout 60 setarch -R "$1/window" >"$1/out" 2>&1
}

copy() { # NAME: the sources to be changed
    mkdir "$work/$1"
    cp src/comm/{group,share,shared}.c "$work/$1"
}

copy whole
race_in "$work/whole"
code=$?
if grep -qE 'unexpected memory mapping|personality' "$work/whole/out"; then
    echo 'the thread sanitizer cannot run here'
    exit 77
fi
if [ $code -eq 0 ]; then
    echo 'ok      no race, no wrong number'
else
    echo "FAILED  exit $code"
    head -n 60 "$work/whole/out"
    exit 1
fi

# found WHAT FILE EXPRESSION: with this change the program must end with a race.
found() {
    local name=${1//[^a-z]/_}
    copy "$name"
    sed -i "$3" "$work/$name/$2"
    if cmp -s "src/comm/$2" "$work/$name/$2"; then
        echo "FAILED  $1: the change fits no line of $2"
        failed=1
        return
    fi
    local code=0
    for _ in 1 2 3 4 5 6 7 8; do # a race needs its moment
        race_in "$work/$name"
        code=$?
        [ $code -ne 66 ] || break
    done
    if [ $code -eq 66 ]; then
        echo "ok      found: $1"
    else
        echo "FAILED  not found (exit $code): $1"
        failed=1
    fi
}

found 'sums begin before all rows are filled' group.c '/meet(g); .* all rows are filled/d'
found 'sums are read before all slices are there' group.c '/meet(g); .* all slices are there/d'
found 'a counter is written without release' group.c 's/memory_order_release/memory_order_relaxed/'
found 'a counter is read without acquire' group.c 's/memory_order_acquire/memory_order_relaxed/'
found 'a rank does not wait for the last one' group.c 's/i < g->near; i++) {$/i < g->near - 1; i++) {/'
found 'slices overlap' group.c 's/slice(g, n, me + 1) - from;/slice(g, n, me + 1) - from + (me + 1 < g->near \&\& from + 17 < n);/'
found 'windows are not synchronized' shared.c '/MPI_Win_sync/d'
found 'a dataset is read before it is there' share.c '/^    comm_barrier();/d'
found 'a dataset is read without a sync before the barrier' share.c '0,/^    shared_sync/{/^    shared_sync/d}'
found 'a dataset is read without a sync behind the barrier' share.c '/^    comm_barrier();/{n;/shared_sync/d}'
found 'counters are read before they are set' group.c '/^    comm_barrier();/d'
found 'counters are read without a sync before the barrier' group.c '/^    shared_sync/{N;/comm_barrier/s/.*\n//}'
found 'counters are read without a sync behind the barrier' group.c '/^    comm_barrier();/{n;/shared_sync/d}'
exit $failed
