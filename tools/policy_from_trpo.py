#!/usr/bin/env python3
"""One policy out of a ladder of TRPO snapshots, as openai/imitation saved them, in the layout of docs/formats.md (policy.h5).

The standardization of observations, x = (s - mean) / (deviation + 1e-6), goes into the first layer; the log deviations
of the actions become the bias of a layer without weights. Ant's 111 inputs: the last 84, contact forces that are zero on
every engine since MuJoCo 2.0, are left out, and what they add as constants goes into the bias. Needs h5py.
"""

import argparse
import pathlib

import h5py
import numpy as np


def layers(policy):
    """(weight (inputs, outputs), bias) of hidden layers and output, and log deviations, in float64."""
    def affine(where):
        return policy[where + "/AffineLayer/W"][:], policy[where + "/AffineLayer/b"][0]

    hidden = policy["hidden/FeedforwardNet"]
    names = sorted(hidden, key=lambda name: int(name.split("_")[1]))  # nonlinearities have numbers, but no group
    found = [affine("hidden/FeedforwardNet/" + name) for name in names if "AffineLayer" in hidden[name]]
    return found + [affine("out")], policy["logstdevs_1_Da"][0]


def fold_standardizer(policy, weight, bias):
    """(s - mean) / scale @ weight + bias as s @ weight' + bias'."""
    norm = policy["obsnorm/Standardizer"]
    if norm["count"][()] == 0:
        return weight, bias
    mean = norm["mean_1_D"][0]
    scale = np.sqrt(np.maximum(0, norm["meansq_1_D"][0] - mean**2)) + 1e-6
    folded = weight / scale[:, None]
    return folded, bias - mean @ folded


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ladder", help="log_ROBOT-v1_N.h5")
    parser.add_argument("iteration", type=int, help="0, 20, ..., 500")
    parser.add_argument("out", help="file to be written")
    parser.add_argument("--inputs", type=int, help="first inputs to keep; otherwise all, of 111 the first 27")
    args = parser.parse_args()
    with h5py.File(args.ladder, "r") as file:
        snapshot = f"snapshots/iter{args.iteration:07d}/GaussianPolicy"
        if snapshot not in file:
            there = ", ".join(str(int(name[4:])) for name in file["snapshots"])
            parser.error(f"no iteration {args.iteration} in {args.ladder}; there are {there}")
        policy = file[snapshot]
        nets, log_std = layers(policy)
        weight, bias = fold_standardizer(policy, *nets[0])
    keep = args.inputs or (27 if len(weight) == 111 else len(weight))
    if not 1 <= keep <= len(weight):
        parser.error(f"--inputs {keep}: the policy has {len(weight)}")
    nets[0] = weight[:keep], bias  # inputs that are zero
    nets.append((np.zeros_like(nets[-1][0]), log_std))
    names = [f"fc{k}" for k in range(len(nets) - 2)] + ["last_fc", "last_fc_log_std"]
    pathlib.Path(args.out).parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(args.out, "w") as file:
        for name, (weight, bias) in zip(names, nets):
            file[f"metadata/policy/{name}/weight"] = weight.T.astype(np.float32)
            file[f"metadata/policy/{name}/bias"] = bias.astype(np.float32)
        file["metadata/policy/nonlinearity"] = "tanh"
        file["metadata/policy/output_distribution"] = "gaussian"
        file["metadata/algorithm"] = "TRPO"
        file["metadata/iteration"] = args.iteration


if __name__ == "__main__":
    main()
