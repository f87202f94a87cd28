"""Whoever sits an exam: a model, how it comes to believe, and how it imagines."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from craik.core.model import WorldModel
from craik.core.state import State
from craik.eval.card.exam import Exam
from craik.eval.pretend import Pretender
from craik.worlds.oracle import Oracle

ROWS = 512
"""Rows imagined at once."""


@dataclasses.dataclass(frozen=True)
class Subject:
    """A model that sits exams.

    One that knows the truth (the oracle, and pretenders over it) is told where the worlds are; any other one sees what
    happened before the moment.

    Attributes:
        model: the model, in evaluation mode.
        name: for tables.
        seed: of what it draws; None for its mode.
    """

    model: WorldModel
    name: str = "model"
    seed: int | None = None

    def generator(self) -> torch.Generator | None:
        """A fresh source of randomness; None for the mode."""
        if self.seed is None:
            return None
        return torch.Generator(self.model.device).manual_seed(self.seed)

    @property
    def views(self) -> tuple[str, ...]:
        """What it sees."""
        return tuple(self.model.spec.obs.spaces)

    @torch.no_grad()
    def believe(self, exam: Exam) -> State:
        """What it believes at the moments, E rows."""
        oracle = knows(self.model)
        if oracle is not None:
            return oracle.sync(exam.snapshot)
        seen = dataclasses.replace(exam.context, obs={k: exam.context.obs[k] for k in self.views})
        return self.model.follow(seen.to(self.model.device), generator=self.generator())[:, -1]

    @torch.no_grad()
    def watch(self, exam: Exam, future: int = 0) -> State:
        """What it believes while it sees one future come true: axes [E, H]."""
        oracle = knows(self.model)
        if oracle is not None:
            return oracle.at(exam.world, exam.states[:, future])
        lived = exam.lived(self.views, future).to(self.model.device)
        states = self.model.follow(lived, generator=self.generator())
        return states[:, lived.shape[1] - exam.shape[2] + 1 :]

    @torch.no_grad()
    def dream(self, state: State, actions: Tensor) -> State:
        """What it imagines of actions [N, H, ...] done from N beliefs: axes [N, H]."""
        return self.model.rollout(state, actions.to(self.model.device), generator=self.generator())


def knows(model: WorldModel) -> Oracle | None:
    """The oracle inside a model that knows the truth; None if it has to see for itself."""
    while isinstance(model, Pretender):
        model = model.model
    return model if isinstance(model, Oracle) else None
