#!/bin/bash
# What kills a job on a cluster, one after the other, and that the run goes on by itself to the same bytes. With a real
# SLURM of one node, then of four hosts that are namespaces of this machine. Some eight minutes; as root.
#   deaths.sh PROGRAM [one|hosts]      both without a word; cmake --build build/ci --target deaths
# At the end a table: starts, and seconds from the first start to the end.
# shellcheck disable=SC2016 # backquotes are for the table
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"
# shellcheck source=tests/cluster/lib.sh
. "$source_dir/tests/cluster/lib.sh"

part=${2:-one hosts}
base=("$source_dir/configs/smoke.yaml" dataset=data.hdf5 train.epochs=40 ranks.learners=1)

# row EVENT NAME: of the table.
row() {
    local first last
    first=$(sed -n 's/^# start \([^ ]*\) .*/\1/p' "$(log_of "$2")" | head -n 1)
    last=$(sed -n 's/^# end [0-9]* [a-z]* \([^ ]*\) .*/\1/p' "$(log_of "$2")" | tail -n 1)
    printf '%s|%d|%d\n' "$1" "$(starts_of "$2")" $(($(date -d "$last" +%s) - $(date -d "$first" +%s))) >>"$work/table"
}

# alone NAME WORDS OPTION...: a list of one cell; WORDS is the name of an array.
alone() {
    local -n words=$2
    list=$1
    cell "$1" "${words[@]}"
    submit --ntasks=2 "${@:3}"
}

blow() { # WHAT EPOCH NAME COMMAND...: once the cell is at that epoch
    local what=$1 epoch=$2 name=$3
    shift 3
    wait_for 120 at_epoch "$name" "$epoch" && "$@"
    verdict "$what" $?
}

kill_rank() { # SIGNAL NAME
    kill "-$1" "$(ranks_of "$2" | tail -n 1)"
}

suspend() { # NAME
    # shellcheck disable=SC2046 # each is a word
    kill -STOP $(ranks_of "$1")
}

resume() { # NAME
    # shellcheck disable=SC2046
    kill -CONT $(ranks_of "$1")
}

reference() {
    [ -d whole ] || exits 0 0 train "${base[@]}" run_dir=whole
    verdict 'a run that nobody disturbs' $?
}

