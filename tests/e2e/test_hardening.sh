#!/bin/bash
# What the built program is hardened with, and what it cannot do because it calls nothing that could.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if ! command -v readelf >/dev/null || ! command -v nm >/dev/null; then
    echo 'readelf and nm (binutils) are missing'
    exit 77
fi
readelf -lW "$program" >segments
readelf -dW "$program" >dynamic
# Functions and data that the program itself takes from libraries, without versions.
nm -D --undefined-only "$program" | awk '{ sub(/@.*/, "", $NF); print $NF }' | sort -u >imports

imports() {
    grep -qxE "$1" imports
}

# no_import PATTERN: prints what matches.
no_import() {
    ! grep -xE "$1" imports
}

echo '# what a bug meets'
check 'the program is loaded anywhere (PIE)' grep -qE 'FLAGS_1.*\bPIE\b' dynamic
check 'tables of addresses cannot be written (full RELRO)' grep -q 'GNU_RELRO' segments
check 'all of them are there at the start (NOW)' grep -qE 'BIND_NOW|FLAGS.*\bNOW\b' dynamic
check 'the stack is not executable' grep -qE 'GNU_STACK .* RW +0x' segments
check 'nothing is writable and executable' test -z "$(grep -E ' RWE ' segments)"
check 'code is not changed by the loader (no TEXTREL)' test -z "$(grep TEXTREL dynamic)"
if imports '__(asan|gcov|tsan)_.*|__llvm_.*'; then
    skip 'stack protector, FORTIFY: this build is for sanitizers or coverage'
else
    check 'the stack is guarded' imports '__stack_chk_fail'
    check 'sizes are checked (FORTIFY)' imports '__(sn|vsn|f|vf)?printf_chk'
fi

echo '# whose code it runs'
# An empty or relative entry stands for the current folder: a library that lies beside a dataset would be run.
# shellcheck disable=SC2016
check 'no library is taken from the current folder' awk -F'[][]' '/RPATH|RUNPATH/ {
    n = split($2, folder, ":"); for (i = 1; i <= n; i++) if (folder[i] !~ /^(\/|\$ORIGIN)/) exit 1 }' dynamic
sed -n 's/.*(NEEDED).*\[\(.*\)\.so.*/\1/p' dynamic >libraries
check 'only the libraries of cmake/dependencies.cmake' test -z "$(
    grep -vxE 'lib(mpi|mpich|mujoco|hdf5(_serial)?|yaml-0|jansson|xxhash|crypto|openblas|blis|dnnl|gomp|m|c|asan|ubsan|tsan|gcc_s|pthread|dl|rt|resolv)|ld-linux.*' libraries |
        tee /dev/stderr
)"

echo '# what it never does'
# What sanitizers and gcov bring along is theirs.
if imports '__(asan|gcov|tsan)_.*|__llvm_.*'; then
    skip 'calls: this build is for sanitizers or coverage'
    finish
fi
check 'no shell' no_import 'system|popen|exec[lv].*|fexecve|vfork|clone'
check 'other programs in one way, word by word' imports 'posix_spawnp'
check 'and from one place' test "$(grep -rlE 'posix_spawnp? *\(' "$source_dir/src")" = "$source_dir/src/sweep/launch.c"
check 'no network' no_import 'socket|socketpair|connect|bind|listen|accept4?|(send|recv)(to|msg|mmsg)?|getaddrinfo|gethostby.*|curl_.*|SSL_.*|BIO_.*'
check 'no code at run time' no_import 'dlopen|dlmopen|dlsym|mprotect'
check 'no text without a bound' no_import 'gets|(__)?(strcpy|strcat|sprintf|vsprintf|stpcpy)(_chk)?|.*scanf'
check 'no name in /tmp that another user can guess' no_import 'tmpnam|tempnam|mktemp|tmpfile'
finish
