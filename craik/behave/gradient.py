"""Planning by gradient: climb the objective through the model itself."""

from __future__ import annotations

import torch
from gymnasium import spaces
from jaxtyping import Float, Shaped
from torch import Tensor

from craik.behave.objectives import Objective
from craik.behave.plan import Iteration, Plan, PlanConfig, Planner, Warm, pick
from craik.core import tree
from craik.core.model import WorldModel
from craik.core.state import State


class Gradient(Planner):
    """Adam on the plan, by back-propagation through `rollout`, from several starts at once; the best is taken.

    Numbers are climbed in [-1, 1] and cut off there. Choices are climbed as the softmax of free numbers, which a
    model reads through `ActionVector` as blurred one-hots, at a temperature that falls from 1 to 0.1, and made sharp
    at the end.

    Args:
        space: the action space.
        config: how far and how often.
        num_samples: starts N; the first is the warm start itself.
        num_steps: gradient steps.
        lr: Adam's learning rate, in units of the action vector (or of the free numbers).
        std: the spread of the starts.
    """

    def __init__(
        self,
        space: spaces.Space,
        config: PlanConfig | None = None,
        *,
        num_samples: int = 16,
        num_steps: int = 30,
        lr: float = 0.1,
        std: float = 1.0,
    ):
        super().__init__(space, config or PlanConfig(), std, 0.0, float("inf"))
        self.num_samples, self.num_steps, self.lr, self.spread = num_samples, num_steps, lr, std

    def search(
        self, model: WorldModel, state: State, objective: Objective, memory: State, generator: torch.Generator
    ) -> Plan:
        """See `plan`."""
        state = tree.detach(state)
        mean, _ = self.distribution(memory, state.batch)
        shape = (state.batch, self.num_samples, *mean.shape[1:])
        noise = torch.randn(shape, generator=generator, device=model.device) * self.spread
        noise[:, 0] = 0
        free = self.free(mean)[:, None] + noise
        history: list[Iteration] = []
        with torch.enable_grad():
            free = self.legal(free).requires_grad_(True)
            climber = torch.optim.Adam([free], lr=self.lr)
            for heat in torch.logspace(0, -1, self.num_steps).tolist():
                score = self.score(model, state, objective, self.soft(free, heat))
                (free.grad,) = torch.autograd.grad(-score.sum(), [free])
                climber.step()
                free.data = self.legal(free.data)
                history.append(self.round(self.blur(free.detach(), heat), score.detach()))
        vectors = self.proposals.within(self.blur(free.detach()))
        with torch.no_grad():
            value, best = self.score(model, state, objective, self.steps(vectors)).max(1, keepdim=True)
        chosen = pick(vectors, best)[:, 0]
        warm = Warm(pick(self.blur(free.detach()), best)[:, 0])
        return self.decide(chosen, value[:, 0], warm.mean, torch.zeros_like(chosen), warm, history)

    def free(self, mean: Float[Tensor, "B H A"]) -> Float[Tensor, "B H A"]:
        """The numbers that are climbed, from a plan or a distribution."""
        return mean if self.vector.continuous else mean.clamp(min=0.05).log()

    def legal(self, free: Float[Tensor, "B N H A"]) -> Float[Tensor, "B N H A"]:
        """The nearest numbers that may be climbed from."""
        return self.proposals.within(free) if self.vector.continuous else free

    def blur(self, free: Float[Tensor, "B N H A"], heat: float = 1.0) -> Float[Tensor, "B N H A"]:
        """Action vectors of the numbers being climbed; `heat` is the temperature of choices."""
        if self.vector.continuous:
            return free
        return torch.cat([(part / heat).softmax(-1) for part in free.split(self.vector.sizes, -1)], -1)

    def soft(self, free: Float[Tensor, "B N H A"], heat: float) -> Shaped[Tensor, "B N T ..."]:
        """Actions that pass gradients: numbers in the environment's units, or blurred one-hots."""
        if self.vector.continuous:
            return self.steps(free)
        return self.blur(free, heat).repeat_interleave(self.config.action_block, -2)

    def round(self, vectors: Float[Tensor, "B N H A"], score: Float[Tensor, "B N"]) -> Iteration:
        """What to show of a round."""
        value, best = score.max(1, keepdim=True)
        return Iteration(pick(vectors, best)[:, 0], vectors.std(1, correction=0), value[:, 0])
