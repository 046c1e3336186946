#!/bin/bash
# Kill anywhere: short runs on random ranks, struck at random instants and started again on other ranks until they have
# ended, give the bytes of a run left alone. A blow is SIGKILL, SIGTERM or SIGSTOP to a random rank, or SIGKILL to
# mpirun. At the end it says how many blows fell in which phase.
#   test_chaos.sh PROGRAM [ROUNDS]     rounds also from MOPO_CHAOS_ROUNDS; without either 20, in about a minute. 300:
#                                      cmake --build build/ci --target chaos
#   MOPO_CHAOS_SEED=N                  the draws of an earlier call, which printed N; what they hit depends on the hour
#   MOPO_CHAOS_KEEP=DIR                keep the folders of rounds that failed
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rounds=${2:-${MOPO_CHAOS_ROUNDS:-20}}
seed=${MOPO_CHAOS_SEED:-$((RANDOM * 32768 + RANDOM))}
RANDOM=$seed
patience=60 # seconds that a job may take to end after a blow
kinds=(mopo brac npg collect mopo online)
blows=(KILL KILL TERM STOP mpirun)
pids=() # of the ranks under way
ghosts=() # those whose mpirun was killed: they live on for a moment, and may hold the run
refused=0 # starts that met one
stuck=0   # in mpirun itself, before a word of ours
declare -A hits lines seconds
printf '# seed %d, %d rounds\n' "$seed" "$rounds"

trap 'end_job; clean_up' EXIT

# command_of KIND: the words of a run, which makes all its files in the folder it is called in.
command_of() {
    local train=("train" "$source_dir/configs/smoke.yaml" dataset=data.hdf5 run_dir=run rollout.retain=2 train.epochs=8)
    case $1 in
    mopo) echo "${train[@]}" model.max_epochs=8 model.patience=100 collect.rows=4000 ;;
    brac) echo "${train[@]}" algo=brac-v brac.clone_updates=200 brac.warm_updates=20 ;;
    npg) echo "${train[@]}" algo=morel-npg rollout.retain=1 rollout.batch=16 rollout.horizon=10 npg.clone_updates=400 ;;
    collect) echo collect data.hdf5 task=hopper seed=3 --rows 15000 ;;
    online) echo collect run --online task=pointmass collect.steps=3000 collect.start_steps=300 \
        collect.eval_every=500 collect.save_every=200 sac.hidden=32 eval.episodes=4 ;;
    esac
}

# start RANKS WORDS...: in the background, its words for people in `err`; $child is mpirun.
start() {
    local ranks=$1
    shift
    mpirun -n "$ranks" "$program" "$@" >out 2>err </dev/null &
    child=$!
    pids=()
}

# The ranks, as soon as there are any.
find_ranks() {
    local tries
    for ((tries = 0; tries < 200; tries++)); do
        mapfile -t pids < <(pgrep -P "$child")
        [ ${#pids[@]} -eq 0 ] || return 0
        kill -0 "$child" 2>/dev/null || return 1
        sleep 0.01
    done
    return 1
}

# Nothing of the job is left: no rank, no mpirun.
end_job() {
    [ -z "$child" ] || kill -KILL "$child" "${pids[@]}" 2>/dev/null
    [ -z "$child" ] || wait "$child" 2>/dev/null
    child=''
}

any_alive() {
    local pid
    for pid in "$@"; do
        ! kill -0 "$pid" 2>/dev/null || return 0
    done
    return 1
}

# gone SECONDS PID...: wait until all of them are.
gone() {
    local end=$((SECONDS + $1))
    shift
    while any_alive "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.02
    done
}

# Where the job is, by the last word it said.
phase_now() {
    local word
    word=$(tail -n 1 err 2>/dev/null)
    [[ $word != *penalt* && $word != *lambda* ]] || ! compgen -G 'run/ckpt/policy-*' >/dev/null || word=epoch
    case $word in
    *collecting* | *' rows/s'* | *'going on after'*) echo collection ;;
    *' run '* | *collected* | *dataset* | *' on '*learner*) echo loading ;;
    *"behavior's model"*) echo preparation ;;
    *'made again'*) echo 'going on' ;;
    *'model pass'* | *'model: '*) echo 'model fit' ;;
    *'model report'* | *penalty* | *lambda* | *threshold*) echo reports ;;
    *epoch*) echo 'policy epochs' ;;
    *'online SAC'* | *' step '*) echo 'online SAC' ;;
    '') echo start ;;
    *) echo end ;;
    esac
}

