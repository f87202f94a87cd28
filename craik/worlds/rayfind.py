"""First person: find the place that the goal shows, in four rooms joined by doors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from craik.worlds import cast
from craik.worlds.draw import SLATE, Color
from craik.worlds.equations import Factor
from craik.worlds.ray import COLORS, NAMES, RADIUS, Ray, Rows, facing, middle, projected

WALL = 0.04
"""Half the thickness of the walls between the rooms, units."""

NEAR, ALIGNED = 0.12, 0.35
"""The goal is reached within this distance (units) and this angle (rad, 20 degrees)."""

ROOMS = ("north-east", "north-west", "south-west", "south-east")
QUARTERS = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]], float)
"""Where the rooms are, counter-clockwise."""

MARKS, MOVERS, ORBIT = 0.07, 0.07, 0.14
"""Radii of the landmarks, of the moving pillars, and of the circles on which those go, units."""

PILLAR: Color = SLATE


class RayFind(Ray):
    """Four rooms in a ring, a door between neighbours; a landmark in each room's corner, pillars circling in two.

    Fields: pose; `phase0`, `phase1` (rad), where the pillars of the north-east and the south-west room are on their
    circles; `mark0` .. `mark3`, the colours of the rooms' landmarks (index into `COLORS`), all different, drawn anew
    for every episode. Pillars go on `pace` rad a step, seen or not, and push the walker aside.
    The goal: a pose in another room. Its picture shows it. Success: within 0.12 units and 20 degrees.
    Reward in [0, 1]: `1 - way / 4`, the way being the shortest through the doors.
    Styles: "direct", the shorter way round the ring; "left", always counter-clockwise; "right", always clockwise.
    Episodes are truncated after 150 steps.
    """

    FIELDS = ("x", "y", "heading", "phase0", "phase1", "mark0", "mark1", "mark2", "mark3")
    ANGLES: ClassVar[tuple[int, ...]] = (2, 3, 4)
    LIMITS: ClassVar[Mapping[str, tuple[float, float]]] = {f"mark{i}": (0, 3) for i in range(4)}
    FPS, MAX_STEPS, HAS_GOAL = 10, 150, True
    STYLES: ClassVar[tuple[str, ...]] = ("direct", "left", "right")
    POINTS: Mapping[str, Color] = dict(zip(NAMES, COLORS, strict=True))
    FACTORS: ClassVar[Mapping[str, Factor]] = {
        **Ray.FACTORS,
        "wall_x": Factor(0.0, -0.15, 0.15, "where the wall between east and west stands, units", "geometric"),
        "wall_y": Factor(0.0, -0.15, 0.15, "where the wall between north and south stands, units", "geometric"),
        "width": Factor(0.18, 0.13, 0.25, "half the doors' width, units", "geometric"),
        "door": Factor(0.5, 0.4, 0.6, "how far from the middle of the hall the doors are, units", "geometric"),
    }

    def move(self, state, effort, factors):  # noqa: ANN001, ANN201
        """One step: the pillars go on, then the walker."""
        after = state.copy()
        after[:, 3:5] = (state[:, 3:5] + factors["pace"][:, None] + np.pi) % (2 * np.pi) - np.pi
        posts, girth = self._posts(after, factors)
        after[:, :3], bumps = self.walk(state, effort, factors, _walls(factors), posts, girth)
        return after, {"bumps": bumps}

    def reward(self, before, effort, after, goal, factors):  # noqa: ANN001, ANN201
        """See the class."""
        return np.clip(1 - self.way(after, goal, factors) / 4, 0, 1)

    def way(self, state: np.ndarray, goal: np.ndarray, factors: Rows) -> np.ndarray:
        """[N] units: how far from states to goals, through the middles of the doors, the shorter way round."""
        return np.minimum(*(_round(state, goal, factors, turn)[0] for turn in (1, -1)))

    def reached(self, state: np.ndarray, goal: np.ndarray, factors: Rows) -> np.ndarray:
        """Whether the walker is where the goal is and looks where it looks."""
        off = (state[:, 2] - goal[:, 2] + np.pi) % (2 * np.pi) - np.pi
        return (np.linalg.norm(state[:, :2] - goal[:, :2], axis=1) < NEAR) & (np.abs(off) < ALIGNED)

    def begin(self, rng: np.random.Generator, factors: Mapping[str, float]) -> np.ndarray:
        """In any room, out of the pillars' way."""
        phases, marks = rng.uniform(-np.pi, np.pi, 2), rng.permutation(4)
        return np.concatenate([_somewhere(rng, factors, int(rng.integers(4))), phases, marks])

    def aim(self, rng: np.random.Generator, state: np.ndarray, factors: Mapping[str, float]) -> np.ndarray:
        """A pose in another room, all else as it is now."""
        here = int(_room(state[None, :2], {k: np.array([v]) for k, v in factors.items()})[0])
        return np.concatenate([_somewhere(rng, factors, (here + int(rng.integers(1, 4))) % 4), state[3:]])

    def guide(self, style: str = "direct") -> np.ndarray:
        """Actions of a pilot that knows the doors and is blind to the pillars."""
        ways = [_round(self.state, self.goal, self.factors, turn) for turn in (1, -1)]
        left = ways[0][0] <= ways[1][0] if style == "direct" else np.full(self.num_envs, style == "left")
        return self.steer(np.where(left[:, None], ways[0][1], ways[1][1]), self.goal[:, 2])

    def scene(self, state: np.ndarray, factors: Rows) -> cast.Scene:
        """Two walls in pieces, four landmarks, two pillars."""
        n = len(state)
        posts, girth = self._posts(state, factors)
        paint = np.empty((n, 6, 3))
        paint[:, :4] = np.array(COLORS, float)[state[:, 5:9].astype(np.int64)]
        paint[:, 4:] = PILLAR
        centre, half = _walls(factors)
        parts = middle(factors, n) | {"centre": centre, "half": half, "posts": posts, "girth": girth, "paint": paint}
        return cast.Scene(**parts, door=0.0)

    def kinds(self) -> tuple[int, ...]:
        """Landmarks stand, pillars move."""
        return (2, 2, 2, 2, 3, 3)

    def places(self, state: np.ndarray, factors: Rows) -> np.ndarray:
        """Where the middles of landmarks are that are seen whole; they are as high as the picture's middle."""
        n, sight = len(state), self.sight(state, factors)
        spots, _ = self._posts(state, factors)
        across, ahead = projected(state, spots[:, :4], factors["view"])
        wide = MARKS / np.maximum(ahead, MARKS) / (2 * np.tan(factors["view"] / 2)[:, None])
        columns = (np.arange(self.size) + 0.5) / self.size
        out = np.full((n, 4, 2), np.nan)
        for i in range(4):
            due = np.abs(columns - across[:, i : i + 1]) < wide[:, i : i + 1] - 0.6 / self.size
            whole = (due <= (sight.what == 7 + i)).all(1) & due.any(1) & (ahead[:, i] > MARKS)
            whole &= (across[:, i] > wide[:, i]) & (across[:, i] < 1 - wide[:, i])
            rows = np.flatnonzero(whole)
            which = state[rows, 5 + i].astype(np.int64)
            out[rows, which, 0], out[rows, which, 1] = across[rows, i], 0.5
        return out

    def captions(self, state: np.ndarray, factors: Rows) -> list[str]:
        """Where the walker is, where it looks, and what landmark it sees."""
        spots, _ = self._posts(state, factors)
        seen = self.sight(state, factors).what
        told = []
        for row, (room, wind) in enumerate(zip(_room(state[:, :2], factors), facing(state[:, 2]), strict=True)):
            count = [(seen[row] == 7 + i).sum() for i in range(4)]
            best, text = int(np.argmax(count)), "no landmark is in sight"
            if count[best]:
                far = np.linalg.norm(spots[row, best] - state[row, :2])
                text = f"the {NAMES[int(state[row, 5 + best])]} landmark is in sight, {far:.1f} units away"
            told.append(f"In the {ROOMS[room]} room, looking {wind}: {text}.")
        return told

    def _posts(self, state: np.ndarray, factors: Rows) -> tuple[np.ndarray, np.ndarray]:
        """Landmarks and pillars: middles [N, 6, 2] and radii [6]."""
        posts = np.empty((len(state), 6, 2))
        posts[:, :4] = QUARTERS * (1 - MARKS)
        for i, room in enumerate((0, 2)):
            posts[:, 4 + i] = _hearts(factors)[:, room]
            posts[:, 4 + i, 0] += ORBIT * np.cos(state[:, 3 + i])
            posts[:, 4 + i, 1] += ORBIT * np.sin(state[:, 3 + i])
        return posts, np.array([MARKS] * 4 + [MOVERS] * 2)


