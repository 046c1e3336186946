#!/bin/bash
# No job hangs: a rank that stops, a host that is gone, ranks that wait for each other. The job ends soon, says which
# rank was at what, leaves no process, and the same command goes on to the bytes of a run that nobody disturbed.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

patience=2
base=("$source_dir/configs/smoke.yaml" dataset=data.hdf5 "ranks.patience=$patience" model.max_epochs=25
    model.patience=100 train.epochs=12)
misuse=$(dirname "$program")/test_exchanges
most=20 # seconds from a stop to the end: patience, a look at the files of other hosts, what mpirun takes, this machine
starter=mpirun
ranks=() # processes of the job in the background, by rank

# begin HOST_RANKS ARGUMENTS...: `mopo ARGUMENTS` on 3 ranks in the background, so many of them on a host.
begin() {
    local near=$1
    shift
    MOPO_HOST_RANKS=$near "$starter" -n 3 -x MOPO_HOST_RANKS "$program" "$@" >out 2>err </dev/null &
    child=$!
}

# at_work COMMAND...: wait until it succeeds or the job has ended; then note its ranks.
at_work() {
    until_true "$@" || return 1
    mapfile -t ranks < <(pgrep -P "$child")
    [ "${#ranks[@]}" -eq 3 ]
}

# All ranks are at their work: starting takes less than this time of CPU.
ranks_compute() {
    local pid ticks count=0
    for pid in $(pgrep -P "$child"); do
        ticks=$(awk '{ print $14 + $15 }' "/proc/$pid/stat" 2>/dev/null)
        [ "${ticks:-0}" -ge 60 ] || return 1
        count=$((count + 1))
    done
    [ "$count" -eq 3 ]
}

says() { # WORDS
    grep -q "$1" err
}

# right_code CODE OF-MPIRUN: mpirun tells it, or at least that the first rank to end had it. Where a rank is in
# MPI_Finalize, PMIx may hang or crash mpirun after that.
right_code() {
    [ "$2" -eq "$1" ] || grep -q "Exit code: *$1\$" err
}

# It ends by itself, in time, with the exit code that asks for a new start.
ends() {
    local start=$SECONDS
    while kill -0 "$child" 2>/dev/null; do
        [ $((SECONDS - start)) -le $most ] || kill -KILL "$child" "${ranks[@]}" # it hangs
        sleep 0.1
    done
    wait "$child"
    local code=$?
    child=''
    echo "        exit code $code after $((SECONDS - start)) s"
    right_code 75 $code
}

# None of the ranks is left, at the latest when the watch's own kill has come.
all_gone() {
    local pid tries
    for pid in "${ranks[@]}"; do
        for ((tries = 0; tries < 40; tries++)); do
            kill -0 "$pid" 2>/dev/null || continue 2
            sleep 0.1
        done
        return 1
    done
}

# stopped WHAT RANK PHASES HOST_RANKS CONDITION... -- ARGUMENTS...: SIGSTOP of the rank once the condition holds.
stopped() {
    local what=$1 rank=$2 phases=$3 near=$4 condition=()
    shift 4
    while [ "$1" != -- ]; do
        condition+=("$1")
        shift
    done
    shift
    begin "$near" "$@"
    at_work "${condition[@]}" && kill -STOP "${ranks[$rank]}"
    verdict "$what" $?
    [ "${#ranks[@]}" -eq 3 ] || return
    ends
    verdict "$what: ends in time" $?
    check "$what: names rank, process and phase" \
        says "no sign of life for $patience s .*: rank $rank (host [^ ]*, pid ${ranks[$rank]}) at \($phases\), "
    check "$what: told once" test "$(grep -c 'no sign of life' err)" -eq 1
    check "$what: leaves no process" all_gone
}

exits 0 0 collect data.hdf5 task=pointmass --rows 4000 && exits 0 3 train "${base[@]}" run_dir=whole
verdict 'a run that nobody disturbs' $?
check 'leaves no folder of beats' test ! -e whole/beat

