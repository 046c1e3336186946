#!/usr/bin/env python3
"""Known answers for src/policy/sac.c: losses and gradients of one update, state after three.

Haarnoja et al. 2018b (arXiv 1812.05905) with the released MOPO code's conventions: twin critics with loss 1/2
mean (Q - y)^2, loss -log alpha mean(log pi + H) for the temperature, hard clip of log std, and simultaneous
updates: all gradients at the old weights, then all Adam steps, then the targets.
The step sizes and tau are larger than the paper's and all different, so that a mix-up shows.
"""

import numpy as np
import torch
from golden import Golden, normals, single

torch.set_default_dtype(torch.float64)

S, A, HIDDEN, LAYERS = 3, 2, 7, 2
SHARDS = [1, 2, 2, 2]  # rows of each of four shards: their gradients must add up to that of the batch
UPDATES, SEED, PURPOSE = 3, 11, 9  # RNG_UPDATE_NOISE
RATES = {"actor": 1e-2, "critic": 2e-2, "alpha": 3e-2}
GAMMA, TAU, SCALE, ENTROPY, ALPHA, LOW, HIGH = 0.9, 0.1, 2.0, -1.5, 0.6, -1.0, 0.4


def dense(rng, sizes):
    layers = []
    for rows, cols in zip(sizes[:-1], sizes[1:]):
        layers += [single(rng.normal(size=(rows, cols)) / np.sqrt(rows)), single(0.2 * rng.normal(size=cols))]
    return layers


def forward(layers, x):
    for k in range(0, len(layers), 2):
        x = x @ layers[k] + layers[k + 1]
        if k + 2 < len(layers):
            x = torch.relu(x)
    return x


def sample(actor, s, eps):
    head = forward(actor, s)
    std = torch.exp(torch.clamp(head[:, A:], LOW, HIGH))
    u = head[:, :A] + std * eps
    a = torch.tanh(u)
    tanh = torch.distributions.transforms.TanhTransform()
    logp = torch.distributions.Normal(head[:, :A], std).log_prob(u) - tanh.log_abs_det_jacobian(u, a)
    return a, logp.sum(dim=1), head


def value(critic, s, a):
    return forward(critic, torch.cat([s, a], dim=1))[:, 0]


def noise(update):
    """Each shard has its own stream; the first half of its noise is for s, the second for s'."""
    now, then = [], []
    for shard, rows in enumerate(SHARDS):
        eps = normals(SEED, PURPOSE, update, shard, 2 * rows * A).reshape(2 * rows, A)
        now.append(eps[:rows])
        then.append(eps[rows:])
    return single(np.concatenate(now)), single(np.concatenate(then))


def losses_of(nets, log_alpha, batch, update):
    s, a, r, s2, cont = torch.split(batch, [S, A, 1, S, 1], dim=1)
    r, cont = r[:, 0], cont[:, 0]
    eps, eps2 = noise(update)
    alpha = log_alpha.exp().detach()
    with torch.no_grad():
        a2, logp2, _ = sample(nets["actor"], s2, eps2)
        least = torch.minimum(value(nets["t0"], s2, a2), value(nets["t1"], s2, a2))
        y = SCALE * r + GAMMA * cont * (least - alpha * logp2)
    q = [value(nets[k], s, a) for k in ("q0", "q1")]
    critic = sum(0.5 * ((v - y) ** 2).mean() for v in q)
    new, logp, head = sample(nets["actor"], s, eps)
    frozen = [[w.detach() for w in nets[k]] for k in ("q0", "q1")]
    actor = (alpha * logp - torch.minimum(*(value(f, s, new) for f in frozen))).mean()
    temperature = -(log_alpha * (logp.detach() + ENTROPY)).mean()
    clipped = ((head[:, A:] < LOW) | (head[:, A:] > HIGH)).sum()
    return critic, actor, temperature, {
        "q": (q[0].mean() + q[1].mean()) / 2, "entropy": -logp.mean(), "clipped": clipped
    }


def names(layers):
    return [f"{'wb'[k % 2]}{k // 2}" for k in range(len(layers))]


def main():
    g = Golden("sac", "three simultaneous SAC updates on a batch of four shards")
    rng = np.random.default_rng(3)
    rows = sum(SHARDS)
    hidden = [HIDDEN] * LAYERS
    nets = {
        "actor": dense(rng, [S] + hidden + [2 * A]),
        "q0": dense(rng, [S + A] + hidden + [1]),
        "q1": dense(rng, [S + A] + hidden + [1]),
        "t0": dense(rng, [S + A] + hidden + [1]),
        "t1": dense(rng, [S + A] + hidden + [1]),
    }
    log_alpha = single([np.log(ALPHA)])
    batches = rng.normal(size=(UPDATES, rows, 2 * S + A + 2))
    batches[:, :, S : S + A] = np.tanh(batches[:, :, S : S + A])
    batches[:, :, -1] = rng.random(size=(UPDATES, rows)) < 0.7
    batches = single(batches)

    g.put("sizes", [S, A, HIDDEN, LAYERS, UPDATES])
    g.put("shards", SHARDS)
    g.put("rates", [RATES["actor"], RATES["critic"], RATES["alpha"]])
    g.put("settings", [GAMMA, TAU, SCALE, ENTROPY, ALPHA, LOW, HIGH])
    g.put("seed", SEED)
    g.put("batches", batches)
    for update in range(UPDATES):
        eps, eps2 = noise(update)
        g.put(f"eps{update}", torch.stack([eps, eps2]))
    start = {}
    for net, layers in nets.items():
        for name, w in zip(names(layers), layers):
            g.put(f"start.{net}.{name}", w)
        start[net] = [w.clone() for w in layers]
    trained = {
        "actor": nets["actor"], "critic": nets["q0"] + nets["q1"], "alpha": [log_alpha]
    }
    for part in trained.values():
        for w in part:
            w.requires_grad_()
    optimizers = [torch.optim.Adam(part, lr=RATES[name], eps=1e-8) for name, part in trained.items()]
    table = []
    for update in range(UPDATES):
        for optimizer in optimizers:
            optimizer.zero_grad()
        critic, actor, temperature, more = losses_of(nets, log_alpha, batches[update], update)
        (critic + actor + temperature).backward()  # each part sees only its own loss: see the detached ones
        table.append([v.item() for v in (critic / 2, actor, temperature, more["q"], more["entropy"])])
        print(table[-1], "clipped", int(more["clipped"]), "terminal", int((batches[update][:, -1] == 0).sum()))
        if update == 0:
            for net in ("actor", "q0", "q1"):
                for name, w in zip(names(nets[net]), nets[net]):
                    g.put(f"grad.{net}.{name}", w.grad)
            g.put("grad.log_alpha", log_alpha.grad)
        for optimizer in optimizers:
            optimizer.step()
        with torch.no_grad():
            for net, target in (("q0", "t0"), ("q1", "t1")):
                for w, t in zip(nets[net], nets[target]):
                    t.mul_(1 - TAU).add_(TAU * w)
    g.put("stats", table)
    for net, layers in nets.items():
        for name, w, first in zip(names(layers), layers, start[net]):
            g.put(f"moved.{net}.{name}", w - first)
    g.put("log_alpha", log_alpha)
    g.save()


if __name__ == "__main__":
    main()
