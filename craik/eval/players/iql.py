"""Implicit Q-learning: the best of what was done in the data, without a model and without trying anything else."""

from __future__ import annotations

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from craik.eval.players.lessons import Lessons, Steps
from craik.eval.players.player import HIDDEN, Player
from craik.nets.ensemble import EnsembleMLP
from craik.nets.mlp import MLP
from craik.parts.heads.q_ensemble import QEnsemble

CLIP = 100.0
"""Most that a step counts in the policy (Kostrikov et al. 2021, appendix B)."""

DRAWS = 32
"""Actions of the policy that are compared by Q, where actions are numbers."""


class ImplicitQ(Player):
    """Kostrikov et al. 2021, arXiv 2110.06169: expectile V (5), twin Q (6), advantage-weighted policy (7).

    Values are in units of reward: the mean of what is to come, each step counting `discount` times the one before.
    Where a goal has to be told, it is hindsight's, and the reward the world's own for it (`Lessons.steps`). The policy
    learns from goals that the same episode came to, values from those of other episodes as well.

    It differs from the paper in two things. Advantages are divided by their spread in the batch, so that the
    temperature is the same in all worlds (the paper scales rewards by the range of returns). And of numbers, the mean
    of a Gaussian may lie between good actions: the best by Q of `DRAWS` draws is done (as by Hansen-Estruch et al.
    2023, arXiv 2304.10573).

    Args:
        lessons: see `Player`.
        discount: of a step.
        expectile: which of what was done counts; 0.5 is the mean, 1 the best.
        temperature: how much better actions are preferred, beta in the paper.
        rate: at which the slow copies of Q follow.
    """

    FOREIGN = 0.5

    def __init__(
        self,
        lessons: Lessons,
        discount: float = 0.9,
        expectile: float = 0.8,
        temperature: float = 3.0,
        rate: float = 0.03,
    ):
        super().__init__(lessons)
        self.discount, self.expectile, self.temperature, self.rate = discount, expectile, temperature, rate
        self.value = MLP(self.eye.size, HIDDEN, 1, nn.LayerNorm)
        self.q = QEnsemble(EnsembleMLP(2, self.eye.size + self.actor.vector.size, HIDDEN, 1, act=nn.SiLU))

    def loss(self, steps: Steps) -> dict[str, Float[Tensor, ""]]:
        """Of V, of both Q, and of the policy."""
        features, action = self.eye(steps.seen, steps.goal), self.actor.vector(steps.action)
        value = self.value(features)[:, 0]
        with torch.no_grad():
            known = self.q.averaged(features, action, slice(None))[..., 0].amin(0)
            later = self.value(self.eye(steps.after, steps.goal))[:, 0]
            going = self.discount * (~steps.terminated).float()
            target = (1 - self.discount) * steps.reward + going * later
            advantage = known - value
            weight = (self.temperature * advantage / advantage.std().clamp(min=1e-6)).exp().clamp(max=CLIP)
        return {
            "value": expectile_loss(known - value, self.expectile).mean(),
            "q": (self.q(features, action)[..., 0] - target).square().sum(0).mean(),
            "actor": (weight * steps.own * self.actor.unlikely(features, steps.action)).mean(),
        }

    def after_update(self) -> None:
        """The slow copies move."""
        self.q.follow(self.rate)

    @torch.no_grad()
    def act(
        self, seen: Float[Tensor, "B S"], goal: Float[Tensor, "B G"], generator: torch.Generator | None = None
    ) -> Shaped[Tensor, "B ..."]:
        """See the class, and `Player.act`."""
        if generator is None or not self.actor.vector.continuous:
            return super().act(seen, goal, generator)
        features = self.eye(seen, goal)
        drawn = self.actor.around(features, generator, DRAWS)
        worth = self.q(features.repeat(DRAWS, 1), drawn.flatten(0, 1))[..., 0].amin(0).unflatten(0, (DRAWS, -1))
        return self.actor.vector.invert(drawn[worth.argmax(0), torch.arange(len(seen))])


def expectile_loss(gap: Float[Tensor, " B"], expectile: float) -> Float[Tensor, " B"]:
    """|expectile - 1(gap < 0)| gap^2 (equation 3): least where an expectile of the gaps is 0."""
    return torch.where(gap < 0, 1 - expectile, expectile) * gap.square()
