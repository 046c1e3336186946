#!/usr/bin/env python3
"""Known answers for src/model/ensemble.c: loss, gradient and three Adam steps of one member, by autograd.

Sources of the formulas: Chua et al. 2018, appendix A.1 (loss, bounds); Miyato et al. 2018, algorithm 1 (spectral
norm; u and v are constants of the gradient). Layers 0 .. L-1 and the mean columns of the head are normalized.
"""

import numpy as np
import torch
from golden import Golden, single

torch.set_default_dtype(torch.float64)

S, A, HIDDEN, LAYERS, ROWS, STEPS = 2, 1, 6, 3, 5, 3
D, Y = S + A, S + 1
LR = 0.01
REG = 0.01
DECAY = [2.5e-2, 5e-2, 7.5e-2, 1e-1]  # first, second, hidden, head: a thousand times the paper's, so that they show
FORMS = {"plain": None, "exact1": (1.0, False), "exact3": (3.0, False), "bound": (2.0, True)}


def normalized(W, u, c, bound):
    """One power iteration from u; returns the scaled matrix, the new u, and sigma."""
    with torch.no_grad():
        v = W @ u
        v = v / v.norm()
        u = W.T @ v
        u = u / u.norm()
    sigma = v @ W @ u
    factor = 1 / torch.clamp(sigma / c, min=1) if bound else c / sigma
    return factor * W, u, sigma.item()


def loss_of(p, u, form, x, y):
    """Loss of one member; moves the vectors in u. Also the sigmas."""
    h, sigmas = x, []
    for layer in range(LAYERS + 1):
        W = p[f"w{layer}"]
        if form is not None:
            path = W[:, :Y] if layer == LAYERS else W
            path, u[layer], sigma = normalized(path, u[layer], *form)
            W = torch.cat([path, W[:, Y:]], dim=1) if layer == LAYERS else path
            sigmas.append(sigma)
        h = h @ W + p[f"b{layer}"]
        if layer < LAYERS:
            h = h * torch.sigmoid(h)
    mean, raw = h[:, :Y], h[:, Y:]
    top, low = p["bounds"][:Y], p["bounds"][Y:]
    softplus = torch.nn.functional.softplus
    logvar = low + softplus(top - softplus(top - raw) - low)
    nll = ((mean - y) ** 2 * torch.exp(-logvar)).mean() + logvar.mean()
    decay = sum(d * 0.5 * (p[f"w{layer}"] ** 2).sum() for layer, d in enumerate(DECAY))
    return nll + decay + REG * (top.sum() - low.sum()), sigmas


def main():
    g = Golden("ensemble", "one member: loss, gradient, three Adam steps, with and without spectral norm")
    rng = np.random.default_rng(7)
    sizes = [D] + [HIDDEN] * LAYERS + [2 * Y]
    start = {}
    for layer in range(LAYERS + 1):
        rows, cols = sizes[layer], sizes[layer + 1]
        gain = (1.6, 0.7, 1.3, 0.5)[layer]  # some sigmas above 2, some below
        start[f"w{layer}"] = single(rng.normal(size=(rows, cols)) * gain / np.sqrt(rows) * 1.2)
        start[f"b{layer}"] = single(0.3 * rng.normal(size=cols))
    start["bounds"] = single(np.r_[0.5 * np.ones(Y), -3.0 * np.ones(Y)] + 0.1 * rng.normal(size=2 * Y))
    u0 = []
    for layer in range(LAYERS + 1):
        n = Y if layer == LAYERS else HIDDEN
        vector = rng.normal(size=n)
        u0.append(single(vector / np.linalg.norm(vector)))
    x = single(rng.normal(size=(STEPS, ROWS, D)))
    y = single(rng.normal(size=(STEPS, ROWS, Y)))

    g.put("sizes", [S, A, HIDDEN, LAYERS, ROWS, STEPS])
    g.put("lr", LR)
    g.put("reg", REG)
    g.put("decay", DECAY)
    for name, value in start.items():
        g.put(f"start.{name}", value)
    for layer, vector in enumerate(u0):
        g.put(f"start.u{layer}", vector)
    g.put("x", x)
    g.put("y", y)
    for kind, form in FORMS.items():
        p = {name: value.clone().requires_grad_() for name, value in start.items()}
        u = [vector.clone() for vector in u0]
        optimizer = torch.optim.Adam(p.values(), lr=LR)
        losses, sigmas = [], []
        for step in range(STEPS):
            optimizer.zero_grad()
            loss, sigma = loss_of(p, u, form, x[step], y[step])
            loss.backward()
            if step == 0:
                for name, value in p.items():
                    g.put(f"{kind}.grad.{name}", value.grad)
                sigmas = sigma
            losses.append(loss.item())
            optimizer.step()
        g.put(f"{kind}.losses", losses)
        if form is not None:
            g.put(f"{kind}.sigmas", sigmas)
        for name, value in p.items():
            g.put(f"{kind}.moved.{name}", value - start[name])
        for layer, vector in enumerate(u):
            g.put(f"{kind}.u{layer}", vector)
        print(kind, "sigmas", sigmas)
    g.save()


if __name__ == "__main__":
    main()
