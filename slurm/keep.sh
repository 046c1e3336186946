# shellcheck shell=bash disable=SC2154 # dirs is the caller's
# What train.sbatch and sweep.sbatch share: start mopo, pass SLURM's signals on, and decide whether the job is to be
# started again. Sourced in the folder in which the job runs.
#
#   dirs=(DIR ...)         where its results lie, and the directory of the ensemble that it may be fitting for others
#   keep MEMORY WORD...    run `mopo WORD...` and end the job. MEMORY is a small file that counts starts without
#                          progress from one start to the next
#
#   0            done
#   1, 2, 76     failed: a new start would end the same; but again where another process is there still, and for a 1 of
#                which mopo tells nothing
#   others       again: 75 is saved and stopped, the rest are killed ranks and lost nodes. Failed after 3 starts in a
#                row from which nothing came that is newer than before
#
# Around each start it prints what `mopo status` reads:
#   # start <UTC time> host <host> job <SLURM's number>
#   # end <exit code> <done|again|failed> <UTC time> <reason>
trap : USR2 # before mopo runs: it knows the time limit itself

for site in slurm/site.env "$MOPO_SLURM/site.env"; do
    if [ -f "$site" ]; then
        # shellcheck source=slurm/site.env.example
        . "$site"
        break
    fi
done
set +e -u # modules of sites use names that are not set, and may leave -e behind
export OPENBLAS_NUM_THREADS=1
# NOTE: how ranks are started; MOPO_LAUNCH of site.env.
read -ra launch <<<"${MOPO_LAUNCH:-mpirun}"
program=${MOPO:-build/release/mopo}
[ -n "${MOPO:-}" ] || [ -x "$program" ] || program=mopo

number=${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}
job=$number${SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID}
misses=0 # starts in a row from which nothing came
limit=0  # seconds since 1970; 0: none
ended='' # SLURM asked the job to end, now

# mopo saves itself before the time limit, which SLURM tells since its version 23.02; before, squeue knows it.
find_limit() {
    local text
    if [ -z "${SLURM_JOB_END_TIME:-}" ]; then
        text=$(squeue --noheader --job "$job" --format %e 2>/dev/null)
        SLURM_JOB_END_TIME=$(date -d "${text:-none}" +%s 2>/dev/null) # no limit is no date
    fi
    export SLURM_JOB_END_TIME
    limit=${SLURM_JOB_END_TIME:-0}
}

utc() {
    date -u +%Y-%m-%dT%H:%M:%SZ
}

# A number that changes when there is a newer checkpoint, or another part of a dataset.
progress() {
    local dir
    for dir in "${dirs[@]}"; do
        cat "$dir/ckpt/LATEST"
        ls -- "$dir.parts"
    done 2>/dev/null | cksum | cut -d ' ' -f 1
}

# The starts before this one: a job that SLURM killed could not count itself. A job of another number starts anew.
recall() { # MEMORY
    local owner='' seen=''
    [ ! -f "$1" ] || read -r owner seen misses <"$1"
    if [ "$owner $seen" = "$number $before" ]; then misses=$((misses + 1)); else misses=0; fi
    mkdir -p "$(dirname "$1")" && echo "$number $before $misses" >"$1"
}

# What mopo said last, from where the job's output goes; what it said before the start does not count.
output=$(readlink /proc/$$/fd/1)
output_size() {
    if [ -f "$output" ]; then stat -c %s "$output"; else echo 0; fi
}
last_words() { # BYTES
    [ ! -f "$output" ] || tail -c +$(($1 + 1)) "$output" | grep -a '^mopo[: ]' | tail -n 1
}

