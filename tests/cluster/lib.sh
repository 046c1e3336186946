# shellcheck shell=bash disable=SC2154,SC2034 # names of e2e/lib.sh, and for the tests
# What tests of jobs under SLURM share; after tests/e2e/lib.sh. Cells are lines of a list for slurm/sweep.sbatch.

slurm=$source_dir/tests/cluster/slurm.sh
cluster=$(mktemp -d -t mopo-slurm.XXXXXX) || exit 1 # not in $work: munge wants a path that all may enter
out=$work/sweep
hurry='' # the process that shortens SLURM's waits
export MOPO=$program
unset MOPO_SLURM # the scripts find each other
# more CPUs are claimed than there are
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none

# begin_slurm HOSTS: a cluster (0: one node) that ends with the test; exit code 77 where there cannot be one.
begin_slurm() {
    if [ "$(id -u)" -ne 0 ]; then
        echo 'skipped: a SLURM of its own needs root'
        exit 77
    fi
    trap 'end_slurm; clean_up' EXIT
    "$slurm" up "$cluster" "$1" >"$work/check" 2>&1 || {
        echo "skipped: no SLURM ($(head -n 3 "$work/check"))"
        exit 77
    }
    export SLURM_CONF=$cluster/slurm.conf
    hurry_up &
    hurry=$!
    disown "$hurry" # its end is not told
}

end_slurm() {
    [ -z "$hurry" ] || kill -KILL "$hurry" 2>/dev/null
    hurry=''
    "$slurm" down "$cluster" >/dev/null 2>&1
    rm -rf "$cluster"
}

# A command of SLURM.
on_slurm() {
    timeout 30 "$slurm" run "$cluster" "$@"
}

# A job that was requeued waits two minutes, here one or two seconds: at once SLURM may start it before it has cleared
# the last start away. This is the only thing that the tests do for a job.
hurry_up() {
    local id now='' before
    while sleep 1; do
        before=$now
        now=$(on_slurm squeue --noheader --array --states pending --format '%i %r' 2>/dev/null |
            sed -n 's/ BeginTime$//p')
        for id in $now; do
            ! grep -qx "$id" <<<"$before" || on_slurm scontrol update JobId="$id" StartTime=now 2>/dev/null
        done
    done
}

# cell NAME WORD...: another line of the list $list; its run directory is sweep/NAME.
cell() {
    local IFS=$'\t'
    mkdir -p "$out/submit"
    echo "cell$IFS$1$IFS$out/$1$IFS-$IFS-${IFS}train$IFS${*:2}${IFS}run_dir=$out/$1" >>"$out/submit/$list.tsv"
}

# submit [OPTION...]: all cells of $list as one array; its number goes to $array.
submit() {
    local file=sweep/submit/$list.tsv
    array=$(on_slurm sbatch --parsable --mem-per-cpu=100M --array="0-$(($(lines_of "$file") - 1))" "$@" \
        "$source_dir/slurm/sweep.sbatch" "$file")
}

log_of() { # NAME
    echo "$out/logs/$1.txt"
}

starts_of() { # NAME
    grep -c '^# start ' "$(log_of "$1")"
}

# The processes of a cell's ranks.
ranks_of() { # NAME
    pgrep -f "^$program train.*run_dir=$out/$1\$"
}

# wait_for SECONDS COMMAND...
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

ended() { # NAME VERDICT: done, again or failed
    grep -Eqs "^# end [0-9]+ ($2) " "$(log_of "$1")"
}

at_epoch() { # NAME EPOCH
    has_lines "$out/$1" "$2"
}

# goes_on NAME SECONDS STARTS REFERENCE: it ends by itself, after so many starts, with the bytes of an undisturbed run.
goes_on() {
    wait_for "$2" ended "$1" 'done|failed'
    local result=$?
    ended "$1" 'done' || result=1
    [ $result -eq 0 ] || tail -n 15 "$(log_of "$1")"
    verdict "$1: done" $result
    check "$1: $3 starts" test "$(starts_of "$1")" -eq "$3"
    check "$1: same bytes" same_run "$4" "$out/$1"
}

# fails NAME SECONDS STARTS REASON
fails() {
    wait_for "$2" ended "$1" 'done|failed' && ended "$1" failed
    verdict "$1: failed" $?
    check "$1: $3 starts" test "$(starts_of "$1")" -eq "$3"
    check "$1: says why" grep -q "^# end [0-9]* failed [^ ]* .*$4" "$(log_of "$1")"
    check "$1: is not started again" wait_for 15 left "$1"
}

# SLURM's number.
job_of() { # NAME
    sed -n 's/^# start .* job //p' "$(log_of "$1")" | tail -n 1
}

left() { # NAME: no job of it is there
    ! on_slurm squeue --noheader --array --format %i | grep -qx "$(job_of "$1")"
}
