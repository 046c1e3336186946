#!/usr/bin/env python3
"""Known answers for src/policy/bc.c: behavior cloning by likelihood and by squared error."""

import numpy as np
import torch
from agents import S, A, UPDATES, Batch, Run, dense, density, draw_batches, gaussian, inside, smooth

HIDDEN, MARGIN = 9, 1e-3


def three_updates(name, mse):
    rng = np.random.default_rng(13)
    parts = {"actor": dense(rng, S, HIDDEN, HIDDEN, 2 * A)}
    batches = draw_batches(rng, edges=True)
    run = Run(
        name, f"three steps of behavior cloning by {'squared error' if mse else 'likelihood'}", parts, batches,
        {"bc": 1e-2}, **{"bc.hidden": HIDDEN, "bc.mse": mse, "bc.action_margin": MARGIN},
    )
    for update in range(UPDATES):
        batch = Batch(batches[update])
        mean, log_std = gaussian(parts["actor"], batch.s, smooth(-5.0, 0.0))
        if mse:
            loss = ((torch.tanh(mean) - batch.a) ** 2).mean()
        else:
            loss = -density(mean, log_std, inside(batch.a, MARGIN)).mean()
        run.count(clipped=batch.a.abs() > 1 - MARGIN)
        run.note(actor_loss=loss)
        run.descend({"actor": (loss, "bc")})
    run.save()


if __name__ == "__main__":
    three_updates("bc_nll", False)
    three_updates("bc_mse", True)
