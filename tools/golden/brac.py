#!/usr/bin/env python3
"""Known answers for src/policy/brac.c: the clone's training, and updates with a penalty on the policy or on the value.

Wu et al. 2019 as in rail-berkeley/d4rl_evaluations. An update: the critics; the actor against the critics just moved;
the targets. (In the released code the move of the targets opens the next update, with the same numbers.) The clone has
its own updates before, each the clone's step and then that of its entropy temperature.
"""

import numpy as np
import torch
from agents import (
    S, A, UPDATES, Batch, Run, dense, density, draw, draw_batches, fill, gaussian, inside, mmd, smooth, twins, value,
)
from golden import single

ACTOR_HIDDEN, CRITIC_HIDDEN = 7, 9
RATES = {"brac.actor": 1e-2, "brac.critic": 2e-2, "brac.clone": 1.5e-2}
GAMMA, TAU, SCALE, LOW, HIGH = 0.9, 0.1, 2.0, -5.0, 0.0
SPREAD = smooth(LOW, HIGH)


class TemperatureRelu(torch.autograd.Function):
    """max(x, 0). A slope that would push x down counts only where x > 0; one that pushes it up always."""

    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return torch.relu(x)

    @staticmethod
    def backward(context, slope):
        (x,) = context.saved_tensors
        return torch.where((slope > 0) & (x <= 0), torch.zeros_like(slope), slope)


def policy(rng, spread):
    """spread: about the mean of log std; the means reach to where actions are clipped."""
    layers = dense(rng, S, ACTOR_HIDDEN, ACTOR_HIDDEN, 2 * A)
    layers[-2] *= single([0.6] * A + [0.3] * A)
    layers[-1] += single([0.8, -0.8] + [np.arctanh((spread - LOW) * 2 / (HIGH - LOW) - 1)] * A)
    return layers


def clone_updates(name, about, temperature, spread, seed):
    rng = np.random.default_rng(seed)
    margin = 0.01
    parts = {"side0": policy(rng, spread), "side1": [single([temperature])]}
    batches = draw_batches(rng, edges=True)
    run = Run(
        name, about, parts, batches, {"brac.clone": RATES["brac.clone"]},
        **{"brac.actor_hidden": ACTOR_HIDDEN, "brac.critic_hidden": CRITIC_HIDDEN, "brac.action_margin": margin},
    )
    raw = parts["side1"][0]
    for update in range(UPDATES):
        batch = Batch(batches[update])
        (eps,) = fill("RNG_CLONE_NOISE", update, (1, A))
        head = gaussian(parts["side0"], batch.s, SPREAD)
        _, _, sampled = draw(*head, eps)
        behavior = -density(*head, inside(batch.a, margin)).mean()
        run.note(behavior=behavior, entropy=-sampled.mean())
        run.count(action_clipped=batch.a.abs() > 1 - margin)
        run.descend({"side0": (torch.relu(raw) * sampled.mean() + behavior, "brac.clone")})

        (eps,) = fill("RNG_CLONE_TEMPERATURE", update, (1, A))
        _, _, sampled = draw(*gaussian(parts["side0"], batch.s, SPREAD), eps)
        slack = -sampled.mean() + A  # over the goal of -A
        print(f"   temperature {raw.item():.4g}, entropy over the goal {slack.item():.4g}")
        run.descend({"side1": (TemperatureRelu.apply(raw)[0] * slack, "brac.clone")})
    run.save()


def divergence(run, actor, clone, s, margin, sigma, noise):
    """D (rows, 1): KL from one set of noise, MMD^2 from two."""
    mean, log_std = gaussian(actor, s, SPREAD)
    _, a, logp = draw(mean, log_std, noise[0])
    other = gaussian(clone, s, SPREAD)
    if len(noise) == 1:
        run.count(sample_clipped=a.abs() > 1 - margin)
        return (logp - density(*other, inside(a, margin))).mean(dim=1, keepdim=True)
    return mmd(a, draw(*other, noise[1])[1], "laplacian", sigma, root=False)[:, None]


