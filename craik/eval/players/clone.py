"""Behaviour cloning: doing what was done, for the goal that it led to."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from craik.eval.players.lessons import Steps
from craik.eval.players.player import Player


class Clone(Player):
    """Imitates what was done where this was seen.

    Where a goal has to be told, the goal of a step is what the episode came to later: goal-conditioned cloning with
    hindsight (Ding et al. 2019, arXiv 1906.05838; Ghosh et al. 2021, arXiv 1912.06088, equation 3).
    """

    def loss(self, steps: Steps) -> dict[str, Float[Tensor, ""]]:
        """Minus the log-likelihood of what was done."""
        return {"actor": self.actor.unlikely(self.eye(steps.seen, steps.goal), steps.action).mean()}
