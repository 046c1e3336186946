"""What the known answers for src/policy/<agent>.c share: a small problem, networks, noise, and the record of a run.

Sizes are tiny, step sizes larger than the papers' and all different, so that a mix-up shows. A gradient is always that
of one loss for one part (torch.autograd.grad), so what else the loss depends on is constant without a word.
"""

import re

import numpy as np
import torch
from golden import FOLDER, Golden, normals, single

torch.set_default_dtype(torch.float64)

S, A, LAYERS, UPDATES, SEED = 3, 2, 2, 3, 11
SHARDS = [1, 2, 2, 2]  # rows of each of four shards: their gradients must add up to that of the batch
ROWS = sum(SHARDS)
SOURCE = FOLDER.parents[1] / "src"


def enum(path, prefix):
    """Names of a C enum in their order."""
    return re.findall(rf"^\s+({prefix}_\w+)", (SOURCE / path).read_text(), re.MULTILINE)


PURPOSES = enum("base/rng.h", "RNG")
STATS = [name for name in enum("policy/agent.h", "STAT") if name != "STAT_COUNT"]


def dense(rng, *sizes):
    """Weights and biases in turn; weights are inputs x outputs."""
    layers = []
    for rows, cols in zip(sizes[:-1], sizes[1:]):
        layers += [single(rng.normal(size=(rows, cols)) / np.sqrt(rows)), single(0.2 * rng.normal(size=cols))]
    return layers


def twins(rng, hidden):
    """Critics q0, q1 and their targets, which start elsewhere."""
    return {name: dense(rng, S + A, hidden, hidden, 1) for name in ("q0", "q1", "t0", "t1")}


def forward(layers, x):
    for k in range(0, len(layers), 2):
        x = x @ layers[k] + layers[k + 1]
        if k + 2 < len(layers):
            x = torch.relu(x)
    return x


def value(critic, s, a):
    """Q (rows, n) of actions (rows, n, A)."""
    beside = s[:, None, :].expand(-1, a.shape[1], -1)
    return forward(critic, torch.cat([beside, a], dim=2))[:, :, 0]


def hard(low, high):
    return lambda raw: torch.clamp(raw, low, high)


def smooth(low, high):
    return lambda raw: low + (high - low) * (torch.tanh(raw) + 1) / 2


def gaussian(policy, s, spread):
    """Mean and log deviation (rows, 1, A); spread makes the latter of the network's raw output."""
    head = forward(policy, s)[:, None, :]
    return head[..., :A], spread(head[..., A:])


def draw(mean, log_std, eps):
    """Samples u and a = tanh(u) (rows, n, A), log density of a (rows, n)."""
    u = mean + torch.exp(log_std) * eps
    a = torch.tanh(u)
    slope = torch.distributions.transforms.TanhTransform().log_abs_det_jacobian(u, a)
    return u, a, (torch.distributions.Normal(mean, torch.exp(log_std)).log_prob(u) - slope).sum(dim=2)


def density(mean, log_std, a):
    """Log density (rows, n) of given actions."""
    return (
        torch.distributions.Normal(mean, torch.exp(log_std)).log_prob(torch.atanh(a)) - torch.log1p(-a * a)
    ).sum(dim=2)


def inside(a, margin):
    most = float(np.float32(1) - np.float32(margin))
    return torch.clamp(a, -most, most)


def mmd(x, y, kernel, sigma, root):
    """Per state between x (rows, n, A) and y (rows, m, A): the biased estimate, self terms included."""

    def mean_kernel(p, q):
        apart = p[:, :, None, :] - q[:, None, :, :]
        size = {"laplacian": apart.abs().sum(dim=3), "gaussian": (apart * apart).sum(dim=3)}[kernel]
        return torch.exp(-size / (2 * sigma)).mean(dim=(1, 2))

    square = mean_kernel(x, x) + mean_kernel(y, y) - 2 * mean_kernel(x, y)
    return torch.sqrt(square + 1e-6) if root else square


def fill(purpose, update, *shapes):
    """Noise of one stage: one fill from each shard's stream, cut into a (rows, *shape) for each of the shapes."""
    parts = [[] for _ in shapes]
    for shard, rows in enumerate(SHARDS):
        sizes = [rows * int(np.prod(shape)) for shape in shapes]
        eps = normals(SEED, PURPOSES.index(purpose), update, shard, sum(sizes))
        for part, flat, shape in zip(parts, np.split(eps, np.cumsum(sizes)[:-1]), shapes):
            part.append(flat.reshape(rows, *shape))
    return [single(np.concatenate(part)) for part in parts]