def critic_loss(run, batch, penalty, alpha, eps):
    nets = run.parts
    _, a2, _ = draw(*gaussian(nets["actor"], batch.s2, SPREAD), eps)
    targets = [value(nets[t], batch.s2, a2) for t in ("t0", "t1")]
    y = (SCALE * batch.r + GAMMA * batch.cont * (torch.minimum(*targets) - alpha * penalty)).detach()
    q = [value(nets[k], batch.s, batch.a) for k in ("q0", "q1")]
    run.count(terminal=batch.cont == 0, first_target_least=targets[0] < targets[1])
    return sum(((v - y) ** 2).mean() for v in q), (q[0] + q[1]).mean() / 2


def three_updates(name, about, kernel, value_penalty, warm_updates, alpha, samples, margin=0.06, sigma=0.8):
    rng = np.random.default_rng(8)
    parts = {"actor": policy(rng, -0.7), **twins(rng, CRITIC_HIDDEN), "side0": policy(rng, -0.9)}
    batches = draw_batches(rng, edges=True)
    use_mmd = kernel == "mmd"
    run = Run(
        name, about, parts, batches, RATES, gamma=GAMMA, tau=TAU, reward_scale=SCALE,
        **{
            "brac.actor_hidden": ACTOR_HIDDEN, "brac.critic_hidden": CRITIC_HIDDEN, "brac.warm_updates": warm_updates,
            "brac.mmd": use_mmd, "brac.value_penalty": value_penalty, "brac.alpha": alpha, "brac.sigma": sigma,
            "brac.action_margin": margin, "brac.samples": samples,
        },
    )
    sets = [(samples, A)] * (2 if use_mmd else 1)
    for update in range(UPDATES):
        batch = Batch(batches[update])
        eps, *noise = fill("RNG_CRITIC_NOISE", update, (1, A), *(sets if value_penalty else []))
        penalty = torch.zeros(1)
        if value_penalty:
            penalty = divergence(run, parts["actor"], parts["side0"], batch.s2, margin, sigma, noise)
        critic, q = critic_loss(run, batch, penalty, alpha, eps)
        run.descend({"q0": (critic, "brac.critic"), "q1": (critic, "brac.critic")})

        eps, *noise = fill("RNG_ACTOR_NOISE", update, (1, A), *sets)
        mean, log_std = gaussian(parts["actor"], batch.s, SPREAD)
        _, a, logp = draw(mean, log_std, eps)
        q_now = [value(parts[k], batch.s, a) for k in ("q0", "q1")]
        apart = divergence(run, parts["actor"], parts["side0"], batch.s, margin, sigma, noise)
        cold = 1.0 if update >= warm_updates else 0.0
        actor = (alpha * apart - cold * torch.minimum(*q_now)).mean()
        run.count(first_least=q_now[0] < q_now[1])
        run.note(critic_loss=critic / 2, actor_loss=actor, q=q, entropy=-logp.mean(), divergence=apart.mean())
        run.descend({"actor": (actor, "brac.actor")})
        run.follow(TAU)
    run.save()


if __name__ == "__main__":
    clone_updates("brac_clone", "three updates of BRAC's clone, entropy temperature at work", 1.0, -0.8, 21)
    clone_updates("brac_clone_cold", "three updates of BRAC's clone, its temperature below 0", -0.4, -2.3, 33)
    three_updates("brac_kl", "three BRAC-p updates, KL, two of them warm", "kl", False, 2, 0.7, 4)
    three_updates("brac_kl_value", "three BRAC-v updates, KL", "kl", True, 0, 0.3, 3)
    three_updates("brac_mmd_value", "three BRAC-v updates, MMD, the first one warm", "mmd", True, 1, 1.5, 4)
