"""The laws of Gymnasium's CartPole-v1 and Pendulum-v1, for N rows at once."""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from craik.worlds.equations import Equations
from craik.worlds.solids import wrapped


class CartPole(Equations):
    """Gymnasium 1.x `CartPole-v1`: Euler steps of 0.02 s, force of 10 N to the left or right, reward 1 a step."""

    FIELDS = ("place", "speed", "angle", "turning")
    GRAVITY, CART, POLE, LENGTH, FORCE, TAU = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02
    RAIL, TILT = 2.4, 12 * 2 * np.pi / 360

    def __init__(self) -> None:
        high = np.array([2 * self.RAIL, np.inf, 2 * self.TILT, np.inf], np.float32)
        self.space, self.action = spaces.Box(-high, high, dtype=np.float32), spaces.Discrete(2)

    def effort(self, action: np.ndarray) -> np.ndarray:
        """The force, N: [N, 1]."""
        return np.where(action == 1, self.FORCE, -self.FORCE)[:, None]

    def move(self, state, effort, factors):  # noqa: ANN001, ANN201
        """One Euler step."""
        _, v, angle, turning = state.T
        total, pull = self.CART + self.POLE, self.POLE * self.LENGTH
        c, s = np.cos(angle), np.sin(angle)
        thrust = (effort[:, 0] + pull * turning**2 * s) / total
        spin = (self.GRAVITY * s - c * thrust) / (self.LENGTH * (4 / 3 - self.POLE * c**2 / total))
        rate = np.stack([v, thrust - pull * spin * c / total, turning, spin], 1)
        return state + self.TAU * rate, {}

    def reward(self, before, effort, after, goal, factors):  # noqa: ANN001, ANN201
        """1, also for the step that falls."""
        return np.ones(len(after))

    def proceed(self, state: np.ndarray) -> np.ndarray:
        """On the rails and within 12 degrees of upright."""
        return (np.abs(state[:, 0]) <= self.RAIL) & (np.abs(state[:, 2]) <= self.TILT)


class Pendulum(Equations):
    """Gymnasium 1.x `Pendulum-v1`: a rod, semi-implicit Euler steps of 0.05 s, torque up to 2 N m, a cost a step."""

    FIELDS = ("angle", "speed")
    GRAVITY, MASS, LENGTH, TORQUE, SPEED, DT = 10.0, 1.0, 1.0, 2.0, 8.0, 0.05

    def __init__(self) -> None:
        high = np.array([1, 1, self.SPEED], np.float32)
        self.space = spaces.Box(-high, high, dtype=np.float32)
        self.action = spaces.Box(-self.TORQUE, self.TORQUE, (1,), np.float32)

    def move(self, state, effort, factors):  # noqa: ANN001, ANN201
        """One semi-implicit Euler step."""
        angle, speed = state.T
        pull = 3 * self.GRAVITY / (2 * self.LENGTH) * np.sin(angle)
        speed = speed + (pull + 3.0 / (self.MASS * self.LENGTH**2) * effort[:, 0]) * self.DT
        speed = np.clip(speed, -self.SPEED, self.SPEED)
        return np.stack([angle + speed * self.DT, speed], 1), {}

    def reward(self, before, effort, after, goal, factors):  # noqa: ANN001, ANN201
        """Minus the cost of where the step began: `angle^2 + 0.1 speed^2 + 0.001 torque^2`."""
        angle, speed = before.T
        return -(wrapped(angle) ** 2 + 0.1 * speed**2 + 0.001 * effort[:, 0] ** 2)

    def numbers(self, state: np.ndarray) -> np.ndarray:
        """cos, sin, speed."""
        return np.stack([np.cos(state[:, 0]), np.sin(state[:, 0]), state[:, 1]], 1)

    def invert(self, numbers: np.ndarray) -> np.ndarray:
        """The angle in (-pi, pi] and the speed."""
        x = numbers.astype(np.float64)
        return np.stack([np.arctan2(x[:, 1], x[:, 0]), x[:, 2]], 1)