# wait_for_lines FILE COUNT: or the end of the job.
wait_for_lines() {
    while [ "$(lines_of "$1")" -lt "$2" ] && kill -0 "$child" 2>/dev/null; do
        sleep 0.01
    done
}

# An instant: by epochs that are done, by the clock, or by lines that are said; fewer are to come when it goes on.
wait_for_instant() { # KIND
    local kind=$1 most epochs
    epochs=$(lines_of run/metrics.jsonl)
    most=$((lines[$kind] - $(lines_of run/log.txt)))
    [ $most -ge 4 ] || most=4
    case $kind$((RANDOM % 3)) in
    [mbn]*0) wait_for_lines run/metrics.jsonl $((epochs < 7 ? epochs + 1 + RANDOM % (7 - epochs) : 7)) ;;
    *[01])
        sleep "$(awk -v t="${seconds[$kind]}" -v k=$((most + 2)) -v n="${lines[$kind]}" -v r="$RANDOM" \
            'BEGIN { print 0.1 + (k < n ? k / n : 1) * t * r / 32768 }')"
        ;;
    *)
        wait_for_lines err $((RANDOM % most + 1))
        sleep "0.0$((RANDOM % 6))"
        ;;
    esac
}

# strike BLOW: then the job must end by itself, but for one that was stopped. Its exit code goes to $code.
strike() {
    local blow=$1 phase victim
    find_ranks
    victim=${pids[RANDOM % (${#pids[@]} + 1)]:-${pids[0]:-$child}}
    phase=$(phase_now)
    [ "$blow" != mpirun ] || victim=$child
    kill "-${blow/mpirun/KILL}" "$victim" 2>/dev/null || phase='after its end'
    said="$said $blow in $phase;"
    hits[$phase]=$((${hits[$phase]:-0} + 1))
    if [ "$blow" = STOP ]; then
        sleep 1
        end_job
    elif [ "$blow" = mpirun ]; then
        ghosts+=("${pids[@]}")
    elif ! gone $patience "$child" "${pids[@]}"; then
        echo "        the job did not end in $patience s"
        end_job
        if [ "$phase" != start ] || ! grep -q 'PMIX ERROR' err; then
            return 1
        fi
        stuck=$((stuck + 1)) # Open MPI 4.1 may wait for ever for a rank that is killed while it connects
    fi
    [ -z "$child" ] || wait "$child"
    code=$?
    child=''
    case $code in
    2) was_refused || made_by_ghost ;; # no blow makes a setting wrong
    76) return 1 ;;   # or a file damaged
    esac
}

# The start met a ghost, and said which.
was_refused() {
    local pid
    for pid in "${ghosts[@]}"; do
        if grep -q "another process is .*(host .*, pid $pid," err; then
            refused=$((refused + 1))
            return 0
        fi
    done
    return 1
}

# The start found the file that a ghost had made meanwhile; whether it is right is compared like any other.
made_by_ghost() {
    [ ${#ghosts[@]} -gt 0 ] && grep -q 'data.hdf5 is there already' err
}

# finish_run RANKS WORDS...: undisturbed; while a ghost holds the run, again.
finish_run() {
    local tries
    for ((tries = 0; tries < 200; tries++)); do
        start "$@"
        wait "$child"
        code=$?
        child=''
        [ $code -ne 2 ] || ! made_by_ghost || return 0
        { [ $code -eq 2 ] && was_refused; } || break
        sleep 0.05
    done
    [ $code -eq 0 ] || echo "        exit code $code"
    [ $code -eq 0 ]
}

# learners RANKS: a choice of ranks.learners, as a word.
learners() {
    local choice=(0 1 2 4)
    local wanted=${choice[RANDOM % 4]}
    [ "$wanted" -le "$1" ] || wanted=0
    echo "ranks.learners=$wanted"
}

# What must be the same: all results, and in the log what is said of each pass and epoch.
results_of() { # FOLDER
    (
        cd "$1" || exit 1
        find . -type f ! -name lock ! -name log.txt ! -name timing.jsonl ! -name used.yaml ! -name manifest.json \
            ! -path '*/ckpt/*' ! -name out ! -name err -exec md5sum {} + | sort -k 2
        [ ! -e run/ckpt ] || md5sum run/ckpt/policy-000008/state.h5
        sed -n -E 's/^ *[0-9.]+  (epoch .*)/\1/p; s/^ *[0-9.]+  (model pass .* gained).*/\1/p' run/log.txt 2>/dev/null | sort -u
    )
}

# round NUMBER KIND: 0 when it ended as the reference did.
round() {
    local kind=$2 count=$((RANDOM % 3 + 1)) k ranks words
    said="round $1, $kind:"
    mkdir round && cd round || return 1
    read -r -a words < <(command_of "$kind")
    for ((k = 0; k < count; k++)); do
        ranks=$((RANDOM % 5 + 1))
        start $ranks "${words[@]}" "$(learners $ranks)"
        wait_for_instant "$kind"
        if ! strike "${blows[RANDOM % ${#blows[@]}]}"; then
            echo "        exit code $code"
            return 1
        fi
        [ "$kind" != collect ] || [ ! -e data.hdf5 ] || break # it had ended: the file is there, and is not made again
    done
    ranks=$((RANDOM % 5 + 1))
    said="$said then $ranks rank$([ $ranks -eq 1 ] || echo s)"
    if [ "$kind" != collect ] || [ ! -e data.hdf5 ]; then
        finish_run $ranks "${words[@]}" "$(learners $ranks)" || return 1
    fi
    gone 10 "${ghosts[@]}" || return 1
    ghosts=()
    diff <(results_of ../reference-"$kind") <(results_of .)
}

now() {
    date +%s.%N
}

for kind in mopo brac npg collect online; do
    mkdir "reference-$kind" && cd "reference-$kind" || exit 1
    read -r -a words < <(command_of "$kind")
    begin=$(now)
    mopo_on 0 "${words[@]}"
    verdict "$kind, left alone" $?
    seconds[$kind]=$(awk -v a="$begin" -v b="$(now)" 'BEGIN { print b - a + 0.3 }') # and the start of mpirun
    lines[$kind]=$(sed '/ seconds  /,$d' "$work/err" | tail -n +2 | wc -l) # before the last epoch
    cd "$work" || exit 1
done

for ((i = 0; i < rounds; i++)); do
    code=0
    round $((i + 1)) "${kinds[i % ${#kinds[@]}]}" >"$work/check" 2>&1
    result=$?
    end_job
    [ $result -eq 0 ] || sed 's/^/        /' "$work/check" | tail -n 30
    [ ! -e "$work/round" ] || cp "$work/round/err" "$work/err"
    verdict "$said" $result
    cd "$work" || exit 1
    [ $result -eq 0 ] || [ -z "${MOPO_CHAOS_KEEP:-}" ] || cp -r round "$MOPO_CHAOS_KEEP/round-$seed-$i"
    rm -rf round
done

left_over() {
    local link
    for link in /proc/[0-9]*/cwd; do
        case $(readlink "$link") in "$work/round"*) return 1 ;; esac
    done
}
check 'no process is left' left_over

printf '# blows:'
for phase in "${!hits[@]}"; do
    printf ' %d in %s,' "${hits[$phase]}" "$phase"
done
printf ' in %d rounds; %d starts met ranks of a killed mpirun, %d mpirun hung\n' "$rounds" "$refused" "$stuck"
finish
