#!/usr/bin/env python3
"""The work of work.py on PyTorch, timed: torch_peer.py [--threads N] [--seconds S] [--compile].

Two forms of each piece. `kit` does it the way OfflineRL-Kit does: an optimizer and a backward pass for each network,
distribution objects, batches and model rollouts through NumPy, losses read out after each step. `best` is the same
work as somebody would write it who wants it fast, in eager PyTorch; `compiled` is that through torch.compile.
"""

import copy
import math
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import work
from work import A, BATCH, ELITES, MEMBERS, REAL, S, STARTS, WIDTH

RECENT = int(torch.__version__.split(".")[0]) >= 2
CHUNK = 1000  # rows of a rollout at a time in `best`: what lies in cache


def dense(inputs, outputs):
    first, second, last = (nn.Linear(i, o) for i, o in ((inputs, WIDTH), (WIDTH, WIDTH), (WIDTH, outputs)))
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), last)


def adam(parameters, rate, fast):
    """`fast`: all parameters in one call, where this version can."""
    how = {} if not fast else {"fused": True} if RECENT else {"foreach": True}
    return torch.optim.Adam(parameters, lr=rate, **how)


class Actor(nn.Module):
    """A body and two linear heads."""

    def __init__(self):
        super().__init__()
        self.body = dense(S, 2 * A)[:-1]
        self.mean, self.log_std = nn.Linear(WIDTH, A), nn.Linear(WIDTH, A)

    def forward(self, state):
        hidden = self.body(state)
        return self.mean(hidden), self.log_std(hidden).clamp(*work.LOG_STD)


class Buffer:
    """Rows in NumPy arrays, one for each field; a batch is a copy of each as a tensor."""

    def __init__(self, rows, seed):
        self.field = work.transitions(rows, seed)
        self.rows, self.at = rows, 0

    def batch(self, rows):
        index = np.random.randint(0, self.rows, size=rows)
        return {key: torch.tensor(x[index]) for key, x in self.field.items()}

    def push(self, rows):
        index = np.arange(self.at, self.at + len(rows["state"])) % self.rows
        for key, x in rows.items():
            self.field[key][index] = x
        self.at = (self.at + len(index)) % self.rows


class Sac:
    """Networks and optimizers of both forms."""

    def __init__(self, fast):
        self.actor = Actor()
        self.critics = nn.ModuleList([dense(S + A, 1), dense(S + A, 1)])
        self.targets = copy.deepcopy(self.critics).requires_grad_(False)
        self.log_alpha = torch.zeros(1, requires_grad=True)
        self.alpha = self.log_alpha.detach().exp()
        self.actor_adam = adam(self.actor.parameters(), work.ACTOR_RATE, fast)
        self.alpha_adam = adam([self.log_alpha], work.ALPHA_RATE, fast)
        groups = [self.critics.parameters()] if fast else [c.parameters() for c in self.critics]
        self.critic_adams = [adam(list(p), work.CRITIC_RATE, fast) for p in groups]


class KitSac(Sac):
    def __init__(self, dataset, buffer):
        super().__init__(fast=False)
        self.dataset, self.buffer = dataset, buffer

    def batch(self):
        real, model = self.dataset.batch(REAL), self.buffer.batch(BATCH - REAL)
        return {key: torch.cat([real[key], model[key]]) for key in real}

    def act(self, state):
        mean, log_std = self.actor(state)
        normal = torch.distributions.Normal(mean, log_std.exp())
        u = normal.rsample()
        action = torch.tanh(u)
        log_prob = normal.log_prob(u).sum(-1, keepdim=True) - torch.log(1 - action**2 + 1e-6).sum(-1, keepdim=True)
        return action, log_prob

    def values(self, critics, state, action):
        return [critic(torch.cat([state, action], dim=1)) for critic in critics]

    def update(self):
        b = self.batch()
        with torch.no_grad():
            action, log_prob = self.act(b["next"])
            q = torch.min(*self.values(self.targets, b["next"], action)) - self.alpha * log_prob
            y = b["reward"] + work.GAMMA * (1 - b["terminal"]) * q
        losses = [((q - y) ** 2).mean() for q in self.values(self.critics, b["state"], b["action"])]
        for loss, optimizer in zip(losses, self.critic_adams):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

        action, log_prob = self.act(b["state"])
        q = torch.min(*self.values(self.critics, b["state"], action))
        actor_loss = (self.alpha * log_prob).mean() - q.mean()
        self.actor_adam.zero_grad()
        actor_loss.backward()
        self.actor_adam.step()

        alpha_loss = -(self.log_alpha * (log_prob.detach() + work.TARGET_ENTROPY)).mean()
        self.alpha_adam.zero_grad()
        alpha_loss.backward()
        self.alpha_adam.step()
        self.alpha = self.log_alpha.detach().exp().clamp(0, 1)

        for old, new in zip(self.targets.parameters(), self.critics.parameters()):
            old.data.copy_(old.data * (1 - work.TAU) + new.data * work.TAU)
        return [loss.item() for loss in (*losses, actor_loss, alpha_loss, self.alpha)]


