"""A world small enough to solve by hand: a point that moves by what is done, and is paid for being near a goal."""

from __future__ import annotations

import dataclasses

import torch
from gymnasium import spaces

from craik.core.model import WorldModel
from craik.core.readings import Readings
from craik.core.spec import Spec
from craik.core.state import State
from craik.parts.actions.vector import ActionVector

BOX = spaces.Box(-2.0, 2.0, (2,))
DISCRETE = spaces.Discrete(3)
MULTI = spaces.MultiDiscrete([3, 2])


@dataclasses.dataclass(frozen=True)
class Spot(State):
    at: torch.Tensor
    act: torch.Tensor


class Points(WorldModel[Spot]):
    """at <- at + push @ vector(action); reward is minus the squared distance to `goal`, less a quarter of effort."""

    def __init__(
        self, action: spaces.Space, goal: tuple[float, float] = (1.0, -0.5), reads=("reward", "latent", "obs")
    ):
        super().__init__(Spec.of(spaces.Box(-9, 9, (2,)), action, reads))
        self.vector = ActionVector(action)
        g = torch.Generator().manual_seed(5)
        push = torch.eye(2) if self.vector.continuous else torch.randn(self.vector.size, 2, generator=g)
        self.push = torch.nn.Parameter(push * 0.5)
        self.goal = torch.tensor(goal)
        self.stepped = 0

    def start(self, batch):
        return Spot(torch.zeros(batch, 2), torch.zeros(batch, self.vector.size))

    def observe(self, state, action, obs, *, generator=None):
        return Spot(obs["state"], self.vector(action))

    def step(self, state, action, *, generator=None):
        self.stepped += 1
        vector = self.vector(action)
        return Spot(state.at + vector @ self.push, vector)

    def read(self, state, query=None):
        effort = 0.25 * state.act.square().sum(-1) if self.vector.continuous else 0.0
        ways = {
            "reward": lambda: -(state.at - self.goal).square().sum(-1) - effort,
            "latent": lambda: state.at,
            "obs": lambda: {"state": state.at},
            "value": lambda: 10 * state.at[:, 0],
            "proceed": lambda: torch.full_like(state.at[:, 0], 0.5),
            "action": lambda: self.vector.invert(torch.ones(len(state.at), self.vector.size) * 0.3),
        }
        return Readings(ways, self.spec.reads)

    def loss(self, batch, *, generator=None):
        return {}
