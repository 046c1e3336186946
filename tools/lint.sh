#!/bin/bash
# Checks of the source text: tools/lint.sh layers|text|format|shell|headers|cppcheck|analyzer, or tidy BUILD_OF_CLANG.
# Each prints what is wrong as file:line and fails. CTest runs them as lint.<name>. `reformat` makes `format` pass.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Files of the project that match the patterns; from git where there is one, so that local scratch does not count.
files() {
    if ! { [ -e .git ] && git ls-files -- "$@" 2>/dev/null; }; then
        local names=()
        for pattern in "$@"; do
            names+=(-o -path "./$pattern")
        done
        find . \( -path ./build -o -path ./runs -o -path ./data -o -name .git \) -prune \
            -o -type f \( "${names[@]:1}" \) -printf '%P\n'
    fi | while read -r file; do
        [ -f "$file" ] && printf '%s\n' "$file"
    done
}

layers() {
    python3 tools/check_layers.py
}

format() {
    files '*.c' '*.h' | xargs -r clang-format --dry-run --Werror
}

reformat() {
    files '*.c' '*.h' | xargs -r clang-format -i
}

shell() {
    files '*.sh' '*.bash' '*.sbatch' '.ci/run' | xargs -r shellcheck --external-sources --exclude=SC2317 # functions called by name
}

# Folders of the libraries' headers, for compilations without CMake.
read_library_flags() {
    read -ra library_flags < <(pkg-config --cflags-only-I hdf5-serial openblas 2>/dev/null ||
        pkg-config --cflags-only-I hdf5 openblas)
}

# A header that needs another one before it breaks whoever includes it first.
headers() {
    local bad=0
    read_library_flags
    while read -r header; do
        printf '#include "%s"\nextern int lint;\n' "${header#*/}" |
            mpicc -std=c17 -D_POSIX_C_SOURCE=200809L -DMOPO_ASSERTS=1 -Wall -Wextra -Wpedantic -Werror -march=native \
                -I src -I tests "${library_flags[@]}" -fsyntax-only -x c - || bad=1
    done < <(files 'src/*.h' 'tests/*.h')
    return "$bad"
}

# What it gets wrong is in cppcheck.known; cppcheck.cfg tells it which functions do not return.
cppcheck() {
    files 'src/*.c' | command cppcheck --quiet --file-list=- -j "$(nproc)" --std=c11 --language=c -I src \
        --library=posix --library=gnu --library=tools/cppcheck.cfg --suppressions-list=tools/cppcheck.known \
        --enable=warning,performance,portability,style --error-exitcode=1 -DMOPO_ASSERTS=1 \
        --template='{file}:{line}: {message} [{id}]'
}

# Paths on which gcc sees memory lost, freed twice or not set. What it gets wrong is in analyzer.known.
analyzer() {
    local said found
    read_library_flags
    said=$(files 'src/*.c' | xargs -P "$(nproc)" -I FILE mpicc -fanalyzer -fdiagnostics-plain-output -std=c17 -O1 \
        -D_POSIX_C_SOURCE=200809L -DMOPO_ASSERTS=1 -DMOPO_GEMM=gemm_openblas -I src "${library_flags[@]}" \
        -c -o /dev/null FILE 2>&1) || {
        printf '%s\n' "$said"
        return 1
    }
    found=$(grep 'warning: ' <<<"$said" | grep -vEf <(grep -v '^#' tools/analyzer.known | grep .) || true)
    [ -z "$found" ] || printf '%s\nlint: mpicc -fanalyzer on one of these files prints the path\n' "$found"
    [ -z "$found" ]
}

# none PATTERN MESSAGE: no line of any file but this one matches.
none() {
    local lines
    lines=$(files '*' | grep -vx tools/lint.sh | xargs -r grep -nIE "$1" || true)
    if [ -n "$lines" ]; then
        printf '%s\nlint: %s\n' "$lines" "$2"
        return 1
    fi
}

# Unfinished work, paths of somebody's machine, files that want to be two.
text() {
    local bad=0
    none '\b(TODO|FIXME|XXX)\b' 'finish what these lines put off, or delete them' || bad=1
    none '(^|[^[:alnum:]_.$}])/(work|root|home|Users|scratch)/[[:alnum:]_]' \
        'a path of one machine; take it from an argument or the environment' || bad=1
    none '[[:blank:]]$' 'blanks at the end of these lines' || bad=1
    while read -r file; do
        local lines
        lines=$(wc -l <"$file")
        if [ "$lines" -gt 600 ]; then
            echo "$file:600: $lines lines; split it (docs/style.md: 100 to 400, 600 at most)"
            bad=1
        fi
    done < <(files '*.c' '*.h' '*.py' '*.sh' '*.cmake' CMakeLists.txt)
    return "$bad"
}

# The compile commands must be Clang's.
tidy() {
    files 'src/*.c' | xargs -r -P "$(nproc)" -n 3 clang-tidy --quiet -p "$1" 2>&1 |
        { grep -vE '^[0-9]+ warnings? (generated|treated)|^Suppressed [0-9]+ warnings|^Use -header-filter' || true; }
}

case ${1:-} in
layers | text | format | reformat | shell | headers | cppcheck | analyzer) "$1" ;;
tidy) tidy "${2:?tidy needs the build folder of the clang preset}" ;;
*)
    sed -n '2,3s/^# //p' "$0" >&2
    exit 2
    ;;
esac
