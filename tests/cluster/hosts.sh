#!/bin/bash
# Test hosts on one machine: each is a set of Linux namespaces (network, host name, processes, mounts, shared memory)
# with a cable to a bridge. As root, with iproute2 and util-linux. DIR holds their files; nothing outside it changes.
#   hosts.sh up DIR N              make hosts n1 to nN
#   hosts.sh mpirun DIR WORD ...   mpirun from the head node over all hosts, by an agent in the place of ssh
#   hosts.sh on DIR HOST WORD ...  run a command on a host
#   hosts.sh off DIR HOST          power off: all its processes are gone at once; `start` switches it on again
#   hosts.sh cut DIR HOST          pull the cable; `heal` plugs it in again
#   hosts.sh down DIR              remove all
# Processes of a host live in a PID namespace of its own. The head does not: from there the agent enters hosts by /proc.
set -euo pipefail

network=10.77.0 # inside the namespaces only
action=${1:?up, mpirun, on, off, start, cut, heal or down}
dir=$(realpath -m "${2:?the folder of the hosts is missing}")
shift 2
id=mopo$(printf %s "$dir" | cksum | cut -d ' ' -f 1) # of our namespaces; other clusters have others

netns() { # HOST: its network, by name
    echo "$id-$1"
}

write_scripts() {
    cat >"$dir/init" <<EOF
#!/bin/bash
hostname "\$1"
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs -o size=1g tmpfs /dev/shm # ranks of two hosts must not meet here
mkdir -p "$dir/tmp-\$1"
mount -t tmpfs tmpfs "$dir/tmp-\$1"
mount --bind "$dir/hosts" /etc/hosts
touch "$dir/\$1.up"
while :; do sleep 3600 & wait \$!; done
EOF
    cat >"$dir/agent" <<EOF
#!/bin/bash
# agent HOST WORD...: what mpirun says to a host is shell text
host=\$1
shift
pid=\$(cat "$dir/\$host.pid") || exit 255
exec nsenter --target "\$pid" --net --uts --ipc --mount --pid -- sh -c "export TMPDIR=$dir/tmp-\$host; \$*"
EOF
    cat >"$dir/head" <<EOF
#!/bin/bash
exec nsenter --net=/run/netns/$(netns head) unshare --uts --mount \\
    sh -c 'hostname head; mount --make-rprivate /; mount --bind "$dir/hosts" /etc/hosts; exec "\$@"' sh "\$@"
EOF
    chmod +x "$dir/init" "$dir/agent" "$dir/head"
}

start_host() { # HOST
    local outer try pid
    rm -f "$dir/$1.up"
    setsid nsenter --net="/run/netns/$(netns "$1")" unshare --uts --ipc --mount --pid --fork --kill-child \
        "$dir/init" "$1" </dev/null >"$dir/$1.log" 2>&1 &
    outer=$!
    for ((try = 0; try < 200; try++)); do
        pid=$(pgrep -P "$outer" | head -n 1 || true)
        [ -z "$pid" ] || [ ! -e "$dir/$1.up" ] || break
        sleep 0.05
    done
    if [ -z "$pid" ] || [ ! -e "$dir/$1.up" ]; then
        echo "hosts.sh: host $1 did not start: $(cat "$dir/$1.log")" >&2
        exit 1
    fi
    echo "$pid" >"$dir/$1.pid"
}

add_cable() { # HOST NUMBER
    local net bridge
    net=$(netns "$1")
    bridge=$(netns head)
    ip netns add "$net"
    ip link add eth0 netns "$net" type veth peer name "$1" netns "$bridge"
    ip -n "$bridge" link set "$1" master br0 up
    ip -n "$net" link set lo up
    ip -n "$net" link set eth0 up
    ip -n "$net" addr add "$network.$2/24" dev eth0
    echo "$network.$2 $1" >>"$dir/hosts"
    echo "$1 slots=8" >>"$dir/hostfile"
}

up() { # COUNT
    local k bridge
    bridge=$(netns head)
    mkdir -p "$dir"
    printf '127.0.0.1 localhost\n%s.254 head\n' "$network" >"$dir/hosts"
    : >"$dir/hostfile"
    write_scripts
    ip netns add "$bridge"
    ip -n "$bridge" link set lo up
    ip -n "$bridge" link add br0 type bridge
    ip -n "$bridge" link set br0 up
    ip -n "$bridge" addr add "$network.254/24" dev br0
    for ((k = 1; k <= $1; k++)); do
        add_cable "n$k" "$k"
    done
    for ((k = 1; k <= $1; k++)); do
        start_host "n$k"
    done
}

off() { # HOST
    kill -KILL "$(cat "$dir/$1.pid")"
    rm -f "$dir/$1.up"
}

down() {
    local file name
    for file in "$dir"/*.pid; do
        [ ! -e "$file" ] || kill -KILL "$(cat "$file")" 2>/dev/null || true
    done
    for name in $(ip netns list | awk -v id="$id-" 'index($1, id) == 1 { print $1 }'); do
        ip netns delete "$name"
    done
}

case $action in
up) up "$1" ;;
mpirun)
    exec "$dir/head" mpirun --hostfile "$dir/hostfile" --mca plm_rsh_agent "$dir/agent" \
        -x OMPI_ALLOW_RUN_AS_ROOT=1 -x OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 "$@"
    ;;
on) exec "$dir/agent" "$@" ;;
off) off "$1" ;;
start) start_host "$1" ;;
cut) ip -n "$(netns head)" link set "$1" down ;;
heal) ip -n "$(netns head)" link set "$1" up ;;
down) down ;;
*)
    sed -n '4,9s/^# \{0,3\}//p' "$0" >&2
    exit 2
    ;;
esac
