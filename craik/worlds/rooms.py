"""A point mass in two rooms with a door between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from craik.worlds.draw import INK, RED, STONE, Canvas, table
from craik.worlds.equations import Factor
from craik.worlds.exact import ExactWorld
from craik.worlds.motion import glide
from craik.worlds.solids import Solid, nearest

RADIUS = 0.1
"""Of the body, in units (the rooms together are [-1, 1] both ways)."""

WALL = 0.07
"""Half the thickness of the wall between the rooms."""

NEAR = 0.15
"""A goal is reached within this distance."""

SUBSTEPS = 4
DT = 0.1


class Rooms(ExactWorld):
    """Reach a goal in the other room: the straight way is walled, the way leads through the door.

    State, seen as it is: x, y (units) and their speeds (units/s). Action: acceleration in [-1, 1]^2 of the strongest.
    Between walls the motion is exact (`motion.glide`); a wall takes the speed towards it. The goal is a state at rest;
    only its place counts. Reward in [0, 1]: `1 - way / 3`, the way being the shortest one through the door.
    Events: `wall_hits`, how often a wall was met in the step. Episodes are truncated after 100 steps of 0.1 s.
    """

    FIELDS = ("x", "y", "speed_x", "speed_y")
    FPS, MAX_STEPS, HAS_GOAL = 10, 100, True
    FACTORS: ClassVar[Mapping[str, Factor]] = {
        "door": Factor(0.45, -0.6, 0.6, "height of the door's middle, units", "geometric"),
        "width": Factor(0.22, 0.15, 0.4, "half the door's width, units", "geometric"),
        "wall": Factor(0.0, -0.3, 0.3, "where the wall stands, units", "geometric"),
        "gain": Factor(2.0, 1.0, 4.0, "strongest acceleration, units/s^2"),
        "drag": Factor(2.0, 0.5, 4.0, "per second"),
    }

    def __init__(self, num_envs: int = 1, **settings: Any):
        limit = np.array([1, 1, 8, 8], np.float32)
        self.space = spaces.Box(-limit, limit, dtype=np.float32)
        self.action = spaces.Box(-1, 1, (2,), np.float32)
        super().__init__(num_envs, **settings)

    def move(self, state, effort, factors):  # noqa: ANN001, ANN201
        """One step: glide, then out of the walls, four times."""
        at, speed = state[:, :2], state[:, 2:]
        push, drag = effort * factors["gain"][:, None], factors["drag"][:, None]
        walls = _walls(factors)
        hits = np.zeros(len(state), np.int64)
        for _ in range(SUBSTEPS):
            at, speed = glide(at, speed, push, drag, DT / SUBSTEPS)
            far, way = nearest(at, walls)
            inside = np.maximum(RADIUS - far, 0)
            at = at + inside[:, None] * way
            into = np.where(inside > 0, np.minimum((speed * way).sum(1), 0), 0)
            speed = speed - into[:, None] * way
            held = np.clip(at, RADIUS - 1, 1 - RADIUS)
            stopped = (held != at) & (speed * at > 0)
            at, speed = held, np.where(stopped, 0, speed)
            hits += (into < 0) | stopped.any(1)
        return np.concatenate([at, speed], 1), {"wall_hits": hits}

    def reward(self, before, effort, after, goal, factors):  # noqa: ANN001, ANN201
        """See the class."""
        return np.clip(1 - self.way(after, goal, factors) / 3, 0, 1)

    def way(self, state: np.ndarray, goal: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """[N] units: how far from states to goals, through the middle of the door if they are in different rooms."""
        door = np.stack([factors["wall"], factors["door"]], 1)
        here, there = state[:, :2], goal[:, :2]
        straight = np.linalg.norm(there - here, axis=1)
        around = np.linalg.norm(door - here, axis=1) + np.linalg.norm(there - door, axis=1)
        return np.where((here[:, 0] - door[:, 0]) * (there[:, 0] - door[:, 0]) >= 0, straight, around)

    def reached(self, state: np.ndarray, goal: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """Whether the body is within `NEAR` of its goal."""
        return np.linalg.norm(state[:, :2] - goal[:, :2], axis=1) < NEAR

    def begin(self, rng: np.random.Generator, factors: Mapping[str, float]) -> np.ndarray:
        """At rest, anywhere in either room."""
        return _somewhere(rng, factors, rng.choice([-1.0, 1.0]))

    def aim(self, rng: np.random.Generator, state: np.ndarray, factors: Mapping[str, float]) -> np.ndarray:
        """At rest, anywhere in the other room."""
        return _somewhere(rng, factors, 1.0 if state[0] < factors["wall"] else -1.0)

    def guide(self, style: str = "direct") -> np.ndarray:
        """Actions [N, 2] of a simple pilot that knows the door: to its level, through it, to the goal."""
        wall, door = self.factors["wall"], self.factors["door"]
        at, goal = self.state[:, :2], self.goal[:, :2]
        side, aim = np.sign(at[:, 0] - wall), np.sign(goal[:, 0] - wall)
        level = np.abs(at[:, 1] - door) < 0.08
        lane = np.stack([np.where(level, wall + 0.3 * aim, wall + 0.22 * side), door], 1)
        target = np.where((side == aim)[:, None], goal, lane)
        return np.clip(5 * (target - at) - 1.5 * self.state[:, 2:], -1, 1)

    def paint(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """Two rooms from above."""
        canvas = Canvas(len(state), self.size, 1.06, table(self.size, 1.06))
        for centre, half, _ in _walls(factors):
            canvas.polygon(_corners(centre, half), STONE)
        canvas.disc(state[:, :2] - [0, 0.03], RADIUS + 0.02, INK, alpha=0.18, edge=3)
        canvas.disc(state[:, :2], RADIUS, RED)
        return canvas.image()


def _walls(factors: Mapping[str, np.ndarray]) -> list[Solid]:
    """The wall's two pieces, below and above the door."""
    walls: list[Solid] = []
    below, above = factors["door"] - factors["width"], factors["door"] + factors["width"]
    for low, high in ((np.full_like(below, -1.5), below), (above, np.full_like(above, 1.5))):
        centre = np.stack([factors["wall"], (low + high) / 2], 1)
        half = np.stack([np.full_like(low, WALL), (high - low) / 2], 1)
        walls.append((centre, half, 0.0))
    return walls


def _somewhere(rng: np.random.Generator, factors: Mapping[str, float], side: float) -> np.ndarray:
    """At rest in the room on this side of the wall."""
    near, far = factors["wall"] * side + WALL + RADIUS, 1 - RADIUS
    return np.array([side * rng.uniform(near, far), rng.uniform(-far, far), 0.0, 0.0])


def _corners(centre: np.ndarray, half: np.ndarray) -> np.ndarray:
    """The corners of upright rectangles, counter-clockwise: [..., 4, 2]."""
    turn = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)
    return centre[..., None, :] + half[..., None, :] * turn
