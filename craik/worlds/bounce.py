"""Billiards: balls in a box, a force on the first one."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from craik.core.errors import SpecError
from craik.worlds.draw import BLUE, GOLD, GREEN, INK, PLUM, RED, Canvas, across, table
from craik.worlds.equations import Factor
from craik.worlds.exact import ExactWorld
from craik.worlds.motion import glide

COLORS = (RED, BLUE, GREEN, GOLD, PLUM)
NEAR = 0.15
"""The goal is reached within this distance, in units (the table is [-1, 1] both ways)."""

REACH = 1.06
"""The picture shows [-REACH, REACH] both ways."""

SUBSTEPS = 8
DT = 0.1


class Bounce(ExactWorld):
    """Three to five balls on a table. Action: a force in [-1, 1]^2 of the strongest on ball 0, the red one.

    State, seen as it is: x, y, speed_x, speed_y of each ball (units, units/s). Balls meet walls and one another with
    impulses along the line of contact, restitution `e`: momentum is conserved exactly, and energy when `e` is 1.
    Ball 0 has mass `mass`, the others 1. Gravity pulls to the bottom of the picture; 0 is a table seen from above.
    The goal: red at a given place. Reward in (0, 1]: `exp(-1.5 distance)`.
    Events: `wall_hits` and `contacts` in the step, `penetration` (deepest overlap left, in parts of the diameter).
    Episodes are truncated after 100 steps of 0.1 s.

    Args:
        balls: how many, 3 to 5.
    """

    FPS, MAX_STEPS, HAS_GOAL = 10, 100, True
    FACTORS: ClassVar[Mapping[str, Factor]] = {
        "gravity": Factor(0.0, 0.0, 3.0, "units/s^2, downwards"),
        "drag": Factor(0.3, 0.0, 1.0, "per second"),
        "restitution": Factor(0.95, 0.4, 1.0, "speed after a collision, in parts of that before"),
        "mass": Factor(1.0, 0.3, 3.0, "of ball 0; the others weigh 1"),
        "radius": Factor(0.17, 0.1, 0.22, "of every ball, units", "geometric"),
        "gain": Factor(4.0, 1.0, 8.0, "strongest force"),
    }

    def __init__(self, num_envs: int = 1, *, balls: int = 3, **settings: Any):
        if not 3 <= balls <= 5:
            raise SpecError(f"bounce has 3 to 5 balls, not {balls}", "pass balls=3")
        self.balls = balls
        self.POINTS = {f"ball{i}": COLORS[i] for i in range(balls)}
        self.FIELDS = tuple(f"{f}{i}" for i in range(balls) for f in ("x", "y", "speed_x", "speed_y"))
        limit = np.tile(np.array([1, 1, 16, 16], np.float32), balls)
        self.space = spaces.Box(-limit, limit, dtype=np.float32)
        self.action = spaces.Box(-1, 1, (2,), np.float32)
        super().__init__(num_envs, **settings)

    def move(self, state, effort, factors):  # noqa: ANN001, ANN201
        """One step: glide, meet one another, meet the walls, eight times."""
        n = len(state)
        balls = state.reshape(n, self.balls, 4).transpose(2, 1, 0)
        at, speed = balls[:2].copy(), balls[2:].copy()  # [2, balls, N]
        push = np.zeros_like(at)
        push[1] -= factors["gravity"]
        push[:, 0] += effort.T * (factors["gain"] / factors["mass"])
        light = self._lightness(factors).T
        radius, e = factors["radius"], factors["restitution"]
        hits, contacts = np.zeros(n, np.int64), np.zeros(n, np.int64)
        none, unit = np.zeros(n), np.ones(n)  # what all balls do follows from what these do, being linear in it
        once, fade = glide(none, unit, none, factors["drag"], DT / SUBSTEPS)
        twice, _ = glide(none, none, unit, factors["drag"], DT / SUBSTEPS)
        further, faster = push * twice, push * once
        for _ in range(SUBSTEPS):
            at = at + speed * once + further
            speed = speed * fade + faster
            _meet(at, speed, light, radius, e, contacts)
            _walls(at, speed, radius, e, hits)
        overlap = 1 - np.sqrt(_apart(at)).min(0) / (2 * radius)
        events = {"wall_hits": hits, "contacts": contacts, "penetration": np.maximum(overlap, 0)}
        after = np.concatenate([at, speed]).transpose(2, 1, 0)
        return after.reshape(n, 4 * self.balls), events

    def reward(self, before, effort, after, goal, factors):  # noqa: ANN001, ANN201
        """See the class."""
        return np.exp(-1.5 * np.linalg.norm(after[:, :2] - goal[:, :2], axis=1))

    def reached(self, state: np.ndarray, goal: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """Whether red is within `NEAR` of its goal."""
        return np.linalg.norm(state[:, :2] - goal[:, :2], axis=1) < NEAR

    def energy(self) -> np.ndarray:
        """[N]: kinetic and, under gravity, potential."""
        balls = self.state.reshape(self.num_envs, self.balls, 4)
        mass = 1 / self._lightness(self.factors)
        height = self.factors["gravity"][:, None] * balls[..., 1]
        return (mass * (0.5 * (balls[..., 2:] ** 2).sum(-1) + height)).sum(1)

    def momentum(self) -> np.ndarray:
        """[N, 2]: of all balls together."""
        speed = self.state.reshape(self.num_envs, self.balls, 4)[..., 2:]
        return (speed / self._lightness(self.factors)[..., None]).sum(1)

    def begin(self, rng: np.random.Generator, factors: Mapping[str, float]) -> np.ndarray:
        """Apart from one another and from the walls; all but red rolling."""
        room, apart = 0.98 - factors["radius"], 2.05 * factors["radius"]
        places: list[np.ndarray] = []
        while len(places) < self.balls:
            place = rng.uniform(-room, room, 2)
            if all(np.linalg.norm(place - other) > apart for other in places):
                places.append(place)
        speeds = rng.uniform(-1, 1, (self.balls, 2))
        speeds[0] = 0
        return np.concatenate([np.stack(places), speeds], 1).reshape(-1)

    def aim(self, rng: np.random.Generator, state: np.ndarray, factors: Mapping[str, float]) -> np.ndarray:
        """The others at rest where they began, red at rest in a free place."""
        balls = state.reshape(self.balls, 4).copy()
        balls[:, 2:] = 0
        room, apart = 0.98 - factors["radius"], 2.05 * factors["radius"]
        while True:
            balls[0, :2] = rng.uniform(-room, room, 2)
            if (np.linalg.norm(balls[1:, :2] - balls[0, :2], axis=1) > apart).all():
                return balls.reshape(-1)

    def guide(self, style: str = "direct") -> np.ndarray:
        """Actions [N, 2] of a simple pilot: straight to the goal, braking, blind to the other balls."""
        return np.clip(3 * (self.goal[:, :2] - self.state[:, :2]) - 1.5 * self.state[:, 2:4], -1, 1)

    def paint(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """Balls with a soft shadow and a light on them."""
        n = len(state)
        canvas = Canvas(n, self.size, REACH, table(self.size, REACH))
        balls, radius = state.reshape(n, self.balls, 4), factors["radius"]
        for i in range(self.balls):
            at = balls[:, i, :2]
            canvas.disc(at - [0, 0.04], radius, INK, alpha=0.15, edge=3)
            canvas.disc(at, radius, COLORS[i])
            canvas.disc(at + radius[:, None] * [-0.3, 0.3], radius * 0.3, (255, 255, 255), alpha=0.35, edge=2)
        return canvas.image()

    def places(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """Where the balls are."""
        return across(state.reshape(len(state), self.balls, 4)[..., :2], REACH)

    def _lightness(self, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """[N, balls]: one over the mass."""
        light = np.ones((len(factors["mass"]), self.balls))
        light[:, 0] = 1 / factors["mass"]
        return light


def _apart(at: np.ndarray) -> np.ndarray:
    """[pairs, N]: squared distances between centres [2, balls, N], pair by pair as in `combinations`."""
    first, second = np.transpose(list(combinations(range(at.shape[1]), 2)))
    x, y = at[:, second] - at[:, first]
    return x * x + y * y


def _meet(
    at: np.ndarray, speed: np.ndarray, light: np.ndarray, radius: np.ndarray, e: np.ndarray, contacts: np.ndarray
) -> None:
    """Parts balls that overlap, pair by pair, and exchanges momentum where they approach; counts these, in place.

    Only worlds in which any two touch have to be looked at pair by pair: in the others nothing can come to.

    Args:
        at, speed: [2, balls, N].
        light: [balls, N], one over the mass.
        radius, e: [N].
        contacts: [N], to which those of each world are added.
    """
    rows = np.flatnonzero((2 * radius - np.sqrt(_apart(at)) > 0).any(0))
    if not len(rows):
        return
    here, fast, thin, wide, back = at[:, :, rows], speed[:, :, rows], light[:, rows], 2 * radius[rows], e[rows]
    met = np.zeros(len(rows), np.int64)
    for i, j in combinations(range(at.shape[1]), 2):
        apart = here[:, j] - here[:, i]
        far = np.sqrt(apart[0] * apart[0] + apart[1] * apart[1])
        overlap = np.maximum(wide - far, 0)
        touching = overlap > 0
        if not touching.any():
            continue
        normal = apart / np.maximum(far, 1e-12)
        li, lj = thin[i], thin[j]
        along = (fast[:, j] - fast[:, i]) * normal
        closing = np.where(touching, np.minimum(along[0] + along[1], 0), 0)
        impulse = ((1 + back) * closing / (li + lj)) * normal
        fast[:, i] += impulse * li
        fast[:, j] -= impulse * lj
        shift = (overlap / (li + lj)) * normal
        here[:, i] -= shift * li
        here[:, j] += shift * lj
        met += closing < 0
    at[:, :, rows], speed[:, :, rows] = here, fast
    contacts[rows] += met


def _walls(at: np.ndarray, speed: np.ndarray, radius: np.ndarray, e: np.ndarray, hits: np.ndarray) -> None:
    """Reflects what went through a wall, in place, and counts the balls that did; for arguments see `_meet`."""
    room = 1 - radius
    rows = np.flatnonzero((np.abs(at) - room > 0).any((0, 1)))
    if not len(rows):
        return
    here, fast, room = at[:, :, rows], speed[:, :, rows], room[rows]
    beyond, side = np.abs(here) - room, np.sign(here)
    through = beyond > 0
    outward = through & (fast * side > 0)
    at[:, :, rows] = np.where(through, side * np.maximum(room - beyond, -room), here)
    speed[:, :, rows] = np.where(outward, -e[rows] * fast, fast)
    hits[rows] += outward.any(0).sum(0)
