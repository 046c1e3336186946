#!/bin/bash
# A disk that refuses: each call of a run's that changes it fails, or is the last one before a kill; disks that are full
# or read-only, limits, output that nobody takes. One message, exit code 1, and the same command goes on to the same
# bytes. MOPO_DISK_ALL=1 visits every call with every error (some minutes), not a sample.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

tiny=("$source_dir/configs/smoke.yaml" dataset=data.hdf5 collect.rows=500 train.epochs=2 train.updates_per_epoch=5
    eval.episodes=1 rollout.units=4 train.shards=4 rollout.batch=32 model.max_epochs=1 train.batch=32 checkpoint.keep=1)

train() { # RUN_DIR [RANKS]: the exit code
    mopo_on "${2:-0}" train "${tiny[@]}" "run_dir=$1"
}

# told WHAT FILE CAUSE: the one message of the program.
told() {
    [ "$(grep -c '^mopo[a-z ]*: ' err)" -eq 1 ] && grep -q "^mopo[a-z ]*: .*$2: .*$3" err
    verdict "$1" $?
}

goes_on() { # WHAT RUN_DIR [RANKS]
    train "$2" "${3:-0}" && same_run whole "$2"
    verdict "$1: then the same command ends with the same bytes" $?
}

train whole
verdict 'a run that nobody disturbs' $?

echo '# an error at each call'
declare -A text=([EIO]='Input/output error' [ENOSPC]='No space left on device' [EDQUOT]='Disk quota exceeded')
victim=$work/victim

# Calls of the traced run that are about the run directory: "CALL NUMBER LINE". Only the first thread is traced, so
# that they are the same ones each time.
sites() {
    strace -qq -y -o trace -e trace=openat,write,fsync,close,rename,mkdir,unlink,rmdir,ftruncate \
        "$program" train "${tiny[@]}" "run_dir=$victim" >out 2>err </dev/null || return 1
    awk -F'(' -v dir="$victim" '{ n[$1]++; if (index($0, dir)) print $1, n[$1], $0 }' trace >sites
    [ "$(wc -l <sites)" -gt 200 ]
}

# A failed start has told why, or has told that it can do without.
honest() { # CODE CALL ERROR
    local code=$1 call=$2 error=$3
    if [ "$error" = KILL ]; then
        [ "$code" -eq 137 ]
    elif [ "$code" -eq 0 ]; then # logs, old checkpoints, and descriptors that were only read from
        [ "$call" = close ] || grep -q "warning: .*victim.*${text[$error]}" err
    else
        [ "$code" -eq 1 ] && [ "$(grep -c '^mopo train: ' err)" -eq 1 ] &&
            grep -q "^mopo train: .*victim.*${text[$error]}" err
    fi
}

# Fail one call, then go on without: prints what went wrong.
fault() { # CALL NUMBER ERROR
    local how=error=$3
    [ "$3" != KILL ] || how=signal=KILL
    rm -rf "$victim"
    {
        strace -qq -o /dev/null -e "trace=$1" -e "inject=$1:$how:when=$2" \
            "$program" train "${tiny[@]}" "run_dir=$victim" >out 2>err </dev/null
    } 2>/dev/null # bash tells of the kill
    local code=$?
    ended[code]=$((${ended[code]:-0} + 1))
    honest $code "$1" "$3" || {
        printf '%s exit %d: %s\n' "$*" $code "$(grep -h warning err) $(tail -n 1 err)"
        return 1
    }
    if ! { train "$victim" && same_run whole "$victim"; }; then
        echo "$* was not recovered from: $(tail -n 1 err)"
        return 1
    fi
    [ -z "$(find "$victim" -name '*.tmp*')" ] || {
        echo "$* left $(find "$victim" -name '*.tmp*')"
        return 1
    }
}