class BestSac(Sac):
    """One record array, one backward pass for both critics, no gradient of the critics for the actor's sake."""

    def __init__(self, dataset, buffer, wrap):
        super().__init__(fast=True)
        self.records = [torch.from_numpy(np.concatenate(list(b.field.values()), 1)) for b in (dataset, buffer)]
        self.critic_loss, self.actor_loss = wrap(self.critic_loss), wrap(self.actor_loss)

    def batch(self):
        rows = [r[torch.randint(len(r), (n,))] for r, n in zip(self.records, (REAL, BATCH - REAL))]
        return torch.cat(rows).split([S, A, S, 1, 1], dim=1)

    def act(self, state, noise):
        mean, log_std = self.actor(state)
        u = mean + log_std.exp() * noise
        action = torch.tanh(u)
        log_prob = -0.5 * noise**2 - log_std - 0.5 * math.log(2 * math.pi) - torch.log(1 - action**2 + 1e-6)
        return action, log_prob.sum(1, keepdim=True)

    def least(self, critics, state, action):
        x = torch.cat([state, action], dim=1)
        return torch.min(critics[0](x), critics[1](x))

    def critic_loss(self, state, action, after, reward, terminal, noise, alpha):
        with torch.no_grad():
            next_action, log_prob = self.act(after, noise)
            q = self.least(self.targets, after, next_action) - alpha * log_prob
            y = reward + work.GAMMA * (1 - terminal) * q
        x = torch.cat([state, action], dim=1)
        return sum(F.mse_loss(critic(x), y) for critic in self.critics)

    def actor_loss(self, state, noise, alpha):
        action, log_prob = self.act(state, noise)
        return (alpha * log_prob - self.least(self.critics, state, action)).mean(), log_prob.detach().mean()

    def update(self):
        state, action, after, reward, terminal = self.batch()
        noise = torch.randn(2, BATCH, A)
        loss = self.critic_loss(state, action, after, reward, terminal, noise[0], self.alpha)
        self.critic_adams[0].zero_grad()
        loss.backward()
        self.critic_adams[0].step()

        self.critics.requires_grad_(False)
        actor_loss, log_prob = self.actor_loss(state, noise[1], self.alpha)
        self.actor_adam.zero_grad()
        actor_loss.backward()
        self.actor_adam.step()
        self.critics.requires_grad_(True)

        self.log_alpha.grad = -(log_prob + work.TARGET_ENTROPY).reshape(1)
        self.alpha_adam.step()
        with torch.no_grad():
            self.alpha = self.log_alpha.exp().clamp(max=1)
            old, new = list(self.targets.parameters()), list(self.critics.parameters())
            torch._foreach_mul_(old, 1 - work.TAU)
            torch._foreach_add_(old, new, alpha=work.TAU)
        return loss.detach(), actor_loss.detach()


class Ensemble(nn.Module):
    """All members at once: weights (members, inputs, outputs)."""

    def __init__(self):
        super().__init__()
        sizes = list(zip(work.MODEL_WIDTHS, work.MODEL_WIDTHS[1:]))
        self.weights = nn.ParameterList([nn.Parameter(torch.randn(MEMBERS, i, o) / (2 * i**0.5)) for i, o in sizes])
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(MEMBERS, 1, o)) for _, o in sizes])
        self.low, self.high = (nn.Parameter(torch.full((S + 1,), x)) for x in work.LOG_VARIANCE)

    def bounded(self, out):
        mean, log_var = out.chunk(2, dim=-1)
        log_var = self.high - F.softplus(self.high - log_var)
        return mean, self.low + F.softplus(log_var - self.low)

    def loss(self, x, y, forward):
        mean, log_var = forward(x)
        fit = (((mean - y) ** 2 * torch.exp(-log_var)).mean(dim=(1, 2)) + log_var.mean(dim=(1, 2))).sum()
        decay = sum(0.5 * d * (w**2).sum() for d, w in zip(work.MODEL_DECAYS, self.weights))
        return fit + decay + work.BOUND_WEIGHT * (self.high.sum() - self.low.sum())

    def kit(self, x):
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases)):
            x = torch.einsum("ij,bjk->bik" if x.dim() == 2 else "bij,bjk->bik", x, weight) + bias
            if layer < len(self.weights) - 1:
                x = x * torch.sigmoid(x)
        return self.bounded(x)

    def best(self, x):
        if x.dim() == 2:
            x = x.expand(MEMBERS, *x.shape)
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases)):
            x = torch.baddbmm(bias, x, weight)
            if layer < len(self.weights) - 1:
                x = F.silu(x)
        return self.bounded(x)


