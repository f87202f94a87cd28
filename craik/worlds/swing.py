"""A pendulum with a motor at its axle, exact by Runge-Kutta: swing it up, or keep it up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from craik.core.errors import UnknownName
from craik.worlds.draw import INK, PAPER, RED, SLATE, Canvas
from craik.worlds.equations import Factor
from craik.worlds.exact import ExactWorld
from craik.worlds.motion import runge_kutta

TASKS = {"up": (np.pi, 0.6, 0.5), "balance": (0.0, 0.2, 0.2)}
"""Task -> where it starts: angle, and by how much angle (rad) and speed (rad/s) may differ, uniformly."""

MAX_SPEED = 12.0
"""The axle turns no faster, rad/s. A free fall from upright reaches 6.3."""


class Swing(ExactWorld):
    """A point mass on a rod: `angle'' = g/l sin(angle) + (torque - friction speed) / (m l^2)`, angle 0 upright.

    State: angle (rad) and speed (rad/s). Seen: cos, sin, speed. Action: torque in [-1, 1] of the strongest, or one of
    `bins` evenly spaced torques. The strongest torque cannot lift the rod against gravity: it has to be swung up.
    Reward in [0, 1] a step: `((1 + cos)/2)^2 (1 + exp(-(speed/4)^2)) / 2`, 1 at rest upright, 0 hanging.
    Episodes are truncated after 200 steps of 0.05 s and never terminate.

    Args:
        task: "up" (starts hanging) or "balance" (starts near upright).
        bins: how many torques to choose from; None for a continuous torque.
    """

    FIELDS = ("angle", "speed")
    FACTORS: ClassVar[Mapping[str, Factor]] = {
        "gravity": Factor(10.0, 5.0, 15.0, "m/s^2"),
        "length": Factor(1.0, 0.7, 1.2, "of the rod, m", "geometric"),
        "mass": Factor(1.0, 0.5, 2.0, "at the end of the rod, kg"),
        "friction": Factor(0.1, 0.0, 0.5, "of the axle, N m s"),
        "torque": Factor(4.0, 2.0, 8.0, "of the strongest action, N m"),
        "dt": Factor(0.05, 0.02, 0.1, "of a step, s"),
    }

    def __init__(self, num_envs: int = 1, *, task: str = "up", bins: int | None = None, **settings: Any):
        if task not in TASKS:
            raise UnknownName("task of swing", task, TASKS)
        self.task, self.bins, self.IDLE = task, bins, (bins or 0) // 2  # type: ignore[misc]
        limit = np.array([1, 1, MAX_SPEED], np.float32)
        self.space = spaces.Box(-limit, limit, dtype=np.float32)
        self.action = spaces.Box(-1, 1, (1,), np.float32) if bins is None else spaces.Discrete(bins)
        super().__init__(num_envs, **settings)

    def effort(self, action: np.ndarray) -> np.ndarray:
        """The torque as a part of the strongest, [N, 1]."""
        if self.bins is None:
            return super().effort(action)
        return np.linspace(-1, 1, self.bins)[action.astype(np.int64)][:, None]

    def move(self, state, effort, factors):  # noqa: ANN001, ANN201
        """One step by Runge-Kutta of fourth order, the torque held."""
        torque = effort[:, 0] * factors["torque"]
        inertia = factors["mass"] * factors["length"] ** 2
        pull = factors["gravity"] / factors["length"]

        def slope(angle: np.ndarray, speed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return speed, pull * np.sin(angle) + (torque - factors["friction"] * speed) / inertia

        angle, speed = runge_kutta(slope, (state[:, 0], state[:, 1]), factors["dt"])
        return np.stack([angle, np.clip(speed, -MAX_SPEED, MAX_SPEED)], 1), {}

    def reward(self, before, effort, after, goal, factors):  # noqa: ANN001, ANN201
        """See the class."""
        return ((1 + np.cos(after[:, 0])) / 2) ** 2 * (1 + np.exp(-((after[:, 1] / 4) ** 2))) / 2

    def numbers(self, state: np.ndarray) -> np.ndarray:
        """cos, sin, speed."""
        return np.stack([np.cos(state[:, 0]), np.sin(state[:, 0]), state[:, 1]], 1)

    def invert(self, numbers: np.ndarray) -> np.ndarray:
        """The angle in (-pi, pi] and the speed."""
        x = numbers.astype(np.float64)
        return np.stack([np.arctan2(x[:, 1], x[:, 0]), x[:, 2]], 1)

    def energy(self) -> np.ndarray:
        """[N] J: kinetic and potential, 0 at rest upright."""
        mass, length = self.factors["mass"], self.factors["length"]
        kinetic = 0.5 * mass * (length * self.state[:, 1]) ** 2
        return kinetic + mass * self.factors["gravity"] * length * (np.cos(self.state[:, 0]) - 1)

    def begin(self, rng: np.random.Generator, factors: Mapping[str, float]) -> np.ndarray:
        """Hanging or upright, and a little away from it."""
        angle, wide, speed = TASKS[self.task]
        return np.array([angle + rng.uniform(-wide, wide), rng.uniform(-speed, speed)])

    def paint(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """A thick rod with a heavy end."""
        canvas = Canvas(len(state), self.size, 1.5, PAPER)
        reach = factors["length"][:, None] * np.stack([np.sin(state[:, 0]), np.cos(state[:, 0])], 1)
        pivot = np.zeros_like(reach)
        canvas.capsule(pivot, reach, 0.13, SLATE)
        canvas.disc(pivot, 0.16, INK)
        canvas.disc(reach, 0.27, RED)
        return canvas.image()
