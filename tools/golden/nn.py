#!/usr/bin/env python3
"""Known answers for the parts of src/nn: gauss, squash, spectral, adam."""

import numpy as np
import torch
from golden import Golden, single

torch.set_default_dtype(torch.float64)


def gauss(rng):
    """Soft bounds and loss of Chua et al. 2018, appendix A.1, gradients by autograd."""
    g = Golden("gauss", "Gaussian head with soft log-variance bounds: loss, gradients, deviations")
    rows, Y = 9, 3
    out = single(rng.normal(size=(rows, 2 * Y)) * np.r_[np.ones(Y), 5 * np.ones(Y)])
    out[0, Y:] = single([0.0, 30.0, -60.0])  # the anchors: between, far above, far below
    bounds = single([0.5, 0.5, 0.5, -10, -10, -10])
    bounds[1], bounds[Y + 2] = single(0.7), single(-4.2)
    y = single(rng.normal(size=(rows, Y)))
    out.requires_grad_()
    bounds.requires_grad_()
    mean, raw = out[:, :Y], out[:, Y:]
    softplus = torch.nn.functional.softplus
    upper = bounds[:Y] - softplus(bounds[:Y] - raw)
    logvar = bounds[Y:] + softplus(upper - bounds[Y:])
    loss = ((mean - y) ** 2 * torch.exp(-logvar)).mean() + logvar.mean()
    loss.backward()
    for name, value in (
        ("out", out), ("bounds", bounds), ("y", y), ("logvar", logvar), ("std", torch.exp(logvar).sqrt()),
        ("loss", loss), ("dout", out.grad), ("dbounds", bounds.grad),
    ):
        g.put(name, value)
    g.save()


def squash(rng):
    """Log density and its gradient from torch.distributions; the cached u keeps it exact far out."""
    g = Golden("squash", "tanh-Gaussian head by torch.distributions.TransformedDistribution")
    rows, A, low, high, weight = 12, 3, -5.0, 2.0, 0.7
    head = single(rng.normal(size=(rows, 2 * A)) * np.r_[2 * np.ones(A), np.ones(A)])
    head[0, A:] = single([-7.0, 2.5, 1.9])  # below and above the clip
    head[1, :A] = single([10.0, -10.0, 0.0])  # far out, where 1 - a^2 has no digits left in float32
    head[1, A:] = single([-4.0, -4.0, 0.0])
    eps = single(rng.normal(size=(rows, A)))
    eps[1, 2] = 0.0
    dq = single(rng.normal(size=(rows, A)))
    head.requires_grad_()
    std = torch.exp(torch.clamp(head[:, A:], low, high))
    normal = torch.distributions.Normal(head[:, :A], std)
    tanh = torch.distributions.transforms.TanhTransform(cache_size=1)
    policy = torch.distributions.TransformedDistribution(torch.distributions.Independent(normal, 1), [tanh])
    action = tanh(head[:, :A] + std * eps)
    logp = policy.log_prob(action)
    (weight * logp.sum() - (dq * action).sum()).backward()
    for name, value in (
        ("clip", [low, high]), ("weight", weight), ("head", head), ("eps", eps), ("dq", dq),
        ("action", action), ("logp", logp), ("dhead", head.grad),
    ):
        g.put(name, value)
    g.save()