def draw_batches(rng, edges):
    """(updates, rows, record), 3 in 10 rows terminal; edges: some actions at and near the bounds."""
    batches = rng.normal(size=(UPDATES, ROWS, 2 * S + A + 2))
    batches[:, :, S : S + A] = np.tanh(batches[:, :, S : S + A])
    batches[:, :, -1] = rng.random(size=(UPDATES, ROWS)) < 0.7
    if edges:
        batches[:, 0, S], batches[:, 1, S + 1], batches[:, 2, S] = 1, -1, 0.9995
    return single(batches)


class Batch:
    def __init__(self, rows):
        self.s, a, r, self.s2, cont = torch.split(rows, [S, A, 1, S, 1], dim=1)
        self.a, self.r, self.cont = a[:, None, :], r, cont  # r and cont (rows, 1), as values are


class Run:
    """A run's parts (networks as lists of tensors, numbers as lists of one), its Adams and its record."""

    def __init__(self, name, about, parts, batches, rates, **settings):
        self.golden, self.parts, self.batches, self.rates = Golden(name, about), parts, batches, rates
        g = self.golden
        g.put("sizes", [S, A, LAYERS, UPDATES])
        g.put("shards", SHARDS)
        g.put("seed", SEED)
        g.put("batches", batches)
        for key, number in {**{f"{part}_lr": rate for part, rate in rates.items()}, **settings}.items():
            g.put(f"set.{key}", number)
        self.each("start", parts)
        self.start = {part: [w.clone() for w in tensors] for part, tensors in parts.items()}
        for tensors in parts.values():
            for w in tensors:
                w.requires_grad_()
        self.adam, self.table, self.first, self.counts = {}, [], {}, {}

    def each(self, prefix, parts):
        for part, tensors in parts.items():
            for k, w in enumerate(tensors):
                name = f"{prefix}.{part}" if len(tensors) == 1 else f"{prefix}.{part}.{'wb'[k % 2]}{k // 2}"
                self.golden.put(name, w)

    def gradient(self, part, loss):
        return torch.autograd.grad(loss, self.parts[part], retain_graph=True)

    def move(self, part, gradient, rate):
        """One Adam step; the first gradient of each part goes on record."""
        self.first.setdefault(part, gradient)
        tensors = self.parts[part]
        if part not in self.adam:
            self.adam[part] = torch.optim.Adam(tensors, lr=float(np.float32(self.rates[rate])), eps=1e-8)
        for w, slope in zip(tensors, gradient):
            w.grad = slope
        self.adam[part].step()

    def descend(self, losses):
        """Gradients of {part: (loss, rate)} at the same weights, then all steps."""
        steps = [(part, self.gradient(part, loss), rate) for part, (loss, rate) in losses.items()]
        for step in steps:
            self.move(*step)

    def follow(self, tau):
        with torch.no_grad():
            for k in "01":
                for w, t in zip(self.parts[f"q{k}"], self.parts[f"t{k}"]):
                    t.add_(tau * (w - t))

    def count(self, **counts):
        """How often a branch was taken, to be printed: both sides should be."""
        for name, taken in counts.items():
            old = self.counts.setdefault(name, [0, 0])
            self.counts[name] = [old[0] + int(taken.sum()), old[1] + taken.numel()]

    def note(self, **stats):
        values = {f"STAT_{key.upper()}": float(number) for key, number in stats.items()}
        assert set(values) <= set(STATS)
        self.table.append([values.get(name, 0.0) for name in STATS])

    def save(self):
        moved = {
            part: [w - first for w, first in zip(tensors, self.start[part])] for part, tensors in self.parts.items()
        }
        self.golden.put("stats", self.table)
        self.each("grad", self.first)
        self.each("moved", {part: d for part, d in moved.items() if any(w.any() for w in d)})
        self.golden.save()
        print("  ", {name: f"{taken}/{of}" for name, (taken, of) in self.counts.items()})
        for row in self.table:
            print("  ", " ".join(f"{name[5:].lower()} {x:.5g}" for name, x in zip(STATS, row) if x != 0))
