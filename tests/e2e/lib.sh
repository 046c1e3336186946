# shellcheck shell=bash
# What the end-to-end tests share. A test is `bash test_NAME.sh PROGRAM`; it prints one line for each thing it
# checks and fails if one did. Everything it writes lies in a temporary directory, which goes away at the end.
set -u

program=$(realpath "${1:?the path of the program is missing}")
source_dir=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
# Beside the repository, and not part of it: files that others made.
# shellcheck disable=SC2034
shared=${MOPO_SHARED:-$source_dir/../shared}
work=$(mktemp -d -t mopo-e2e.XXXXXX) || exit 1
passed=0
failed=0
child='' # a run in the background

# mpirun, or MOPO_MPIRUN: another one, with options if need be.
read -ra launcher <<<"${MOPO_MPIRUN:-mpirun}"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OPENBLAS_NUM_THREADS=1

clean_up() {
    [ -z "$child" ] || kill -KILL "$child" 2>/dev/null
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 1

# verdict WHAT CODE: note a check by its exit code; what the program said last helps to understand a failure.
verdict() {
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
        printf 'ok      %s\n' "$1"
    else
        failed=$((failed + 1))
        printf 'FAILED  %s\n' "$1"
        for file in out err; do
            [ ! -s "$work/$file" ] || tail -n 12 "$work/$file" | sed "s/^/        $file: /"
        done
    fi
}

# check WHAT COMMAND...: the command must succeed.
check() {
    local what=$1
    shift
    "$@" >"$work/check" 2>&1
    local code=$?
    [ $code -eq 0 ] || sed 's/^/        /' "$work/check"
    verdict "$what" $code
}

skip() {
    printf 'skipped %s\n' "$1"
}

# Exit with the verdict of all checks.
finish() {
    printf '%d passed, %d failed\n' "$passed" "$failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
    exit
}

# mopo_on RANKS ARGUMENTS...: run the program on so many ranks; 0: as a plain process, without mpirun. Output goes
# to the files out and err; returns its exit code.
mopo_on() {
    local ranks=$1
    shift
    if [ "$ranks" -eq 0 ]; then
        "$program" "$@" >"$work/out" 2>"$work/err" </dev/null
    else
        "${launcher[@]}" -n "$ranks" "$program" "$@" >"$work/out" 2>"$work/err" </dev/null
    fi
}

mopo() {
    mopo_on 0 "$@"
}

# kill_a_rank RANKS: end the child, which runs on so many ranks, by killing it or the first rank of its mpirun; true
# if it failed then. A helper may stand between mpirun and its ranks.
kill_a_rank() {
    local victim=$child below=$child
    while [ "$1" -gt 0 ] && below=$(pgrep -P "$below" | head -n 1) && [ -n "$below" ]; do
        victim=$below
    done
    kill -KILL "$victim"
    wait "$child" 2>/dev/null
    local code=$?
    child=''
    [ $code -ne 0 ]
}

# exits CODE RANKS ARGUMENTS...: check that the program ends with this code.
exits() {
    local want=$1
    shift
    mopo_on "$@"
    local code=$?
    [ $code -eq "$want" ] || echo "        exit code $code, not $want: mopo ${*:2}"
    [ $code -eq "$want" ]
}

# same_files DIR DIR NAME...: byte for byte.
same_files() {
    local a=$1 b=$2 name
    shift 2
    for name in "$@"; do
        cmp "$a/$name" "$b/$name" || return 1
    done
}

# What two runs must have in common if their settings are the same.
same_run() {
    same_files "$1" "$2" policy.h5 model.h5 metrics.jsonl metrics.csv penalty.txt model-report.txt model-report.svg
}

# What a run of any preset leaves: a model only where the preset has one.
same_results() {
    local files=(policy.h5 metrics.jsonl metrics.csv)
    [ ! -e "$1/model.h5" ] || files+=(model.h5)
    same_files "$1" "$2" "${files[@]}"
}

# The names of all presets, those to come as well, into the array `presets`.
find_presets() {
    mopo config show tables
    # shellcheck disable=SC2034
    mapfile -t presets < <(sed -n '/^algo/,/^train.agent/s/^  \([a-z][a-z0-9-]*\) .*/\1/p' out)
}

# preset_run PRESET: settings for a run of a second on pointmass, into the array `run`; dataset rows.hdf5.
preset_run() {
    # shellcheck disable=SC2034
    run=("${tiny[@]}" "algo=$1")
    # on-policy agents take one update an epoch, as their presets say; others get a few
    case $1 in *-npg) run+=(train.updates_per_epoch=1 npg.clone_updates=50 rollout.horizon=10 rollout.batch=16) ;; esac
}
tiny=("$source_dir/configs/smoke.yaml" dataset=rows.hdf5 train.epochs=3 train.updates_per_epoch=20 model.hidden=16
    model.max_epochs=2 brac.clone_updates=50 brac.warm_updates=10 bear.warm_updates=10 bear.vae_hidden=24
    rollout.batch=64)

differ() {
    ! cmp -s "$1" "$2"
}

# Lines of a file, 0 where it is not there yet.
lines_of() {
    if [ -f "$1" ]; then wc -l <"$1"; else echo 0; fi
}

# Moments of a run in the background, whose process is $child.

# until_true COMMAND...: wait until it succeeds or the run has ended.
until_true() {
    until "$@"; do
        kill -0 "$child" 2>/dev/null || return 1
        sleep 0.01
    done
}

has_lines() { # NAME LINES
    [ "$(lines_of "$1/metrics.jsonl")" -ge "$2" ]
}

in_model_phase() { # NAME
    compgen -G "$1/ckpt/model-*[0-9]" >/dev/null
}
