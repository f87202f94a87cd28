"""What players learn from: the steps of a tier of data, told goals in hindsight where a world hides its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from jaxtyping import Bool, Float, Shaped
from torch import Tensor

from craik.core.errors import CraikError, DataError
from craik.data.episode import Episode
from craik.data.store import EpisodeStore
from craik.worlds import make
from craik.worlds.exact import ExactWorld
from craik.worlds.tiers import told

DRAWS = 4
"""Goals of one start that are compared to find whether they are all one."""

STARTS = 8
"""Starts that are looked at for that."""


@dataclasses.dataclass(frozen=True)
class Steps:
    """B steps to learn from; G is S where a goal is told, and 0 where there is nothing to tell.

    Attributes:
        seen: the state view before the step.
        goal: the state view that is asked for.
        action: in the world's own units.
        reward: of the arrival, if that goal is asked for.
        after: the state view it led to.
        terminated: whether that ended the episode for good.
        own: whether the goal is what the same episode came to, or nothing had to be told.
    """

    seen: Float[Tensor, "B S"]
    goal: Float[Tensor, "B G"]
    action: Shaped[Tensor, "B ..."]
    reward: Float[Tensor, " B"]
    after: Float[Tensor, "B S"]
    terminated: Bool[Tensor, " B"]
    own: Bool[Tensor, " B"]


@dataclasses.dataclass(frozen=True)
class Lessons:
    """M steps of one world's episodes, one after the other.

    Attributes:
        world: it lends its laws; it is never stepped.
        seen, after: [M, S] float32, the state view before and after each step.
        action: [M, ...].
        reward: [M] as it was paid for the goal that the world had.
        terminated: [M] bool.
        last: [M] int, which step is the last of the same episode.
        factors: name -> [M], the world's constants; they serve `reward` alone and are never told.
    """

    world: ExactWorld
    seen: np.ndarray
    after: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    terminated: np.ndarray
    last: np.ndarray
    factors: Mapping[str, np.ndarray]

    @staticmethod
    def of(world: ExactWorld, episodes: Iterable[Episode]) -> Lessons:
        """Those of these episodes.

        Raises:
            DataError: if there is none, or one does not show the state.
        """
        played = list(episodes)
        if not played or any("state" not in e.obs for e in played):
            raise DataError("players learn from the state, and not every episode shows it", "collect with --obs both")
        lengths = np.array([e.num_steps for e in played])
        usual = {k: f.default for k, f in world.FACTORS.items()}
        drawn = [usual | e.meta.get("factors", {}) for e in played]
        return Lessons(
            world,
            np.concatenate([e.obs["state"][:-1] for e in played]),
            np.concatenate([e.obs["state"][1:] for e in played]),
            np.concatenate([e.action for e in played]),
            np.concatenate([e.reward for e in played]),
            np.concatenate([e.terminated for e in played]),
            np.repeat(lengths.cumsum() - 1, lengths),
            {k: np.repeat([row[k] for row in drawn], lengths) for k in usual},
        )

    def __len__(self) -> int:
        return len(self.reward)

    @property
    def action_space(self) -> spaces.Space:
        """The world's."""
        return self.world.single_action_space

    @cached_property
    def aimed(self) -> bool:
        """Whether a goal has to be told."""
        return hidden_goal(self.world)

    def steps(self, rng: np.random.Generator, num: int, foreign: float) -> Steps:
        """Steps drawn evenly, with replacement.

        Where the world hides its goal, what is asked for is what the same episode came to later, at an even draw of
        its arrivals from this one on (hindsight: Andrychowicz et al. 2017, "future"; Ghosh et al. 2021), or, of a share
        of the steps, what any episode came to at any time. The reward is then the world's own, for that goal.

        Args:
            rng: where to draw from.
            num: how many, B.
            foreign: that share, in [0, 1].
        """
        rows = rng.integers(len(self), size=num)
        goal, reward = np.zeros((num, 0), np.float32), self.reward[rows]
        own = np.ones(num, bool)
        if self.aimed:
            own = rng.random(num) >= foreign
            later, anywhere = rng.integers(rows, self.last[rows] + 1), rng.integers(len(self), size=num)
            aims = np.where(own, later, anywhere)
            goal, reward = self.after[aims], self.paid(rows, aims)
        seen, action, after, terminated = (x[rows] for x in (self.seen, self.action, self.after, self.terminated))
        return Steps(*map(torch.as_tensor, (seen, goal, action, reward, after, terminated, own)))

    def paid(self, rows: np.ndarray, aims: np.ndarray) -> np.ndarray:
        """[B] float32: what the world pays for the arrivals of some steps, if its goal is where others arrived."""
        before, after, goal = (self.world.invert(x) for x in (self.seen[rows], self.after[rows], self.after[aims]))
        factors = {k: v[rows] for k, v in self.factors.items()}
        effort = self.world.effort(self.action[rows])
        return self.world.reward(before, effort, after, goal, factors).astype(np.float32)


def hidden_goal(world: ExactWorld) -> bool:
    """Whether an episode that starts alike may have goals that are not one and the same.

    Then the reward depends on what no view shows. Where a world draws a single kind of goal (the gem in hand, the lap
    done, what the state says is asked), who acts can know it, and nothing has to be told.
    """
    if not world.HAS_GOAL:
        return False
    rng = np.random.default_rng(0)
    usual = {k: f.default for k, f in world.FACTORS.items()}
    starts = np.repeat([world.begin(rng, usual) for _ in range(STARTS)], DRAWS, 0)
    goals = np.stack([world.aim(rng, start, usual) for start in starts])
    others = np.roll(goals.reshape(STARTS, DRAWS, -1), 1, 1).reshape(goals.shape)
    factors = {k: np.full(len(goals), v) for k, v in usual.items()}
    return bool((world.reached(goals, goals, factors) & ~world.reached(goals, others, factors)).any())


def about(data: str | Path) -> dict[str, Any]:
    """What a tier says of itself (`craik.worlds.tiers`).

    Raises:
        DataError: if there is no data, or it is no tier.
        CraikError: if it is one for tests.
    """
    EpisodeStore.open(data, read_only=True)
    found = told(data)
    if found is None:
        raise DataError(
            f"{data} is no tier: nothing says which world it is of and what was left out",
            f"collect one: craik collect craik/Rooms-v0 {data} --tier S",
        )
    if found["split"]["name"] not in ("train", "val"):
        raise CraikError(f"{data} is of the split {found['split']['name']}, which is for tests", "learn from train")
    return found


def gather(data: str | Path) -> Lessons:
    """The steps of a tier of data.

    Raises:
        CraikError: as `about` and `Lessons.of`.
    """
    world = make(about(data)["split"]["world"])
    assert isinstance(world, ExactWorld)
    store = EpisodeStore.open(data, read_only=True)
    return Lessons.of(world, map(store.read, store.ids))
