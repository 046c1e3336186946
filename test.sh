#!/bin/bash
# Builds and tests everything on a fresh Debian 12; the whole of it is what CI runs.
#   ./test.sh           lint, unit, MPI and end-to-end tests; then Clang with clang-tidy, the sanitizers, and MPICH
#   ./test.sh --quick   gcc only: lint, unit and MPI tests
#   ./test.sh --unit    gcc only: unit tests (under two minutes)
#   ./test.sh --asan    sanitizers only: unit tests, the MPI tests on two ranks, and each command once
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$root"

select=()
case ${1:-} in
'') builds=(ci clang asan mpich) ;;
--quick) builds=(ci) select=(--label-regex 'lint|unit|mpi') ;;
--unit) builds=(ci) select=(--label-regex unit) ;;
--asan) builds=(asan) ;;
--help)
    sed -n '2,6s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
*)
    echo "test.sh: unknown option $1; ./test.sh --help lists them" >&2
    exit 2
    ;;
esac

summary=$(mktemp)
trap 'rm -f "$summary"' EXIT
timed() { # timed NAME COMMAND...
    local name=$1 begin=$SECONDS
    shift
    "$@"
    printf '%6d  %s\n' $((SECONDS - begin)) "$name" >>"$summary"
}

build() {
    cmake --preset "$1"
    cmake --build --preset "$1" --parallel "$(nproc)"
}

timed install tools/install_dependencies.sh test
[ -n "${CMAKE_GENERATOR:-}" ] || ! command -v ninja >/dev/null || export CMAKE_GENERATOR=Ninja
for name in "${builds[@]}"; do
    timed "build $name" build "$name"
done

# One CTest run over all builds, so that there is one verdict and one log.
echo "subdirs(${builds[*]})" >build/CTestTestfile.cmake
failed=0
# One more than there are cores: many end-to-end tests mostly wait.
ctest --test-dir build --parallel $(($(nproc) + 1)) --output-on-failure --no-tests=error "${select[@]}" 2>&1 |
    tee build/test.log || failed=1

# Seconds of each part, a part being the name before the last dots: unit, mpi, clang.unit, ...
awk '/Test +#[0-9]+: / {
        sub(/.*Test +#[0-9]+: /, "")
        n = split($1, part, ".")
        name = part[1] ~ /^(clang|asan|mpich)$/ && n > 2 ? part[1] "." part[2] : part[1]
        if (!(name in sum)) order[++parts] = name
        sum[name] += $(NF - 1)
    }
    END { for (i = 1; i <= parts; i++) printf "%6.0f  %s\n", sum[order[i]], order[i] }' build/test.log >>"$summary"
printf '\nSeconds per part (tests run %s at a time; %d in all):\n' $(($(nproc) + 1)) "$SECONDS"
cat "$summary"
exit "$failed"