one_node() {
    begin_slurm 0
    reference

    echo '# time limits of a minute, the least that SLURM has; suspended ranks make the time long enough'
    alone limit patient --time=1 # the signal of sweep.sbatch, five minutes ahead, comes soon
    alone limit-unsaid patient --time=1 --signal=B:CONT@1
    alone limit-hung patient --time=1 --signal=B:CONT@1
    for name in limit limit-unsaid limit-hung; do
        blow "$name: the ranks are suspended" 2 $name suspend $name
    done
    (wait_for 120 grep -q 'Forwarding signal 12' "$(log_of limit)" && resume limit) &
    (sleep 35 && resume limit-unsaid) &

    echo '# processes'
    alone killed base
    alone hung base
    blow 'a rank is killed' 3 killed kill_rank KILL killed
    blow 'a rank is stopped' 3 hung kill_rank STOP hung
    MOPO_LAUNCH='srun -K1 --mpi=pmix' alone killed-srun two_learners
    MOPO_LAUNCH='srun -K1 --mpi=pmix' alone asked-srun base
    blow 'one of two learners is killed under srun -K1' 3 killed-srun kill_rank KILL killed-srun
    blow 'USR2 under srun -K1' 3 asked-srun on_slurm scancel --signal=USR2 --batch "$array"
    for name in killed hung killed-srun asked-srun; do
        goes_on $name 120 2 whole
    done
    row 'a rank is killed' killed
    row 'a rank is stopped (`ranks.patience=3`)' hung
    row 'one of two learners is killed, `srun -K1`' killed-srun
    row 'USR2, `srun -K1`' asked-srun

    echo '# what people and SLURM ask for'
    alone asked base
    blow 'scancel --signal=USR2' 3 asked on_slurm scancel --signal=USR2 --batch "$array"
    alone requeued base
    blow 'scontrol requeue' 3 requeued on_slurm scontrol requeue "$array"
    alone cancelled base
    blow 'scancel' 3 cancelled on_slurm scancel "$array"
    goes_on asked 120 2 whole
    goes_on requeued 120 2 whole
    row '`scancel --signal=USR2 --batch`' asked
    row '`scontrol requeue`' requeued
    sleep 5
    check 'cancelled: not started again' left cancelled
    check 'cancelled: one start' test "$(starts_of cancelled)" -eq 1

    echo '# jobs that end the same at each start'
    alone wrong wrong_words
    MOPO=$work/dying alone dies base
    fails wrong 60 1 'did you mean penalty.lambda'
    fails dies 120 3 '3 starts in a row without a new checkpoint'
    row 'a wrong setting' wrong
    row 'a crash at each start' dies

    echo '# a requeue that is refused'
    alone refused base --no-requeue
    blow 'USR2' 3 refused on_slurm scancel --signal=USR2 --batch "$array"
    check 'refused: the log says so' wait_for 60 grep -q 'requeue refused: .*presently disabled' \
        "$(log_of refused)"
    check 'refused: SLURM starts nothing' wait_for 15 left refused
    submit --ntasks=2
    goes_on refused 120 2 whole
    row '`scontrol requeue` refused; submitted again' refused
    echo 'RequeueExit=75' >>"$SLURM_CONF"
    on_slurm scontrol reconfigure
    alone exits base --no-requeue
    blow 'USR2' 3 exits on_slurm scancel --signal=USR2 --batch "$array"
    goes_on exits 120 2 whole
    row '`scontrol requeue` refused, `RequeueExit=75`' exits

    echo '# SLURM itself'
    alone orphan base
    blow 'the controller is stopped, then a rank killed' 3 orphan "$slurm" stop "$cluster"
    kill_rank KILL orphan
    wait_for 60 ended orphan again
    verdict 'orphan: the script has decided' $?
    sleep 3
    "$slurm" start "$cluster"
    goes_on orphan 120 2 whole
    row '`slurmctld` is gone when a rank is killed' orphan

    for name in limit limit-unsaid limit-hung; do
        wait_for 300 ended $name 'done|failed' && ended $name 'done'
        verdict "$name: done" $?
        check "$name: more than one start" test "$(starts_of $name)" -gt 1
        check "$name: same bytes" same_run whole "$out/$name"
    done
    row 'a time limit, USR2 ahead of it' limit
    row 'a time limit that mopo reckons itself' limit-unsaid
    row 'a time limit that ends a hung job' limit-hung

    echo '# preemption'
    alone preempted patient
    blow 'preempted: the ranks are suspended, or they would have ended before' 3 preempted suspend preempted
    on_slurm sbatch --partition=urgent --ntasks=16 --mem-per-cpu=1M \
        --output=/dev/null --wrap 'sleep 2'
    verdict 'a job of higher priority wants the node' $?
    goes_on preempted 120 2 whole
    row 'preemption (`REQUEUE`, 3 s of grace)' preempted
    end_slurm
}

# wide NAME HOSTS RANKS OPTION...: a cell over several hosts, with `base`.
wide() {
    list=$1
    cell "$1" "${base[@]}"
    submit --nodes="$2" --ntasks="$3" "${@:4}"
}

# The hosts of the last start.
hosts_of() { # NAME
    on_slurm squeue --noheader --jobs "$(job_of "$1")" --format %N
}

batch_host() { # NAME
    sed -n 's/^# start .* host \([^ ]*\) job .*/\1/p' "$(log_of "$1")" | tail -n 1
}

other_host() { # NAME
    on_slurm scontrol show hostnames "$(hosts_of "$1")" | grep -vx "$(batch_host "$1")" | tail -n 1
}