def draws(rng):
    """Several samples of a head, and densities of given actions, for the three ways to make log std and action.

    torch.distributions again; the density of a given action is that of atanh(a), less log(1 - a^2). "one" is the first
    sample by itself, with the loss weight logp - dq a.
    """
    g = Golden("squash_draws", "several samples of a policy head and densities of given actions")
    rows, n, A, weight = 6, 4, 3, 0.7
    head = single(rng.normal(size=(rows, 2 * A)) * np.r_[1.5 * np.ones(A), np.ones(A)])
    head[0, A:] = single([-7.0, 2.5, 1.9])  # below and above the clip
    head[1, :A] = single([8.0, -8.0, 0.0])  # far out
    head[2, A:] = single([20.0, -20.0, 0.0])  # where tanh is flat
    head[1, A:] = single([-1.0, -1.0, 0.0])
    eps = single(rng.normal(size=(rows, n, A)))
    given = single(np.tanh(rng.normal(size=(rows, n, A))))
    given[0, 0] = single([0.999, -0.999, 0.0])
    given[3, 1] = single([1e-4, -1e-4, 0.99999])
    dlogp, da, du, dq = (single(rng.normal(size=shape)) for shape in ((rows, n), eps.shape, eps.shape, (rows, A)))
    for name, value in (
        ("sizes", [rows, n, A]), ("weight", weight), ("head", head), ("eps", eps), ("given", given), ("dlogp", dlogp),
        ("da", da), ("du", du), ("dq", dq),
    ):
        g.put(name, value)
    for name, low, high in (("clip", -5.0, 2.0), ("smooth", -5.0, 0.0), ("linear", -5.0, 2.0)):
        moving, given_moving = head.clone().requires_grad_(), given.clone().requires_grad_()
        mean, raw = moving[:, None, :A], moving[:, None, A:]
        if name == "smooth":
            log_std = low + (high - low) * (torch.tanh(raw) + 1) / 2
        else:
            log_std = torch.clamp(raw, low, high)
        normal = torch.distributions.Normal(mean, torch.exp(log_std))
        u = mean + torch.exp(log_std) * eps
        if name == "linear":
            a, logp, asked = u, normal.log_prob(u).sum(dim=2), normal.log_prob(given_moving).sum(dim=2)
        else:
            a = torch.tanh(u)
            slope = torch.distributions.transforms.TanhTransform().log_abs_det_jacobian(u, a)
            logp = (normal.log_prob(u) - slope).sum(dim=2)
            asked = normal.log_prob(torch.atanh(given_moving)) - torch.log1p(-given_moving * given_moving)
            asked = asked.sum(dim=2)

        def slopes(loss, *of):
            return torch.autograd.grad(loss, of, retain_graph=True)

        (dhead,) = slopes((dlogp * logp).sum() + (da * a).sum() + (du * u).sum(), moving)
        (dhead_logp,) = slopes((dlogp * logp).sum(), moving)
        (dhead_a,) = slopes((da * a).sum(), moving)
        (dhead_u,) = slopes((du * u).sum(), moving)
        (dhead_one,) = slopes((weight * logp[:, 0]).sum() - (dq * a[:, 0]).sum(), moving)
        ddensity, dgiven = slopes((dlogp * asked).sum(), moving, given_moving)
        for record, value in (
            ("range", [low, high]), ("u", u), ("a", a), ("logp", logp), ("dhead", dhead), ("dhead_logp", dhead_logp),
            ("dhead_a", dhead_a), ("dhead_u", dhead_u), ("one.dhead", dhead_one), ("density", asked),
            ("density.dhead", ddensity), ("density.da", dgiven),
        ):
            g.put(f"{name}.{record}", value)
    g.save()


def spectral(rng):
    """Largest singular value by linalg, and one step of torch's own parametrization with its gradient.

    torch keeps (out, in) and starts an iteration from v; our W is (in, out) and starts from u. Giving torch our W
    as it stands swaps the names: its v is our u.
    """
    g = Golden("spectral", "spectral norm by torch.linalg and torch.nn.utils.parametrizations.spectral_norm")
    rows, cols = 7, 5
    W = single(rng.normal(size=(rows, cols)))
    u = single(rng.normal(size=cols))
    u = single(u / u.norm())
    G = single(rng.normal(size=(rows, cols)))
    layer = torch.nn.Linear(cols, rows, bias=False)
    with torch.no_grad():
        layer.weight.copy_(W)
    torch.nn.utils.parametrizations.spectral_norm(layer, n_power_iterations=1)
    state = layer.parametrizations.weight[0]
    state._v.copy_(u)
    layer.train()
    scaled = layer.weight  # one iteration
    (G * scaled).sum().backward()
    sigma = state._u @ W @ state._v
    for name, value in (
        ("W", W), ("u", u), ("G", G), ("sigma_svd", torch.linalg.svdvals(W)[0]), ("sigma_1", sigma),
        ("u_1", state._v), ("v_1", state._u), ("scaled", scaled), ("dW", layer.parametrizations.weight.original.grad),
    ):
        g.put(name, value)
    g.save()


def adam(rng):
    """Five steps of torch.optim.Adam on a vector of ordinary, tiny and zero gradients."""
    g = Golden("adam", "torch.optim.Adam, betas 0.9 and 0.999, eps 1e-8")
    n, steps, lr = 37, 5, 1e-3
    p = single(0.01 * rng.normal(size=n))  # small, so that the steps keep their digits
    grads = single(rng.normal(size=(steps, n)) * 10.0 ** rng.integers(-9, 3, size=n))
    grads[:, 0] = 0.0
    grads[1:, 1] = 0.0
    g.put("lr", lr)
    g.put("p", p)
    g.put("grads", grads)
    p.requires_grad_()
    optimizer = torch.optim.Adam([p], lr=lr, betas=(0.9, 0.999), eps=1e-8)
    moved = []
    before = p.detach().clone()
    for step in range(steps):
        p.grad = grads[step]
        optimizer.step()
        moved.append(p.detach() - before)
    g.put("moved", torch.stack(moved))
    g.put("m", optimizer.state[p]["exp_avg"])
    g.put("v", optimizer.state[p]["exp_avg_sq"])
    g.save()


if __name__ == "__main__":
    for k, part in {0: gauss, 1: squash, 2: spectral, 3: adam, 5: draws}.items():
        part(np.random.default_rng(100 + k))
