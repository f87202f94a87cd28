"""A cart with a pole hanging from it: swing it up and keep it there, within the rails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from craik.worlds.draw import BLUE, INK, PAPER, RED, STONE, Canvas
from craik.worlds.equations import Factor
from craik.worlds.exact import ExactWorld
from craik.worlds.motion import runge_kutta

RAIL = 1.2
"""Half the length of the rails, m. The cart stops dead at their ends."""

SUBSTEPS = 2


class CartPoleSwing(ExactWorld):
    """The cart-pole of Barto, Sutton & Anderson (1983), frictionless, by Runge-Kutta; the pole is a uniform rod.

    State: cart place (m) and speed (m/s), pole angle (rad, 0 upright) and speed (rad/s). Seen: place, speed, cos, sin,
    angular speed. Action: force in [-1, 1] of the strongest. Reward in [0, 1] a step: `((1 + cos)/2)^2` times
    `(1 + exp(-(angular speed/5)^2)) / 2` times `1 - |place| / (2 rail)`. 200 steps of 0.04 s, never terminated.
    """

    FIELDS = ("place", "speed", "angle", "turning")
    FPS = 25
    FACTORS: ClassVar[Mapping[str, Factor]] = {
        "gravity": Factor(9.8, 5.0, 15.0, "m/s^2"),
        "cart": Factor(1.0, 0.5, 2.0, "mass of the cart, kg"),
        "pole": Factor(0.2, 0.1, 0.5, "mass of the pole, kg"),
        "length": Factor(0.5, 0.4, 0.7, "half the pole's length, m", "geometric"),
        "force": Factor(10.0, 5.0, 20.0, "of the strongest action, N"),
        "dt": Factor(0.04, 0.02, 0.06, "of a step, s"),
    }

    def __init__(self, num_envs: int = 1, **settings: Any):
        limit = np.array([RAIL, 40, 1, 1, 80], np.float32)
        self.space = spaces.Box(-limit, limit, dtype=np.float32)
        self.action = spaces.Box(-1, 1, (1,), np.float32)
        super().__init__(num_envs, **settings)

    def move(self, state, effort, factors):  # noqa: ANN001, ANN201
        """Two half steps by Runge-Kutta, the force held; the rails' ends take all speed."""
        force = effort[:, 0] * factors["force"]
        total, pull = factors["cart"] + factors["pole"], factors["pole"] * factors["length"]

        def slope(place: np.ndarray, speed: np.ndarray, angle: np.ndarray, turning: np.ndarray) -> tuple:
            c, s = np.cos(angle), np.sin(angle)
            thrust = (force + pull * turning**2 * s) / total
            spin = (factors["gravity"] * s - c * thrust) / (
                factors["length"] * (4 / 3 - factors["pole"] * c**2 / total)
            )
            return speed, thrust - pull * spin * c / total, turning, spin

        at = tuple(state.T)
        for _ in range(SUBSTEPS):
            place, speed, angle, turning = runge_kutta(slope, at, factors["dt"] / SUBSTEPS)
            ended = np.abs(place) > RAIL
            at = (
                np.clip(place, -RAIL, RAIL),
                np.where(ended, 0, np.clip(speed, -40, 40)),
                angle,
                np.clip(turning, -80, 80),
            )
        return np.stack(at, 1), {}

    def reward(self, before, effort, after, goal, factors):  # noqa: ANN001, ANN201
        """See the class."""
        upright = ((1 + np.cos(after[:, 2])) / 2) ** 2
        quiet = (1 + np.exp(-((after[:, 3] / 5) ** 2))) / 2
        return upright * quiet * (1 - np.abs(after[:, 0]) / (2 * RAIL))

    def numbers(self, state: np.ndarray) -> np.ndarray:
        """Place, speed, cos, sin, angular speed."""
        place, speed, angle, turning = state.T
        return np.stack([place, speed, np.cos(angle), np.sin(angle), turning], 1)

    def invert(self, numbers: np.ndarray) -> np.ndarray:
        """The angle in (-pi, pi]."""
        place, speed, c, s, turning = numbers.astype(np.float64).T
        return np.stack([place, speed, np.arctan2(s, c), turning], 1)

    def energy(self) -> np.ndarray:
        """[N] J: kinetic and potential, 0 at rest upright."""
        _, speed, angle, turning = self.state.T
        f = self.factors
        along = f["pole"] * f["length"] * speed * turning * np.cos(angle)
        kinetic = 0.5 * (f["cart"] + f["pole"]) * speed**2 + along + 2 / 3 * f["pole"] * (f["length"] * turning) ** 2
        return kinetic + f["pole"] * f["gravity"] * f["length"] * (np.cos(angle) - 1)

    def begin(self, rng: np.random.Generator, factors: Mapping[str, float]) -> np.ndarray:
        """Near the middle, the pole hanging, nearly at rest."""
        return np.array([0.0, 0.0, np.pi, 0.0]) + rng.uniform(-0.2, 0.2, 4)

    def paint(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """Rails, a cart, and a thick pole."""
        place, _, angle, _ = state.T
        canvas = Canvas(len(state), self.size, 2.25, PAPER)
        axle = np.stack([place, np.zeros_like(place)], 1)
        end = axle + 2 * factors["length"][:, None] * np.stack([np.sin(angle), np.cos(angle)], 1)
        rail = np.broadcast_to(np.array([RAIL + 0.4, 0.0]), axle.shape)
        canvas.capsule(-rail, rail, 0.07, STONE)
        canvas.polygon(axle[:, None] + np.array([[-0.42, -0.24], [0.42, -0.24], [0.42, 0.24], [-0.42, 0.24]]), BLUE)
        canvas.capsule(axle, end, 0.17, RED)
        canvas.disc(axle, 0.1, INK)
        return canvas.image()
