#!/bin/bash
# docs/adding.md keeps its word: its blocks are put into a copy of the sources, nothing else is touched, and the copy
# builds without a warning, passes the tests that run over the tables, lists the new rows and trains with them. A
# comment in front of a block says where it goes:
#
#   <!-- adding: file PATH -->                a new file
#   <!-- adding: line PATH behind TEXT -->    behind the first line that contains TEXT
#
# The copy is built as the program was: same compiler, generator and folders of libraries.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cache=$(dirname "$program")/CMakeCache.txt
if grep -qsE '^MOPO_(COVERAGE:BOOL=ON|SANITIZE:STRING=.)' "$cache"; then
    skip "docs/adding.md: the builds with coverage or sanitizers do not see the copy"
    exit 77
fi

cat >"$work/apply.py" <<'PYTHON'
"""apply.py PAGE TREE: put the blocks of the page into the tree; print the files that they made or changed."""
import re
import sys
from pathlib import Path

BLOCK = re.compile(r"<!-- adding: (file|line) (\S+)(?: behind (.*?))? -->\s*^```c\n(.*?)^```", re.M | re.S)

page, tree = Path(sys.argv[1]), Path(sys.argv[2])
text = page.read_text(encoding="utf-8")
blocks = BLOCK.findall(text)
if len(blocks) != text.count("<!-- adding:") or len(blocks) != text.count("```c\n"):
    sys.exit(f"{page}: a block of C without its mark, or a mark without its block")
for kind, name, behind, code in blocks:
    path = tree / name
    if (kind == "file") == path.exists():
        sys.exit(f"{page}: {name}: {'is there already' if path.exists() else 'no such file'}")
    if kind == "line":
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        at = next((i for i, line in enumerate(lines) if behind in line), None)
        if at is None:
            sys.exit(f"{page}: {name} has no line with {behind}")
        code = "".join([*lines[: at + 1], code, *lines[at + 1 :]])
    path.write_text(code, encoding="utf-8")
    print(name)
PYTHON

tree=$work/tree
build=$work/build
mkdir "$tree"
if [ -e "$source_dir/.git" ]; then
    git -C "$source_dir" ls-files -z
else
    (cd "$source_dir" && find . \( -path ./build -o -path ./runs -o -path ./data \) -prune -o -type f -print0)
fi | tar -C "$source_dir" -c --null --ignore-failed-read -T - | tar -x -C "$tree"
python3 "$work/apply.py" "$source_dir/docs/adding.md" "$tree" >"$work/out" 2>"$work/err"
verdict 'the blocks have their places' $?
mapfile -t touched <"$work/out"
check 'two files and three rows are all' test ${#touched[@]} -eq 5
in_tree() {
    (cd "$tree" && "$@")
}
check 'the code has the style of the project' in_tree clang-format --dry-run --Werror "${touched[@]}"
check 'no layer is crossed' in_tree tools/lint.sh layers

tests=(test_agents test_penalty test_presets test_config test_config_text)
mapfile -t same < <(sed -nE 's/^(CMAKE_C_COMPILER|CMAKE_BUILD_TYPE|MOPO_MARCH|[A-Z0-9]+_DIR):[A-Z]+=(.+)$/-D\1=\2/p
    s/^CMAKE_GENERATOR:INTERNAL=(.+)$/-G\1/p' "$cache" 2>/dev/null)
check 'configure' cmake -S "$tree" -B "$build" "${same[@]}" -DMOPO_WERROR=ON -DMOPO_BENCH=OFF -DMOPO_TEST_PARTS=unit
check 'build, without a warning' cmake --build "$build" --parallel "$(nproc)" --target mopo_cli "${tests[@]}"
for name in "${tests[@]}"; do
    "$build/$name" >"$work/out" 2>"$work/err"
    verdict "$name" $?
    grep -hE 'mean_std|td3bc' "$work/out" "$work/err" | sed 's/^/        /'
done

# runs WHAT RANKS ARGUMENTS...
runs() {
    mopo_on "${@:2}"
    verdict "$1" $?
}
program=$build/mopo
smoke=$tree/configs/smoke.yaml
mopo config show tables
for row in mean_std mopo-mean td3bc; do
    check "config show tables lists $row" grep -qE "^  $row " "$work/out"
done
runs 'train with the penalty' 0 train "$smoke" penalty.type=mean_std run_dir=penalty
runs 'train with the preset' 0 train "$smoke" algo=mopo-mean run_dir=
check 'the run directory has its name' test -s runs/smoke-mopo-mean-s0/policy.h5
check 'the preset is the penalty' same_files penalty runs/smoke-mopo-mean-s0 model.h5 metrics.jsonl
long=(train.agent=td3bc train.real_ratio=1 sac.hidden=64 train.epochs=6 train.updates_per_epoch=300 eval.every=6)
runs 'train the agent' 0 train "$smoke" "${long[@]}" run_dir=agent
runs 'on two ranks' 2 train "$smoke" "${long[@]}" run_dir=agent2
check 'the same bytes' same_files agent agent2 policy.h5 metrics.jsonl metrics.csv
runs 'its policy can be evaluated' 0 eval agent --episodes 4
# the best episode of the data has a score of 60; this is for catching an agent that learns nothing
check 'it learned something' python3 -c "
import json
score = json.loads(open('agent/metrics.jsonl').read().splitlines()[-1])['score']
assert score > 50, score"
finish
