"""A model that predicts embeddings from a short history of them, behind craik's interface."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from craik.core.data import Batch
from craik.core.model import WorldModel
from craik.core.spec import Spec
from craik.core.state import State
from craik.eval.foreign.latent_error import latent_error
from craik.parts.actions.vector import ActionVector

Prepare = Callable[[Tensor], Tensor]
"""Observations in the world's units [N, ...] -> as the model was trained on them, [N, ...] float32."""


@dataclasses.dataclass(frozen=True)
class History(State):
    """The last W embeddings [B, W, ...], what was done in each [B, W, A], and how many of them there are yet, [B]."""

    embedded: Tensor
    done: Tensor
    count: Tensor


class Windowed(WorldModel[History]):
    """Carries a window of fixed length. At an episode's start the model is given the few embeddings that there are.

    Args:
        model: the other library's.
        spec: of the world.
        history: W, how many embeddings the model was trained to look back on.
        prepare: by name, for observations that the model does not take as they are.
        action: actions in the world's units [N, ...] -> [N, A]; by default in [-1, 1], or a one-hot.
    """

    foreign: Any
    blank: Tensor
    idle: Tensor

    def __init__(
        self,
        model: nn.Module,
        spec: Spec,
        history: int,
        prepare: dict[str, Prepare],
        action: Prepare | None = None,
    ):
        super().__init__(spec.offering("latent"))
        self.foreign, self.prepare = model, prepare
        self.vector = action or ActionVector(spec.action)
        with torch.no_grad():
            null = self.vector(spec.null_action(1, self.device)).float()
            shapes = {name: space.shape or () for name, space in spec.obs.spaces.items()}
            blind = {name: torch.zeros(1, *shape, device=self.device) for name, shape in shapes.items()}
            size = self.embed(self._prepared(blind), null).shape[1:]
        self.register_buffer("blank", torch.zeros(history, *size, device=self.device), persistent=False)
        self.register_buffer("idle", torch.zeros(history, *null.shape[1:], device=self.device), persistent=False)

    @abstractmethod
    def embed(self, obs: dict[str, Tensor], null: Tensor) -> Tensor:
        """What is seen, prepared, B rows, -> [B, ...]. Nothing was done there yet: `null` [B, A]."""

    @abstractmethod
    def ahead(self, embedded: Tensor, done: Tensor) -> Tensor:
        """Embeddings [B, n, ...] and what is done in each [B, n, A] -> the next one [B, ...]; n is at most W."""

    @abstractmethod
    def latent(self, embedded: Tensor) -> Tensor:
        """An embedding [B, ...] -> [B, D]."""

    def start(self, batch: int) -> History:  # noqa: D102
        blank, idle = (x.expand(batch, *x.shape).clone() for x in (self.blank, self.idle))
        return History(blank, idle, torch.zeros(batch, dtype=torch.int64, device=self.device))

    def observe(self, state, action, obs, *, generator=None):  # noqa: ANN001, ANN201, D102
        done = self._doing(state, action)
        return _arrived(state, done, self.embed(self._prepared(obs), torch.zeros_like(done[:, -1])))

    def step(self, state, action, *, generator=None):  # noqa: ANN001, ANN201, D102
        done, count = self._doing(state, action), state.count.clamp(min=1)
        found = torch.zeros_like(state.embedded[:, -1])
        for n in count.unique().tolist():
            rows = (count == n).nonzero()[:, 0]
            found = found.index_copy(0, rows, self.ahead(state.embedded[rows, -n:], done[rows, -n:]).float())
        return _arrived(state, done, found)

    def read(self, state, query=None):  # noqa: ANN001, ANN201, D102
        return {"latent": self.latent(state.embedded[:, -1])}

    def loss(self, batch: Batch, *, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """See `latent_error`; such a model is trained by its own library."""
        return latent_error(self, batch, generator)

    def _prepared(self, obs: dict[str, Tensor]) -> dict[str, Tensor]:
        return {k: self.prepare[k](v) if k in self.prepare else v.float() for k, v in obs.items()}

    def _doing(self, state: History, action: Tensor) -> Tensor:
        return torch.cat([state.done[:, :-1], self.vector(action)[:, None].float()], 1)


def _arrived(state: History, done: Tensor, embedded: Tensor) -> History:
    frames = torch.cat([state.embedded[:, 1:], embedded[:, None].float()], 1)
    done = torch.cat([done[:, 1:], torch.zeros_like(done[:, :1])], 1)
    return History(frames, done, (state.count + 1).clamp(max=frames.shape[1]))
