#!/usr/bin/env python3
"""Known answers for src/policy/sac.c: losses and gradients of one update, state after three, in both orders.

Haarnoja et al. 2018b (arXiv 1812.05905) with the released MOPO code's conventions: twin critics with loss 1/2
mean (Q - y)^2, loss -log alpha mean(log pi + H) for the temperature, hard clip of log std. Simultaneous: all gradients
at the old weights, then all Adam steps, then the targets. Sequential, as in OfflineRL-Kit: critics, then actor and
temperature against the moved critics, alpha that of the update's begin and limited after it.
"""

import numpy as np
import torch
from agents import ROWS, S, A, UPDATES, Batch, Run, draw, draw_batches, dense, fill, gaussian, hard, twins, value
from golden import single

HIDDEN = 7
RATES = {"actor": 1e-2, "critic": 2e-2, "alpha": 3e-2}
GAMMA, TAU, SCALE, ALPHA, LOW, HIGH = 0.9, 0.1, 2.0, 0.6, -0.4, 0.4


def critic_loss(run, batch, alpha, eps):
    nets = run.parts
    _, a2, logp = draw(*gaussian(nets["actor"], batch.s2, hard(LOW, HIGH)), eps)
    targets = [value(nets[t], batch.s2, a2) for t in ("t0", "t1")]
    y = (SCALE * batch.r + GAMMA * batch.cont * (torch.minimum(*targets) - alpha * logp)).detach()
    q = [value(nets[k], batch.s, batch.a) for k in ("q0", "q1")]
    run.count(terminal=batch.cont == 0, first_target_least=targets[0] < targets[1])
    return sum(0.5 * ((v - y) ** 2).mean() for v in q), (q[0] + q[1]).mean() / 2


def actor_loss(run, batch, alpha, eps):
    nets = run.parts
    mean, log_std = gaussian(nets["actor"], batch.s, hard(LOW, HIGH))
    _, a, logp = draw(mean, log_std, eps)
    q = [value(nets[k], batch.s, a) for k in ("q0", "q1")]
    run.count(low=log_std == LOW, high=log_std == HIGH, first_least=q[0] < q[1])
    return (alpha * logp - torch.minimum(*q)).mean(), logp.detach()


def three_updates(name, about, sequential, entropy, alpha_max):
    rng = np.random.default_rng(3)
    parts = {"actor": dense(rng, S, HIDDEN, HIDDEN, 2 * A), **twins(rng, HIDDEN), "alpha": [single([np.log(ALPHA)])]}
    batches = draw_batches(rng, edges=False)
    run = Run(
        name, about, parts, batches, RATES, hidden=HIDDEN, gamma=GAMMA, tau=TAU, reward_scale=SCALE, alpha=ALPHA,
        log_std_min=LOW, log_std_max=HIGH, target_entropy=entropy, sequential=sequential, alpha_max=alpha_max,
    )
    log_alpha = parts["alpha"][0]
    for update in range(UPDATES):
        batch = Batch(batches[update])
        alpha = log_alpha.exp().detach()
        if alpha_max > 0:  # what the losses see; log alpha goes on freely
            run.count(alpha_limited=alpha > alpha_max)
            alpha = alpha.clamp(max=alpha_max)
        if sequential:
            (eps2,) = fill("RNG_CRITIC_NOISE", update, (1, A))
            (eps,) = fill("RNG_ACTOR_NOISE", update, (1, A))
        else:
            eps, eps2 = fill("RNG_UPDATE_NOISE", update, (1, A), (1, A))
            run.golden.put(f"eps{update}", torch.stack([eps, eps2]))
        critic, q = critic_loss(run, batch, alpha, eps2)
        critics = {"q0": (critic, "critic"), "q1": (critic, "critic")}
        if sequential:
            run.descend(critics)
            critics = {}
        actor, logp = actor_loss(run, batch, alpha, eps)
        temperature = -(log_alpha * (logp + entropy)).mean()
        run.note(critic_loss=critic / 2, actor_loss=actor, alpha_loss=temperature, q=q, entropy=-logp.mean())
        run.descend({**critics, "actor": (actor, "actor"), "alpha": (temperature, "alpha")})
        run.follow(TAU)
    assert len(logp) == ROWS
    run.save()


if __name__ == "__main__":
    three_updates("sac", "three simultaneous SAC updates on a batch of four shards", False, -1.5, 0)
    three_updates("sac_sequential", "three sequential SAC updates with a limit on alpha", True, 1.5, 0.61)
