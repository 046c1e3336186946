#!/usr/bin/env python3
"""The work of work.py on JAX, timed: jax_peer.py [--threads N] [--seconds S].

Each piece is one compiled function with the gather of its batch in it; states and buffers stay with the device and are
given up to the next call. What compiling takes is told apart from what a call takes.
"""

import os
import time

import numpy as np

import work
from work import A, BATCH, ELITES, MEMBERS, REAL, S, STARTS, WIDTH

args = work.options()
if args.threads == 1:  # before JAX starts: XLA then runs in this thread
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

import jax
import jax.numpy as jnp

CHUNK = 1000  # rows of a rollout at a time: what lies in cache
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_default_prng_impl", "unsafe_rbg")  # the fastest on a CPU


def dense_init(rng, sizes):
    def layer(i, o):
        return [rng.uniform(-(i**-0.5), i**-0.5, shape).astype(np.float32) for shape in ((i, o), (o,))]

    return [layer(i, o) for i, o in zip(sizes, sizes[1:])]


def dense(layers, x):
    for weight, bias in layers[:-1]:
        x = jax.nn.relu(x @ weight + bias)
    weight, bias = layers[-1]
    return x @ weight + bias


def adam_init(parameters):
    zeros = jax.tree.map(jnp.zeros_like, parameters)
    return {"m": zeros, "v": jax.tree.map(jnp.copy, zeros), "step": jnp.zeros(())}


def adam(parameters, gradients, state, rate):
    step = state["step"] + 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, state["m"], gradients)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, state["v"], gradients)
    a, b = 1 / (1 - 0.9**step), 1 / (1 - 0.999**step)
    new = jax.tree.map(lambda p, m, v: p - rate * (a * m) / (jnp.sqrt(b * v) + 1e-8), parameters, m, v)
    return new, {"m": m, "v": v, "step": step}


def act(actor, state, noise):
    mean, log_std = jnp.split(dense(actor, state), 2, axis=1)
    log_std = jnp.clip(log_std, *work.LOG_STD)
    action = jnp.tanh(mean + jnp.exp(log_std) * noise)
    log_prob = -0.5 * noise**2 - log_std - 0.5 * jnp.log(2 * jnp.pi) - jnp.log(1 - action**2 + 1e-6)
    return action, log_prob.sum(1)


def values(critics, state, action):
    x = jnp.concatenate([state, action], 1)
    return [dense(critic, x)[:, 0] for critic in critics]


def sac_init(rng):
    sizes = [S + A, WIDTH, WIDTH, 1]
    critics = [dense_init(rng, sizes), dense_init(rng, sizes)]
    state = {"actor": dense_init(rng, [S, WIDTH, WIDTH, 2 * A]), "critics": critics, "log_alpha": jnp.zeros(())}
    state["adam"] = {key: adam_init(state[key]) for key in ("actor", "critics", "log_alpha")}
    state["targets"] = jax.tree.map(jnp.array, critics)
    return jax.tree.map(jnp.array, state) | {"key": jax.random.key(0)}


def gather(key, dataset, buffer):
    real, model = jax.random.split(key)
    rows = [dataset[jax.random.randint(real, (REAL,), 0, len(dataset))]]
    rows.append(buffer[jax.random.randint(model, (BATCH - REAL,), 0, len(buffer))])
    return jnp.split(jnp.concatenate(rows), [S, S + A, 2 * S + A, 2 * S + A + 1], axis=1)


def update(sac, dataset, buffer):
    """Critics, then the actor against the new critics, then the temperature, then the targets."""
    key, which, draw = jax.random.split(sac["key"], 3)
    state, action, after, reward, terminal = gather(which, dataset, buffer)
    noise = jax.random.normal(draw, (2, BATCH, A))
    alpha = jnp.minimum(jnp.exp(sac["log_alpha"]), 1.0)
    optimizer = dict(sac["adam"])

    next_action, log_prob = act(sac["actor"], after, noise[0])
    q = jnp.minimum(*values(sac["targets"], after, next_action)) - alpha * log_prob
    y = reward[:, 0] + work.GAMMA * (1 - terminal[:, 0]) * q

    def critic_loss(critics):
        return sum(((q - y) ** 2).mean() for q in values(critics, state, action))

    loss, gradients = jax.value_and_grad(critic_loss)(sac["critics"])
    critics, optimizer["critics"] = adam(sac["critics"], gradients, optimizer["critics"], work.CRITIC_RATE)

    def actor_loss(actor):
        a, log_prob = act(actor, state, noise[1])
        return (alpha * log_prob - jnp.minimum(*values(critics, state, a))).mean(), log_prob.mean()

    gradients, log_prob = jax.grad(actor_loss, has_aux=True)(sac["actor"])
    actor, optimizer["actor"] = adam(sac["actor"], gradients, optimizer["actor"], work.ACTOR_RATE)
    log_alpha, optimizer["log_alpha"] = adam(
        sac["log_alpha"], -(log_prob + work.TARGET_ENTROPY), optimizer["log_alpha"], work.ALPHA_RATE
    )
    targets = jax.tree.map(lambda o, n: (1 - work.TAU) * o + work.TAU * n, sac["targets"], critics)
    new = {"actor": actor, "critics": critics, "log_alpha": log_alpha, "adam": optimizer, "targets": targets}
    return new | {"key": key}, loss


