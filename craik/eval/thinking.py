"""A planner's thinking, to be looked at: what it tried round by round, and what it expected of it."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor

from craik.behave.objectives import Objective, readings
from craik.behave.plan import Planner
from craik.core import tree
from craik.core.model import WorldModel
from craik.core.state import State


@dataclasses.dataclass(frozen=True)
class Thinking:
    """One search from one belief: R rounds, N candidates drawn from each round's distribution for the picture.

    Attributes:
        tried: [1 + R, N, T, A] actions as vectors (numbers in [-1, 1], or one-hots); entry 0 is what the search begins
            with, entry r what it was left with after round r.
        chosen: [T, A] the plan.
        expected: [1 + R, N, T] the reward the model expects along each candidate; None if it offers no reward.
        hoped: [T] the same along the plan.
        best: [R] the best score found in each round.
        continuous: whether actions are numbers.
    """

    tried: np.ndarray
    chosen: np.ndarray
    expected: np.ndarray | None
    hoped: np.ndarray | None
    best: np.ndarray
    continuous: bool


@torch.no_grad()
def think(
    model: WorldModel,
    state: State,
    planner: Planner,
    objective: Objective,
    *,
    generator: torch.Generator,
    memory: State | None = None,
    num: int = 24,
) -> Thinking:
    """Plans once and keeps what a picture needs.

    Args:
        model: the world model.
        state: one belief, one row.
        planner: how to search.
        objective: what for.
        generator: of the search and of the candidates drawn for the picture.
        memory: the planner's; by default that of a search that remembers nothing.
        num: candidates N to draw from each round's distribution.
    """
    plan = planner.plan(model, state, objective, memory or planner.start(1), generator=generator)
    begin = planner.proposals.begin(1, planner.config.horizon, planner.vector.size)
    rounds = [begin, *((i.mean, i.std) for i in plan.history)]
    drawn = []
    for mean, std in rounds:
        noise = torch.randn(1, num, *mean.shape[1:], generator=generator, device=model.device)
        drawn.append(planner.proposals.draw(mean, std, noise)[0])
    vectors = torch.cat([*drawn, plan.vector])  # [(1 + R) N + 1, H, A]
    held = vectors.repeat_interleave(planner.config.action_block, 1)
    tried, chosen = _rounds(held, len(rounds), num)
    paid = _expected(model, state, planner.steps(vectors))
    expected, hoped = (None, None) if paid is None else _rounds(paid, len(rounds), num)
    best = torch.stack([i.best[0] for i in plan.history]).cpu().numpy()
    return Thinking(tried, chosen, expected, hoped, best, planner.vector.continuous)


def _expected(model: WorldModel, state: State, actions: Tensor) -> Tensor | None:
    """The reward expected along actions [M, T, ...]: [M, T]; None from a model that offers none."""
    if "reward" not in model.spec.reads:
        return None
    reached = model.rollout(tree.repeat(state, len(actions)), actions)
    return readings(model, tree.map(lambda x: x[None], reached), "reward")[0]


def _rounds(x: Tensor, rounds: int, num: int) -> tuple[np.ndarray, np.ndarray]:
    """[(R + 1) N + 1, ...] -> what was drawn [R + 1, N, ...], and the last one."""
    values = x.cpu().numpy()
    return values[:-1].reshape(rounds, num, *values.shape[1:]), values[-1]
