#!/usr/bin/env python3
"""Fails on an include that crosses the layers of src/ (docs/style.md), or on a foreign header outside its owner."""

import pathlib
import re
import sys

# folder: what it may include besides itself
NUMERIC = ["base", "nn", "data"]
LAYERS = {
    "base": [],
    "nn": ["base"],
    "data": ["base"],
    "env": ["base"],
    "comm": ["base"],
    "config": ["base"],
    "model": NUMERIC,
    "policy": NUMERIC,
    "rollout": ["base", "data", "env", "model", "policy"],
    "run": ["base", "nn", "data", "env", "comm", "config", "model", "policy", "rollout"],
    "bench": ["base", "nn", "data", "env", "comm", "config", "model", "policy", "rollout", "run"],
    "sweep": ["base", "config", "data", "run"],
    "cli": ["base", "nn", "data", "env", "comm", "config", "model", "policy", "rollout", "run", "bench", "sweep"],
    "": ["base", "nn", "data", "env", "comm", "config", "model", "policy", "rollout", "run", "bench", "cli"],  # main.c
}

# foreign header: the files or folders that may include it
FOREIGN = {
    "cblas.h": ["nn/gemm_cblas.c"],
    "hdf5.h": ["data/h5_internal.h", "bench/load.c"],
    "jansson.h": ["run", "bench", "sweep", "cli", "main.c"],
    "malloc.h": ["base/mem.c"],
    "mpi.h": ["comm"],
    "mujoco/mujoco.h": ["env/mj.c"],
    "openssl/evp.h": ["base/checksum.c"],
    "xxhash.h": ["base"],
    "yaml.h": ["config/yaml.c"],
}

# the C library and POSIX
STANDARD = set(
    "assert complex ctype errno fenv float inttypes limits locale math setjmp signal stdarg stdatomic stdbool stddef stdint "
    "stdio stdlib stdnoreturn string strings time dirent fcntl fnmatch getopt glob immintrin libgen poll pthread sched spawn "
    "sys/file sys/ioctl sys/mman sys/random sys/resource sys/stat sys/statvfs sys/time sys/types sys/utsname sys/wait termios "
    "unistd".split()
)


def owned(path, owners):
    return any(path == owner or path.startswith(owner + "/") for owner in owners)


def fault(path, bracket, name):
    """Why the file `path` (relative to src) may not include `name`, or None."""
    folder = path.split("/")[0] if "/" in path else ""
    if bracket == '"':
        target = name.split("/")[0]
        if "/" not in name or target not in LAYERS:
            return "write the folder too, as in \"base/status.h\""
        if target != folder and target not in LAYERS[folder]:
            return f"{folder or 'main.c'} may include only {', '.join(LAYERS[folder]) or 'itself'}"
    elif name in FOREIGN:
        if not owned(path, FOREIGN[name]):
            return f"only {', '.join(FOREIGN[name])} may include it"
    elif name.removesuffix(".h") not in STANDARD:
        return "no header of the C library or POSIX that tools/check_layers.py knows"
    return None


def main(root):
    src = pathlib.Path(root) / "src"
    count = 0
    for file in sorted(src.rglob("*.[ch]")):
        path = file.relative_to(src).as_posix()
        folder = path.split("/")[0] if "/" in path else ""
        if folder not in LAYERS:
            print(f"src/{path}: folder {folder} has no row in LAYERS of tools/check_layers.py")
            count += 1
            continue
        for number, line in enumerate(file.read_text().splitlines(), 1):
            include = re.match(r'\s*#\s*include\s*([<"])([^>"]+)', line)
            why = include and fault(path, *include.groups())
            if why:
                print(f"src/{path}:{number}: includes {include.group(2)}: {why}")
                count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent))
