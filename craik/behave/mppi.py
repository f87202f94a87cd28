"""Model predictive path integral control, as TD-MPC2 does it."""

from __future__ import annotations

import torch
from gymnasium import spaces
from jaxtyping import Float
from torch import Tensor

from craik.behave.objectives import Objective
from craik.behave.plan import Iteration, Plan, PlanConfig, Planner, Warm, pick
from craik.core import tree
from craik.core.model import WorldModel
from craik.core.state import State


class MPPI(Planner):
    """Model predictive path integral control (Williams et al. 2015) in the form of TD-MPC2 (Hansen et al. 2024).

    Each round, the K best of N plans are weighted by exp(temperature * (score - best score)); mean and std become
    their weighted mean and standard deviation, std within [min_std, max_std] (TD-MPC, equations 4 and 5). The
    answer is the last mean, for choices the likeliest; TD-MPC2 takes one of the K, drawn by weight, which adds noise
    where scores differ by less than 1 / temperature.

    Where the model offers `action`, some candidates follow its proposals: one exactly, the others with the least
    spread as noise.

    Args:
        space: the action space.
        config: how far and how often.
        num_samples: candidates N, those of the prior among them.
        num_steps: rounds.
        num_elites: the best K.
        num_prior: candidates that follow the model's own proposals; 0 for none.
        temperature: sharpness of the weights, in units of 1 / score.
        std, min_std, max_std: the spread to begin with, and its limits (numbers); `min_std` is the share of chance
            spread evenly for choices.
    """

    def __init__(
        self,
        space: spaces.Space,
        config: PlanConfig | None = None,
        *,
        num_samples: int = 512,
        num_steps: int = 6,
        num_elites: int = 64,
        num_prior: int = 24,
        temperature: float = 0.5,
        std: float = 2.0,
        min_std: float = 0.05,
        max_std: float = 2.0,
    ):
        super().__init__(space, config or PlanConfig(horizon=3), std, min_std, max_std)
        self.num_samples, self.num_steps, self.num_elites = num_samples, num_steps, num_elites
        self.num_prior, self.temperature = num_prior, temperature

    @torch.no_grad()
    def search(
        self, model: WorldModel, state: State, objective: Objective, memory: State, generator: torch.Generator
    ) -> Plan:
        """See `plan`."""
        mean, std = self.distribution(memory, state.batch)
        prior = self.prior(model, state, generator)
        # The prior's candidates stay the same from round to round, and a model asked for its mode scores them alike.
        prior_score = self.score(model, state, objective, self.steps(prior)) if prior.shape[1] else None
        history: list[Iteration] = []
        for _ in range(self.num_steps):
            shape = (state.batch, self.num_samples - prior.shape[1], *mean.shape[1:])
            vectors = self.proposals.draw(mean, std, torch.randn(shape, generator=generator, device=model.device))
            score = self.score(model, state, objective, self.steps(vectors))
            if prior_score is not None:
                vectors, score = torch.cat([prior, vectors], 1), torch.cat([prior_score, score], 1)
            value, best = score.topk(self.num_elites, 1)
            elites = pick(vectors, best)
            weights = torch.softmax(self.temperature * (value - value[:, :1]), 1)
            mean, std = self.proposals.fit(elites, weights)
            history.append(Iteration(mean, std, value[:, 0]))
        expected = (weights * value).sum(1)
        return self.decide(self.proposals.within(mean), expected, mean, std, Warm(mean), history)

    def prior(self, model: WorldModel, state: State, generator: torch.Generator) -> Float[Tensor, "B P H A"]:
        """Plans that follow the model's own proposals; P is 0 where it has none."""
        num = self.num_prior if "action" in model.spec.reads else 0
        if not num:
            return torch.zeros(state.batch, 0, self.config.horizon, self.vector.size, device=model.device)
        state = tree.repeat(state, num)
        vectors: list[Tensor] = []
        for _ in range(self.config.horizon):
            mode = self.vector(model.read(state)["action"]).unflatten(0, (-1, num))  # [B, P, A]
            noisy = self.proposals.nudge(mode, generator)
            vectors.append(torch.cat([mode[:, :1], noisy[:, 1:]], 1))
            if len(vectors) < self.config.horizon:
                held = self.steps(vectors[-1].flatten(0, 1)[:, None])  # [B * P, action_block, ...]
                state = model.rollout(state, held)[:, -1]
        return torch.stack(vectors, 2)
