#!/usr/bin/env python3
"""Copy what tests/unit/test_env.c needs out of the project's reference trajectories to tests/golden.

    python3 tools/golden/env_trajectories.py <folder reference_trajectories>

The trajectories were made with Debian's libmujoco 2.2.2 from Gymnasium's own half_cheetah.xml, the legacy ones after
patching the compiled inertials to MuJoCo <= 2.1.0's formula; none of it is our code. Numbers keep 17 digits.
"""

import datetime
import json
import pathlib
import sys

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
STEPS = ("1", "10", "50", "100")
AMPLITUDES = ("1", "0.2")


def record(name, values):
    values = values if isinstance(values, list) else [values]
    return f"{name} {len(values)}\n" + " ".join(f"{float(x):.17g}" for x in values)


def load(path):
    return json.loads(path.read_text())


def halfcheetah(folder, inertia):
    lines = [
        f"# HalfCheetah, {inertia} inertia: compiled bodies, and states after 1, 10, 50 and 100 control steps",
        "# from qpos = qpos0, qvel = 0 under ctrl[i] = A sin(0.1 t + i), t = 0, 1, ...; A is behind 'amp'.",
        "# made by: python3 tools/golden/env_trajectories.py reference_trajectories",
        f"# out of half_cheetah.{inertia}.rest.amp*.json and models/half_cheetah.{inertia}.json, "
        f"{datetime.date.today().isoformat()}",
    ]
    for amplitude in AMPLITUDES:
        run = load(folder / f"half_cheetah.{inertia}.rest.amp{amplitude}.json")
        if len(lines) == 4:
            lines.append(f"# engine: {run['engine']}; {run['inertia']}")
        for step in STEPS:
            for key in ("qpos", "qvel", "reward"):
                lines.append(record(f"amp{amplitude}.{step}.{key}", run["checkpoints"][step][key]))
    model = load(folder / "models" / f"half_cheetah.{inertia}.json")
    for body in model["bodies"][1:]:
        for key in ("mass", "inertia", "ipos", "iquat"):
            lines.append(record(f"{body['name']}.{key}", body[key]))
    (GOLDEN / f"env_halfcheetah_{inertia}.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for kind in ("legacy", "exact"):
        halfcheetah(pathlib.Path(sys.argv[1]), kind)
