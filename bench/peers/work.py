"""The work that all peers do: HalfCheetah's sizes, made-up data, and how a piece of it is timed."""

import argparse
import json
import time

import numpy as np

S, A = 17, 6  # numbers of a state and of an action
BATCH, REAL = 256, 12  # rows of an update, and how many of them come from the dataset
WIDTH = 256  # two hidden layers, ReLU: actor and critics
GAMMA, TAU, TARGET_ENTROPY = 0.99, 0.005, -A
ACTOR_RATE, CRITIC_RATE, ALPHA_RATE = 1e-4, 3e-4, 1e-4
LOG_STD = (-5.0, 2.0)

MEMBERS, ELITES = 7, 5
MODEL_WIDTHS = [S + A, 200, 200, 200, 200, 2 * (S + 1)]  # SiLU between; means and log variances of (s' - s, r)
MODEL_DECAYS = [2.5e-5, 5e-5, 7.5e-5, 7.5e-5, 1e-4]
MODEL_RATE, BOUND_WEIGHT = 1e-3, 0.01
LOG_VARIANCE = (-10.0, 0.5)  # where the learned bounds start

STARTS, PENALTY, GUARD = 50000, 0.5, 100.0
DATASET_ROWS, BUFFER_ROWS = 100000, 250000


def options():
    """Options of every peer."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each piece is repeated")
    parser.add_argument("--compile", action="store_true", help="PyTorch: also with torch.compile")
    return parser.parse_args()


def transitions(rows, seed):
    """Uniform states and actions; next states and rewards that a model can learn."""
    rng = np.random.default_rng(seed)
    state = rng.uniform(-1, 1, (rows, S)).astype(np.float32)
    action = rng.uniform(-1, 1, (rows, A)).astype(np.float32)
    change = np.sin(2 * state) + action.sum(1, keepdims=True) / 4 + 0.1 * rng.standard_normal((rows, S))
    return {
        "state": state,
        "action": action,
        "next": (state + 0.1 * change).astype(np.float32),
        "reward": (state[:, :1] - 0.1 * (action**2).sum(1, keepdims=True)).astype(np.float32),
        "terminal": np.zeros((rows, 1), np.float32),
    }


def falls(losses, what):
    """A light check that the work is done right: the loss of the second half is below that of the first."""
    half = len(losses) // 2
    first, second = np.mean(losses[:half]), np.mean(losses[half:])
    assert np.isfinite(losses).all() and second < first, f"{what}: loss {first} did not fall, it is {second}"


def clock(call, args):
    """Least seconds of a call. CPU time on one core, as `mopo bench` counts; on more the clock on the wall."""
    now = time.process_time if args.threads == 1 else time.perf_counter
    for _ in range(2):
        call()
    times, end = [], time.perf_counter() + args.seconds
    while len(times) < 3 or time.perf_counter() < end:
        begin = now()
        call()
        times.append(now() - begin)
    return min(times)


def report(versions, forms, args):
    """One JSON object for compare.py; forms: {form: {piece of work: seconds}}."""
    print(json.dumps({"versions": versions, "threads": args.threads, "forms": forms}))