def _walls(factors: Rows) -> tuple[np.ndarray, np.ndarray]:
    """The two walls, three pieces each: middles and half sizes [N, 6, 2]."""
    n = len(factors["width"])
    centre, half = np.empty((n, 6, 2)), np.full((n, 6, 2), WALL)
    d, w = factors["door"], factors["width"]
    cuts = np.stack([np.full(n, -1.1), -d - w, -d + w, d - w, d + w, np.full(n, 1.1)], 1)
    for axis, name in ((0, "wall_x"), (1, "wall_y")):
        for piece in range(3):
            low, high = cuts[:, 2 * piece], cuts[:, 2 * piece + 1]
            k = 3 * axis + piece
            centre[:, k, axis], centre[:, k, 1 - axis] = factors[name], (low + high) / 2
            half[:, k, 1 - axis] = (high - low) / 2
    return centre, half


def _hearts(factors: Rows) -> np.ndarray:
    """The rooms' middles, [N, 4, 2]."""
    wall = np.stack([factors["wall_x"], factors["wall_y"]], 1)[:, None]
    return (wall + QUARTERS) / 2


def _room(at: np.ndarray, factors: Rows) -> np.ndarray:
    """Which of `ROOMS` places [N, 2] are in, [N]."""
    east, north = at[:, 0] > factors["wall_x"], at[:, 1] > factors["wall_y"]
    return np.where(north, np.where(east, 0, 1), np.where(east, 3, 2))


