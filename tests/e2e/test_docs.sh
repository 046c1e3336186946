#!/bin/bash
# Every command that the documentation shows works: the lines of ```sh blocks in README.md and docs/*.md
# that begin with `mopo`, `mpirun ... mopo` `cmp` or `python3 tools/`, or ask a script of ours for --help; other lines are for
# the reader. Each document has a folder of its own, in which its commands run one after the other, on two
# ranks at most. A comment before a block says what a test must do otherwise:
#
#   <!-- test: skip REASON -->             do not run this block
#   <!-- test: with WORD ... -->           append words to its commands; old=>new replaces text in them, and
#                                          tiny stands for settings with which training takes a second
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cat >"$work/extract.py" <<'PYTHON'
"""Print the commands of one document, ready for a shell, one on a line."""
import re
import sys

BLOCK = re.compile(r"(?:<!-- test: (skip|with) (.*?) -->\s*)?^```(\w*)\n(.*?)^```", re.M | re.S)
OURS = re.compile(r"(mpirun\b[^|;]* )?mopo\b|cmp\b|python3 tools/|\./[\w/.-]+\.sh --help")
VERB = re.compile(r"^((?:mpirun\b.* )?mopo)(?![\w-]| +[a-z-])(.*)")
TINY = """model.members=2 model.elites=1 model.hidden=16 model.max_epochs=1 rollout.batch=64
    train.epochs=1 train.updates_per_epoch=10 train.batch=64 sac.hidden=16 eval.episodes=1"""

for kind, words, language, text in BLOCK.findall(open(sys.argv[1], encoding="utf-8").read()):
    if language != "sh" or kind == "skip":
        continue
    for line in text.replace("\\\n", " ").splitlines():
        line = re.sub(r"\s+#.*", "", line).strip()
        if not OURS.match(line):
            continue
        line = re.sub(r"^mpirun( -n \d+)?", "mpirun -n 2", line)
        added = [TINY if word == "tiny" else word for word in words.split() if "=>" not in word]
        for old, new in (word.split("=>") for word in words.split() if "=>" in word):
            line = line.replace(old, new)
        if added and "mopo" in line:
            line = VERB.sub(r"\1 train\2", line)  # a bare `mopo` takes no words
            line = re.sub(r"( >.*)?$", lambda end: " " + " ".join(" ".join(added).split()) + end.group(), line, count=1)
        print(line)
PYTHON

mkdir "$work/bin" && ln -s "$program" "$work/bin/mopo"
export PATH=$work/bin:$PATH
for document in "$source_dir"/README.md "$source_dir"/docs/*.md; do
    [ -f "$document" ] || continue
    name=$(basename "$document" .md)
    mkdir "$work/$name" && cd "$work/$name" || exit 1
    ln -s "$source_dir"/{configs,slurm,tools,*.sh} .
    mkdir docs
    python3 "$work/extract.py" "$document" >"$work/commands" || verdict "$name: reading its blocks" 1
    while read -r line; do
        timeout 60 bash -c "$line" >"$work/out" 2>"$work/err" </dev/null
        verdict "$name: $line" $?
    done <"$work/commands"
done
finish
