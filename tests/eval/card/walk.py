"""A world of chance for tests: a body that is pushed along a line, and by luck."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from craik.worlds import luck
from craik.worlds.equations import Factor
from craik.worlds.exact import ExactWorld

CHANCE = 0.4
"""How far luck pushes it at most in a step, one way or the other; an action pushes it half as far."""


class Walk(ExactWorld):
    """Its place changes by `CHANCE` times an action's half and an even draw from [-1, 1]. Nearer to 0 pays more."""

    FIELDS = ("place", "luck")
    FACTORS: ClassVar[Mapping[str, Factor]] = {"chance": Factor(CHANCE, 0.1, 1.0, "how far luck pushes at most")}
    LUCKY = True

    def __init__(self, num_envs: int = 1, **settings: Any):
        self.space = spaces.Box(-50, 50, (1,), np.float32)
        self.action = spaces.Box(-1, 1, (1,), np.float32)
        super().__init__(num_envs, **settings)

    def move(self, state, effort, factors):
        drawn, after = luck.throw(state[:, 1], 1)
        place = state[:, 0] + factors["chance"] * (effort[:, 0] / 2 + 2 * drawn[:, 0] - 1)
        return np.stack([place, after], 1), {}

    def reward(self, before, effort, after, goal, factors):
        return np.exp(-np.abs(after[:, 0]))

    def begin(self, rng: np.random.Generator, factors: Mapping[str, float]) -> np.ndarray:
        return np.array([rng.uniform(-2, 2), 0.0])

    def paint(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        return np.zeros((len(state), self.size, self.size, 3), np.uint8)
