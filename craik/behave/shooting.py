"""Random shooting: try many plans, take the best; try all of them where that is possible."""

from __future__ import annotations

import itertools
import math

import torch
import torch.nn.functional as F
from gymnasium import spaces
from jaxtyping import Float
from torch import Tensor

from craik.behave.agent import random_actions
from craik.behave.objectives import Objective
from craik.behave.plan import Iteration, Plan, PlanConfig, Planner, Warm, pick
from craik.core.model import WorldModel
from craik.core.state import State


class RandomShooting(Planner):
    """The best of uniformly drawn plans; of *all* plans where choices allow no more than `num_samples` of them.

    Args:
        space: the action space.
        config: how far and how often.
        num_samples: candidates N.
    """

    def __init__(self, space: spaces.Space, config: PlanConfig | None = None, *, num_samples: int = 300):
        super().__init__(space, config or PlanConfig(), 1.0, 0.0, 1.0)
        self.num_samples = num_samples
        self.exhaustive = (
            not self.vector.continuous and math.prod(self.vector.sizes) ** self.config.horizon <= num_samples
        )

    @torch.no_grad()
    def search(
        self, model: WorldModel, state: State, objective: Objective, memory: State, generator: torch.Generator
    ) -> Plan:
        """See `plan`."""
        batch = state.batch
        last, std = self.distribution(memory, batch)
        if self.exhaustive:
            vectors = self.every().to(model.device).expand(batch, -1, -1, -1)
        else:
            shape = (batch, self.num_samples, self.config.horizon)
            vectors = self.vector(random_actions(self.space, shape, generator, model.device))
            if self.config.warm_start:
                vectors[:, 0] = self.proposals.within(last)
        score = self.score(model, state, objective, self.steps(vectors))
        value, best = score.max(1, keepdim=True)
        chosen = pick(vectors, best)[:, 0]
        still, (even, _) = torch.zeros_like(std), self.proposals.begin(batch, *std.shape[1:])
        return self.decide(chosen, value[:, 0], even, still, Warm(chosen), [Iteration(chosen, still, value[:, 0])])

    def every(self) -> Float[Tensor, "N H A"]:
        """All plans there are, as one-hots."""
        options = [F.one_hot(torch.arange(n), n).float() for n in self.vector.sizes]
        decisions = torch.stack([torch.cat(d) for d in itertools.product(*options)])  # [choices, A]
        order = itertools.product(range(len(decisions)), repeat=self.config.horizon)
        return decisions[torch.tensor(list(order))]