walk() {
    local call number rest turn=0 bad=0 stride=7 errors=(EIO KILL ENOSPC EDQUOT)
    ended=()
    while read -r call number rest; do
        turn=$((turn + 1))
        if [ -n "${MOPO_DISK_ALL:-}" ]; then
            for error in "${errors[@]}"; do
                fault "$call" "$number" "$error" || bad=$((bad + 1))
            done
        elif [ $((turn % stride)) -eq 0 ]; then
            fault "$call" "$number" "${errors[turn / stride % 4]}" || bad=$((bad + 1))
        fi
    done <sites
    echo "        $turn calls; of the starts that met an error ${ended[1]:-0} told it, ${ended[0]:-0} did without, " \
        "${ended[137]:-0} were killed"
    [ $bad -eq 0 ] && [ "${ended[1]:-0}" -ge 10 ] && [ "${ended[137]:-0}" -ge 5 ]
}

if ! command -v strace >/dev/null; then
    skip 'errors at each call: no strace here'
elif ! strace -qq -o /dev/null true; then
    skip 'errors at each call: strace may not trace here'
else
    sites
    verdict 'a traced run' $?
    check 'the last lines of metrics are brought to disk' \
        test "$(grep -E '^(write|fsync).*/metrics\.(csv|jsonl)' trace | tail -n 2 | grep -c ^fsync)" -eq 2
    walk
    verdict 'each start that met an error told it, and was gone on from' $?

    echo '# a log, but no metrics, may be lost'
    for name in log.txt timing.jsonl; do
        rm -rf "$victim"
        strace -qq -o /dev/null -P "$victim/$name" -e trace=write -e inject=write:error=ENOSPC \
            "$program" train "${tiny[@]}" "run_dir=$victim" >out 2>err </dev/null && same_run whole "$victim"
        verdict "no space for $name: the run ends as it should" $?
        check 'the loss is told once' test "$(grep -c "warning: .*/$name: .*No space left" err)" -eq 1
        check 'and no half line stays' test ! -s "$victim/$name"
    done
    rm -rf "$victim"
    strace -qq -o /dev/null -P "$victim/metrics.csv" -e trace=write -e inject=write:error=ENOSPC:when=2+ \
        "$program" train "${tiny[@]}" "run_dir=$victim" >out 2>err </dev/null
    check 'no space for metrics: exit 1' test $? -eq 1
    told 'and says so' victim/metrics.csv 'cannot append.*No space left on device'
    goes_on 'no space for metrics' "$victim"
fi

if command -v strace >/dev/null && strace -qq -o /dev/null true; then
    echo '# a dataset that cannot be read to its end'
    for first in 1 10; do
        strace -qq -o /dev/null -P data.hdf5 -e trace=read,pread64 -e "inject=read,pread64:error=EIO:when=$first+" \
            "$program" data info data.hdf5 >out 2>err </dev/null
        check "an error from read $first on: exit 1" test $? -eq 1
        told 'says so' data.hdf5 'cannot read: Input/output error'
    done
    # each read takes a while, and meanwhile the file becomes shorter
    cp data.hdf5 shrinks.hdf5
    strace -qq -o reads -P shrinks.hdf5 -e trace=pread64 -e inject=pread64:delay_enter=100000:when=10+ \
        "$program" data info shrinks.hdf5 >out 2>err </dev/null &
    child=$!
    until [ "$(lines_of reads)" -ge 12 ] || ! kill -0 "$child" 2>/dev/null; do
        sleep 0.02
    done
    truncate -s 20000 shrinks.hdf5
    wait "$child"
    check 'it becomes shorter: exit 1' test $? -eq 1
    child=''
    told 'says so' shrinks.hdf5 'changed while it was read'
fi

echo '# a disk that is full, or read-only'
mkdir small
if [ "$(id -u)" -ne 0 ] || ! mount -t tmpfs -o size=16m,mode=755 tmpfs small 2>/dev/null; then
    skip 'full disks: no right to mount one'
