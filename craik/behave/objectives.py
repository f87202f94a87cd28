"""What to plan for: scores of imagined futures, apart from the models that imagine them. Higher is better."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from craik.core import tree
from craik.core.errors import SpecError
from craik.core.model import WorldModel
from craik.core.state import State

WORDS = {
    "reward": "a reward",
    "latent": "a latent to measure the distance to a goal in",
    "obs": "decoded observations to measure the distance to a goal in",
    "value": "a value",
    "proceed": "a chance to proceed",
}


class Objective(ABC):
    """Scores candidates: `objective(model, states, actions)`, states with axes [B, N, T].

    Attributes:
        needs: the readings it cannot do without.
    """

    needs: tuple[str, ...] = ()

    @abstractmethod
    def __call__(self, model: WorldModel, states: State, actions: Shaped[Tensor, "B N T ..."]) -> Float[Tensor, "B N"]:
        """The score of every candidate; `actions[:, :, t]` led to `states[:, :, t]`."""

    def begin(self) -> Objective:
        """The objective at the start of a search; one that keeps count within a search returns a fresh copy."""
        return self

    def rows(self, key: Shaped[Tensor, " N"]) -> Objective:
        """The objective for some of the B rows."""
        return self

    def check(self, model: WorldModel) -> None:
        """Whether the model can be planned with.

        Raises:
            SpecError: if it does not offer a reading that the objective needs.
        """
        missing = [name for name in self.needs if name not in model.spec.reads]
        if missing:
            offers = " and ".join(model.spec.reads) or "nothing"
            raise SpecError(
                f"this planner needs {' and '.join(WORDS[m] for m in missing)}; "
                f"this model ({type(model).__name__}) offers {offers}",
                "give the planner an objective over what the model offers (Reward, GoalLatent, GoalState), "
                "or take a model that offers it",
            )


def reading(model: WorldModel, states: State, name: str) -> Any:
    """One reading of states with leading axes [B, N]: a tensor, or a dict of tensors, with the same axes."""
    return tree.split(model.read(tree.merge(states))[name], tree.leaves(states)[0].shape[0])


def readings(model: WorldModel, states: State, name: str) -> Any:
    """One reading of states with leading axes [B, N, T]."""
    lead = tree.leaves(states)[0].shape[:3]
    flat = model.read(tree.map(lambda x: x.flatten(0, 2), states))[name]
    return tree.map(lambda x: x.unflatten(0, lead), flat)


@dataclasses.dataclass(frozen=True)
class Reward(Objective):
    """The discounted sum of rewards, and the value of where it ends if the model offers one.

    sum_t discount^t alive_t reward_t + discount^T alive_T value_T, where alive_t is the chance that no earlier
    arrival ended the episode (1 for a model that does not offer `proceed`).

    Attributes:
        discount: per step.
        terminal: whether to count the value at the end, where there is one.
    """

    discount: float = 0.99
    terminal: bool = True
    needs = ("reward",)

    def __call__(self, model: WorldModel, states: State, actions: Shaped[Tensor, "B N T ..."]) -> Float[Tensor, "B N"]:  # noqa: D102
        reward = readings(model, states, "reward")  # [B, N, T]
        steps = reward.shape[2]
        alive = torch.ones_like(reward[:, :, :1])
        if "proceed" in model.spec.reads:
            alive = torch.cat([alive, readings(model, states, "proceed").cumprod(2)], 2)
        else:
            alive = alive.expand(-1, -1, steps + 1)
        weight = alive * self.discount ** torch.arange(steps + 1, device=reward.device)
        total = (weight[..., :steps] * reward).sum(2)
        if self.terminal and "value" in model.spec.reads:
            total = total + weight[..., steps] * reading(
                model, tree.index(states, (slice(None), slice(None), -1)), "value"
            )
        return total


@dataclasses.dataclass(frozen=True)
class GoalLatent(Objective):
    """Minus the squared distance of the latent to a goal's latent.

    Attributes:
        goal: what `read(...)["latent"]` says of the goal's belief; one row may stand for all.
        path: weight of the mean distance along the way, besides the distance at the end.
    """

    goal: Float[Tensor, "#B D"]
    path: float = 0.0
    needs = ("latent",)

    def rows(self, key: Shaped[Tensor, " N"]) -> GoalLatent:  # noqa: D102
        return self if len(self.goal) == 1 else dataclasses.replace(self, goal=self.goal[key])

    def __call__(self, model: WorldModel, states: State, actions: Shaped[Tensor, "B N T ..."]) -> Float[Tensor, "B N"]:  # noqa: D102
        if not self.path:
            end = reading(model, tree.index(states, (slice(None), slice(None), -1)), "latent")
            return -(end - self.goal[:, None]).square().sum(-1)
        far = (readings(model, states, "latent") - self.goal[:, None, None]).square().sum(-1)  # [B, N, T]
        return -far[..., -1] - self.path * far.mean(2)


@dataclasses.dataclass(frozen=True)
class GoalState(Objective):
    """Minus the weighted squared distance of decoded observations to those of a goal, at the end.

    Attributes:
        goal: by observation name.
        weight: by observation name, a weight for each of its numbers, broadcast; 1 for names left out.
    """

    goal: Mapping[str, Shaped[Tensor, "B ..."]]
    weight: Mapping[str, Float[Tensor, "*_"]] = dataclasses.field(default_factory=dict)
    needs = ("obs",)

    def rows(self, key: Shaped[Tensor, " N"]) -> GoalState:  # noqa: D102
        return dataclasses.replace(self, goal={k: v[key] for k, v in self.goal.items()})

    def __call__(self, model: WorldModel, states: State, actions: Shaped[Tensor, "B N T ..."]) -> Float[Tensor, "B N"]:  # noqa: D102
        obs = reading(model, tree.index(states, (slice(None), slice(None), -1)), "obs")
        terms = []
        for name, goal in self.goal.items():
            gap = (obs[name].float() - goal[:, None].float()).square()
            gap = gap * self.weight[name] if name in self.weight else gap
            terms.append(-gap.flatten(2).sum(2))
        return torch.stack(terms).sum(0)


@dataclasses.dataclass(frozen=True)
class Weighted(Objective):
    """A weighted sum of objectives.

    Attributes:
        terms: pairs of weight and objective.
    """

    terms: tuple[tuple[float, Objective], ...]

    @property
    def needs(self) -> tuple[str, ...]:  # type: ignore[override]
        """The readings of all terms."""
        return tuple(dict.fromkeys(name for _, term in self.terms for name in term.needs))

    def begin(self) -> Weighted:  # noqa: D102
        return Weighted(tuple((w, term.begin()) for w, term in self.terms))

    def rows(self, key: Shaped[Tensor, " N"]) -> Weighted:  # noqa: D102
        return Weighted(tuple((w, term.rows(key)) for w, term in self.terms))

    def __call__(self, model: WorldModel, states: State, actions: Shaped[Tensor, "B N T ..."]) -> Float[Tensor, "B N"]:  # noqa: D102
        return torch.stack([w * term(model, states, actions) for w, term in self.terms]).sum(0)


Cost = Callable[[WorldModel, State, Shaped[Tensor, "B N T ..."]], Float[Tensor, "B N T"]]
"""What a constraint limits: (model, states [B, N, T], actions) -> the cost of every step."""


@dataclasses.dataclass(frozen=True)
class Penalty(Objective):
    """A constraint at a fixed price: minus price * sum_t max(0, cost_t - limit).

    Attributes:
        cost: what is limited.
        limit: how much of it one step may have.
        price: how bad one unit beyond it is.
        needs: the readings that `cost` uses.
    """

    cost: Cost
    limit: float
    price: float
    needs: tuple[str, ...] = ()

    def __call__(self, model: WorldModel, states: State, actions: Shaped[Tensor, "B N T ..."]) -> Float[Tensor, "B N"]:  # noqa: D102
        return -self.price * (self.cost(model, states, actions) - self.limit).clamp(min=0).sum(2)


class Lagrangian(Objective):
    """An objective under a constraint, whose price rises round by round while the best candidate breaks it.

    score = objective - price * sum_t max(0, cost_t - limit); after each round, for each row,
    price <- price + rate * excess of the best candidate (dual ascent: it rises until the best plan keeps the limit).

    Args:
        objective: what to look for.
        cost: what is limited.
        limit: how much of it one step may have.
        rate: how fast the price rises.
        needs: the readings that `cost` uses, besides the objective's.
    """

    def __init__(self, objective: Objective, cost: Cost, limit: float, rate: float = 1.0, needs: tuple[str, ...] = ()):
        self.objective, self.cost, self.limit, self.rate = objective, cost, limit, rate
        self.extra = needs
        self.needs = (*objective.needs, *needs)
        self.price: Float[Tensor, "B 1"] | None = None  # set at the first round of a search

    def begin(self) -> Lagrangian:  # noqa: D102
        return Lagrangian(self.objective.begin(), self.cost, self.limit, self.rate, self.extra)

    def rows(self, key: Shaped[Tensor, " N"]) -> Lagrangian:  # noqa: D102
        return Lagrangian(self.objective.rows(key), self.cost, self.limit, self.rate, self.extra)

    def __call__(self, model: WorldModel, states: State, actions: Shaped[Tensor, "B N T ..."]) -> Float[Tensor, "B N"]:  # noqa: D102
        excess = (self.cost(model, states, actions) - self.limit).clamp(min=0).sum(2)
        price = torch.zeros_like(excess[:, :1]) if self.price is None else self.price
        score = self.objective(model, states, actions) - price * excess
        best = score.argmax(1, keepdim=True)
        self.price = (price + self.rate * excess.gather(1, best)).detach()
        return score
