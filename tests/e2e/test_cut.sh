#!/bin/bash
# The cable of a host is pulled while a run goes over it (tests/cluster/hosts.sh). mpirun notices by its keepalive,
# which slurm/site.env.example shortens and this test more; the job ends on both sides and says which host, and the
# same command goes on to the bytes of a run that nobody disturbed. That mopo notices first: tests/cluster/deaths.sh.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

hosts=$source_dir/tests/cluster/hosts.sh
cluster=$work/cluster
base=("$source_dir/configs/smoke.yaml" dataset=data.hdf5 train.epochs=12)
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none
export OMPI_MCA_oob_tcp_keepalive_time=3 OMPI_MCA_oob_tcp_keepalive_intvl=1 OMPI_MCA_oob_tcp_keepalive_probes=2

if [ "$(id -u)" -ne 0 ] || ! ip -V >/dev/null 2>&1; then
    echo 'skipped: test hosts need root and iproute2'
    exit 77
fi
trap '"$hosts" down "$cluster" 2>/dev/null; clean_up' EXIT
"$hosts" up "$cluster" 2 >check 2>&1 || {
    echo "skipped: namespaces are not allowed here ($(head -n 1 check))"
    exit 77
}

train() { # two ranks on each of two hosts
    "$hosts" mpirun "$cluster" --host n1:8,n2:8 --map-by ppr:2:node -x MOPO_START_PATIENCE=40 "$program" train \
        "${base[@]}" "run_dir=$work/run" >out 2>err </dev/null
}

# Where Open MPI cannot connect its ranks mopo ends the job.
train_on() {
    local tries
    for ((tries = 0; tries < 4; tries++)); do
        train && return
        grep -q 'MPI has not begun' err || return
    done
}

ranks_on() { # HOST
    "$hosts" on "$cluster" "$1" "pgrep -c -f '^$program train.*run_dir=$work/run'"
}

# No rank of the run is left, at the latest some seconds after.
all_gone() {
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        [ "$(ranks_on n1) $(ranks_on n2)" != '0 0' ] || return 0
        sleep 0.1
    done
    return 1
}

exits 0 0 train "${base[@]}" run_dir=whole
verdict 'a run that nobody disturbs' $?
train &
child=$!
until_true has_lines run 2 && [ "$(ranks_on n1) $(ranks_on n2)" = '2 2' ] && "$hosts" cut "$cluster" n2
verdict 'the cable of n2 is pulled' $?
wait "$child"
verdict 'the job ends with an error' $((($? == 0) ? 1 : 0))
child=''
check 'the message names the host' grep -q 'n2' err
check 'no process is left on either side' all_gone
"$hosts" heal "$cluster" n2
train_on
verdict 'the same command goes on' $?
check 'same bytes' same_run whole run
finish
