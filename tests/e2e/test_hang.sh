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
ranks=() # processes of the job in the background, by rank

# begin HOST_RANKS ARGUMENTS...: `mopo ARGUMENTS` on 3 ranks in the background, so many of them on a host.
begin() {
    local near=$1
    shift
    MOPO_HOST_RANKS=$near mpirun -n 3 -x MOPO_HOST_RANKS "$program" "$@" >out 2>err </dev/null &
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
    [ $code -eq 75 ]
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
check 'the log has it, too' grep -q 'error: no sign of life' run/log.txt
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
begin 1 train "${base[@]}" run_dir=unwritable model.max_epochs=60
until [ -e unwritable/log.txt ] || ! kill -0 "$child" 2>/dev/null; do
    sleep 0.01
done
rm -rf unwritable/beat && touch unwritable/beat
wait "$child"
verdict 'a folder that cannot be written, hosts of 1' $?
child=''

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
    [ $code -eq $((checks ? 1 : 75)) ] && grep -q "$message" err
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
MOPO_HOST_RANKS=3 mpirun -n 3 "$misuse" late >out 2>err </dev/null
verdict 'a rank that takes its time: nobody is ended' $?
check 'a rank that takes its time: named' says 'others have waited for [12] s for rank 1 .* at evaluation, computing'
finish
