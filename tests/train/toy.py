"""The smallest world model and agent that use everything a checkpoint must keep."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from craik.behave.agent import Agent
from craik.core.data import Batch
from craik.core.model import WorldModel
from craik.core.spec import Spec
from craik.core.state import State
from craik.parts.actions.vector import ActionVector
from craik.train.training import Training

SPEC = Spec.of(
    spaces.Dict({"state": spaces.Box(-np.inf, np.inf, (3,), np.float32)}),
    spaces.Box(-2.0, 2.0, (1,), np.float32),
    ("latent", "reward"),
)

WEIGHTS = {"predict": 1.0, "reward": 0.5, "act": 0.1}


@dataclasses.dataclass(frozen=True)
class ToyState(State):
    latent: Tensor


class ToyModel(WorldModel[ToyState]):
    """Predicts the next observation from the last and the action, with noise, a dropout and a running scale."""

    def __init__(self, spec: Spec = SPEC, width: int = 8):
        super().__init__(spec)
        self.vector = ActionVector(spec.action)
        (self.seen,) = spec.obs.spaces["state"].shape
        self.width = width
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.encode = nn.Linear(self.seen, width)
            self.move = nn.Linear(width + self.vector.size, width)
            self.draw = nn.Linear(width, self.seen)
            self.reward = nn.Linear(width, 1)
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def start(self, batch):
        return ToyState(torch.zeros(batch, self.width))

    def observe(self, state, action, obs, *, generator=None):
        return ToyState(self.encode(obs["state"]).tanh())

    def step(self, state, action, *, generator=None):
        return ToyState(self.move(torch.cat([state.latent, self.vector(action)], -1)).tanh())

    def read(self, state, query=None):
        return {"latent": state.latent, "reward": self.reward(state.latent)[..., 0]}

    def loss(self, batch: Batch, *, generator=None):
        latent = self.encode(batch.obs["state"]).tanh()
        noise = torch.randn(latent.shape, generator=generator) * 0.1
        after = self.step(ToyState((latent + noise)[:, :-1]), batch.action).latent
        error = (self.draw(after) - batch.obs["state"][:, 1:]) / self.scale.clone()
        with torch.no_grad():
            self.scale.lerp_(error.abs().mean().clamp(0.5, 2), 0.01)
        return {
            "predict": error.square().mean(-1),
            "reward": (self.reward(after)[..., 0] - batch.reward).square(),
        }

    def after_step(self):
        self.steps += 1


class ToyAgent(Agent):
    """A linear policy that learns towards large predicted rewards."""

    def __init__(self, model: WorldModel):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(1)
            self.policy = nn.Linear(model.width, 1)
            self.target = nn.Linear(model.width, 1).requires_grad_(False)

    def act(self, model, state, memory, *, generator=None, explore=False):
        action = self.policy(model.read(state)["latent"]).tanh() * 2
        if explore and generator is not None:
            action = (action + 0.3 * torch.randn(action.shape, generator=generator)).clamp(-2, 2)
        return action, memory

    def loss(self, model, batch, *, generator=None):
        latent = model.follow(batch).latent.detach()
        return {"act": (self.policy(latent).tanh() - self.target(latent)).square().mean(-1)}

    def after_step(self):
        with torch.no_grad():
            self.target.weight.lerp_(self.policy.weight, 0.05)


def toy_training(**changes) -> Training:
    return dataclasses.replace(Training(weights=WEIGHTS, batch=4, length=8, lr=1e-3, warmup=5), **changes)


def toy_batch(seed: int = 0, rows: int = 4, length: int = 8) -> Batch:
    g = torch.Generator().manual_seed(seed)
    first = torch.zeros(rows, length + 1, dtype=torch.bool)
    first[:, 0] = True
    first[0, 3] = True
    return Batch(
        {"state": torch.randn(rows, length + 1, 3, generator=g)},
        torch.rand(rows, length, 1, generator=g) * 4 - 2,
        torch.randn(rows, length, generator=g),
        torch.zeros(rows, length, dtype=torch.bool),
        first,
    )