else
    trap 'umount -l "$work/small"; clean_up' EXIT
    for free in 0 8 300 2000 5000; do # kB: nothing, settings, the model's phase, the epochs
        rm -rf small/run small/ballast
        dd if=/dev/zero of=small/ballast bs=1k count=$((16384 - free)) 2>/dev/null
        [ $free -ne 5000 ] && ranks=0 || ranks=2
        train small/run "$ranks"
        check "$free kB: exit 1" test $? -eq 1
        told "$free kB: says so" 'small/run.*' 'No space left on device; free some space'
        [ $free -ne 5000 ] || check '5000 kB: it was in the epochs' grep -q 'saving epoch' err
        rm small/ballast
        goes_on "$free kB" small/run "$ranks"
    done
    rm -rf small/run
    dd if=/dev/zero of=small/ballast bs=1k 2>/dev/null
    TMPDIR=$work/small exits 1 0 plan "${tiny[@]}"
    verdict 'TMPDIR is full: plan, exit 1' $?
    told 'says so' small/mopo-plan-.* 'No space left on device'
    check 'and leaves nothing' test -z "$(compgen -G 'small/mopo-plan-*')"
    rm small/ballast
    mount -o remount,ro small
    train small/run
    check 'read-only: exit 1' test $? -eq 1
    told 'says so' small/run 'cannot create the directory: Read-only file system; check the rights'
    exits 1 0 collect small/rows.hdf5 task=pointmass --rows 10
    verdict 'read-only: collect, exit 1' $?
    told 'says so' 'small/rows.hdf5.*' 'Read-only file system'
    umount small
    trap clean_up EXIT
fi

echo '# links'
cp -r whole linked
echo precious >precious
rm linked/metrics.csv
ln -s ../precious linked/metrics.csv
exits 1 3 train "${tiny[@]}" run_dir=linked ranks.learners=2
verdict 'a link in place of metrics, 2 learners and a worker: exit 1' $?
told 'says so once' linked/metrics.csv 'it may be a symbolic link'
check 'nothing was written through it' grep -qx precious precious

echo '# limits'
# shellcheck disable=SC2016
bash -c 'ulimit -f 200; exec "$@"' - "$program" train "${tiny[@]}" run_dir=limited >out 2>err </dev/null
check 'ulimit -f: exit 1, no signal' test $? -eq 1
told 'says so' 'limited/.*/state.h5' 'cannot write: File too large; raise the limit'
goes_on 'ulimit -f' limited

echo '# output'
if [ -w /dev/full ]; then
    for words in 'data info data.hdf5' 'data info data.hdf5 --json' 'config show' 'config keys --markdown'; do
        # shellcheck disable=SC2086
        "$program" $words >/dev/full 2>err </dev/null
        check "mopo $words to a full disk: exit 1" test $? -eq 1
        check 'says so' grep -q 'standard output: cannot write the result: No space left on device' err
    done
fi
"$program" config show >&- 2>err </dev/null
check 'a closed output: exit 1' test $? -eq 1
check 'says so' grep -q 'standard output: cannot write the result: Bad file descriptor' err
"$program" train "${tiny[@]}" run_dir=closed <&- >&- 2>err
check 'no file of a run gets into its place' same_run whole closed
# The reader is gone before anything is written.
(
    sleep 0.2
    "$program" config show 2>err </dev/null
    echo $? >code
) | true
sleep 0.5
check 'a reader that left: exit 0' test "$(cat code)" -eq 0
check 'and not a word' test ! -s err

echo '# rights'
# FOLDER: what in it is not 0640, or 0750 if it is a directory.
unusual() {
    find "$1" \( -type f ! -perm 0640 \) -o \( -type d ! -perm 0750 \)
}
umask 000
mkdir -m 750 made
exits 0 0 train "${tiny[@]}" run_dir=made/run dataset=made/data.hdf5
verdict 'a run under umask 000' $?
exits 0 0 collect made/sets/rows.hdf5 task=pointmass --rows 100
verdict 'a collection' $?
exits 0 0 data convert made/sets/rows.hdf5 made/minari
verdict 'a conversion' $?
exits 0 0 model report made/run --out made/report
verdict 'a report' $?
check 'nothing is for everybody' test -z "$(unusual made)"
check 'it was many files' test "$(find made -type f | wc -l)" -gt 20
finish
