#!/usr/bin/env python3
"""Known answers for src/policy/mmd.c: values by plain sums, gradients by autograd."""

import numpy as np
from agents import A, mmd
from golden import Golden, single

ROWS, N, M = 5, 4, 3


def main():
    g = Golden("mmd", "maximum mean discrepancy of two sets of actions for five states")
    rng = np.random.default_rng(41)
    x = single(rng.normal(size=(ROWS, N, A)))
    y = single(0.7 * rng.normal(size=(ROWS, M, A)) + 1)
    x[0, 0, 0] = x[0, 1, 0] = y[0, 2, 0] = 1  # ties, as actions at the bound make them: no slope there
    x[1, 3] = x[1, 2]
    y[2, 0] = x[2, 0]
    x[3] *= 10  # far apart
    x.requires_grad_()
    sigmas = {"laplacian": 0.9, "gaussian": 1.4}
    g.put("sizes", [ROWS, N, M, A])
    g.put("x", x)
    g.put("y", y)
    for kernel, sigma in sigmas.items():
        g.put(f"{kernel}.sigma", sigma)
        for root in (False, True):
            value = mmd(x, y, kernel, float(np.float32(sigma)), root)
            x.grad = None
            value.sum().backward()
            name = f"{kernel}.{'root' if root else 'square'}"
            g.put(f"{name}.value", value)
            g.put(f"{name}.dx", x.grad)
            print(name, value.detach().numpy())
    g.save()


if __name__ == "__main__":
    main()
