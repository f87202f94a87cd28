"""Planning: the question, the answer, and what every planner shares."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod

import torch
from gymnasium import spaces
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from craik.behave.objectives import Objective
from craik.behave.proposals import Categories, Normals
from craik.core import tree
from craik.core.errors import SpecError
from craik.core.model import WorldModel
from craik.core.state import State
from craik.parts.actions.vector import ActionVector


@dataclasses.dataclass(frozen=True)
class PlanConfig:
    """How far and how often to plan.

    Attributes:
        horizon: decisions in a plan, H.
        receding_horizon: decisions carried out before planning again.
        action_block: steps for which one decision is held.
        warm_start: whether a plan begins from what was left of the one before.
    """

    horizon: int = 5
    receding_horizon: int = 1
    action_block: int = 1
    warm_start: bool = True

    def __post_init__(self):
        if min(self.horizon, self.receding_horizon, self.action_block) < 1 or self.receding_horizon > self.horizon:
            raise SpecError(
                f"cannot carry out {self.receding_horizon} of {self.horizon} decisions of {self.action_block} steps",
                "use 1 <= receding_horizon <= horizon, and action_block >= 1",
            )


@dataclasses.dataclass(frozen=True)
class Warm(State):
    """What a planner remembers from its last plan: the middle of its distribution over plans."""

    mean: Float[Tensor, "B H A"]


@dataclasses.dataclass(frozen=True)
class Iteration:
    """One round of a search, for films of thinking.

    Attributes:
        mean: the middle of the distribution after the round, as action vectors.
        std: its spread.
        best: the best score seen in the round.
    """

    mean: Float[Tensor, "B H A"]
    std: Float[Tensor, "B H A"]
    best: Float[Tensor, " B"]


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a planner decided.

    Attributes:
        actions: [B, H * action_block, ...] in the environment's units, one a step.
        value: the score of the objective that is expected of it.
        memory: what the planner wants to see next time.
        vector: the decisions as action vectors.
        mean: the middle of the final distribution over plans.
        std: its spread; zeros for a planner that keeps none.
        history: one entry a round.
    """

    actions: Shaped[Tensor, "B _ ..."]
    value: Float[Tensor, " B"]
    memory: State
    vector: Float[Tensor, "B H A"]
    mean: Float[Tensor, "B H A"]
    std: Float[Tensor, "B H A"]
    history: tuple[Iteration, ...]


class Planner(nn.Module, ABC):
    """Searches for the actions that an objective likes best in a model. It has no parameters and calls no environment.

    Box actions are searched in [-1, 1] per number (`ActionVector`); Discrete and MultiDiscrete ones as distributions
    over choices. B roots and N candidates go through the model at once, as B * N rows.

    Args:
        space: the action space.
        config: how far and how often.
        std: the spread a search begins with (numbers only).
        min_std: the least spread: for numbers a standard deviation, for choices the share of chance that always
            stays spread evenly.
        max_std: the largest spread (numbers only).
    """

    def __init__(self, space: spaces.Space, config: PlanConfig, std: float, min_std: float, max_std: float):
        super().__init__()
        self.space, self.config = space, config
        self.vector = ActionVector(space)
        self.proposals: Normals | Categories
        if self.vector.continuous:
            self.proposals = Normals(self.vector.bounded, std, min_std, max_std)
        else:
            self.proposals = Categories(self.vector.sizes, min_std)

    def start(self, batch: int) -> State:
        """The memory before anything was planned, B rows."""
        return Warm(self.proposals.begin(batch, self.config.horizon, self.vector.size)[0])

    def plan(
        self,
        model: WorldModel,
        state: State,
        objective: Objective,
        memory: State,
        *,
        generator: torch.Generator | None = None,
    ) -> Plan:
        """The best plan found for each of B beliefs.

        Args:
            model: the world model; only `read` and `rollout` of it are used, and no gradient reaches its parameters.
            state: its beliefs, B rows.
            objective: what to look for; higher is better.
            memory: of the last plan, or `start(B)`.
            generator: source of randomness; None to try the same candidates every time.

        Raises:
            SpecError: if the model does not offer what the objective reads.
        """
        objective.check(model)
        return self.search(model, state, objective.begin(), memory, same_again(generator, model.device))

    @abstractmethod
    def search(
        self, model: WorldModel, state: State, objective: Objective, memory: State, generator: torch.Generator
    ) -> Plan:
        """See `plan`; `objective` is fresh for this search and suits the model."""

    def distribution(self, memory: State, batch: int) -> tuple[Float[Tensor, "B H A"], Float[Tensor, "B H A"]]:
        """Mean and spread to begin a search with: what is left of the last plan, or none of it."""
        mean, std = self.proposals.begin(batch, self.config.horizon, self.vector.size)
        if self.config.warm_start:
            assert isinstance(memory, Warm)
            mean = self.proposals.reopen(shift(memory.mean, mean, self.config.receding_horizon))
        return mean, std

    def steps(self, vectors: Float[Tensor, "... H A"]) -> Shaped[Tensor, "*_"]:
        """Decisions as actions [..., H * action_block, ...] in the environment's units."""
        held = vectors.repeat_interleave(self.config.action_block, -2) if self.config.action_block > 1 else vectors
        return self.vector.invert(held)

    def score(
        self, model: WorldModel, state: State, objective: Objective, actions: Shaped[Tensor, "B N T ..."]
    ) -> Float[Tensor, "B N"]:
        """How good candidates are. What is not a number counts as the worst."""
        batch, num = actions.shape[:2]
        reached = model.rollout(tree.repeat(state, num), actions.flatten(0, 1))
        score = objective(model, tree.split(reached, batch), actions)
        return score.nan_to_num(nan=-1e9, posinf=1e9, neginf=-1e9)

    def decide(
        self,
        vector: Float[Tensor, "B H A"],
        value: Float[Tensor, " B"],
        mean: Float[Tensor, "B H A"],
        std: Float[Tensor, "B H A"],
        memory: State,
        history: list[Iteration],
    ) -> Plan:
        """The answer, from decisions."""
        return Plan(self.steps(vector), value, memory, vector, mean, std, tuple(history))


def shift(plan: Float[Tensor, "B H A"], blank: Float[Tensor, "B H A"], by: int) -> Float[Tensor, "B H A"]:
    """A plan after its first `by` decisions were carried out, filled up from a blank one."""
    return torch.cat([plan[:, by:], blank[:, :by]], 1)


def pick(vectors: Float[Tensor, "B N H A"], best: Int[Tensor, "B K"]) -> Float[Tensor, "B K H A"]:
    """Candidates by number."""
    return vectors.gather(1, best[..., None, None].expand(-1, -1, *vectors.shape[2:]))


def same_again(generator: torch.Generator | None, device: torch.device) -> torch.Generator:
    """The generator given, or a fresh one that always begins alike: a planner's counterpart of a mode."""
    return generator if generator is not None else torch.Generator(device).manual_seed(0)
