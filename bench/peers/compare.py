#!/usr/bin/env python3
"""mopo beside its peers, in turn on the same cores: compare.py BUILD FOLDER ROUNDS (see compare.sh and README.md)."""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from epoch_report import seconds as epoch_seconds  # noqa: E402

# How mopo is asked: piece of work -> row of `mopo bench --json`, and how many of its units the piece has.
MOPO_ROWS = {
    "update": ("sac update 17/6, 4 shards", 1),
    "ensemble step": ("ensemble step 17/6", 7),
    "rollout": ("rollout step 17/6, 7 members", 1),
}
MOPO_EPOCH = ["train.epochs=3", "model.max_epochs=1", "eval.every=1000000"]
PEERS = {  # name: interpreter below FOLDER, or of the system; script
    "PyTorch, pip": ("torch/bin/python", "torch_peer.py"),
    "PyTorch, Debian": ("/usr/bin/python3", "torch_peer.py"),
    "JAX, pip": ("jax/bin/python", "jax_peer.py"),
}
PIECES = ["update", "ensemble step", "rollout", "epoch"]
UPDATES, ROLLOUTS = 1000, 5  # of an epoch
MEASURED = "mopo train"


def run(cores, threads, command):
    """The command on these cores alone."""
    pinned = ["taskset", "-c", ",".join(map(str, cores)), *map(str, command)]
    env = os.environ | {f"{x}_NUM_THREADS": str(threads) for x in ("OMP", "OPENBLAS", "MKL")}
    quiet = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True}  # mpirun would stop for a terminal
    done = subprocess.run(pinned, env=env, check=False, **quiet)
    if done.returncode != 0:
        sys.exit(f"compare: {' '.join(pinned)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def epoch(times):
    return UPDATES * times["update"] + ROLLOUTS * times["rollout"]


def mopo_pieces(mopo, core):
    times = {}
    for piece, (row, units) in MOPO_ROWS.items():
        rows = json.loads(run([core], 1, [mopo, "bench", "--json", "--only", row]))["rows"]
        times[piece] = units * next(x["seconds"] for x in rows if x["name"] == row)
    return times | {"epoch": epoch(times)}


def mopo_epoch(mopo, cores, folder):
    """Epochs of the built-in configuration without evaluation, after one pass of model fitting."""
    scratch = folder / "train"
    shutil.rmtree(scratch, ignore_errors=True)
    ranks = ["mpirun", "--bind-to", "none", "-n", len(cores)] if len(cores) > 1 else []
    dataset = f"dataset={folder / 'halfcheetah-random.hdf5'}"  # collected by the first run
    run(cores, 1, [*ranks, mopo, "train", f"run_dir={scratch}", dataset, *MOPO_EPOCH])
    return {"epoch": epoch_seconds(scratch)[0]["epoch"]}


def peer(folder, name, cores, versions):
    """Times of each form: "PyTorch, pip: kit" -> piece -> seconds."""
    python, script = PEERS[name]
    options = ["--threads", len(cores), *os.environ.get("PEER_OPTIONS", "").split()]
    result = json.loads(run(cores, len(cores), [folder / python, HERE / script, *options]).splitlines()[-1])
    versions[name] = ", ".join(f"{library} {version}" for library, version in result["versions"].items())
    return {f"{name}: {form}": times | {"epoch": epoch(times)} for form, times in result["forms"].items()}


def available(folder):
    found = []
    for name, (python, script) in PEERS.items():
        module, python = script.removesuffix("_peer.py"), folder / python
        probe = [python, "-c", f"import {module}, numpy"]
        if python.exists() and subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            found.append(name)
        else:
            print(f"compare: no {name}: {python} cannot import {module}", file=sys.stderr)
    return found


def one_round(mopo, folder, cores, peers, versions):
    """Everything once, one after the other."""
    times = {"mopo bench": mopo_pieces(mopo, cores[0])} if len(cores) == 1 else {}
    times[MEASURED] = mopo_epoch(mopo, cores, folder)
    for name in peers:
        times |= peer(folder, name, cores, versions)
    return times


def table(rounds, base):
    """Least seconds over all rounds, and in parentheses the median over rounds of the ratio to mopo's in that round."""
    lines = ["| | update, ms | ensemble step, ms | rollout, s | epoch, s |", "| --- | --- | --- | --- | --- |"]
    for side in rounds[0]:
        cells = []
        for piece in PIECES:
            if piece not in rounds[0][side]:
                cells.append("")
                continue
            least = min(r[side][piece] for r in rounds)
            text = f"{least:.2f}" if piece in ("rollout", "epoch") else f"{1000 * least:.2f}"
            if piece in rounds[0][base] and not side.startswith("mopo"):
                text += f" ({statistics.median(r[side][piece] / r[base][piece] for r in rounds):.2f})"
            cells.append(text)
        lines.append(f"| {side} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    build, folder = (pathlib.Path(x).resolve() for x in sys.argv[1:3])
    mopo, cores = build / "mopo", sorted(os.sched_getaffinity(0))[:2]
    peers, versions, rounds, load = available(folder), {}, {}, []
    for used in [cores[:1], cores][: len(cores)]:
        for i in range(int(sys.argv[3])):
            print(f"compare: {len(used)} core(s), round {i + 1}", file=sys.stderr)
            rounds.setdefault(str(len(used)), []).append(one_round(mopo, folder, used, peers, versions))
            load.append(os.getloadavg()[1])
    about = run(cores, 1, [mopo, "--version"]).splitlines()
    versions["mopo"] = "; ".join([about[0].removeprefix("mopo ")] + [x for x in about if "BLAS" in x])
    (folder / "compare.json").write_text(json.dumps({"versions": versions, "load": load, "rounds": rounds}, indent=1))

    text = [f"- {name}: {version}" for name, version in versions.items()]
    text.append(f"- load of the machine during the rounds: {min(load):.1f} to {max(load):.1f}\n")
    text += ["One core (CPU time; ratios to `mopo bench`):\n", table(rounds["1"], "mopo bench")]
    if "2" in rounds:
        text += ["\nTwo cores (wall clock; ratios to `mopo train` on two ranks):\n", table(rounds["2"], MEASURED)]
    (folder / "compare.md").write_text("\n".join(text) + "\n")
    print("\n".join(text))


main()
