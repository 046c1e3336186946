#!/bin/bash
# mopo status: a run watched from its start through a kill and a second start to its end. Only states that follow from
# each other are told, and the run is not disturbed; exit codes, JSON, --watch, and the command that starts again.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PATH=$(dirname "$program"):$PATH
run=("$source_dir/configs/smoke.yaml" dataset="$work/rows.hdf5" collect.rows=2000 train.epochs=40 train.updates_per_epoch=20)
looks=0
states='' # those that were told, each once in a row

exits 0 0 train "${run[@]}" run_dir=alone
verdict 'a run that nobody looks at' $?

# A sweep of one cell: what has not begun yet can be told from what is not there.
mkdir cells
printf '# mopo sweep grid.yaml\ncell\tone\tcells/one\t-\t-\ttrain\trun_dir=cells/one\n' >cells/cells.tsv

state_of() { # DIR: of its first job; any error of status is one
    local text code
    text=$("$program" status "$1" --json 2>"$work/err")
    code=$?
    case $code in 0 | 1 | 75) ;; *) echo "exit-$code" && return ;; esac
    [ ! -s "$work/err" ] || { echo spoke && return; }
    sed -n 's/^ *"state": "\([a-z]*\)",$/\1/p' <<<"$text" | head -n 1
}

note_state() {
    local now
    looks=$((looks + 1))
    now=$(state_of cells)
    [ "$now" = "${states##* }" ] || states+=" $now"
}

# watch_child: look until it has ended.
watch_child() {
    while kill -0 "$child" 2>/dev/null; do
        note_state
    done
    wait "$child"
    local code=$?
    child=''
    note_state
    return $code
}

echo '# from start to end'
note_state
"$program" status cells --watch >watched 2>watched.err &
watcher=$!
"$program" train "${run[@]}" run_dir=cells/one >said 2>&1 &
child=$!
while kill -0 "$child" && ! has_lines cells/one 4; do note_state; done
victim=$child
kill -STOP "$victim"
note_state # it holds the lock, and the watch would wait longer
kill_a_rank 0
verdict 'killed in mid-run' $?
note_state
exits 75 0 status cells
verdict 'stale: exit 75' $?
check 'who it was' grep -Eq "^    no sign of life since .*: host $(hostname), pid $victim\$" out
check 'what to do' grep -q '^    again: mopo sweep grid.yaml --local 1 --only one$' out
check 'nothing on stderr' test ! -s err
"${launcher[@]}" -n 2 "$program" train "${run[@]}" run_dir=cells/one >said 2>&1 &
child=$!
watch_child
verdict 'it went on to its end' $?
while [ "$looks" -lt 200 ]; do note_state; done
check 'only states that follow from each other were told' test "$states" = ' waiting running stale running done'
[ "$states" = ' waiting running stale running done' ] || echo "        $states"
check 'the same bytes as a run that nobody looked at' same_run alone cells/one
wait "$watcher"
code=$?
# it looks every three seconds and ends where nothing runs or waits: perhaps in the middle
check '--watch ends by itself' test $code -eq 0 -o $code -eq 75
check 'with a line for each change' grep -Eq '^[0-9:]{8}  1 cell: 1 (waiting|running)' watched
check 'and says nothing else' test ! -s watched.err

echo '# done'
find cells -printf '%p %s %T@ %m\n' | sort >before
exits 0 0 status cells
verdict 'all done: exit 0' $?
check 'the table' grep -Eq '^one +done +epoch 40/40 +-?[0-9.]+' out
check 'the summary' grep -qx '1 cell: 1 done' out
exits 0 0 status cells --means
verdict 'means over seeds: exit 0' $?
check 'its table' grep -Eq '^one +1 of 1 +-?[0-9.]+ +- ' out
exits 0 0 status cells --watch
verdict '--watch has nothing to wait for' $?
find cells -printf '%p %s %T@ %m\n' | sort >after
check 'it wrote nothing' cmp before after

echo '# several'
exits 2 0 train "${run[@]}" dataset="$work/none.hdf5" collect.rows=0 train.epochs=3 run_dir='runs/it fails'
verdict 'a run without data' $?
"$program" train "${run[@]}" run_dir=runs/stopped >said 2>&1 &
child=$!
until_true has_lines runs/stopped 2
touch runs/stopped/stop
wait "$child"
code=$?
child=''
check 'a run that was stopped' test $code -eq 75
exits 1 0 status runs
verdict 'one failed: exit 1' $?
check 'why' grep -q '^    dataset: .*none.hdf5 is not there' out
check 'what is saved' grep -Eq '^stopped +waiting +epoch [0-9]+/40 .*saved$' out
check 'the summary' grep -qx '2 runs: 1 waiting, 1 failed' out
again=$(sed -n 's/^    again: //p' out)
cp rows.hdf5 none.hdf5
check 'the command starts it again' bash -c "$again"
exits 75 0 status runs --only done,running
verdict 'then it is done' $?
check '--only shows it' grep -Eq '^it fails +done' out
check 'and not the other' bash -c '! grep -q "^stopped " out'
exits 75 0 status . --json
verdict 'a folder of folders' $?
check 'as JSON' python3 -c '
import json
said = json.load(open("out"))
assert said["status_format"] == 1 and said["grid"] is None
jobs = {job["name"]: job for job in said["jobs"]}
assert set(jobs) == {"alone", "cells/one", "runs/it fails", "runs/stopped"}, jobs
assert said["cells"] == {"done": 3, "running": 0, "waiting": 1, "stale": 0, "failed": 0}
stopped = jobs["runs/stopped"]
assert stopped["state"] == "waiting" and stopped["unit"] == "epoch" and 1 < stopped["at"] < 40 == stopped["of"]
assert stopped["saved"] == "policy-%06d" % stopped["at"] and "as asked" in stopped["reason"]
assert jobs["alone"]["retry"] is None and jobs["alone"]["return"] != 0'

echo '# refused'
exits 2 0 status nowhere
verdict 'no such folder' $?
exits 2 2 status runs
verdict 'under mpirun with two ranks' $?
check 'says to start it alone' grep -q 'start .mopo status. alone' err

if command -v script >/dev/null; then
    echo '# a terminal'
    script -qec "$program status cells --watch" /dev/null >screen </dev/null
    check 'the screen is cleared' grep -q $'\033\\[H\033\\[2J' screen
    check 'and has the table' grep -q '^one  *done' screen
fi
finish
