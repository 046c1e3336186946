#!/bin/bash
# A real SLURM for tests, of one node or over test hosts (hosts.sh). As root, without systemd and control groups, with
# Debian's slurmctld, slurmd, slurm-client and munge. DIR holds all its files; nothing outside it changes.
#   slurm.sh up DIR            one node `localhost` on the loopback, which claims 16 CPUs
#   slurm.sh up DIR N          a controller on the head and nodes n1 to nN of 8 CPUs, in DIR/hosts
#   slurm.sh run DIR WORD ...   a command of SLURM, where the controller is
#   slurm.sh stop DIR          stop the controller, as for an update; `start` starts it again from what it has saved
#   slurm.sh node DIR HOST     start a host's slurmd: after `up`, and after the host was switched off and on
#   slurm.sh down DIR          end all jobs and daemons, remove the hosts
# Partitions: `debug`, and `urgent`, whose jobs take the place of those in `debug` (requeued after 3 seconds of grace).
set -euo pipefail

action=${1:?up, run, stop, start, node or down}
dir=$(realpath -m "${2:?the folder of the cluster is missing}")
shift 2
hosts=$(dirname "$(realpath "${BASH_SOURCE[0]}")")/hosts.sh
export SLURM_CONF=$dir/slurm.conf

missing() {
    local name
    for name in slurmctld slurmd munged sbatch; do
        PATH=$PATH:/usr/sbin command -v $name >/dev/null || printf '%s ' $name
    done
}

# where WORD...: on the controller's host.
where() {
    if [ -x "$dir/hosts/head" ]; then "$dir/hosts/head" "$@"; else "$@"; fi
}

# Without control groups jobs are followed by the process tree; without NoInAddrAny the daemons listen everywhere.
write_conf() { # CONTROLLER NODES TMPFS
    local port=$((20000 + $(printf %s "$dir" | cksum | cut -d ' ' -f 1) % 10000))
    cat >"$SLURM_CONF" <<END
ClusterName=test
SlurmctldHost=$1
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge.sock
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmctldPort=$port
SlurmdPort=$((port + 10000))
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool-%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd-%n.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd-%n.log
SlurmdParameters=config_overrides
TmpFS=$3
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobCompType=jobcomp/filetxt
JobCompLoc=$dir/jobs.txt
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,bf_interval=1,sched_min_interval=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
MpiDefault=pmix
ReturnToService=2
SlurmdTimeout=10
KillWait=10
MaxArraySize=10001
$2
PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE PriorityTier=1 GraceTime=3
PartitionName=urgent Nodes=ALL MaxTime=INFINITE PriorityTier=10 PreemptMode=OFF
END
}

start_munge() {
    head -c 1024 /dev/urandom >"$dir/munge.key"
    chmod 400 "$dir/munge.key"
    munged --key-file="$dir/munge.key" --socket="$dir/munge.sock" --pid-file="$dir/munged.pid" \
        --log-file="$dir/munged.log" --seed-file="$dir/munge.seed"
}

start_node() { # HOST
    if [ -x "$dir/hosts/head" ]; then
        "$hosts" on "$dir/hosts" "$1" SLURM_CONF="$SLURM_CONF" slurmd -N "$1"
    else
        slurmd -N "$1"
    fi
}

wait_until_idle() { # NODES
    local try
    for ((try = 0; try < 300; try++)); do
        [ "$(where sinfo --noheader --partition debug --states idle --format %D 2>/dev/null)" != "$1" ] || return 0
        sleep 0.1
    done
    echo "slurm.sh: the nodes are not idle after 30 s: $(tail -n 3 "$dir"/slurm*.log)" >&2
    exit 1
}

up() { # [HOSTS]
    local lacks count=${1:-0} k
    local node='CPUs=16 Boards=1 SocketsPerBoard=1 CoresPerSocket=16 ThreadsPerCore=1 RealMemory=8000 State=UNKNOWN'
    lacks=$(missing)
    if [ -n "$lacks" ]; then
        echo "slurm.sh: not installed: $lacks(Debian: slurmctld slurmd slurm-client munge)" >&2
        exit 1
    fi
    mkdir -p "$dir/state"
    chmod 755 "$dir"
    if [ "$count" -eq 0 ]; then
        mkdir -p "$dir/spool-localhost"
        write_conf 'localhost(127.0.0.1)' "NodeName=localhost NodeAddr=127.0.0.1 $node" /tmp
    else
        "$hosts" up "$dir/hosts" "$count"
        write_conf 'head(10.77.0.254)' "$(for ((k = 1; k <= count; k++)); do
            mkdir -p "$dir/spool-n$k"
            echo "NodeName=n$k NodeAddr=10.77.0.$k ${node//16/8}"
        done)" "$dir/hosts/tmp-%n"
    fi
    start_munge
    where slurmctld -c
    if [ "$count" -eq 0 ]; then start_node localhost; fi
    for ((k = 1; k <= count; k++)); do
        start_node "n$k"
    done
    wait_until_idle "$((count == 0 ? 1 : count))"
}

# kill_by FILE SIGNAL: the daemon that wrote its number there, and wait for its end.
kill_by() {
    local pid try
    pid=$(cat "$1" 2>/dev/null) || return 0
    kill "-$2" "$pid" 2>/dev/null || return 0
    for ((try = 0; try < 50; try++)); do
        grep -qs '^State:.[^Z]' "/proc/$pid/status" || return 0
        sleep 0.1
    done
}

down() {
    local file pid
    where timeout 5 scancel --quiet --user root 2>/dev/null || true
    sleep 1
    for file in "$dir/slurmctld.pid" "$dir/slurmd-localhost.pid" "$dir/munged.pid"; do
        kill_by "$file" KILL
    done
    if [ -x "$dir/hosts/head" ]; then "$hosts" down "$dir/hosts"; fi # with their slurmd
    for pid in $(pgrep -x slurmstepd || true); do # of jobs that did not end
        ! tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | grep -qx "SLURM_CONF=$SLURM_CONF" || kill -KILL "$pid"
    done
}

PATH=$PATH:/usr/sbin:/sbin
case $action in
up) up "$@" ;;
run) where "$@" ;;
stop) kill_by "$dir/slurmctld.pid" TERM ;;
start) where slurmctld ;;
node) start_node "$1" ;;
down) down ;;
*)
    sed -n '4,9s/^# \{0,3\}//p' "$0" >&2
    exit 2
    ;;
esac
