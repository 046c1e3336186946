"""hostile.py PROGRAM ROUNDS SEED CONFIG: commands on files with changed bytes, in the current folder.

Half of the changes are in the bytes that are not numbers, where HDF5's own structure is. Prints a line for each kind of
file with how often each exit code came; fails when a command ends in another way than README's table allows.
"""
import collections
import concurrent.futures
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time

SECONDS = 10
GIB = 1 << 30
ALLOWED = {0, 1, 2, 76}

program, rounds, seed, config = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]

TRAIN = ["train", config, "dataset=FILE", "run_dir=out", "train.epochs=1", "train.updates_per_epoch=2"]
PLAY = ["eval", "FILE", "task=pointmass", "--episodes", "1"]
KINDS = {  # file that is changed: command lines, one of which is taken
    "d4rl.hdf5": [["data", "info", "FILE"], ["data", "check", "FILE"], TRAIN],
    "minari.hdf5": [["data", "info", "FILE"], TRAIN],
    "policy.h5": [PLAY, ["collect", "out", "--policy", "FILE", "task=pointmass", "--rows", "10"]],
    "run/policy.h5": [PLAY],
    "run/model.h5": [["model", "report", "run", f"dataset={os.path.abspath('d4rl.hdf5')}"]],
}
SEAL = 46
maker = os.path.join(os.path.dirname(program), "make_bad_files")
originals = {name: open(name, "rb").read() for name in KINDS}


def structure(data):
    """Places of bytes near HDF5's own marks: headers, trees, heaps, and what follows them."""
    marks = (b"\x89HDF", b"TREE", b"HEAP", b"SNOD", b"OHDR", b"OCHK", b"BTHD", b"BTLF", b"BTIN", b"FRHP", b"FHDB", b"FADB",
             b"EAHD")
    places = set()
    for mark in marks:
        at = data.find(mark)
        while at >= 0:
            places.update(range(at, min(at + 512, len(data))))
            at = data.find(mark, at + 1)
    return sorted(places)


ODD = (0, 1, 0x7F, 0x80, 0xFE, 0xFF)


def mutate(data, places, rng):
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        at = rng.choice(places) if places and rng.random() < 0.8 else rng.randrange(len(data))
        at = min(at, len(data) - 1)
        how = rng.randrange(5)
        if how == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif how == 1:
            data[at] = rng.choice(ODD)
        elif how == 2:  # a length or an address
            n = rng.choice((2, 4, 8))
            value = rng.choice((rng.randrange(len(data)), (1 << (8 * n)) - 1, rng.getrandbits(8 * n)))
            data[at:at + n] = value.to_bytes(8, "little")[:n]
        elif how == 3:
            data[at] = rng.randrange(256)
        else:
            source = rng.randrange(len(data))
            n = rng.randrange(1, 16)
            data[at:at + n] = data[source:source + n]
    if rng.random() < 0.05:
        del data[rng.randrange(len(data)):]
    return bytes(data)


places = {name: structure(data) for name, data in originals.items()}


def limits():
    resource.setrlimit(resource.RLIMIT_AS, (GIB, GIB))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def keep(path, name, number):
    """For a look at it: into the folder MOPO_HOSTILE_KEEP."""
    if os.environ.get("MOPO_HOSTILE_KEEP"):
        shutil.copy(path, os.path.join(os.environ["MOPO_HOSTILE_KEEP"], f"{name.replace('/', '-')}-{number}"))


def place(folder, name):
    """Where the changed file goes; a model needs its run around it."""
    if name != "run/model.h5":
        return os.path.join(folder, "bad.hdf5")
    os.mkdir(os.path.join(folder, "run"))
    for beside in ("used.yaml", "policy.h5"):
        shutil.copy(f"run/{beside}", os.path.join(folder, "run", beside))
    return os.path.join(folder, "run", "model.h5")


def attempt(job):
    name, number = job
    rng = random.Random(f"{name} {number}")
    folder = tempfile.mkdtemp()
    try:
        path = place(folder, name)
        sealed = name.startswith("run/")
        keeps_seal = sealed and rng.random() < 0.1  # what happens to the right seal of other bytes
        end = -SEAL if sealed and not keeps_seal else None
        with open(path, "wb") as file:
            file.write(mutate(originals[name][:end], places[name], rng))
        if end:
            subprocess.run([maker, "--seal", path], check=True)
        words = [word.replace("FILE", path) for word in rng.choice(KINDS[name])]
        begin = time.monotonic()
        try:
            done = subprocess.run([program] + words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                                  preexec_fn=limits, env=dict(os.environ, TMPDIR=folder), check=False)
            code, said = done.returncode, done.stderr.decode("utf-8", "replace")
        except subprocess.TimeoutExpired:
            code, said = "no end", ""
        seconds = time.monotonic() - begin
        lines = [line for line in said.split("\n") if line.startswith("mopo")]
        wrong = code not in ALLOWED or (code != 0 and len(lines) != 1)
        if wrong:
            keep(path, name, number)
        return name, number, code, seconds, wrong, words, said, any("HDF5 itself" in line for line in lines)
    finally:
        shutil.rmtree(folder)


def main():
    jobs = [(name, number) for name in KINDS for number in range(seed, seed + rounds)]
    codes = {name: collections.Counter() for name in KINDS}
    caught = collections.Counter()
    slowest, failed = 0, 0
    with concurrent.futures.ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        for name, number, code, seconds, wrong, words, said, own in pool.map(attempt, jobs):
            codes[name][str(code)] += 1
            caught[name] += own
            slowest = max(slowest, seconds)
            if wrong:
                failed += 1
                print(f"FAILED  {name}, seed {number}: exit {code} of mopo {' '.join(words)}\n{said[-600:]}")
    for name, counter in codes.items():
        told = ", ".join(f"{code}: {n}" for code, n in sorted(counter.items()))
        print(f"{name}: {told}; HDF5 itself failed on {caught[name]}")
    print(f"{len(jobs)} files, {failed} failed, the slowest took {slowest:.1f} s")
    return 1 if failed else 0


sys.exit(main())
