"""iCEM: the cross-entropy method with coloured noise, remembered elites and shrinking rounds."""

from __future__ import annotations

import dataclasses

import torch
from gymnasium import spaces
from jaxtyping import Bool, Float
from torch import Tensor

from craik.behave.objectives import Objective
from craik.behave.plan import Iteration, Plan, PlanConfig, Planner, Warm, pick
from craik.core import tree
from craik.core.model import WorldModel
from craik.core.state import State
from craik.ops.colored_noise import colored_noise


@dataclasses.dataclass(frozen=True)
class WarmElites(State):
    """What iCEM remembers: the middle of its distribution, its best plans, and whether there are any."""

    mean: Float[Tensor, "B H A"]
    elites: Float[Tensor, "B K H A"]
    known: Bool[Tensor, " B"]


class ICEM(Planner):
    """Improved cross-entropy method (Pinneri et al. 2020, algorithm 1).

    Args:
        space: the action space.
        config: how far and how often.
        num_samples: candidates N of the first round.
        num_steps: rounds.
        num_elites: the best K, to which the distribution is fitted.
        num_keep: how many of them join the next round, and, shifted, the next search.
        beta: exponent of the noise in time; 0 is white.
        shrink: each round draws this factor fewer candidates, at least 2 K.
        momentum: share of the old distribution in the new one.
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
        num_keep: int = 5,
        beta: float = 2.0,
        shrink: float = 1.25,
        momentum: float = 0.1,
        std: float = 1.0,
        min_std: float = 0.0,
    ):
        super().__init__(space, config or PlanConfig(), std, min_std, float("inf"))
        self.num_samples, self.num_steps, self.num_elites, self.num_keep = num_samples, num_steps, num_elites, num_keep
        self.beta, self.shrink, self.momentum = beta, shrink, momentum

    def start(self, batch: int) -> WarmElites:  # noqa: D102
        warm = super().start(batch)
        assert isinstance(warm, Warm)
        elites = warm.mean[:, None].expand(-1, self.num_keep, -1, -1)
        return WarmElites(warm.mean, elites, torch.zeros(batch, dtype=torch.bool, device=elites.device))

    def counts(self) -> list[int]:
        """Candidates drawn in each round."""
        return [max(int(self.num_samples * self.shrink**-i), 2 * self.num_elites) for i in range(self.num_steps)]

    @torch.no_grad()
    def search(
        self, model: WorldModel, state: State, objective: Objective, memory: State, generator: torch.Generator
    ) -> Plan:
        """See `plan`."""
        assert isinstance(memory, WarmElites)
        batch, device = state.batch, model.device
        mean, std = self.distribution(Warm(memory.mean), batch)
        weights = torch.full((batch, self.num_elites), 1 / self.num_elites, device=device)
        history: list[Iteration] = []
        kept: Tensor | None = None
        for i, num in enumerate(self.counts()):
            vectors = self.proposals.draw(mean, std, self.noise(batch, num, generator, device))
            if i == 0 and self.config.warm_start:
                vectors = torch.cat([vectors[:, self.num_keep :], self.reminded(memory, vectors)], 1)
            elif kept is not None:
                vectors = torch.cat([vectors, kept], 1)
            if i == self.num_steps - 1:
                vectors = torch.cat([vectors, self.proposals.within(mean)[:, None]], 1)
            value, best = self.score(model, state, objective, self.steps(vectors)).topk(self.num_elites, 1)
            elites = pick(vectors, best)
            kept = elites[:, : self.num_keep]
            new_mean, new_std = self.proposals.fit(elites, weights)
            mean, std = (self.momentum * a + (1 - self.momentum) * b for a, b in ((mean, new_mean), (std, new_std)))
            history.append(Iteration(mean, std, value[:, 0]))
        assert kept is not None
        known = torch.ones(batch, dtype=torch.bool, device=device)
        return self.decide(elites[:, 0], value[:, 0], mean, std, WarmElites(mean, kept, known), history)

    def noise(self, batch: int, num: int, generator: torch.Generator, device: torch.device) -> Float[Tensor, "B N H A"]:
        """Unit normal noise, coloured along H."""
        shape = (batch, num, self.vector.size, self.config.horizon)
        return colored_noise(shape, self.beta, generator=generator, device=device).transpose(2, 3)

    def reminded(self, memory: WarmElites, vectors: Float[Tensor, "B N H A"]) -> Float[Tensor, "B K H A"]:
        """The last search's best plans, shifted and filled up with a drawn ending; drawn plans where there are none."""
        drawn = vectors[:, : self.num_keep]
        by = self.config.receding_horizon
        old = torch.cat([memory.elites[:, :, by:], drawn[:, :, -by:]], 2)
        return tree.where(memory.known, old, drawn)