echo '# a rank stops'
stopped 'a rank in the model phase' 2 'fit\|checkpoints' 3 in_model_phase run -- train "${base[@]}" run_dir=run
check 'the log has it, too' grep -q 'stopped: no sign of life' run/log.txt
stopped 'a worker' 2 'rollouts\|evaluation\|messages' 3 has_lines run 2 -- train "${base[@]}" run_dir=run
stopped 'a learner, hosts of 2' 1 'updates\|messages' 2 has_lines run 4 -- train "${base[@]}" run_dir=run \
    ranks.learners=2
stopped 'rank 0, hosts of 1' 0 'updates\|messages\|checkpoints\|other' 1 has_lines run 7 -- train "${base[@]}" run_dir=run
exits 0 2 train "${base[@]}" run_dir=run
verdict 'the same command goes on' $?
check 'and ends with the same bytes' same_run whole run
check 'what the killed job left is gone' test ! -e run/beat
stopped 'mopo eval' 1 other 3 ranks_compute -- eval whole --episodes 1000000 "ranks.patience=$patience"
stopped 'mopo collect' 1 other 3 ranks_compute -- collect big.hdf5 task=pointmass --rows 50000000 \
    "ranks.patience=$patience"

echo '# nobody is accused'
# Suspend all of a job for longer than the patience, as `scontrol suspend` does; one rank for less.
suspend() {
    kill -STOP "${ranks[@]}" && sleep 3 && kill -CONT "${ranks[@]}" && sleep 0.3 || return 1
    kill -STOP "${ranks[1]}" && sleep 1 && kill -CONT "${ranks[1]}"
}
for near in 3 1; do
    begin "$near" train "${base[@]}" "run_dir=suspended$near"
    at_work has_lines "suspended$near" 2 && suspend
    verdict "a job that is suspended, hosts of $near" $?
    wait "$child"
    verdict "a job that is suspended, hosts of $near: ends well" $?
    child=''
    check "a job that is suspended, hosts of $near: same bytes" same_run whole "suspended$near"
done
# mpirun gets no core for a while, just when the ranks end: what is done is not called failed.
begin 3 train "${base[@]}" run_dir=whole ranks.patience=30
until grep -qs learned out || ! kill -0 "$child" 2>/dev/null; do
    sleep 0.005
done
kill -STOP "$child" && sleep 4 && kill -CONT "$child"
wait "$child"
verdict 'mpirun is late to note the end: exit 0' $?
child=''
# A file in the place of the folder, as unwritable as a full disk.
no_folder() { # NAME
    until [ -f "$1/beat" ]; do # the job makes it anew, sometimes right between
        rm -rf "$1/beat" 2>/dev/null
        touch "$1/beat"
    done
}
begin 1 train "${base[@]}" run_dir=unwritable model.max_epochs=60
until_true test -e unwritable/log.txt && no_folder unwritable
wait "$child"
verdict 'a folder that cannot be written, hosts of 1' $?
child=''

echo '# what a host cannot see, and an mpirun that does not end'
# asked_to_end STARTER: a job whose mpirun is stopped together with a rank; true if the watch asks it to end. What a
# stopped process is asked waits for it. In a folder of its own, since several such jobs run side by side.
asked_to_end() {
    local asked=1 tries end=$((0x4000)) # SIGTERM
    mkdir "in-$1" && cd "in-$1" && cp ../data.hdf5 . || exit 2
    starter=$1
    begin 3 train "${base[@]}" run_dir=run
    at_work has_lines run 2 && kill -STOP "$child" "${ranks[2]}" || exit 2
    for ((tries = 0; tries < 120 && asked; tries++)); do
        asked=$(((0x$(sed -n 's/^ShdPnd:\s*//p' "/proc/$child/status") & end) == 0))
        sleep 0.1
    done
    kill -KILL "$child" "${ranks[@]}" 2>/dev/null
    exit "$asked"
}
ln -s "$(command -v mpirun)" starter
PATH=$PATH:$work
(asked_to_end mpirun) &
asked=$!
(asked_to_end starter) &
spared=$!
# No sign of other hosts, since the folder has gone; and a rank of one of them that will never come.
begin 1 train "${base[@]}" run_dir=adrift ranks.patience=1
at_work has_lines adrift 2 && no_folder adrift && kill -STOP "${ranks[2]}"
verdict 'a rank stops, and the folder has gone, hosts of 1' $?
ends
verdict 'ends in time' $?
check 'says what it knows' says \
    'no sign of other hosts, and ranks that wait, for more than 1 s .*: rank [01] (host [^ ]*, pid [0-9]*) at'
