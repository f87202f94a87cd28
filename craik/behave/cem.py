"""The cross-entropy method: draw plans, keep the best, fit, repeat."""

from __future__ import annotations

import torch
from gymnasium import spaces

from craik.behave.objectives import Objective
from craik.behave.plan import Iteration, Plan, PlanConfig, Planner, Warm, pick
from craik.core.model import WorldModel
from craik.core.state import State


class CEM(Planner):
    """Cross-entropy method (Rubinstein 1999; as a planner, PlaNet, Hafner et al. 2019, algorithm 2).

    mean, std <- mean and standard deviation of the K best of N plans drawn from normal(mean, std); the answer is
    the last mean. With choices: the K best one-hots' mean is the new categorical distribution.

    Args:
        space: the action space.
        config: how far and how often.
        num_samples: candidates N of a round.
        num_steps: rounds.
        num_elites: the best K, to which the distribution is fitted.
        std: the spread to begin with (numbers).
        min_std: the least spread (numbers), or share of chance spread evenly (choices).
    """

    def __init__(
        self,
        space: spaces.Space,
        config: PlanConfig | None = None,
        *,
        num_samples: int = 300,
        num_steps: int = 30,
        num_elites: int = 30,
        std: float = 1.0,
        min_std: float = 0.0,
    ):
        super().__init__(space, config or PlanConfig(), std, min_std, float("inf"))
        self.num_samples, self.num_steps, self.num_elites = num_samples, num_steps, num_elites

    @torch.no_grad()
    def search(
        self, model: WorldModel, state: State, objective: Objective, memory: State, generator: torch.Generator
    ) -> Plan:
        """See `plan`."""
        mean, std = self.distribution(memory, state.batch)
        weights = torch.full((state.batch, self.num_elites), 1 / self.num_elites, device=model.device)
        history: list[Iteration] = []
        for _ in range(self.num_steps):
            shape = (state.batch, self.num_samples, *mean.shape[1:])
            vectors = self.proposals.draw(mean, std, torch.randn(shape, generator=generator, device=model.device))
            score = self.score(model, state, objective, self.steps(vectors))
            value, best = score.topk(self.num_elites, 1)
            mean, std = self.proposals.fit(pick(vectors, best), weights)
            history.append(Iteration(mean, std, value[:, 0]))
        chosen = self.proposals.within(mean)
        return self.decide(chosen, value.mean(1), mean, std, Warm(mean), history)
