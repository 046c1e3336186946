#!/bin/bash
# The same bytes on 1, 2 and 4 hosts, with one and two ranks each: dataset, model, reports, metrics, policy. The hosts are
# namespaces of this machine (tests/cluster/hosts.sh) that share nothing but the file system.
#   MOPO_ALL_RANKS=1    and every preset on 2 and 4 hosts: minutes
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

hosts=$source_dir/tests/cluster/hosts.sh
cluster=$work/cluster
smoke=("$source_dir/configs/smoke.yaml" rollout.retain=2 train.shards=8)
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none

needs() { # WHAT COMMAND...
    local what=$1
    shift
    "$@" >"$work/check" 2>&1 || {
        echo "skipped: $what ($(head -n 1 "$work/check"))"
        exit 77
    }
}

if [ "$(id -u)" -ne 0 ]; then
    echo 'skipped: test hosts need root'
    exit 77
fi
needs 'no ip: install iproute2' ip -V
trap '"$hosts" down "$cluster" 2>/dev/null; clean_up' EXIT
needs 'namespaces are not allowed here' "$hosts" up "$cluster" 4

# on_hosts HOSTS RANKS WORDS...: so many ranks on each of the first hosts.
on_hosts() {
    local names
    names=$(seq -s , -f n%g "$1")
    timeout 120 "$hosts" mpirun "$cluster" --host "${names//,/:8,}:8" --map-by "ppr:$2:node" "$program" "${@:3}" \
        >out 2>err </dev/null
}

mopo_on 0 train "${smoke[@]}" dataset=one.hdf5 run_dir=one
verdict 'a run in one process' $?
for pair in 1/1 1/2 2/1 2/2 4/1 4/2; do
    count=${pair%/*} each=${pair#*/}
    on_hosts "$count" "$each" train "${smoke[@]}" dataset=more.hdf5 run_dir=more
    verdict "hosts: $count, ranks on each: $each" $?
    check 'the log names all of them' grep -q "on $(seq -s ' ' -f n%g "$count"): " more/log.txt
    check 'the dataset it collected: same bytes' cmp one.hdf5 more.hdf5
    check 'the run: same bytes' same_run one more
    rm -rf more more.hdf5
done
on_hosts 4 2 train "${smoke[@]}" dataset=one.hdf5 run_dir=wide ranks.learners=8
verdict 'learners on all of 4 hosts' $?
check 'same bytes' same_run one wide
on_hosts 2 2 rerun one
verdict 'mopo rerun on 2 hosts' $?
check 'says so' grep -q '^same bits: ' out

if [ -n "${MOPO_ALL_RANKS:-}" ]; then
    find_presets
    exits 0 0 collect rows.hdf5 task=pointmass seed=3 --rows 1500 || verdict 'collect' 1
    for preset in "${presets[@]}"; do
        preset_run "$preset"
        exits 0 0 train "${run[@]}" run_dir=first || verdict "$preset trains" 1
        for pair in 2/1 4/2; do
            on_hosts "${pair%/*}" "${pair#*/}" train "${run[@]}" run_dir=other
            check "$preset, hosts: ${pair%/*}, ranks on each: ${pair#*/}: same bytes" same_results first other
            rm -rf other
        done
        rm -rf first
    done
fi
finish
