#!/usr/bin/env python3
"""Known answers for src/policy/npg*.c: advantages, gradient, Fisher products, conjugate gradients, three updates.

The natural gradient from its definition: F is the Hessian of the mean KL divergence at the old policy, multiplied by a
vector through a second backward pass; nothing of the closed form that the C code uses. Advantages are sums over the
rest of a trajectory, written as sums, not as the recursion. Four shards of a few rows with trajectories that end in a
terminal row, at a cut, and at the end of the shard.
"""

import agents
import numpy as np
import torch
from agents import A, PURPOSES, S, SEED, UPDATES, Batch, Run, dense, draw_batches
from golden import philox4x32, single

HIDDEN, VALUE_HIDDEN = 7, 9
SHARDS = [5, 6, 4, 7]
GAMMA, LAMBDA, SCALE, STEP_SIZE, DAMPING, ITERATIONS = 0.9, 0.8, 2.0, 0.1, 0.02, 6
LOW, HIGH, KL_MAX = -0.45, 0.0, 0.03
VALUE_BATCH, VALUE_PASSES = 6, 2
CLONE_RATE, VALUE_RATE = 1.5e-2, 2e-2


def actor_net(rng):
    """2 A outputs, of which the log deviations have no weights; one of them starts near its bound."""
    layers = dense(rng, S, HIDDEN, HIDDEN, 2 * A)
    layers[-2][:, A:] = 0
    layers[-1][A:] = single([-0.44, -0.1])
    return layers


def policy(layers, s):
    w0, b0, w1, b1, w2, b2 = layers
    h = torch.tanh(torch.tanh(s @ w0 + b0) @ w1 + b1)
    return torch.distributions.Normal(h @ w2[:, :A] + b2[:A], torch.exp(b2[A:]))


def value(layers, s):
    w0, b0, w1, b1, w2, b2 = layers
    return (torch.relu(torch.relu(s @ w0 + b0) @ w1 + b1) @ w2 + b2)[:, 0]


def flat(tensors):
    return torch.cat([t.reshape(-1) for t in tensors])


def parted(vector, like):
    parts = torch.split(vector, [t.numel() for t in like])
    return [p.reshape(t.shape) for p, t in zip(parts, like)]


def draw_phase(rng):
    """Rows of the shards, and for each shard its trajectories as (first, behind)."""
    rows, paths = [], []
    for shard, count in enumerate(SHARDS):
        first = 0
        while first < count:
            length = min(int(rng.integers(1, 5)), count - first)
            states = rng.normal(size=(length + 1, S))
            for t in range(length):
                cont = 0.0 if t + 1 == length and rng.random() < 0.5 else 1.0
                action = rng.normal(size=A)  # some beyond 1, as a policy without tanh has them
                rows.append(np.concatenate([states[t], action, rng.normal(size=1) + 0.5, states[t + 1], [cont]]))
            start = sum(SHARDS[:shard]) + first
            paths.append((start, start + length))
            first += length
    return np.array(rows), paths


def advantages(batch, v, v_behind, paths):
    adv, ret = torch.zeros(len(v)), torch.zeros(len(v))
    r = SCALE * batch.r[:, 0]
    for first, behind in paths:
        n = behind - first
        end = batch.cont[behind - 1, 0] * v_behind[behind - 1]
        following = torch.cat([v[first + 1 : behind], end[None]])
        delta = r[first:behind] + GAMMA * following - v[first:behind]
        for t in range(n):
            powers = torch.arange(n - t)
            adv[first + t] = ((GAMMA * LAMBDA) ** powers * delta[t:]).sum()
            ret[first + t] = (GAMMA**powers * r[first + t : behind]).sum() + GAMMA ** (n - t) * end
    return adv, ret


def conjugate(product, b):
    x, r = torch.zeros_like(b), b.clone()
    p = r.clone()
    for _ in range(ITERATIONS):
        rr = r @ r
        mp = product(p)
        alpha = rr / (p @ mp)
        x = x + alpha * p
        r = r - alpha * mp
        p = r + (r @ r) / rr * p
    return x


