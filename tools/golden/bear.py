#!/usr/bin/env python3
"""Known answers for src/policy/bear.c: gradients of one update, state after three, with both kernels.

Kumar et al. 2019 as in rail-berkeley/d4rl_evaluations. An update: one step of the conditional VAE; then, with that VAE
and all else as it was, the gradients of critics, policy and multiplier; their steps; the targets.
"""

import numpy as np
import torch
from agents import (
    S, A, UPDATES, Batch, Run, dense, draw, draw_batches, fill, forward, gaussian, hard, mmd, twins, value,
)
from golden import single

HIDDEN, VAE_HIDDEN, L = 7, 8, 2 * A
RATES = {"bear.actor": 1e-2, "bear.critic": 2e-2, "bear.vae": 1.5e-2, "bear.multiplier": 3e-2}
GAMMA, TAU, SCALE, LOW, HIGH = 0.9, 0.1, 2.0, -0.4, 0.1
LATENT_LOW, LATENT_HIGH, LATENT_MOST = -4.0, 15.0, 0.5
MULTIPLIER = (-5.0, 10.0)


def reconstruction_loss(run, batch, eps):
    encoder, decoder = run.parts["side0"], run.parts["side1"]
    code = forward(encoder, torch.cat([batch.s, batch.a[:, 0]], dim=1))
    mean, raw = code[:, :L], code[:, L:]
    log_std = torch.clamp(raw, LATENT_LOW, LATENT_HIGH)
    std = torch.exp(log_std)
    again = torch.tanh(forward(decoder, torch.cat([batch.s, mean + std * eps[:, 0]], dim=1)))
    divergence = (-0.5 * (1 + 2 * log_std - mean**2 - std**2)).mean()
    run.count(latent_low=raw < LATENT_LOW)
    return ((again - batch.a[:, 0]) ** 2).mean() + 0.5 * divergence


def critic_loss(run, batch, min_weight, eps):
    nets = run.parts
    _, a2, _ = draw(*gaussian(nets["actor"], batch.s2, hard(LOW, HIGH)), eps)
    t0, t1 = (value(nets[t], batch.s2, a2) for t in ("t0", "t1"))
    mixed = min_weight * torch.minimum(t0, t1) + (1 - min_weight) * torch.maximum(t0, t1)
    best, which = mixed.max(dim=1, keepdim=True)
    y = (SCALE * batch.r + GAMMA * batch.cont * best).detach()
    q = [value(nets[k], batch.s, batch.a) for k in ("q0", "q1")]
    run.count(
        terminal=batch.cont == 0, first_target_least=t0 < t1, best_is_first=which == 0,
        best_is_last=which == eps.shape[1] - 1,
    )
    return sum(((v - y) ** 2).mean() for v in q), (q[0] + q[1]).mean() / 2


def behavior_samples(run, batch, noise):
    """Before tanh (rows, n, A)."""
    z = torch.clamp(noise, -LATENT_MOST, LATENT_MOST)
    run.count(latent_clipped=noise.abs() > LATENT_MOST)
    beside = batch.s[:, None, :].expand(-1, z.shape[1], -1)
    return forward(run.parts["side1"], torch.cat([beside, z], dim=2))


def three_updates(name, kernel, sigma, samples, target_samples, warm_updates, min_weight, threshold, log_multiplier):
    rng = np.random.default_rng(5)
    parts = {
        "actor": dense(rng, S, HIDDEN, HIDDEN, 2 * A),
        **twins(rng, HIDDEN),
        "alpha": [single([log_multiplier])],
        "side0": dense(rng, S + A, VAE_HIDDEN, VAE_HIDDEN, 2 * L),
        "side1": dense(rng, S + L, VAE_HIDDEN, VAE_HIDDEN, A),
    }
    parts["side0"][-1][L] -= 4  # one latent deviation is near its lower limit
    batches = draw_batches(rng, edges=True)
    run = Run(
        name, f"three BEAR updates on a batch of four shards, {kernel} kernel", parts, batches, RATES,
        gamma=GAMMA, tau=TAU, reward_scale=SCALE,
        **{
            "bear.hidden": HIDDEN, "bear.vae_hidden": VAE_HIDDEN, "bear.gaussian": kernel == "gaussian",
            "bear.sigma": sigma, "bear.min_weight": min_weight, "bear.threshold": threshold,
            "bear.log_std_min": LOW, "bear.log_std_max": HIGH, "bear.samples": samples,
            "bear.target_samples": target_samples, "bear.warm_updates": warm_updates,
        },
    )
    log_alpha = parts["alpha"][0]
    for update in range(UPDATES):
        batch = Batch(batches[update])
        (eps,) = fill("RNG_VAE_NOISE", update, (1, L))
        vae = reconstruction_loss(run, batch, eps)
        run.descend({"side0": (vae, "bear.vae"), "side1": (vae, "bear.vae")})

        eps2, eps, latent = fill("RNG_UPDATE_NOISE", update, (target_samples, A), (samples, A), (samples, L))
        critic, q = critic_loss(run, batch, min_weight, eps2)
        mean, log_std = gaussian(parts["actor"], batch.s, hard(LOW, HIGH))
        u, a, _ = draw(mean, log_std, eps)
        apart = mmd(u, behavior_samples(run, batch, latent), kernel, sigma, root=True)
        excess = torch.exp(log_alpha) * (apart - threshold)
        first = [value(parts[k], batch.s, a[:, :1])[:, 0] for k in ("q0", "q1")]
        cold = 1.0 if update >= warm_updates else 0.0
        actor = (excess - cold * torch.minimum(*first)).mean()
        run.count(
            low=log_std == LOW, high=log_std == HIGH, first_least=first[0] < first[1],
            beyond_threshold=apart > threshold,
        )
        run.note(
            critic_loss=critic / 2, actor_loss=actor, alpha_loss=-excess.mean(), q=q, divergence=apart.mean(),
            behavior=vae,
        )
        run.descend({
            "q0": (critic, "bear.critic"), "q1": (critic, "bear.critic"), "actor": (actor, "bear.actor"),
            "alpha": (-excess.mean(), "bear.multiplier"),
        })
        with torch.no_grad():
            log_alpha.clamp_(*MULTIPLIER)
        run.follow(TAU)
    run.save()


if __name__ == "__main__":
    three_updates("bear_laplacian", "laplacian", 1.5, 4, 3, 2, 0.75, 0.3, 0.0)
    three_updates("bear_gaussian", "gaussian", 2.5, 3, 5, 0, 0.6, 1.0, 0.4)
