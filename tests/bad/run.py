"""run.py PROGRAM FIXTURES CASES...: wrong command lines, configurations and files, and what mopo must say to each.

A file of cases (tests/bad/*.txt) is a list of blocks, one line each: how the case is called, with the exit code and a
part of the message; what to prepare in an empty folder, in which `fix` is FIXTURES; the command line, last.

    case NAME: CODE PART OF THE MESSAGE
    file NAME TEXT             with \\n, \\t, \\xNN
    copy FROM TO               a file or a folder
    repeat N TEXT NAME         a file of N times TEXT
    cut FROM N TO              the first N bytes
    flip FILE N                the lowest bit of byte N; below 0: from the end
    sub FILE OLD NEW           the first OLD, which must be there
    remove NAME
    make dir|fifo|link NAME    a folder, a pipe, a link to itself
    run ARGUMENTS              of mopo; run2: on two ranks. @N@TEXT@ stands for N times TEXT

Each ends with its exit code, one line on stderr that begins with `mopo` and holds the part, within 10 s and 1 GiB of
address space, and without a new file in the folder but what stands behind `writes`. With --show it prints what the
program says instead.
"""
import concurrent.futures
import os
import re
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile

SECONDS = 10
GIB = 1 << 30


def raw(word):
    """Escapes of a word, as bytes."""
    text = re.sub(r"@(\d+)@([^@]*)@", lambda m: m.group(2) * int(m.group(1)), word)
    known = {b"n": b"\n", b"t": b"\t", b"\\": b"\\"}
    return re.sub(rb"\\x([0-9a-f]{2})|\\([nt\\])",
                  lambda m: bytes([int(m.group(1), 16)]) if m.group(1) else known[m.group(2)], text.encode())


def split(text):
    """Words as in a shell, but backslashes are ours."""
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace_split, lexer.escape, lexer.commenters = True, "", ""
    return [raw(word) for word in lexer]


def read_cases(path):
    cases = []
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        verb, _, rest = line.partition(" ")
        if verb == "case":
            name, code, text = re.fullmatch(r"(.*?): (\d+) (.*)", rest).groups()
            cases.append({"name": name, "code": int(code), "text": text, "steps": [], "writes": set(),
                          "at": f"{path}:{number}"})
        elif verb in ("run", "run2"):
            cases[-1].update(ranks=2 if verb == "run2" else 0, args=split(rest))
        elif verb == "writes":
            cases[-1]["writes"] |= set(rest.split())
        else:
            cases[-1]["steps"].append((verb, rest))
    return cases


def prepare(folder, step, rest):
    if step == "file":
        name, _, text = rest.partition(" ")
        words = [name.encode(), raw(text)]
    else:
        words = split(rest)

    def at(k):
        return os.path.join(folder.encode(), words[k])

    def content(k):
        with open(at(k), "rb") as file:
            return file.read()

    def write(k, data):
        with open(at(k), "wb") as file:
            file.write(data)

    if step == "file":
        write(0, words[1])
    elif step == "copy":
        (shutil.copytree if os.path.isdir(at(0)) else shutil.copy)(at(0), at(1))
    elif step == "repeat":
        write(2, words[1] * int(words[0]))
    elif step == "cut":
        write(2, content(0)[:int(words[1])])
    elif step == "flip":
        data = bytearray(content(0))
        data[int(words[1])] ^= 1
        write(0, data)
    elif step == "sub":
        data = content(0)
        assert words[1] in data, words
        write(0, data.replace(words[1], words[2], 1))
    elif step == "remove":
        (shutil.rmtree if os.path.isdir(at(0)) else os.remove)(at(0))
    elif step == "make":
        {b"dir": os.mkdir, b"fifo": os.mkfifo, b"link": lambda path: os.symlink(path, path)}[words[0]](at(1))
    else:
        raise ValueError(f"unknown step {step}")


def limits():
    resource.setrlimit(resource.RLIMIT_AS, (GIB, GIB))


def files_below(folder):
    return {os.path.relpath(os.path.join(where, name), folder)
            for where, _, names in os.walk(folder) for name in names}


def snapshot(folder):
    return {name: os.lstat(os.path.join(folder, name))[6:9:2] for name in files_below(folder)}


def attempt(case, program, fixtures):
    """What is wrong with how this case ended, a list of sentences; and what was said."""
    folder = tempfile.mkdtemp(dir=".")
    os.symlink(os.path.abspath(fixtures), os.path.join(folder, "fix"))
    here = os.path.abspath(folder)
    for step, rest in case["steps"]:
        prepare(here, step, rest)
    before = files_below(folder)
    command = ([b"mpirun", b"-n", b"2"] if case["ranks"] else []) + [program.encode()] + case["args"]
    temporary = tempfile.mkdtemp()  # of its own: Open MPI's processes make the same folders at the same time
    environment = dict(os.environ, HOME=here, TMPDIR=temporary)
    environment.pop("MOPO_DATA", None)
    wrong = []
    try:
        done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS,
                              preexec_fn=None if case["ranks"] else limits, env=environment, check=False)
        code, said = done.returncode, done.stderr.decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        code, said = None, ""
        wrong.append(f"still running after {SECONDS} s")
    lines = [line for line in said.split("\n") if line.startswith("mopo")]
    if code != case["code"]:
        wrong.append(f"exit code {code}, not {case['code']}")
    if len(lines) != 1:
        wrong.append(f"{len(lines)} lines of the program, not 1")
    if not any(case["text"] in line for line in lines):
        wrong.append(f"does not say: {case['text']}")
    fresh = {name for name in files_below(folder) - before if name.split("/")[0] not in case["writes"]}
    if fresh:
        wrong.append(f"wrote {' '.join(sorted(fresh))}")
    shutil.rmtree(folder)
    shutil.rmtree(temporary)
    return wrong, code, "\n".join(lines) or said


def main():
    show = sys.argv[1] == "--show"
    program, fixtures, *paths = sys.argv[2 if show else 1:]
    cases = [case for path in paths for case in read_cases(path)]
    names = [case["name"] for case in cases]
    assert len(set(names)) == len(names), "two cases of one name"
    before = snapshot(fixtures)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(4 * (os.cpu_count() or 1)) as pool:
        for case, (wrong, code, said) in zip(cases, pool.map(lambda case: attempt(case, program, fixtures), cases)):
            if show:
                print(f"{case['name']}: {code} {said}")
            elif wrong:
                failed += 1
                print(f"FAILED  {case['name']} ({case['at']}): {'; '.join(wrong)}\n        it says: {said}")
    if snapshot(fixtures) != before:
        failed += 1
        print("FAILED  the fixtures were changed")
    print(f"{len(cases)} cases, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
