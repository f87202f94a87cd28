"""First-person halls, by ray casting: what the worlds of a walker have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from craik.worlds import cast
from craik.worlds.draw import BLUE, GOLD, GREEN, INK, PAPER, RED, Canvas
from craik.worlds.equations import Factor
from craik.worlds.exact import CHUNK, ExactWorld
from craik.worlds.solids import distance

RADIUS = 0.06
"""Of the walker, in units (the hall is [-1, 1] both ways)."""

CELLS = 32
"""The occupancy grid has so many cells each way, over the hall and nothing else."""

FEW = 16
"""Pictures painted together: few enough to stay in the cache."""

COLORS = (RED, BLUE, GREEN, GOLD)
NAMES = ("red", "blue", "green", "golden")
WINDS = ("east", "north-east", "north", "north-west", "west", "south-west", "south", "south-east")

Rows = Mapping[str, np.ndarray]
"""Factors, name -> [N]."""


class Ray(ExactWorld):
    """A walker in a hall, seen through its own eyes. Subclasses say what is in the hall and what is to be done.

    The state begins with x, y (units) and heading (rad, counter-clockwise from east, in [-pi, pi)); "state" shows the
    cosine and sine of `ANGLES`. An effort is (forward, turn, sideways), in parts of the longest step and turn: the
    walker turns, then walks; posts push it aside and walls hold it. A discrete action is one of `CHOICES`, the middle
    one to stand still; a continuous one gives `AXES` of the effort, in [-1, 1]. North is up on the map.

    The camera (`camera`, `eye`; see `craik.worlds.cast`) is a pinhole without distortion at half the walls' height:
    focal length `size / 2 / tan(view / 2)` pixels, principal point at the middle of the picture.

    Args:
        continuous: whether the action is a Box rather than a choice.
    """

    IDLE: ClassVar[int] = 2
    ANGLES: ClassVar[tuple[int, ...]] = (2,)
    AXES: ClassVar[tuple[int, ...]] = (0, 1)
    CHOICES: ClassVar[tuple[tuple[float, float, float], ...]] = (
        (0, 1, 0),
        (-0.5, 0, 0),
        (0, 0, 0),
        (1, 0, 0),
        (0, -1, 0),
    )
    LIMITS: ClassVar[Mapping[str, tuple[float, float]]] = {}
    FACTORS: ClassVar[Mapping[str, Factor]] = {
        "step": Factor(0.06, 0.03, 0.08, "longest step, units"),
        "turn": Factor(0.26, 0.13, 0.4, "sharpest turn in a step, rad"),
        "pace": Factor(0.15, 0.0, 0.3, "of what moves by itself, rad a step on its circle", "behavioural"),
        "height": Factor(0.5, 0.3, 0.8, "of the walls, units", "geometric"),
        "view": Factor(1.5, 1.0, 1.9, "field of view, rad", "geometric"),
        "hue": Factor(0.58, 0.0, 0.95, "of the north wall; the others follow by quarters", "visual"),
        "panels": Factor(3.0, 1.0, 6.0, "painted panels of the walls to a unit", "visual"),
        "light": Factor(1.0, 0.6, 1.1, "brightness, in parts of the usual", "visual"),
        "haze": Factor(0.0, 0.0, 0.6, "how much of the picture is washed out", "sensory"),
    }
    EVENTS: ClassVar[Mapping[str, str]] = {"bumps": "how often a post or a wall held the walker back"}
    VIEWS: ClassVar[Mapping[str, str]] = {
        "depth": "how far along the heading each pixel of the picture is, units",
        "pose": "x, y (units) and heading (rad)",
        "occupancy": "the hall from above, north up: 0 free, 1 wall, 2 post, 3 moving, 4 door, 5 walker",
        "map": "a picture of the hall from above, north up",
    }

    def __init__(self, num_envs: int = 1, *, continuous: bool = False, **settings: Any):
        bounds: list[tuple[float, float]] = []
        for i, name in enumerate(self.FIELDS[:-1] if self.LUCKY else self.FIELDS):
            bounds += [(-1, 1), (-1, 1)] if i in self.ANGLES else [self.LIMITS.get(name, (-1, 1))]
        low, high = np.array(bounds, np.float32).T
        self.space = spaces.Box(low, high, dtype=np.float32)
        self.continuous = continuous
        self.action = spaces.Box(-1, 1, (len(self.AXES),), np.float32) if continuous else spaces.Discrete(5)
        super().__init__(num_envs, **settings)

    @abstractmethod
    def scene(self, state: np.ndarray, factors: Rows) -> cast.Scene:
        """What there is to see in these states [N, D]."""

    def effort(self, action: np.ndarray) -> np.ndarray:
        """Forward, turn and sideways (to the right), each in [-1, 1]: [N, 3]."""
        if not self.continuous:
            return np.array(self.CHOICES, float)[action.astype(np.int64)]
        effort = np.zeros((len(action), 3))
        effort[:, self.AXES] = super().effort(action)
        return effort

    def numbers(self, state: np.ndarray) -> np.ndarray:
        """The fields but for luck, with cosine and sine in place of each angle."""
        columns: list[np.ndarray] = []
        for i in range(state.shape[1] - self.LUCKY):
            x = state[:, i]
            columns += [np.cos(x), np.sin(x)] if i in self.ANGLES else [x]
        return np.stack(columns, 1)

    def invert(self, numbers: np.ndarray) -> np.ndarray:
        """Angles in (-pi, pi]; luck 0."""
        given, columns = iter(numbers.astype(np.float64).T), []
        for i in range(len(self.FIELDS) - self.LUCKY):
            x = next(given)
            columns.append(np.arctan2(next(given), x) if i in self.ANGLES else x)
        if self.LUCKY:
            columns.append(np.zeros(len(numbers)))
        return np.stack(columns, 1)

    # What the camera sees.

    def camera(self, factors: Rows) -> np.ndarray:
        """[N, 3, 3]: intrinsics K in pixels of `size`, for points (right, down, forward)."""
        focal = self.size / 2 / np.tan(factors["view"] / 2)
        k = np.zeros((len(focal), 3, 3))
        k[:, 0, 0] = k[:, 1, 1] = focal
        k[:, :2, 2], k[:, 2, 2] = self.size / 2, 1
        return k

    def eye(self, state: np.ndarray, factors: Rows) -> np.ndarray:
        """[N, 4, 4]: from points (right, down, forward, 1) of the camera to the world's (east, north, up, 1)."""
        c, s = np.cos(state[:, 2]), np.sin(state[:, 2])
        pose = np.zeros((len(state), 4, 4))
        pose[:, 0, 0], pose[:, 1, 0] = s, -c
        pose[:, 2, 1] = -1
        pose[:, 0, 2], pose[:, 1, 2] = c, s
        pose[:, :2, 3], pose[:, 2, 3], pose[:, 3, 3] = state[:, :2], factors["height"] / 2, 1
        return pose

    def sight(self, state: np.ndarray, factors: Rows) -> cast.Sight:
        """What each column of the picture meets first."""
        return cast.cast(self.scene(state, factors), state[:, :3], cast.slopes(self.size, factors["view"]))

    def paint(self, state: np.ndarray, factors: Rows) -> np.ndarray:
        """The hall through the walker's eyes, a few at once."""
        out = np.empty((len(state), self.size, self.size, 3), np.uint8)
        for i in range(0, len(state), FEW):
            some, given = state[i : i + FEW], {k: v[i : i + FEW] for k, v in factors.items()}
            scene, slope = self.scene(some, given), cast.slopes(self.size, given["view"])
            out[i : i + FEW] = cast.picture(scene, some[:, :3], cast.cast(scene, some[:, :3], slope), slope)
        return out

    def view_space(self, name: str) -> spaces.Box:
        """See `VIEWS`."""
        if name == "depth":
            return spaces.Box(0, 4, (self.size, self.size), np.float32)
        if name == "pose":
            return spaces.Box(np.array([-1, -1, -4], np.float32), np.array([1, 1, 4], np.float32))
        if name == "occupancy":
            return spaces.Box(0, 5, (CELLS, CELLS), np.uint8)
        return spaces.Box(0, 255, (self.size, self.size, 3), np.uint8) if name == "map" else super().view_space(name)

    def view(self, name: str, state: np.ndarray, factors: Rows) -> np.ndarray:
        """See `VIEWS`."""
        if name == "pose":
            return state[:, :3].astype(np.float32)
        ways = {"depth": self._depth, "occupancy": self._occupancy, "map": self._map}
        if name not in ways:
            return super().view(name, state, factors)
        pieces = [slice(i, i + CHUNK) for i in range(0, len(state), CHUNK)]
        return np.concatenate([ways[name](state[p], {k: v[p] for k, v in factors.items()}) for p in pieces])

    def _depth(self, state: np.ndarray, factors: Rows) -> np.ndarray:
        scene, slope = self.scene(state, factors), cast.slopes(self.size, factors["view"])
        return cast.depth(scene, state[:, :3], cast.cast(scene, state[:, :3], slope), slope).astype(np.float32)

    def _occupancy(self, state: np.ndarray, factors: Rows) -> np.ndarray:
        """A cell is what its middle is in; walls, doors and the walker are at least the cell they are nearest to."""
        scene, n = self.scene(state, factors), len(state)
        axis = (np.arange(CELLS) + 0.5) * 2 / CELLS - 1
        x, y = np.meshgrid(axis, -axis)
        grid = np.zeros((n, CELLS, CELLS), np.uint8)
        for k in range(scene.centre.shape[1]):
            (cx, cy), (hx, hy) = (z[:, k].T[:, :, None, None] for z in (scene.centre, scene.half))
            grid[(np.abs(x - cx) < hx) & (np.abs(y - cy) < hy)] = 1
        for p in range(scene.doors.shape[1]):
            grid[(np.abs(x - scene.doors[:, p, None, None]) < scene.door) & (y > 1 - 2 / CELLS)] = 4
        kinds = self.kinds()
        rounds = [(scene.posts[:, m], np.full(n, r), kinds[m]) for m, r in enumerate(scene.girth)]
        rounds += [(scene.balls[:, b, :2], scene.swell[:, b], 3) for b in range(scene.swell.shape[1])]
        rounds += [(state[:, :2], np.full(n, RADIUS), 5)]
        for at, radius, kind in rounds:
            far = (x - at[:, 0, None, None]) ** 2 + (y - at[:, 1, None, None]) ** 2
            grid[far < radius[:, None, None] ** 2] = kind
        return grid

    def kinds(self) -> tuple[int, ...]:
        """What each post is on the occupancy grid: 2 if it stands, 3 if it moves."""
        return ()

    def _map(self, state: np.ndarray, factors: Rows) -> np.ndarray:
        scene, n = self.scene(state, factors), len(state)
        canvas = Canvas(n, self.size, 1.12, INK)
        square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)
        canvas.polygon(np.broadcast_to(square, (n, 4, 2)), PAPER)
        sides = np.array([[[1, -1], [1.12, -1], [1.12, 1], [1, 1]]], float)
        for side in range(4):
            _tinted(canvas, "polygon", np.broadcast_to(sides, (n, 4, 2)), scene.sides[:, side])
            sides = np.stack([-sides[..., 1], sides[..., 0]], -1)
        for k in range(scene.centre.shape[1]):
            canvas.polygon(scene.centre[:, k, None] + scene.half[:, k, None] * square, INK)
        for p in range(scene.doors.shape[1]):
            middle = np.stack([scene.doors[:, p], np.full(n, 1.03)], 1)
            _tinted(canvas, "polygon", middle[:, None] + square * [scene.door, 0.07], scene.panel[:, p])
        for m, r in enumerate(scene.girth):
            _tinted(canvas, "disc", scene.posts[:, m], scene.paint[:, m], r)
        for b in range(scene.swell.shape[1]):
            canvas.disc(scene.balls[:, b, :2], scene.swell[:, b], (230, 120, 62))
        ahead = np.stack([np.cos(state[:, 2]), np.sin(state[:, 2])], 1)
        canvas.capsule(state[:, :2], state[:, :2] + 0.14 * ahead, 0.025, INK)
        canvas.disc(state[:, :2], RADIUS + 0.02, INK)
        return canvas.image()

    # What worlds in halls are made of.

    def walk(
        self,
        state: np.ndarray,
        effort: np.ndarray,
        factors: Rows,
        walls: tuple[np.ndarray, np.ndarray],
        posts: np.ndarray,
        girth: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Turns, walks, and gives way: poses [N, 3] and how often something held the walker back [N].

        Walls have the last word: a post that presses the walker to a wall is left to overlap it.
        """
        heading = (state[:, 2] + effort[:, 1] * factors["turn"] + np.pi) % (2 * np.pi) - np.pi
        c, s = np.cos(heading), np.sin(heading)
        on, side = effort[:, 0] * factors["step"], effort[:, 2] * factors["step"]
        at = state[:, :2] + np.stack([on * c + side * s, on * s - side * c], 1)
        bumps = np.zeros(len(state), np.int64)
        solids = [(posts[:, m], np.zeros((1, 2)), r) for m, r in enumerate(girth)]
        solids += [(walls[0][:, k], walls[1][:, k], 0.0) for k in range(walls[0].shape[1])]
        for _ in range(2):
            for solid in solids:
                far, way = distance(at, solid)
                into = RADIUS - far
                at = np.where((into > 0)[:, None], at + into[:, None] * way, at)
                bumps += into > 1e-9
            held = np.clip(at, RADIUS - 1, 1 - RADIUS)
            bumps += (held != at).any(1)
            at = held
        return np.concatenate([at, heading[:, None]], 1), bumps

    def steer(self, target: np.ndarray, heading: np.ndarray) -> np.ndarray:
        """Actions [N] or [N, 2] towards places `target` [N, 2]; where they are reached, turns to `heading` [N]."""
        gap = target - self.state[:, :2]
        there = (gap**2).sum(1) < 0.06**2
        turn = np.where(there, heading, np.arctan2(gap[:, 1], gap[:, 0])) - self.state[:, 2]
        turn = (turn + np.pi) % (2 * np.pi) - np.pi
        sharp, far = turn / self.factors["turn"], np.linalg.norm(gap, axis=1) / self.factors["step"]
        if self.continuous:
            on = np.where(there | (np.abs(turn) > 0.5), 0, np.clip(far, 0, 1))
            return np.clip(np.stack([on, sharp], 1), -1, 1).astype(np.float32)
        still = np.where(there, 2, 3)
        return np.where(np.abs(sharp) > 0.6, np.where(sharp > 0, 0, 4), still)


def tints(hue: np.ndarray) -> np.ndarray:
    """Calm colours of the four outer walls, seen east, north, west, south: [N, 4, 3]."""
    turn = (hue[:, None] + np.array([0.75, 0.0, 0.25, 0.5]))[..., None] * 6 + np.array([0.0, 4.0, 2.0])
    pure = np.clip(np.abs(turn % 6 - 3) - 1, 0, 1)
    return 216 * (1 - 0.24 * (1 - pure))


def middle(factors: Rows, num: int) -> dict[str, np.ndarray]:
    """The parts of a scene that every hall has; nothing stands in it."""
    none = np.zeros((num, 0, 2))
    return {
        "sides": tints(factors["hue"]),
        "centre": none,
        "half": none,
        "posts": none,
        "girth": np.zeros(0),
        "paint": np.zeros((num, 0, 3)),
        "balls": np.zeros((num, 0, 3)),
        "swell": np.zeros((num, 0)),
        "doors": np.zeros((num, 0)),
        "panel": np.zeros((num, 0, 3)),
        **{k: factors[k] for k in ("height", "panels", "light", "haze")},
    }


def facing(heading: np.ndarray) -> list[str]:
    """The winds that headings [N] look to, in words."""
    return [WINDS[i] for i in np.rint(heading / (np.pi / 4)).astype(int) % 8]


def projected(state: np.ndarray, place: np.ndarray, view: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where places [N, M, 2] are seen: across in [0, 1] if in the picture, and depth; both [N, M]."""
    c, s = np.cos(state[:, 2:3]), np.sin(state[:, 2:3])
    to_x, to_y = place[..., 0] - state[:, :1], place[..., 1] - state[:, 1:2]
    ahead, aside = to_x * c + to_y * s, to_x * s - to_y * c
    ahead = np.where(np.abs(ahead) < 1e-9, 1e-9, ahead)
    return 0.5 + aside / (2 * ahead * np.tan(view / 2)[:, None]), ahead


def _tinted(canvas: Canvas, shape: str, where: np.ndarray, color: np.ndarray, *rest: Any) -> None:
    """Draws a shape in a colour of each picture's own [N, 3]: once for each colour, far away in the other pictures."""
    for one in np.unique(color.astype(np.uint8), axis=0):
        mine = (color.astype(np.uint8) == one).all(1).reshape(-1, *(1,) * (where.ndim - 1))
        getattr(canvas, shape)(np.where(mine, where, 9.0), *rest, tuple(int(c) for c in one))