def model_init(rng):
    sizes = list(zip(work.MODEL_WIDTHS, work.MODEL_WIDTHS[1:]))
    net = {
        "weights": [(rng.standard_normal((MEMBERS, i, o)) / (2 * i**0.5)).astype(np.float32) for i, o in sizes],
        "biases": [np.zeros((MEMBERS, 1, o), np.float32) for _, o in sizes],
        "low": np.full(S + 1, work.LOG_VARIANCE[0], np.float32),
        "high": np.full(S + 1, work.LOG_VARIANCE[1], np.float32),
    }
    return jax.tree.map(jnp.array, net)


def predict_all(net, x):
    for layer, (weight, bias) in enumerate(zip(net["weights"], net["biases"])):
        x = jnp.einsum("ij,bjk->bik" if x.ndim == 2 else "bij,bjk->bik", x, weight) + bias
        if layer < len(net["weights"]) - 1:
            x = jax.nn.silu(x)
    mean, log_var = jnp.split(x, 2, axis=2)
    log_var = net["high"] - jax.nn.softplus(net["high"] - log_var)
    return mean, net["low"] + jax.nn.softplus(log_var - net["low"])


def ensemble_step(net, optimizer, x, y, at):
    """The batch of each member is 256 rows from `at` on of its own bootstrapped rows."""
    x, y = (jax.lax.dynamic_slice_in_dim(z, at, BATCH, axis=1) for z in (x, y))

    def loss(net):
        mean, log_var = predict_all(net, x)
        fit = (((mean - y) ** 2 * jnp.exp(-log_var)).mean((1, 2)) + log_var.mean((1, 2))).sum()
        decay = sum(0.5 * d * (w**2).sum() for d, w in zip(work.MODEL_DECAYS, net["weights"]))
        return fit + decay + work.BOUND_WEIGHT * (net["high"].sum() - net["low"].sum())

    value, gradients = jax.value_and_grad(loss)(net)
    net, optimizer = adam(net, gradients, optimizer, work.MODEL_RATE)
    return net, optimizer, value


def rollout(actor, net, dataset, key):
    """Pieces that lie in cache, one after the other; noise for the member that was drawn."""
    key, draw = jax.random.split(key)
    start = jax.random.randint(draw, (STARTS // CHUNK, CHUNK), 0, len(dataset))
    keys = jax.random.split(jax.random.fold_in(draw, 1), len(start))

    def piece(which):
        index, key = which
        a, b, c = jax.random.split(key, 3)
        state, rows = dataset[index, :S], jnp.arange(CHUNK)
        action = act(actor, state, jax.random.normal(a, (CHUNK, A)))[0]
        mean, log_var = predict_all(net, jnp.concatenate([state, action], 1))
        var = jnp.exp(log_var)
        penalty = jnp.sqrt(var.sum(2).max(0))[:, None]
        drawn = jax.random.randint(b, (CHUNK,), 0, ELITES)
        sample = mean[drawn, rows] + jnp.sqrt(var[drawn, rows]) * jax.random.normal(c, (CHUNK, S + 1))
        after = state + sample[:, :S]
        terminal = ~(jnp.abs(after) < work.GUARD).all(1, keepdims=True)
        return jnp.concatenate([state, action, after, sample[:, S:] - work.PENALTY * penalty, terminal], 1)

    return jax.lax.map(piece, (start, keys)).reshape(STARTS, -1), key


class Peer:
    """The compiled functions and what they hand on from call to call."""

    def __init__(self):
        rng = np.random.default_rng(0)
        fields = work.transitions(work.DATASET_ROWS, 1), work.transitions(work.BUFFER_ROWS, 2)
        self.dataset, self.buffer = (jnp.array(np.concatenate(list(f.values()), 1)) for f in fields)
        self.sac, self.net, self.key = sac_init(rng), model_init(rng), jax.random.key(1)
        self.optimizer = adam_init(self.net)
        rows = rng.integers(0, work.DATASET_ROWS, (MEMBERS, BATCH * 50))
        f = fields[0]
        self.x = jnp.array(np.concatenate([f["state"], f["action"]], 1)[rows])
        self.y = jnp.array(np.concatenate([f["next"] - f["state"], f["reward"]], 1)[rows])
        self.at = 0
        self.jitted_update = jax.jit(update, donate_argnums=0)
        self.jitted_step = jax.jit(ensemble_step, donate_argnums=(0, 1))
        self.jitted_rollout = jax.jit(rollout)

    def update(self):
        self.sac, loss = self.jitted_update(self.sac, self.dataset, self.buffer)
        return loss.block_until_ready()

    def step(self):
        self.net, self.optimizer, loss = self.jitted_step(self.net, self.optimizer, self.x, self.y, self.at)
        self.at = (self.at + BATCH) % self.x.shape[1]
        return loss.block_until_ready()

    def rollout(self):
        rows, self.key = self.jitted_rollout(self.sac["actor"], self.net, self.dataset, self.key)
        return rows.block_until_ready()


def main():
    peer = Peer()
    begin = time.perf_counter()
    peer.update(), peer.step()
    rows = peer.rollout()
    first = time.perf_counter() - begin
    assert rows.shape == (STARTS, 2 * S + A + 2) and jnp.isfinite(rows).all()
    work.falls([float(peer.update()) for _ in range(50)], "update")
    work.falls([float(peer.step()) for _ in range(50)], "ensemble step")
    calls = {"update": peer.update, "ensemble step": peer.step, "rollout": peer.rollout}
    times = {"first calls": first} | {piece: work.clock(call, args) for piece, call in calls.items()}
    work.report({"jax": jax.__version__, "numpy": np.__version__}, {"jit": times}, args)


main()