check 'leaves no process' all_gone
wait "$asked"
verdict 'an mpirun that does not end is asked to' $?
wait "$spared"
verdict 'another parent of ranks is not' "$((($? == 1) ? 0 : 1))"

echo '# MPI that does not begin'
# A rank that never starts: the others wait for it in MPI_Init, before there is a watch.
never() {
    SECONDS=0
    MOPO_START_PATIENCE=2 timeout -k 1 60 mpirun -x MOPO_START_PATIENCE -n 2 "$program" eval whole : -n 1 sleep 50 \
        >out 2>err </dev/null
    right_code 75 $?
}
never
verdict "ends after MOPO_START_PATIENCE ($SECONDS s)" $?
check 'says what it waited for, once' test "$(grep -c '^mopo: rank 0: MPI has not begun after 2 s (host .*, pid [0-9]*)' err)" -eq 1

if [ ! -x "$misuse" ]; then
    skip 'exchanges that do not match: this build has no tests on ranks'
    finish
fi

# misused FAULT NEAR CHECKS MESSAGE: the program does what must not be, and ends with this message: at once where
# exchanges are checked, otherwise when the watch has lost patience.
misused() {
    local fault=$1 near=$2 checks=$3 message=$4
    MOPO_HOST_RANKS=$near MOPO_CHECK_EXCHANGES=$checks timeout -k 1 30 mpirun -n 3 -x MOPO_HOST_RANKS \
        -x MOPO_CHECK_EXCHANGES "$misuse" "$fault" >out 2>err </dev/null
    local code=$?
    right_code $((checks ? 1 : 75)) $code && grep -q "$message" err
    verdict "$fault, hosts of $near: ends and says who is where" $?
}

echo '# exchanges that do not match'
misused call 3 1 'rank 1 calls coll_sum of 8 numbers, rank 0 comm_agree'
misused size 3 1 'rank 2 calls coll_sum of 7 numbers, rank 0 coll_sum of 8 numbers'
misused root 3 1 'rank 1 calls coll_bcast of 12 bytes from rank 1, rank 0 coll_bcast of 12 bytes from rank 0'
misused group 3 1 '(in a group of ranks): rank 1 calls reduce->sum of 8 floats, rank 0 reduce->sum of 16 floats'
misused leaves 3 1 'rank 2 calls comm_close, rank 0 comm_barrier'
misused leaves 3 0 'waited for each other for 1 s .*at other, in comm_barrier; rank 2 .* at other, in comm_close'
misused missing 3 0 'at checkpoints, in mail_receive; rank 1 .* at fit, in comm_barrier; rank 2 .* at fit, in comm_barrier'
misused missing 1 0 'at checkpoints, in mail_receive; rank 1 .* at fit, in comm_barrier; rank 2 .* at fit, in comm_barrier'

echo '# a file on which HDF5 crashes, read by rank 0'
for near in 3 1; do
    MOPO_HOST_RANKS=$near timeout -k 1 30 mpirun -n 3 -x MOPO_HOST_RANKS "$misuse" damaged >out 2>err </dev/null
    code=$?
    if [ $code -eq 77 ]; then
        skip 'no guard in a build with sanitizers'
        continue
    fi
    [ $code -eq 76 ] && [ "$(grep -c '^mopo: damaged.hdf5: HDF5 itself failed' err)" -eq 1 ]
    verdict "hosts of $near: the others end, exit 76, one message" $?
done
MOPO_HOST_RANKS=3 mpirun -n 3 "$misuse" late >out 2>err </dev/null
verdict 'a rank that takes its time: nobody is ended' $?
check 'a rank that takes its time: named' says 'others have waited for [12] s for rank 1 .* at evaluation, computing'
finish
