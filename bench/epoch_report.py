#!/usr/bin/env python3
"""Table of seconds by phase from run directories: epoch_report.py FLOORS.json RUN_DIR ... (see epoch.sh)."""

import json
import pathlib
import re
import sys

# The built-in configuration: what an epoch and a pass over the model's data consist of.
UPDATES, ROLLOUT_STEPS, EVAL_STEPS = 1000, 5, 10 * 1000
MEMBER_STEPS = 7 * (99000 // 256 + 1)
PARTS = {  # phase: (row of `mopo bench`, how many units of it)
    "update": ("sac update 17/6, 4 shards", UPDATES),
    "rollout": ("rollout step 17/6, 7 members", ROLLOUT_STEPS),
    "eval": ("evaluation step", EVAL_STEPS),
    "model pass": ("ensemble step 17/6", MEMBER_STEPS),
}


def mean(numbers):
    return sum(numbers) / len(numbers) if numbers else 0.0


def seconds(run):
    """Phase -> seconds, summed over the ranks that share it; and what the log says about memory."""
    lines = [json.loads(line) for line in (run / "timing.jsonl").read_text().splitlines()]
    learn = [x for x in lines if x["phase"] == "learn" and x["epoch"] > 1]
    crew = {}
    for x in lines:
        if x["phase"] == "crew" and x["policy_epoch"] > 1 and x["rollout"] > 0.01:  # not the last evaluation alone
            crew.setdefault(x["policy_epoch"], []).append(x)
    model = [x for x in lines if x["phase"] == "model"]
    log = (run / "log.txt").read_text()
    passes = int(re.search(r"model: (\d+) pass", log).group(1))
    table = {key: mean([x[key] for x in learn]) for key in ("update", "exchange")}
    table["learner waits"] = mean([x["wait"] for x in learn])
    for key in ("rollout", "eval"):
        table[key] = mean([sum(x[key] for x in all_ranks) for all_ranks in crew.values()])
    table["worker waits"] = mean([max(x["wait"] for x in all_ranks) for all_ranks in crew.values()])
    # All learners keep step, so rank 0 tells how long an epoch is; where it is a worker too it does both in turn.
    own = [x for ranks in crew.values() for x in ranks if x["rank"] == 0]
    parts = [mean([x[key] for x in own]) for key in ("rollout", "eval")]
    table["epoch"] = table["update"] + table["exchange"] + table["learner waits"] + sum(parts)
    table["model pass"] = sum(x["busy"] for x in model) / passes
    return table, re.findall(r"memory: .*", log)


def main():
    rows = {row["name"]: row for row in json.loads(pathlib.Path(sys.argv[1]).read_text())["rows"]}
    print(f"{'run':6} {'phase':15} {'s/epoch':>9} {'floor':>9} {'ratio':>6}   (rollout, eval, model pass: seconds of all ranks added)")
    for name in sys.argv[2:]:
        table, memory = seconds(pathlib.Path(name))
        for phase, time in table.items():
            text = f"{name:6} {phase:15} {time:9.3f}"
            if phase in PARTS:
                what, units = PARTS[phase]
                floor = rows[what]["floor_seconds"] * units
                text += f" {floor:9.3f} {time / floor:6.2f}"
            print(text)
        print(f"{name:6} {'; '.join(memory)}")


if __name__ == "__main__":
    main()
