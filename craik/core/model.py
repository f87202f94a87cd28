"""The interface: what every world model can do. Read this page first."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from craik.core import tree
from craik.core.data import Batch, arriving
from craik.core.spec import Spec
from craik.core.state import State

S = TypeVar("S", bound=State)


class WorldModel(nn.Module, ABC, Generic[S]):
    """Carries a belief about the world forward, with or without looking.

    Five verbs say it all: `start` (the belief before anything was seen), `observe` (after acting and seeing), `step`
    (after acting with eyes closed), `read` (what the belief says) and `loss` (what there is to learn). `follow` and
    `rollout` are `observe` and `step` over a stretch; a model overrides them when it can take the stretch at once.

    Actions and observations are in the environment's own units (`Spec`). Randomness is explicit: a model samples from
    the `generator` it is given, never from the global one; without one it is deterministic and takes the mode.
    """

    def __init__(self, spec: Spec):
        super().__init__()
        self.spec = spec

    @abstractmethod
    def start(self, batch: int) -> S:
        """The belief before anything was seen, `batch` rows of it, on the model's device."""

    @abstractmethod
    def observe(
        self,
        state: S,
        action: Shaped[Tensor, "B ..."],
        obs: dict[str, Shaped[Tensor, "B ..."]],
        *,
        generator: torch.Generator | None = None,
    ) -> S:
        """The belief after acting and then seeing.

        Args:
            state: the belief before, B rows.
            action: what was done; `spec.null_action` where this is an episode's first observation.
            obs: name -> what was seen on arrival.
            generator: source of randomness; None for the mode.
        """

    @abstractmethod
    def step(self, state: S, action: Shaped[Tensor, "B ..."], *, generator: torch.Generator | None = None) -> S:
        """The belief after acting with eyes closed."""

    @abstractmethod
    def read(self, state: S, query: dict[str, Tensor] | None = None) -> dict:
        """What the belief says: one entry for each of `spec.reads` (see `core.spec.READS`), and no other.

        Args:
            state: the belief, B rows.
            query: what is asked about, for models that can be asked: a camera pose, a key, a time.
        """

    @abstractmethod
    def loss(self, batch: Batch, *, generator: torch.Generator | None = None) -> dict[str, Float[Tensor, "*_"]]:
        """Named, unweighted losses: [B, T] per arrival, [B, T+1] per observation, or [] about the whole batch."""

    def rollout(self, state: S, actions: Shaped[Tensor, "B H ..."], *, generator: torch.Generator | None = None) -> S:
        """Beliefs along a plan: a state with axes [B, H]."""
        states = []
        for action in actions.unbind(1):
            state = self.step(state, action, generator=generator)
            states.append(state)
        return tree.stack(states, 1)

    def follow(self, batch: Batch, *, generator: torch.Generator | None = None) -> S:
        """Beliefs while watching, starting over where an episode opens: a state with axes [B, T+1].

        The first column counts as an opening whether or not `batch.first` says so.
        """
        rows, _ = batch.shape
        blank = self.start(rows)
        actions = arriving(batch, self.spec.null_action(rows, batch.device))
        state, states = blank, []
        for t, action in enumerate(actions.unbind(1)):
            state = tree.where(batch.first[:, t], blank, state)
            state = self.observe(state, action, batch.at(t), generator=generator)
            states.append(state)
        return tree.stack(states, 1)

    def after_step(self) -> None:
        """Called after every optimiser step: where averaged targets and running scales move. Nothing by default."""

    def forward(self, batch: Batch, generator: torch.Generator | None = None) -> dict[str, Float[Tensor, "*_"]]:
        """`loss`, so that the hooks of DistributedDataParallel and FSDP fire."""
        return self.loss(batch, generator=generator)

    @property
    def device(self) -> torch.device:
        """Where the model lives; the CPU for a model without parameters."""
        return next((p.device for p in self.parameters()), torch.device("cpu"))
