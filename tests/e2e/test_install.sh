#!/bin/bash
# What is installed works from anywhere: the program, its manual pages, completion, configurations; and as a package.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

build=$(dirname "$program")
if [ ! -f "$build/cmake_install.cmake" ] || [ ! -f "$build/pages.made" ]; then
    echo 'no build folder of CMake, with pages'
    exit 77
fi

echo '# the tree'
check 'it is installed' cmake --install "$build" --prefix "$work/first"
mkdir there && mv first "there/a prefix"
prefix=$work/there/a\ prefix
program=$prefix/bin/mopo
(cd "$prefix" && find . -type f) >tree
no_other_files() {
    ! grep -vxE '\./(bin/mopo|share/(mopo/(configs|slurm)/.*|man/man[15]/mopo.*\.[15]|doc/mopo/((README|CHANGELOG)\.md|LICENSE|docs/.*\.(md|svg))|bash-completion/completions/mopo|zsh/site-functions/_mopo|fish/vendor_completions\.d/mopo\.fish))' tree
}
check 'nothing else' no_other_files
for kind in configs slurm; do
    (cd "$source_dir" && find "$kind" -type f ! -name site.env) | sort >want
    (cd "$prefix/share/mopo" && find "$kind" -type f) | sort >got
    check "all of $kind" diff want got
done
if nm "$program" 2>/dev/null | grep -q ' __gcov_'; then
    skip 'where it was built: a build for coverage must know that'
elif command -v strings >/dev/null; then
    # folders of libraries may lie there, as they do where everything is below one folder
    check 'it does not know where it was built' test -z "$(strings "$program" | grep -F "$source_dir/" | grep -v :)"
fi

echo '# it runs, moved, from another folder'
mkdir elsewhere && cd elsewhere || exit 1
exits 0 0 train "$prefix/share/mopo/configs/smoke.yaml"
verdict 'a run with an installed configuration' $?
check 'it has a policy' test -s runs/smoke/policy.h5
exits 0 0 config show "$prefix/share/mopo/configs/paper/hopper-medium.yaml"
verdict 'a configuration with a base' $?
cd "$work" || exit 1

echo '# manual pages'
mapfile -t verbs < <("$program" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]\{1,\}\)  .*/\1/p')
check 'there are commands' test "${#verbs[@]}" -ge 9
man1=$prefix/share/man/man1

# in_page PAGE WORD: as a reader sees it.
in_page() {
    sed 's/[\]//g' "$1" | grep -qF -- "$2"
}
for verb in "${verbs[@]}"; do
    page=$man1/mopo-$verb.1
    mopo "$verb" --help
    missing=$(sed -n '/^Options:/,$p' out | grep -oE -- '--[a-z][a-z-]*' | sort -u | while read -r option; do
        in_page "$page" "$option" || echo "$option"
    done)
    check "every option of $verb is in its page" test -z "$missing"
    check "$verb is in the program's page" in_page "$man1/mopo.1" "$verb"
done
missing=$("$program" config keys | sed -n 's/^  \([a-z][a-z0-9_.]*\) .*/\1/p' | while read -r key; do
    in_page "$prefix/share/man/man5/mopo-settings.5" "fB$key=" || echo "$key"
done)
check 'every setting has its place' test -z "$missing"
for code in 0 1 2 75 76; do
    check "exit code $code is explained" in_page "$man1/mopo.1" "fB${code}fR"
done
missing=$(grep -rh 'getenv(' "$source_dir/src" | grep -oE '"[A-Z0-9_]+"' | tr -d '"' | sort -u | while read -r name; do
    in_page "$man1/mopo.1" "$name" || echo "$name"
done)
check 'every variable that the source asks for' test -z "$missing"
if command -v mandoc >/dev/null; then
    check 'mandoc finds nothing wrong' test -z "$(mandoc -T lint "$man1"/* "$prefix"/share/man/man5/* | tee "$work/out")"
else
    skip 'mandoc is missing'
fi
"$program" man train >page
check 'the program prints the same pages' cmp page "$man1/mopo-train.1"
exits 2 0 man trian
verdict 'a page of no command' $?

echo '# completion'
cat >drive.bash <<'BASH'
. "$1"
cd "$2" && shift 2
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_mopo
echo "${COMPREPLY[@]}"
BASH
# completes TO WORDS...: the last of the words is completed to TO.
completes() {
    local want=$1 got
    shift
    got=$(bash drive.bash "$prefix/share/bash-completion/completions/mopo" "$prefix/share/mopo" "$@")
    [ "$got" = "$want" ] || echo "        got: $got"
    [ "$got" = "$want" ]
    verdict "[$*] to [$want]" $?
}
completes train mopo tr
completes "${verbs[*]} --help --version" mopo ''
completes model. mopo train mod
completes model.elites= mopo train model.e
completes 'seed=' mopo train see
completes max_std mopo train penalty.type = ma
completes 'hopper' mopo train task = ho
completes 'true false' mopo train env.clip_actions =
completes 'brac-p brac-v' mopo train algo = br
completes --max-time mopo train --max
completes convert mopo data con
completes ranks. mopo rerun slurm ra
completes '' mopo bench pen
completes configs/smoke.yaml mopo train configs/sm
completes configs/smoke.yaml mopo train dataset = configs/sm
completes configs/ mopo collect x --policy co
completes '' mopo train --max-time co
completes model. mpirun -n 4 ./mopo train mod
completes '' mpirun -n 4
for shell in zsh fish; do
    script=$(find "$prefix/share/$shell" -type f)
    if command -v $shell >/dev/null; then
        check "$shell reads its script" $shell -n "$script"
    else
        skip "$shell is missing"
    fi
done
check 'fish gets every key' test "$(grep -cE -- "-a '[ a-z_.0-9]*=" "$prefix"/share/fish/vendor_completions.d/mopo.fish)" \
    -eq "$("$program" config keys | grep -cE '^  [a-z]')"

echo '# the package'
if ! grep -q 'CPACK_GENERATOR "DEB"' "$build/CPackConfig.cmake"; then
    skip 'dpkg-dev or file was missing when CMake ran'
    finish
fi
# the generator's name keeps CPack from building the build folder again below other tests
check 'it is made' cpack --config "$build/CPackConfig.cmake" -D CPACK_CMAKE_GENERATOR=Ninja -G DEB -B "$work/package"
deb=$(find package -maxdepth 1 -name '*.deb')
check 'it says what it needs' grep -q libmujoco <(dpkg-deb -f "$deb" Depends)
check 'and which CPU' grep -q -- -march= <(dpkg-deb -f "$deb" Description)
check 'it can be unpacked' dpkg-deb -x "$deb" root
program=$work/root/usr/bin/mopo
check 'its program runs' grep -q '^mopo [0-9]' <("$program" --version)
check 'pages are compressed' gzip -t root/usr/share/man/man1/mopo-train.1.gz
check 'it has a license' grep -q 'Permission is hereby granted' root/usr/share/doc/mopo/copyright
check 'all belongs to root and nobody else may write' test -z "$(dpkg-deb -c "$deb" | grep -vE '^[dl-]r[w-][x-]r-[x-]r-[x-] root/root')"
finish