# USR2 comes minutes before the limit. TERM is preemption, a requeue, scancel or the limit itself. mpirun passes USR2
# on, and mopo saves and exits 75; after a TERM it kills the ranks a second later, too soon to save.
run() { # WORD...; the exit code goes to $code
    local again
    "${launch[@]}" "$program" "$@" &
    pid=$!
    trap 'kill -USR2 $pid 2>/dev/null' USR2
    trap 'ended=yes; kill -USR2 $pid 2>/dev/null' TERM
    while :; do # a trapped signal ends wait, not mpirun
        wait "$pid"
        code=$?
        { [ "$code" -gt 128 ] && kill -0 "$pid" 2>/dev/null; } || break
    done
    wait "$pid" 2>/dev/null
    again=$?
    [ $again -eq 127 ] || code=$again
}

# SLURM ended the job, not for its time limit: whether it starts again has been decided.
out_of_our_hands() {
    [ -n "$ended" ] && { [ "$limit" -eq 0 ] || [ "$(date +%s)" -lt $((limit - 5)) ]; }
}

# end CODE VERDICT REASON
end() {
    printf '# end %d %s %s %.300s\n' "$1" "$2" "$(utc)" "$3"
}

fail() { # CODE REASON: exit code 75 would ask RequeueExit of slurm.conf for another start
    end "$1" failed "$2"
    rm -f "$memory"
    exit $(($1 == 75 ? 1 : $1))
}

# Requeueing kills this script. While the controller does not answer, ask again: meanwhile it may have started the job
# elsewhere, which must be left alone. Where it refuses, exit code 75 is the request to RequeueExit, and without that
# the job waits to be submitted again.
requeue() {
    local try answer
    trap : USR2
    trap - TERM
    for ((try = 0; try < 20; try++)); do
        answer=$(scontrol show job "$job" 2>&1)
        if [[ $answer == *" Restarts="* ]]; then
            [[ $answer == *" Restarts=${SLURM_RESTART_COUNT:-0} "* ]] || exit 0
            if answer=$(scontrol requeue "$job" 2>&1) || [ -z "$answer" ]; then # its end may reach scontrol first
                sleep 60
                break
            fi
        fi
        echo "keep.sh: requeue refused: $answer"
        [[ $answer == *ontact* ]] || break
        sleep 10
    done
    exit 75
}

keep() {
    local memory=$1 before said reason code pid
    shift
    before=$(progress)
    recall "$memory"
    echo "# start $(utc) host $(hostname) job $job"
    [ "$misses" -lt 3 ] || fail 1 '3 starts in a row without a new checkpoint, all ended by SLURM'
    find_limit
    said=$(output_size)
    run "$@"
    reason=$(last_words "$said")
    case $code in
    0)
        end 0 'done' ''
        rm -f "$memory"
        exit 0
        ;;
    75) reason=${reason:-saved} ;;
    1 | 2 | 76) # of a mpirun that got TERM it is 1, too
        if [ -n "$ended" ]; then
            reason='SLURM ended the job before it could save itself'
        elif [ "$code" -eq 1 ] && [ -z "$reason" ]; then # MPI could not begin
            reason='exit code 1; the log may say why'
        elif [[ $reason != *'another process is '* && # of a node that SLURM took for lost
            $reason != *'The job ends here'* ]]; then # mpirun hung after it, and had to be ended
            fail "$code" "${reason:-no reason told}"
        fi
        ;;
    *) reason=${reason:-a rank was killed or a node lost} ;;
    esac
    if [ "$(progress)" = "$before" ]; then misses=$((misses + 1)); else misses=0; fi
    [ "$misses" -lt 3 ] || fail "$code" "3 starts in a row without a new checkpoint; at last: $reason"
    if out_of_our_hands; then
        end "$code" again 'ended by SLURM (preemption, requeue, scancel), which knows whether it starts again'
        exit "$code"
    fi
    # NOTE: starts at most, with the first one; MOPO_STARTS of site.env.
    [ $((${SLURM_RESTART_COUNT:-0} + 1)) -lt "${MOPO_STARTS:-100}" ] ||
        fail "$code" "started $((${SLURM_RESTART_COUNT:-0} + 1)) times, of MOPO_STARTS=${MOPO_STARTS:-100}; at last: $reason"
    end "$code" again "$reason"
    requeue
}
