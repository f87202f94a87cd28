"""Pushing a block over a table with a round finger, slowly enough that nothing coasts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from craik.core.errors import UnknownName
from craik.worlds.draw import BLUE, INK, RED, Canvas, table
from craik.worlds.equations import Factor
from craik.worlds.exact import ExactWorld
from craik.worlds.solids import Solid, cross, depth, nearest, turned, wrapped

FINGER = 0.1
"""Radius of the finger, in units (the table is [-1, 1] both ways)."""

NEAR, ALIGNED = 0.08, np.pi / 9
"""The goal pose is reached within this distance (units) and this angle (rad): 20 px of 512 and 20 degrees."""

COVERED = 0.95
"""The goal is covered when the block lies on this part of it: the rule of Push-T (Chi et al. 2023)."""

SUBSTEPS, CORRECTIONS, TOUCH = 5, 6, 1e-6
CELL = 0.02


@dataclasses.dataclass(frozen=True)
class Block:
    """A rigid block of rounded rectangles, its centre of mass at the origin.

    Attributes:
        pieces: the rectangles; they may overlap.
        period: turned by this angle it looks the same, rad.
        lever: mean distance of its area from the centre: how hard it is to turn.
        reach: largest distance of its area from the centre.
        inside: [M, 2], points spread evenly over it, `CELL` apart.
    """

    pieces: tuple[Solid, ...]
    period: float
    lever: float
    reach: float
    inside: np.ndarray


_PIECES: dict[str, tuple[tuple[tuple[tuple[float, float], tuple[float, float], float], ...], float]] = {
    "disc": ((((0, 0), (0, 0), 0.25),), 0.0),
    "box": ((((0, 0), (0.2, 0.2), 0.0),), np.pi / 2),
    "T": ((((0, 0), (0.3, 0.1), 0.0), ((0, -0.2), (0.1, 0.3), 0.0)), 2 * np.pi),
    "L": ((((0, 0), (0.1, 0.3), 0.0), ((0.1, -0.2), (0.2, 0.1), 0.0)), 2 * np.pi),
}
"""Shape -> its pieces (centre, half sizes, radius) and its period (0: any turn looks the same)."""


@cache
def block(shape: str) -> Block:
    """The block of this shape, at size 1."""
    pieces, period = _PIECES[shape]
    raw = [(np.array(c, float), np.array(h, float), r) for c, h, r in pieces]
    few, many = _spread(raw, CELL), _spread(raw, CELL / 10)
    middle = many.mean(0)
    far = np.linalg.norm(many - middle, axis=1)
    return Block(tuple((c - middle, h, r) for c, h, r in raw), period, far.mean(), far.max() + CELL / 10, few - middle)


def _spread(pieces: list[Solid], cell: float) -> np.ndarray:
    """The middles of the cells of a grid that lie in the pieces, [M, 2]; edges at tenths fall between cells."""
    axis = np.arange(-0.6, 0.6, cell) + cell / 2
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    return grid[depth(grid, pieces) < 0]


class Push(ExactWorld):
    """A finger moves, a block gives way. Action: where the finger goes, in [-1, 1]^2 of the longest step.

    State: finger x, y, block x, y (units), block angle (rad). Seen: the four places, cos and sin of the angle.
    Physics: quasi-static (nothing coasts), finger without friction, block on an ellipsoidal limit surface (Goyal, Ruina
    & Papadopoulos 1991; Lynch & Mason 1996): pushed by d along the normal n at the lever arm r, it moves by `k n` and
    turns by `k (r x n) / c^2` with `k = d / (1 + (r x n)^2 / c^2)`, c being the mean distance of its area from its
    centre. So it never moves without contact, and the finger is never inside it. The walls hold fast: where a push
    would take the block out of the table, nothing moves.
    The goal is a pose of the block; where the finger is does not count. Reward in (0, 1]: `exp(-2 error)`, the error
    being the distance plus 0.2 times the angle. Events: `contact`, `moved` (block, units), `penetration` (units).
    `success` is the rule by distance and angle, `coverage() >= COVERED` that of Push-T; the info of an episode's last
    step tells `coverage` as well. Episodes are truncated after 100 steps.

    Args:
        shape: "T", "L", "box" or "disc".
    """

    FIELDS = ("finger_x", "finger_y", "x", "y", "angle")
    FPS, MAX_STEPS, HAS_GOAL = 10, 100, True
    FACTORS: ClassVar[Mapping[str, Factor]] = {
        "size": Factor(1.0, 0.7, 1.3, "of the block, in parts of the usual", "geometric"),
        "grip": Factor(1.0, 0.5, 2.0, "how hard the block is to turn, in parts of an even load's"),
        "gain": Factor(0.12, 0.05, 0.2, "the longest step along an axis, units"),
    }

    def __init__(self, num_envs: int = 1, *, shape: str = "T", **settings: Any):
        if shape not in _PIECES:
            raise UnknownName("shape of block", shape, _PIECES)
        self.shape, self.block = shape, block(shape)
        self.space = spaces.Box(-1, 1, (6,), np.float32)
        self.action = spaces.Box(-1, 1, (2,), np.float32)
        super().__init__(num_envs, **settings)

    def move(self, state, effort, factors):  # noqa: ANN001, ANN201
        """One step: the finger goes a fifth of its way and the block gives way, five times."""
        at, touched = state.copy(), np.zeros(len(state), bool)
        step = effort * factors["gain"][:, None] / SUBSTEPS
        reach = self.block.reach * factors["size"] + FINGER
        for _ in range(SUBSTEPS):
            ahead = at.copy()
            ahead[:, :2] = np.clip(at[:, :2] + step, FINGER - 1, 1 - FINGER)
            reach = self.block.reach * factors["size"] + FINGER
            near = np.abs(ahead[:, :2] - ahead[:, 2:4]).max(1) <= reach
            at[~near] = ahead[~near]
            rows = np.flatnonzero(near)
            pushed, met, clear = self._yield(ahead[rows], {k: v[rows] for k, v in factors.items()})
            at[rows[clear]] = pushed[clear]
            touched[rows] |= met
        moved = np.linalg.norm(at[:, 2:4] - state[:, 2:4], axis=1)
        deep = np.zeros(len(state))
        deep[touched] = np.maximum(FINGER - self._nearest(at[touched], factors["size"][touched])[0], 0)
        return at, {"contact": touched, "moved": moved, "penetration": deep}

    def _yield(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The block gives way to the finger. Also, [N] each: whether it had to, and whether there was room for it."""
        state, rows = state.copy(), np.arange(len(state))
        touched = np.zeros(len(state), bool)
        arm = (self.block.lever * factors["size"] * factors["grip"]) ** 2
        for _ in range(CORRECTIONS):
            here = state[rows]
            far, out = self._nearest(here, factors["size"][rows])
            deep = far < FINGER - TOUCH
            rows, here, far, out = rows[deep], here[deep], far[deep], out[deep]
            if not len(rows):
                break
            touched[rows] = True
            turn = cross(here[:, :2] - far[:, None] * out - here[:, 2:4], -out)
            k = (FINGER - far) / (1 + turn**2 / arm[rows])
            state[rows, 2:4] -= k[:, None] * out
            state[rows, 4] += k * turn / arm[rows]
        clear = np.ones(len(state), bool)
        clear[rows] = False
        clear[touched] &= self._on_table(state[touched, 2:], factors["size"][touched])
        return state, touched, clear

    def _nearest(self, state: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Distance [N] from the finger's centre to the block, and the way out [N, 2]."""
        local = turned(state[:, :2] - state[:, 2:4], -state[:, 4]) / size[:, None]
        far, out = nearest(local, self.block.pieces)
        return far * size, turned(out, state[:, 4])

    def depth(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """[N] units: how deep the finger is in the block; below 0 apart from it."""
        return FINGER - self._nearest(state, factors["size"])[0]

    def outline(self, pose: np.ndarray, size: np.ndarray) -> list[np.ndarray]:
        """Corners of each piece's core at poses [N, 3] (x, y, angle), counter-clockwise: [N, 4, 2] each."""
        way = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)
        return [
            pose[:, None, :2] + turned((c + h * way) * size[:, None, None], pose[:, 2:3])
            for c, h, _ in self.block.pieces
        ]

    def _on_table(self, pose: np.ndarray, size: np.ndarray) -> np.ndarray:
        ok = np.ones(len(pose), bool)
        for corners, (_, _, radius) in zip(self.outline(pose, size), self.block.pieces):
            ok &= np.abs(corners).max((1, 2)) + radius * size <= 1
        return ok

    def errors(self, state: np.ndarray, goal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Distance [N] (units) and angle [N] (rad, at least 0) between the block's poses and the goal's."""
        far = np.linalg.norm(state[:, 2:4] - goal[:, 2:4], axis=1)
        if self.block.period == 0:
            return far, np.zeros(len(state))
        return far, np.abs(wrapped(state[:, 4] - goal[:, 4], self.block.period))

    def reward(self, before, effort, after, goal, factors):  # noqa: ANN001, ANN201
        """See the class."""
        far, off = self.errors(after, goal)
        return np.exp(-2 * (far + 0.2 * off))

    def reached(self, state: np.ndarray, goal: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """Whether the block is at its goal by distance and angle."""
        far, off = self.errors(state, goal)
        return (far < NEAR) & (off < ALIGNED)

    def coverage(self) -> np.ndarray:
        """[N] in [0, 1]: the part of the goal pose's area that the block lies on, to about 0.5 %."""
        return self._coverage(np.arange(self.num_envs))

    def _coverage(self, rows: np.ndarray) -> np.ndarray:
        state, goal, size = self.state[rows], self.goal[rows], self.factors["size"][rows]
        spots = goal[:, None, 2:4] + turned(self.block.inside * size[:, None, None], goal[:, 4:5])
        local = turned(spots - state[:, None, 2:4], -state[:, 4:5]) / size[:, None, None]
        covered, all_of_it = (_covered(depth(p, self.block.pieces)) for p in (local, self.block.inside))
        return covered.mean(1) / all_of_it.mean()

    def _info(self, events: Mapping[str, np.ndarray]) -> dict[str, Any]:
        info = super()._info(events)
        if self.over.any():
            covered = np.zeros(self.num_envs)
            covered[self.over] = self._coverage(np.flatnonzero(self.over))
            info |= {"coverage": covered, "_coverage": self.over.copy()}
        return info

    def begin(self, rng: np.random.Generator, factors: Mapping[str, float]) -> np.ndarray:
        """The block near the middle at any angle, the finger anywhere beside it."""
        pose = np.array([*rng.uniform(-0.35, 0.35, 2), rng.uniform(-np.pi, np.pi)])
        return self._beside(rng, pose, factors)

    def aim(self, rng: np.random.Generator, state: np.ndarray, factors: Mapping[str, float]) -> np.ndarray:
        """The block 0.2 to 0.5 away and turned by up to 0.8 rad, the finger anywhere beside it."""
        while True:
            way, far = rng.uniform(-np.pi, np.pi), rng.uniform(0.2, 0.5)
            place = state[2:4] + far * np.array([np.cos(way), np.sin(way)])
            pose = np.array([*place, state[4] + rng.uniform(-0.8, 0.8)])
            if np.abs(place).max() < 0.5:
                return self._beside(rng, pose, factors)

    def _beside(self, rng: np.random.Generator, pose: np.ndarray, factors: Mapping[str, float]) -> np.ndarray:
        row = {k: np.array([v]) for k, v in factors.items()}
        while True:
            state = np.concatenate([rng.uniform(FINGER - 1, 1 - FINGER, 2), pose])
            if self.depth(state[None], row)[0] < -0.02:
                return state

    def numbers(self, state: np.ndarray) -> np.ndarray:
        """Places, cos, sin."""
        return np.concatenate([state[:, :4], np.cos(state[:, 4:]), np.sin(state[:, 4:])], 1)

    def invert(self, numbers: np.ndarray) -> np.ndarray:
        """The angle in (-pi, pi]."""
        x = numbers.astype(np.float64)
        return np.concatenate([x[:, :4], np.arctan2(x[:, 5:], x[:, 4:5])], 1)

    def guide(self, style: str = "direct") -> np.ndarray:
        """Actions [N, 2] of a simple pilot: round to the far side, then push to the goal. It is blind to angles."""
        finger, at, goal = self.state[:, :2], self.state[:, 2:4], self.goal[:, 2:4]
        gain, size = self.factors["gain"], self.factors["size"]
        way, bearing = goal - at, finger - at
        far, ring = np.linalg.norm(way, axis=1), np.maximum(np.linalg.norm(bearing, axis=1), 1e-6)
        astray = wrapped(np.arctan2(-way[:, 1], -way[:, 0]) - np.arctan2(bearing[:, 1], bearing[:, 0]))
        out = bearing / ring[:, None]
        left = np.stack([-out[:, 1], out[:, 0]], 1)
        orbit = self.block.reach * size + FINGER + 0.03 - ring
        circle = left * (np.sign(astray) * gain)[:, None] + out * orbit[:, None]
        thrust = left * (2 * astray * ring)[:, None] - out * np.minimum(gain, 2 * far)[:, None]
        move = np.where((np.abs(astray) < 0.4)[:, None], np.where(far[:, None] > 0.02, thrust, 0), circle)
        return np.clip(move / gain[:, None], -1, 1)

    def paint(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """The table from above, the finger over the block."""
        n, size = len(state), factors["size"]
        canvas = Canvas(n, self.size, 1.06, table(self.size, 1.06))
        for color, drop, alpha, edge in ((INK, 0.04, 0.13, 3.0), (BLUE, 0.0, 1.0, 1.0)):
            for corners, (_, half, radius) in zip(self.outline(state[:, 2:], size), self.block.pieces):
                if np.any(half):
                    canvas.polygon(corners - [0, drop], color, alpha=alpha, edge=edge)
                else:
                    canvas.disc(corners[:, 0] - [0, drop], radius * size, color, alpha=alpha, edge=edge)
        canvas.disc(state[:, :2] - [0, 0.03], FINGER, INK, alpha=0.18, edge=3)
        canvas.disc(state[:, :2], FINGER, RED)
        return canvas.image()


def _covered(far: np.ndarray) -> np.ndarray:
    """How much of a cell lies in the block whose edge is `far` from its middle."""
    return np.clip(0.5 - far / CELL, 0, 1)
