"""An honest little world model and its agent: they keep every clause, so that each can be broken alone."""

from __future__ import annotations

import dataclasses

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from craik.behave.agent import Agent
from craik.core import tree
from craik.core.data import Batch
from craik.core.model import WorldModel
from craik.core.spec import Spec
from craik.core.state import State
from craik.parts.actions.vector import ActionVector

READS = ("obs", "reward", "proceed", "value", "latent")


@dataclasses.dataclass(frozen=True)
class Memory(State):
    """What a GRU remembers, and the last action vector."""

    hidden: Tensor  # [B, D]
    last: Tensor  # [B, A]


class Honest(WorldModel[Memory]):
    """A GRU that is fed what it sees, or what it thinks it will see."""

    def __init__(self, spec: Spec, width: int = 16):
        super().__init__(spec.offering(*READS))
        self.width = width
        self.vector = ActionVector(spec.action)
        size = spec.obs["state"].shape[0]
        self.eye = nn.Linear(size, width)
        self.cell = nn.GRUCell(width + self.vector.size, width)
        self.prior = nn.Linear(width, width)
        self.draw = nn.Linear(width, size)
        self.heads = nn.ModuleDict({name: nn.Linear(width, 1) for name in ("reward", "proceed", "value")})

    def start(self, batch: int) -> Memory:
        blank = torch.zeros(batch, self.width + self.vector.size, device=self.device)
        return Memory(*blank.split([self.width, self.vector.size], 1))

    def advance(self, state: Memory, action: Tensor, input: Tensor) -> Memory:
        vector = self.vector(action)
        return Memory(self.cell(torch.cat([input, vector], -1), state.hidden).float(), vector)

    def noise(self, x: Tensor, generator: torch.Generator | None) -> Tensor:
        return x if generator is None else x + 0.1 * torch.randn(x.shape, generator=generator)

    def observe(self, state, action, obs, *, generator=None):
        return self.advance(state, action, self.noise(self.eye(obs["state"]), generator))

    def step(self, state, action, *, generator=None):
        return self.advance(state, action, self.noise(self.prior(state.hidden), generator))

    def head(self, name: str, hidden: Tensor) -> Tensor:
        return self.heads[name](hidden)[..., 0].float()

    def read(self, state, query=None):
        return {
            "obs": {"state": self.draw(state.hidden).float()},
            "reward": self.head("reward", state.hidden),
            "proceed": self.head("proceed", state.hidden).sigmoid(),
            "value": self.head("value", state.hidden),
            "latent": state.hidden,
        }

    def loss(self, batch: Batch, *, generator=None):
        hidden = self.follow(batch, generator=generator).hidden
        ahead = self.prior(hidden[:, :-1])
        keep = batch.valid
        return {
            "draw": F.mse_loss(self.draw(hidden).float(), batch.obs["state"], reduction="none").mean(-1),
            "prior": (ahead - self.eye(batch.obs["state"][:, 1:]).detach()).square().mean(-1).float() * keep,
            "reward": (self.head("reward", hidden[:, 1:]) - batch.reward).square() * keep,
            "proceed": F.binary_cross_entropy_with_logits(
                self.head("proceed", hidden[:, 1:]), (~batch.terminated).float(), reduction="none"
            ),
            "value": (self.head("value", hidden[:, 1:]) - batch.reward).square() * keep,
            "small": hidden.square().mean().float(),
        }


class Actor(Agent):
    """A linear policy that imitates what was done; it explores by noise."""

    def __init__(self, model: Honest):
        super().__init__()
        self.vector = ActionVector(model.spec.action)
        self.policy = nn.Linear(model.width, self.vector.size)

    def start(self, batch: int) -> State:
        return Memory(torch.zeros(batch, 1), torch.zeros(batch, 1))

    def act(self, model, state, memory, *, generator=None, explore=False):
        vector = self.policy(model.read(state)["latent"]).float()
        if explore:
            vector = vector + torch.randn(vector.shape, generator=generator)
        return self.vector.invert(vector), tree.map(lambda x: x + 1, memory)

    def loss(self, model, batch, *, generator=None):
        latent = model.follow(batch).hidden.detach()
        gap = self.policy(latent[:, :-1]).float() - self.vector(batch.action)
        return {"imitate": gap.square().mean(-1) * batch.valid}


WEIGHTS = dict.fromkeys(("draw", "prior", "reward", "proceed", "value", "small", "imitate"), 1.0)