host_action() { # ACTION HOST
    "$source_dir/tests/cluster/hosts.sh" "$1" "$cluster/hosts" "$2"
}

# strike NAME ACTION WHICH: do it to the batch host or another one of the cell.
strike() {
    struck=$("$3" "$1") && host_action "$2" "$struck"
}

started_twice() { # NAME
    [ "$(starts_of "$1")" -eq 2 ]
}

back() { # HOST ACTION
    host_action "$2" "$1" && "$slurm" node "$cluster" "$1"
}

several_hosts() {
    cluster=$(mktemp -d -t mopo-slurm.XXXXXX) || exit 1
    export OMPI_MCA_oob_tcp_keepalive_time=5 OMPI_MCA_oob_tcp_keepalive_intvl=2 OMPI_MCA_oob_tcp_keepalive_probes=2
    begin_slurm 4
    reference

    echo '# the same bytes on several hosts'
    for pair in 2/4 4/8; do
        wide "hosts${pair%/*}" "${pair%/*}" "${pair#*/}" --ntasks-per-node=2
        goes_on "hosts${pair%/*}" 120 1 whole
        check 'on so many hosts' grep -Eq "${pair#*/} ranks on n[0-9]( n[0-9]){$((${pair%/*} - 1))}: " \
            "$out/hosts${pair%/*}/log.txt"
        row "nothing, on ${pair%/*} hosts" "hosts${pair%/*}"
    done

    echo '# rank 0 alone reads the dataset, and the hosts share what it sends'
    "$source_dir/tests/cluster/hosts.sh" on "$cluster/hosts" n1 cp "$work/data.hdf5" "$cluster/hosts/tmp-n1/"
    hidden=("${base[@]}" "dataset=$cluster/hosts/tmp-n1/data.hdf5") # n2 does not see it
    list=hidden
    cell hidden "${hidden[@]}"
    submit --nodelist=n1,n2 --ntasks=4 --ntasks-per-node=2
    goes_on hidden 120 1 whole

    echo '# hosts and cables'
    wide other-lost 2 4 --ntasks-per-node=2
    blow 'a host is lost' 3 other-lost strike other-lost off other_host
    goes_on other-lost 180 2 whole
    row 'a host is lost, not that of the script' other-lost
    back "$struck" start
    wide batch-lost 2 4 --ntasks-per-node=2
    blow "the script's host is lost" 3 batch-lost strike batch-lost off batch_host
    goes_on batch-lost 180 2 whole
    row "the script's host is lost" batch-lost
    back "$struck" start
    wide other-cut 2 4 --ntasks-per-node=2
    blow "a host's cable is pulled" 3 other-cut strike other-cut cut other_host
    goes_on other-cut 180 2 whole
    row "a host's cable is pulled (keepalive 5, 2, 2)" other-cut
    host_action heal "$struck"
    wide batch-cut 2 4 --ntasks-per-node=2
    blow "the cable of the script's host is pulled" 3 batch-cut strike batch-cut cut batch_host
    wait_for 180 started_twice batch-cut && host_action heal "$struck"
    verdict 'it has started elsewhere when the cable is plugged in again' $?
    goes_on batch-cut 120 2 whole # the old script leaves it alone
    row "the cable of the script's host is pulled" batch-cut
    end_slurm
}

# A program that dies before it gets to anything.
printf '#!/bin/bash\nkill -KILL $$\n' >"$work/dying"
chmod +x "$work/dying"
# shellcheck disable=SC2034 # by name
{
    wrong_words=("${base[@]}" penalty.lamda=2)
    patient=("${base[@]}" ranks.patience=0)
    two_learners=("${base[@]}" ranks.learners=2)
    base+=(ranks.patience=3)
}
for name in $part; do
    case $name in
    one) one_node ;;
    hosts) several_hosts ;;
    esac
done
echo '# event | starts | seconds'
cat "$work/table"
finish
