#!/usr/bin/env python3
"""Known answers for every row of src/model/penalty_table.h, by torch.distributions where there is one."""

import numpy as np
import torch
from golden import Golden, single
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal, kl_divergence

torch.set_default_dtype(torch.float64)


def inputs(rng, B, E, Y):
    """Members that agree more and more from row to row, around means of different sizes."""
    spread = np.geomspace(3, 1e-2, B)[:, None, None]
    mean = single(rng.normal(size=(B, 1, Y)) * np.geomspace(0.1, 30, Y) + spread * rng.normal(size=(B, E, Y)))
    std = single(rng.exponential(size=(B, E, Y)) * spread + 0.05)
    drawn = torch.tensor(rng.integers(E, size=B))
    own = torch.arange(B)
    sample = single(mean[own, drawn] + std[own, drawn] * rng.normal(size=(B, Y)))
    truth = single(mean[own, drawn, 1:] + spread[:, 0] * rng.normal(size=(B, Y - 1)))
    return mean, std, sample, drawn, truth


def leave_one_out(mean, std, drawn):
    """KL of the drawn member from the Gaussian with the moments of the others' mixture."""
    out = []
    for b, i in enumerate(drawn.tolist()):
        rest = [k for k in range(mean.shape[1]) if k != i]
        others = mixture(mean[b, rest], std[b, rest])
        own = Normal(mean[b, i], std[b, i])
        out.append(kl_divergence(own, Normal(others.mean, others.variance.sqrt())).sum())
    return torch.stack(out)


def mixture(mean, std):
    """The equally weighted mixture of the Gaussians along the first axis, output by output."""
    return MixtureSameFamily(Categorical(torch.ones(mean.shape[1], mean.shape[0])), Normal(mean.T, std.T))


def answers(mean, std, sample, drawn, truth):
    B, E, _ = mean.shape
    state = mean[:, :, 1:]
    gaps = torch.linalg.vector_norm(state - state.mean(dim=1, keepdim=True), dim=2)
    pairs = torch.stack([torch.pdist(rows).max() for rows in state])
    logp = Independent(Normal(mean, std), 1).log_prob(sample[:, None, :])
    own = state[torch.arange(B), drawn]
    return {
        "none": torch.zeros(B),
        "max_std": torch.linalg.vector_norm(std, dim=2).max(dim=1).values,
        "frobenius": torch.linalg.matrix_norm(torch.diag_embed(std**2)).max(dim=1).values,
        "mean_gap": gaps.max(dim=1).values,
        "pairwise": pairs,
        "ensemble_std": state.var(dim=1, unbiased=False).mean(dim=1).sqrt(),
        "mixture_std": torch.stack([mixture(mean[b], std[b]).variance.sum().sqrt() for b in range(B)]),
        "ll_var": logp.var(dim=1, unbiased=False),
        "loo_kl": leave_one_out(mean, std, drawn),
        "oracle": torch.linalg.vector_norm(own - truth, dim=1),
        "halt": pairs,
    }


if __name__ == "__main__":
    g = Golden("penalty", "every penalty; E members, outputs r and s'; drawn: the member that the sample is of")
    given = inputs(np.random.default_rng(104), B=8, E=7, Y=20)
    for name, value in zip(("mean", "std", "sample", "drawn", "truth"), given):
        g.put(name, value)
    for name, value in answers(*given).items():
        g.put(name, value)
    g.save()
