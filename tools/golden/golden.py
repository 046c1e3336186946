"""Text files of known answers for tests/unit, read by tests/support/golden.c.

Lines that begin with '#' say where the numbers come from. Then records: a name, its shape as 3x7 (1 for a
number), and that many values in C order with 9 digits, which carry a float32 exactly.
"""

import datetime
import pathlib
import platform
import sys

import numpy as np
import torch

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"


class Golden:
    def __init__(self, name, about):
        script = pathlib.Path(sys.argv[0]).name
        self.path = FOLDER / f"{name}.txt"
        self.lines = [
            f"# {about}",
            f"# made by: python3 tools/golden/{script}",
            f"# Python {platform.python_version()}, numpy {np.__version__}, torch {torch.__version__}, "
            f"{datetime.date.today().isoformat()}; computed in float64 from float32 inputs",
        ]

    def put(self, name, value):
        if isinstance(value, torch.Tensor):
            value = value.detach().numpy()
        value = np.atleast_1d(np.asarray(value, dtype=np.float64))
        self.lines.append(f"{name} {'x'.join(str(n) for n in value.shape)}")
        flat = [f"{x:.9g}" for x in value.ravel()]
        self.lines += [" ".join(flat[i : i + 10]) for i in range(0, len(flat), 10)]

    def save(self):
        FOLDER.mkdir(exist_ok=True)
        self.path.write_text("\n".join(self.lines) + "\n")
        print(f"{self.path.name}: {self.path.stat().st_size} bytes")


def single(x):
    """Round to float32, so that C starts from the same numbers, and go on in float64."""
    return torch.tensor(np.asarray(x, dtype=np.float32).astype(np.float64))


def philox4x32(counter, key):
    """Philox4x32-10 of Salmon et al. 2011, section 3.3; counter (4, n), key (2)."""
    word = np.uint64(0xFFFFFFFF)
    c = [np.asarray(x, dtype=np.uint64) for x in counter]
    k = [np.uint64(x) for x in key]
    for _ in range(10):
        left = c[0] * np.uint64(0xD2511F53)
        right = c[2] * np.uint64(0xCD9E8D57)
        c = [(right >> np.uint64(32)) ^ c[1] ^ k[0], right & word, (left >> np.uint64(32)) ^ c[3] ^ k[1], left & word]
        k = [(k[0] + np.uint64(0x9E3779B9)) & word, (k[1] + np.uint64(0xBB67AE85)) & word]
    return c


def normals(seed, purpose, step, item, n):
    """The n numbers of rng_fill_normal from a fresh stream (src/base/rng.h), by double precision Box-Muller of
    uniforms rounded to float32.

    The counter is (block, item, step, purpose << 24 | high part of step). 64 blocks make 256 numbers: word 0 of
    each block gives a radius and word 1 an angle; the 64 cosines come first, then the 64 sines, then the same
    from words 2 and 3.
    """
    out = []
    for first in range(0, n, 256):
        block = np.arange(first // 4, first // 4 + 64, dtype=np.uint64)
        same = np.ones(64, dtype=np.uint64)
        high = (purpose << 24) | (step >> 32)
        words = philox4x32(
            [block, same * np.uint64(item), same * np.uint64(step & 0xFFFFFFFF), same * np.uint64(high)],
            [seed & 0xFFFFFFFF, seed >> 32],
        )
        unit = [(w >> np.uint64(8)).astype(np.float64) / 2**24 for w in words]
        for radial, angle in ((unit[0], unit[1]), (unit[2], unit[3])):
            radius = np.sqrt(-2 * np.log((radial + 2.0**-25).astype(np.float32).astype(np.float64)))
            out += [radius * np.cos(2 * np.pi * angle), radius * np.sin(2 * np.pi * angle)]
    return np.concatenate(out)[:n].astype(np.float32)