def _round(state: np.ndarray, goal: np.ndarray, factors: Rows, turn: int) -> tuple[np.ndarray, np.ndarray]:
    """The way round the ring, 1 counter-clockwise and -1 clockwise: its length [N] and where to go next [N, 2]."""
    here, there = state[:, :2], goal[:, :2]
    room, aim = _room(here, factors), _room(there, factors)
    count = (aim - room) * turn % 4
    d, wall = factors["door"], np.stack([factors["wall_x"], factors["wall_y"]], 1)
    rows = np.arange(len(state))
    doors = np.stack(
        [np.stack(p, 1) for p in ((wall[:, 0], d), (-d, wall[:, 1]), (wall[:, 0], -d), (d, wall[:, 1]))], 1
    )
    at, length, first = here, np.zeros(len(state)), there
    for k in range(3):
        gate = room if turn > 0 else (room - 1) % 4  # gate i lies between rooms i and i + 1
        via = doors[rows, gate]
        going = k < count
        length = length + np.where(going, np.sqrt(((via - at) ** 2).sum(1)), 0)
        if k == 0:
            first = np.where(going[:, None], _lane(here, via, gate, turn), there)
        at = np.where(going[:, None], via, at)
        room = np.where(going, (room + turn) % 4, room)
    return length + np.sqrt(((there - at) ** 2).sum(1)), first


def _lane(here: np.ndarray, via: np.ndarray, gate: np.ndarray, turn: int) -> np.ndarray:
    """Before a door: a place in front of it, until level with it; then one behind it."""
    onward = turn * np.array([[-1, 0], [0, -1], [1, 0], [0, 1]], float)[gate]
    gap = here - via
    aside = np.abs(gap[:, 0] * onward[:, 1] - gap[:, 1] * onward[:, 0])
    return via + np.where(aside < 0.05, 0.2, -0.13)[:, None] * onward


def _somewhere(rng: np.random.Generator, factors: Mapping[str, float], room: int) -> np.ndarray:
    """A pose in this room, away from walls, corner and the circle of a pillar."""
    wall = np.array([factors["wall_x"], factors["wall_y"]])
    heart, keep = (wall + QUARTERS[room]) / 2, ORBIT + MOVERS + RADIUS
    while True:
        at = wall + QUARTERS[room] * rng.uniform(WALL + RADIUS, 1 + 0.15 - RADIUS, 2)
        free = np.linalg.norm(at - heart) > keep or room % 2
        corner = np.linalg.norm(at - QUARTERS[room] * (1 - MARKS)) < MARKS + 2 * RADIUS
        if free and not corner and (np.abs(at) < 1 - 1.5 * RADIUS).all():
            return np.array([*at, rng.uniform(-np.pi, np.pi)])