def below(shard, step, n, count):
    """rng_below from a fresh stream; the rare second draw does not come up for such small n."""
    blocks = np.arange((count + 3) // 4, dtype=np.uint64)
    same = np.ones(len(blocks), dtype=np.uint64)
    high = PURPOSES.index("RNG_BASELINE_BATCH") << 24
    words = philox4x32([blocks, same * np.uint64(shard), same * np.uint64(step), same * np.uint64(high)], [SEED, 0])
    return [int(w) * n >> 32 for w in np.stack(words, axis=1).ravel()[:count]]


def minibatch(step):
    rows = []
    for v, count in enumerate(SHARDS):
        share = VALUE_BATCH * (v + 1) // len(SHARDS) - VALUE_BATCH * v // len(SHARDS)
        rows += [sum(SHARDS[:v]) + k for k in below(v, step, count, share)]
    return rows


def three_updates():
    rng = np.random.default_rng(15)
    parts = {"actor": actor_net(rng), "side0": dense(rng, S, VALUE_HIDDEN, VALUE_HIDDEN, 1)}
    phases = [draw_phase(rng) for _ in range(UPDATES)]
    batches = single(np.array([rows for rows, _ in phases]))
    settings = dict(
        hidden=HIDDEN, value_hidden=VALUE_HIDDEN, step_size=STEP_SIZE, damping=DAMPING, cg_iterations=ITERATIONS,
        gae_lambda=LAMBDA, log_std_min=LOW, log_std_max=HIGH, kl_max=KL_MAX, value_batch=VALUE_BATCH, value_passes=VALUE_PASSES,
    )
    run = Run(
        "npg", "three updates of the natural policy gradient, and the parts of the first", parts, batches,
        {"npg.value": VALUE_RATE}, shards=SHARDS, gamma=GAMMA, reward_scale=SCALE,
        **{f"npg.{key}": number for key, number in settings.items()},
    )
    gamma, lam = (float(np.float32(x)) for x in (GAMMA, LAMBDA))
    assert (abs(gamma - GAMMA) + abs(lam - LAMBDA)) < 1e-7  # the C code reads them as float
    actor, baseline = parts["actor"], parts["side0"]
    some = [single(rng.normal(size=t.shape)) for t in actor]
    some[-2][:, A:] = 0
    steps = 0
    for update in range(UPDATES):
        batch, paths = Batch(batches[update]), phases[update][1]
        a = batch.a[:, 0]
        with torch.no_grad():
            v, v_behind = value(baseline, batch.s), value(baseline, batch.s2)
        adv, ret = advantages(batch, v, v_behind, paths)
        std = (adv - adv.mean()).pow(2).mean().sqrt()
        adv = (adv - adv.mean()) / (std + 1e-6)
        old = policy(actor, batch.s)
        fixed = torch.distributions.Normal(old.loc.detach(), old.scale.detach())
        g = flat(torch.autograd.grad((adv * old.log_prob(a).sum(dim=1)).mean(), actor, retain_graph=True))

        def fisher(vector):
            now = policy(actor, batch.s)
            kl = torch.distributions.kl_divergence(fixed, now).sum(dim=1).mean()
            slope = flat(torch.autograd.grad(kl, actor, create_graph=True))
            return flat(torch.autograd.grad(slope @ vector, actor)) + DAMPING * vector

        x = conjugate(fisher, g)
        if update == 0:
            run.golden.put("adv", adv)
            run.golden.put("ret", ret)
            for name, vector in {"g": g, "v": flat(some), "fisher": fisher(flat(some)), "x": x}.items():
                run.each(name, {"actor": parted(vector, actor)})
        entropy = fixed.entropy().sum(dim=1).mean()
        with torch.no_grad():
            before, step, kl = [w.clone() for w in actor], torch.sqrt(STEP_SIZE / (g @ x + 1e-20)), np.inf
            while kl > KL_MAX:
                for w, old_w, d in zip(actor, before, parted(step * x, actor)):
                    w.copy_(old_w + d)
                log_std = actor[-1][A:]
                held = (log_std < LOW) | (log_std > HIGH)
                log_std.clamp_(LOW, HIGH)
                new = policy(actor, batch.s)
                kl = torch.distributions.kl_divergence(fixed, new).sum(dim=1).mean()
                run.count(step_halved=kl > KL_MAX)
                step = step / 2
            run.count(log_std_held=held)
            ratio = torch.exp((new.log_prob(a) - fixed.log_prob(a)).sum(dim=1))
        losses = []
        for _ in range(VALUE_PASSES * -(-sum(SHARDS) // VALUE_BATCH)):
            rows = minibatch(steps)
            loss = (value(baseline, batch.s[rows]) - ret[rows]).pow(2).mean()
            losses.append(loss.item())
            run.descend({"side0": (loss, "npg.value")})
            steps += 1
        run.count(terminal=batch.cont == 0, beyond=a.abs() > 1)
        run.note(
            critic_loss=np.mean(losses), actor_loss=-(ratio * adv).mean(), q=v.mean(), entropy=entropy, divergence=kl
        )
    run.save()


def three_clones():
    rng = np.random.default_rng(6)
    parts = {"actor": actor_net(rng)}
    batches = draw_batches(rng, edges=True)
    run = Run(
        "npg_clone", "three updates of the mean action towards the data's", parts, batches,
        {"npg.clone": CLONE_RATE}, **{"npg.hidden": HIDDEN, "npg.value_hidden": VALUE_HIDDEN},
    )
    for update in range(UPDATES):
        batch = Batch(batches[update])
        loss = (policy(parts["actor"], batch.s).loc - batch.a[:, 0]).pow(2).mean()
        run.note(behavior=loss)
        run.descend({"actor": (loss, "npg.clone")})
    run.save()


if __name__ == "__main__":
    assert len(agents.SHARDS) == len(SHARDS)
    three_updates()
    three_clones()