class ModelFit:
    """Steps of a pass over bootstrapped rows that lie in memory, (members, rows, numbers)."""

    def __init__(self, dataset, fast, wrap):
        self.net = Ensemble()
        self.adam = adam(self.net.parameters(), work.MODEL_RATE, fast)
        field, rows = dataset.field, np.random.randint(0, dataset.rows, (MEMBERS, BATCH * 50))
        self.x = np.concatenate([field["state"], field["action"]], 1)[rows]
        self.y = np.concatenate([field["next"] - field["state"], field["reward"]], 1)[rows]
        forward = self.net.best if fast else self.net.kit
        self.loss = wrap(lambda x, y: self.net.loss(x, y, forward))
        self.fast, self.at = fast, 0

    def step(self):
        rows = slice(self.at, self.at + BATCH)
        self.at = (self.at + BATCH) % self.x.shape[1]
        loss = self.loss(torch.from_numpy(self.x[:, rows]), torch.from_numpy(self.y[:, rows]))
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()
        return loss.detach() if self.fast else loss.item()


def kit_rollout(sac, net, dataset, buffer):
    """States, actions and predictions go from PyTorch to NumPy and back; noise for all members, one is kept."""
    state = dataset.batch(STARTS)["state"].numpy()
    with torch.no_grad():
        action = sac.act(torch.as_tensor(state))[0].numpy()
        mean, log_var = net.kit(torch.as_tensor(np.concatenate([state, action], 1)))
    mean, std = mean.numpy(), np.sqrt(np.exp(log_var.numpy()))
    mean[..., :-1] += state
    samples = (mean + np.random.normal(size=mean.shape) * std).astype(np.float32)
    drawn = samples[np.random.choice(ELITES, size=STARTS), np.arange(STARTS)]
    penalty = np.linalg.norm(std, axis=2).max(axis=0)[:, None]
    after = drawn[:, :-1]
    terminal = ~(np.abs(after) < work.GUARD).all(1, keepdims=True)
    rows = {"state": state, "action": action, "next": after, "terminal": terminal}
    rows["reward"] = drawn[:, -1:] - work.PENALTY * penalty
    buffer.push(rows)
    return rows


def best_rollout(records, predict):
    """Pieces that lie in cache, noise for the member that was drawn, a record array; all of it in PyTorch."""
    start = torch.randint(len(records[0]), (STARTS,))
    with torch.no_grad():
        for at in range(0, STARTS, CHUNK):
            records[1][at : at + CHUNK] = predict(records[0][start[at : at + CHUNK], :S])


def predictor(sac, net):
    def predict(state):
        rows = torch.arange(len(state))
        action = sac.act(state, torch.randn(len(state), A))[0]
        mean, log_var = net.best(torch.cat([state, action], 1))
        var = log_var.exp()
        penalty = var.sum(2).amax(0).sqrt()[:, None]
        drawn = torch.randint(ELITES, (len(state),))
        sample = mean[drawn, rows] + var[drawn, rows].sqrt() * torch.randn(len(state), S + 1)
        after = state + sample[:, :S]
        terminal = (~(after.abs() < work.GUARD).all(1, keepdim=True)).float()
        return torch.cat([state, action, after, sample[:, S:] - work.PENALTY * penalty, terminal], 1)

    return predict


def times(args, sac, fit, rollout):
    """Check the work lightly, then time it. First calls: what torch.compile takes is in them."""
    begin = time.perf_counter()
    work.falls([float(sac.update()[0]) for _ in range(50)], "update")
    work.falls([float(fit.step()) for _ in range(50)], "ensemble step")
    rollout()
    first = time.perf_counter() - begin
    calls = {"update": sac.update, "gather": sac.batch, "ensemble step": fit.step, "rollout": rollout}
    return {"first calls": first} | {piece: work.clock(call, args) for piece, call in calls.items()}


def kit(args, dataset, buffer):
    sac, fit = KitSac(dataset, buffer), ModelFit(dataset, False, lambda f: f)
    rows = kit_rollout(sac, fit.net, dataset, buffer)
    assert rows["next"].shape == (STARTS, S) and np.isfinite(rows["reward"]).all()
    return times(args, sac, fit, lambda: kit_rollout(sac, fit.net, dataset, buffer))


def best(args, dataset, buffer, wrap):
    sac, fit = BestSac(dataset, buffer, wrap), ModelFit(dataset, True, wrap)
    predict = wrap(predictor(sac, fit.net))
    rows = predict(sac.records[0][:CHUNK, :S])
    assert rows.shape == (CHUNK, 2 * S + A + 2) and torch.isfinite(rows).all()
    return times(args, sac, fit, lambda: best_rollout(sac.records, predict))


def main():
    args = work.options()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    np.random.seed(0)
    dataset, buffer = Buffer(work.DATASET_ROWS, 1), Buffer(work.BUFFER_ROWS, 2)
    forms = {"kit": kit(args, dataset, buffer)}
    torch.set_flush_denormal(True)
    forms["best"] = best(args, dataset, buffer, lambda f: f)
    if args.compile and RECENT:
        forms["compiled"] = best(args, dataset, buffer, torch.compile)
    work.report({"torch": torch.__version__, "numpy": np.__version__}, forms, args)


main()
