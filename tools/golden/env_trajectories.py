#!/usr/bin/env python3
"""Copy what test_env_trajectories.c and test_env_ant.c need out of the project's reference trajectories to tests/golden.

    python3 tools/golden/env_trajectories.py <folder reference_trajectories> [<only this golden file> ...]

The trajectories were made with Debian's libmujoco 2.2.2 from Gymnasium's own model files, the legacy ones after
patching the compiled inertials to MuJoCo <= 2.1.0's formula; none of it is our code. Steps keep 13 digits, which is
1e-12 or better beside a tolerance of 1e-9; inertials keep 17.
"""

import datetime
import json
import pathlib
import sys

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
AMPLITUDES = ("1", "0.2")
CHEETAH = ("qpos", "qvel", "reward", "reward_behaviour", "reward_jump_task", "terminated")
FALLING = ("qpos", "qvel", "reward_v2_v4", "reward_v5", "terminated")
ANT = ("qpos", "qvel", "torso_xpos", "contact_cost", "reward_v2_mujoco20", "reward_v5", "reward_angle_with_survive",
       "reward_angle_paper", "terminated")
# golden file: (model and inertia of the reference, columns of a step)
FILES = {
    "env_halfcheetah_legacy": ("half_cheetah.legacy", CHEETAH),
    "env_halfcheetah_exact": ("half_cheetah.exact", CHEETAH),
    "env_hopper_legacy": ("hopper.legacy", FALLING),
    "env_hopper_exact": ("hopper.exact", FALLING),
    "env_walker2d_legacy": ("walker2d_v2v4.legacy", FALLING),
    "env_walker2d_exact": ("walker2d_v2v4.exact", FALLING),
    "env_walker2d_v5": ("walker2d_v5.exact", FALLING),
    "env_ant_legacy": ("ant.legacy", ANT),
    "env_ant_exact": ("ant.exact", ANT),
}
# The reference has no names for the ankles' bodies; ours go by the leg's number.
ANT_BODIES = ["world", "torso", *(f"{part}_{leg}" for leg in range(1, 5) for part in ("fixed", "hip", "ankle"))]
FORCES_NOTE = "Then cfrc_ext behind steps 1, 10, 50, 100, body by body. "


def numbers(values, digits):
    values = values if isinstance(values, list) else [values]
    return " ".join(f"{float(x):.{digits}g}" for x in values)


def load(path):
    return json.loads(path.read_text())


def write(folder, name):
    source, columns = FILES[name]
    runs = {a: load(folder / f"{source}.rest.amp{a}.json") for a in AMPLITUDES}
    lines = [
        "# 100 control steps from qpos = qpos0, qvel = 0 under ctrl[i] = A sin(0.1 t + i), t = 0, 1, ...; A is behind 'amp'.",
        f"# A row is a step: {', '.join(columns)}. {FORCES_NOTE if columns is ANT else ''}Then the compiled inertials of all bodies.",
        f"# made by: python3 tools/golden/env_trajectories.py reference_trajectories, {datetime.date.today().isoformat()}",
        f"# out of {source}.rest.amp*.json and models/{source}.json",
        f"# engine: {runs['1']['engine']}; {runs['1']['inertia']}",
    ]
    for amplitude, run in runs.items():
        rows = [" ".join(numbers(step[c], 13) for c in columns) for step in run["steps"]]
        lines += [f"amp{amplitude} {len(rows)}x{len(rows[0].split())}", *rows]
        for step in run["checkpoints"].values():
            if "cfrc_ext" in step:
                forces = numbers(step["cfrc_ext"], 13)
                lines += [f"amp{amplitude}.cfrc_ext.{step['step']} {len(forces.split())}", forces]
    for body in load(folder / "models" / f"{source}.json")["bodies"][1:]:
        label = ANT_BODIES[body["id"]] if columns is ANT else body["name"]
        for key in ("mass", "inertia", "ipos", "iquat"):
            row = numbers(body[key], 17)
            lines += [f"{label}.{key} {len(row.split())}", row]
    (GOLDEN / f"{name}.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for wanted in sys.argv[2:] or FILES:
        write(pathlib.Path(sys.argv[1]), wanted)
