"""Balls and boxes in three dimensions, a pusher among them, and a camera that goes round."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from craik.core.errors import UnknownName
from craik.worlds import caster
from craik.worlds.bodies import SPIN, TOP, advance
from craik.worlds.contacts import BALLS, BOXES, HALVES, NUM, RADII, SLOP, WALL, Matter, Scene, matrices
from craik.worlds.draw import BLUE, GOLD, GREEN, INK, PAPER, PLUM, RED, STONE, Color
from craik.worlds.equations import Factor
from craik.worlds.exact import ExactWorld

COLORS: tuple[Color, ...] = (INK, RED, BLUE, GREEN, GOLD, PLUM)
NAMES = ("pusher", "red ball", "blue ball", "green box", "gold box", "plum tower")
"""Of the bodies, in the order of the masks, which begin at 1."""

TASKS = ("push", "topple")
NEAR, FLAT = 0.15, 0.35
"""Pushed: within this distance, units; toppled: within this angle of the goal's tilt, rad."""

REACH, TURN = 1.1, 0.15
"""How far the pusher is sent from the middle, each way, units; how far the camera goes round in a step, rad."""

SECOND = 0.6
"""The second camera stands this much higher, rad, and a quarter round; it never moves."""

VOXEL, GRID = 0.1, (30, 30, 10)
"""Edge of a voxel, units, and how many there are along x, y and z; they begin at (-1.5, -1.5, 0)."""

_START, _CAMERA = 4, 4 + 13 * (NUM - 1)
_PARTS = ("x", "y", "z", "qw", "qx", "qy", "qz", "speed_x", "speed_y", "speed_z", "spin_x", "spin_y", "spin_z")


class Blocks(ExactWorld):
    """A pusher, two balls, two boxes and a tower. Action: the pusher's speed along x and y, and the camera's way round.

    State: the pusher's x, y and speeds; of each other body its place (units), unit quaternion (w first), speed
    (units/s) and spin (rad/s, about the world's axes); the camera's azimuth (rad). Seen: all of these, the azimuth as
    cos and sin. Physics: `craik.worlds.bodies`, which says what is exact and what is not. Glass walls stand around.
    Tasks: "push", the green box to a place; "topple", the tower to lie down. The goal is a state at rest; only the
    box's place, or the tower's tilt, counts. Reward in [0, 1]: `exp(-1.5 distance)`, or how much of the tilt there is.
    Events: `touched`, bodies that the pusher touched; `penetration`, the deepest overlap left, units; `fell`, the
    tower fell. Episodes are truncated after 100 steps of 0.1 s.

    Cameras (see `caster`): focal length 1.35 widths, looking at (0, 0, 0.12) from `far` units away and `height` rad
    above; `cameras` tells their places and axes.

    Args:
        task: "push" or "topple".
    """

    FPS, MAX_STEPS, HAS_GOAL = 10, 100, True
    STYLES = ("direct", "left", "right")
    EVENTS: ClassVar[Mapping[str, str]] = {
        "touched": "how many bodies the pusher touched",
        "penetration": "the deepest overlap left, units",
        "fell": "the tower stood and lies or leans now",
    }
    FACTORS: ClassVar[Mapping[str, Factor]] = {
        "gravity": Factor(4.0, 2.0, 8.0, "units/s^2"),
        "mass": Factor(1.0, 0.3, 3.0, "of the green box; the others weigh 1, the pusher 4"),
        "friction": Factor(0.5, 0.1, 0.9, "of all but the pusher"),
        "restitution": Factor(0.4, 0.0, 0.9, "speed after a collision, in parts of that before"),
        "gain": Factor(0.8, 0.4, 1.2, "the pusher's highest speed along an axis, units/s"),
        "size": Factor(1.0, 0.8, 1.1, "of all but the pusher, in parts of the usual", "geometric"),
        "far": Factor(4.4, 3.6, 5.5, "of the cameras, units", "visual"),
        "height": Factor(0.6, 0.35, 0.9, "of the camera, rad above the plane", "visual"),
        "sun": Factor(0.8, -3.1, 3.1, "azimuth of the light, rad", "visual"),
        "bright": Factor(1.0, 0.5, 1.1, "of the light", "visual"),
        "fog": Factor(0.0, 0.0, 0.3, "how much a unit of distance takes from sight", "sensory"),
    }
    VIEWS: ClassVar[Mapping[str, str]] = {
        "pixels2": "RGB of the second camera",
        "depth": "distance ahead of the camera, units, float32; 20 where nothing is",
        "masks": "which body is seen, 1 the pusher to 6; 0 the plane",
        "voxels": "which body is in each voxel [x, y, z], as in the masks; 0 none",
    }
    POINTS: Mapping[str, Color] = dict(zip(NAMES, COLORS))

    def __init__(self, num_envs: int = 1, *, task: str = "push", **settings: Any):
        if task not in TASKS:
            raise UnknownName("task of blocks", task, TASKS)
        self.task = task
        bodies = tuple(f"{NAMES[b].replace(' ', '_')}_{part}" for b in range(1, NUM) for part in _PARTS)
        self.FIELDS = ("pusher_x", "pusher_y", "pusher_speed_x", "pusher_speed_y", *bodies, "azimuth")
        one = [WALL + 0.5, WALL + 0.5, 12, 1, 1, 1, 1, TOP, TOP, TOP, SPIN, SPIN, SPIN]
        high = np.array([WALL + 0.5, WALL + 0.5, TOP, TOP, *one * (NUM - 1), 1, 1], np.float32)
        self.space = spaces.Box(-high, high, dtype=np.float32)
        self.action = spaces.Box(-1, 1, (3,), np.float32)
        super().__init__(num_envs, **settings)

    def move(self, state, effort, factors):  # noqa: ANN001, ANN201
        """One step: the bodies move, the camera goes round."""
        wish = effort[:, :2] * factors["gain"][:, None]
        out = np.abs(state[:, :2]) > REACH
        wish = np.where(out & (wish * state[:, :2] > 0), 0, wish)
        scene, touched, deep = advance(unpacked(state), matter(factors), wish)
        azimuth = state[:, -1] + TURN * effort[:, 2]
        after = packed(scene, np.pi - (np.pi - azimuth) % (2 * np.pi))
        fell = (upright(state) > 0.8) & (upright(after) <= 0.8)
        return after, {"touched": touched.sum(1), "penetration": deep, "fell": fell}

    def reward(self, before, effort, after, goal, factors):  # noqa: ANN001, ANN201
        """See the class."""
        if self.task == "push":
            return np.exp(-1.5 * self._distance(after, goal))
        return np.clip((1.001 - upright(after)) / (1.001 - upright(goal)), 0, 1)

    def reached(self, state: np.ndarray, goal: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """Whether the green box is in its place, or the tower lies."""
        if self.task == "push":
            return self._distance(state, goal) < NEAR
        return np.arccos(np.clip(upright(state), 0, 1)) > np.arccos(np.clip(upright(goal), 0, 1)) - FLAT

    def _distance(self, state: np.ndarray, goal: np.ndarray) -> np.ndarray:
        at = _START + 13 * (BOXES[0] - 1)
        return np.sqrt(((state[:, at : at + 2] - goal[:, at : at + 2]) ** 2).sum(1))

    def energy(self) -> np.ndarray:
        """[N]: kinetic and potential, of all but the pusher."""
        scene, stuff = unpacked(self.state), matter(self.factors)
        turn = matrices(scene.turn)
        own = (turn * scene.spin[..., :, None]).sum(-2)
        inertia = np.where(np.isfinite(stuff.inertia()), stuff.inertia(), 0)
        moving = 0.5 * (stuff.masses() * (scene.speed**2).sum(2) + (inertia * own**2).sum(2))
        return (moving + stuff.masses() * stuff.gravity[:, None] * scene.at[..., 2])[:, 1:].sum(1)

    def momentum(self) -> np.ndarray:
        """[N, 3]: of all bodies and the pusher."""
        return (matter(self.factors).masses()[..., None] * unpacked(self.state).speed).sum(1)

    def begin(self, rng: np.random.Generator, factors: Mapping[str, float]) -> np.ndarray:
        """At rest and apart, but that the gold box stands on the green one every third time; in "push" never."""
        size = factors["size"]
        radii = [RADII[0], *RADII[1:] * size, *np.linalg.norm(HALVES[:, :2], axis=1) * size]
        places: list[np.ndarray] = []
        while len(places) < NUM:
            place, i = rng.uniform(-0.8, 0.8, 2), len(places)
            if all(np.linalg.norm(place - p) > r + radii[i] + 0.04 for p, r in zip(places, radii)):
                places.append(place)
        at = np.zeros((NUM, 3))
        at[:, :2] = places
        # Half the slop into the ground: exactly touching, the last bit of a number would say whether they meet it.
        at[:, 2] = np.array([RADII[0], *RADII[1:] * size, *HALVES[:, 2] * size]) - SLOP / 2
        if rng.random() < 1 / 3 and self.task != "push":
            at[4] = at[3] + [*rng.uniform(-0.05, 0.05, 2), 2 * HALVES[0, 2] * size - SLOP / 2]
        angle = rng.uniform(-np.pi, np.pi, NUM) / 2
        turn = np.stack([np.cos(angle), 0 * angle, 0 * angle, np.sin(angle)], 1)
        none = np.zeros((1, NUM, 3))
        return packed(Scene(at[None], turn[None], none, none), rng.uniform(-np.pi, np.pi, 1))[0]

    def aim(self, rng: np.random.Generator, state: np.ndarray, factors: Mapping[str, float]) -> np.ndarray:
        """The start, with the green box 0.4 to 0.8 away in a free place, or with the tower lying beside its place."""
        goal, scene = state.copy(), unpacked(state[None])
        at, half = scene.at[0], HALVES[2] * factors["size"]
        if self.task == "push":
            first = _START + 13 * (BOXES[0] - 1)
            for spread in (0.35, 0.3, 0.25, 0.2, 0.0):
                for _ in range(20):
                    way, far = rng.uniform(-np.pi, np.pi), rng.uniform(0.4, 0.8)
                    place = at[3, :2] + far * np.array([np.cos(way), np.sin(way)])
                    free = np.linalg.norm(at[[1, 2, 4, 5], :2] - place, axis=1).min() >= spread
                    if free and np.abs(place).max() < 0.8:
                        goal[first : first + 2] = place
                        return goal
            goal[first : first + 2] = -0.5 * at[3, :2]
            return goal
        first, way = _START + 13 * (BOXES[2] - 1), rng.uniform(-np.pi, np.pi)
        fall = half[2] - half[0]
        goal[first : first + 3] = [*(at[5, :2] + fall * np.array([np.cos(way), np.sin(way)])), half[0]]
        part = np.sqrt(0.5)
        goal[first + 3 : first + 7] = [part, -part * np.sin(way), part * np.cos(way), 0]
        return goal

    def guide(self, style: str = "direct") -> np.ndarray:
        """Actions [N, 3] of a simple pilot: round the body (the short way, or left or right), then against it."""
        body = BOXES[0] if self.task == "push" else BOXES[2]
        scene = unpacked(self.state)
        at, me = scene.at[:, body, :2], self.state[:, :2]
        first = _START + 13 * (body - 1)
        way = self.goal[:, first : first + 2] - at
        if self.task == "topple":
            way = -at + 1e-6
        far = np.sqrt((way**2).sum(1))
        off = me - at
        ring = np.maximum(np.sqrt((off**2).sum(1)), 1e-6)
        astray = np.arctan2(-way[:, 1], -way[:, 0]) - np.arctan2(off[:, 1], off[:, 0])
        astray = np.pi - (np.pi - astray) % (2 * np.pi)
        side = np.sign(astray)
        if style != "direct":
            side = np.where(np.abs(astray) > 0.8, 1.0 if style == "left" else -1.0, side)
        out = off / ring[:, None]
        left = np.stack([-out[:, 1], out[:, 0]], 1)
        orbit = left * side[:, None] + out * (4 * (0.45 - ring))[:, None]
        thrust = (
            left * (2.5 * astray * ring)[:, None]
            - out * (np.ones_like(far) if self.task == "topple" else 3 * far)[:, None]
        )
        if self.task == "push":
            thrust = np.where((far < 0.06)[:, None], 0, thrust)
        else:
            thrust = np.where((upright(self.state) < 0.5)[:, None], 0, thrust)
        speed = np.clip(np.where((np.abs(astray) < 0.35)[:, None], thrust, orbit), -1, 1)
        return np.concatenate([speed, np.zeros((len(speed), 1))], 1)

    def numbers(self, state: np.ndarray) -> np.ndarray:
        """The azimuth as cos and sin."""
        return np.concatenate([state[:, :-1], np.cos(state[:, -1:]), np.sin(state[:, -1:])], 1)

    def invert(self, numbers: np.ndarray) -> np.ndarray:
        """The azimuth in (-pi, pi]."""
        x = numbers.astype(np.float64)
        return np.concatenate([x[:, :-2], np.arctan2(x[:, -1:], x[:, -2:-1])], 1)

    def cameras(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> tuple[caster.Camera, caster.Camera]:
        """The one that goes round and the one that stays."""
        moving = caster.orbit(state[:, -1], factors["height"], factors["far"])
        still = np.full(len(state), np.pi / 2)
        return moving, caster.orbit(still, np.minimum(factors["height"] + SECOND, 1.5), factors["far"])

    def places(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """The middles of the bodies, whether something is before them or not."""
        spot = caster.project(self.cameras(state, factors)[0], unpacked(state).at)
        inside = ((spot[..., :2] >= 0) & (spot[..., :2] <= 1)).all(-1, keepdims=True)
        return np.where(inside, spot[..., :2], np.nan)

    def paint(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """What the camera that goes round sees."""
        return self._cast(0, state, factors)[0]

    def _cast(
        self, camera: int, state: np.ndarray, factors: Mapping[str, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Colours, depth and names: pictures of one camera."""
        scene, stuff = unpacked(state), matter(factors)
        radii, halves, turn = stuff.radii(), stuff.halves(), matrices(scene.turn)
        bodies = [caster.Body(scene.at[:, i], COLORS[i], radii[:, i]) for i in BALLS]
        for k, i in enumerate(BOXES):
            around = np.sqrt((halves[:, k] ** 2).sum(1))
            bodies.append(caster.Body(scene.at[:, i], COLORS[i], around, turn[:, i], halves[:, k]))
        light = np.stack([0.55 * np.cos(factors["sun"]), 0.55 * np.sin(factors["sun"]), np.full(len(state), 0.835)], 1)
        eye = self.cameras(state, factors)[camera]
        color, depth, named = caster.cast(eye, bodies, light, self.size, (PAPER, STONE))
        color = color * factors["bright"].astype(np.float32)[:, None, None, None]
        clear = np.exp(-factors["fog"].astype(np.float32)[:, None, None] * depth)[..., None]
        color = 235 + clear * (color - 235)
        return (np.clip(color, 0, 255) + 0.5).astype(np.uint8), depth, named

    def view_space(self, name: str) -> spaces.Box:
        """See `VIEWS`."""
        flat = (self.size, self.size)
        known: dict[str, spaces.Box] = {
            "pixels2": spaces.Box(0, 255, (*flat, 3), np.uint8),
            "depth": spaces.Box(0, caster.FAR, flat, np.float32),
            "masks": spaces.Box(0, NUM, flat, np.uint8),
            "voxels": spaces.Box(0, NUM, GRID, np.uint8),
        }
        return known[name] if name in known else super().view_space(name)

    def view(self, name: str, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """See `VIEWS`."""
        if name == "voxels":
            return voxels(state, factors)
        if name not in self.VIEWS:
            return super().view(name, state, factors)
        which = {"pixels2": 0, "depth": 1, "masks": 2}[name]
        pieces = [slice(i, i + 64) for i in range(0, len(state), 64)]
        camera = int(name == "pixels2")
        return np.concatenate(
            [self._cast(camera, state[p], {k: v[p] for k, v in factors.items()})[which] for p in pieces]
        )

    def captions(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> list[str]:
        """A sentence for each row: whether the tower stands, what is nearest to the pusher, what lies on what."""
        scene, stands = unpacked(state), upright(state) > 0.8
        told = []
        for at, up in zip(scene.at, stands):
            near = 1 + int(np.linalg.norm(at[1:, :2] - at[0, :2], axis=1).argmin())
            pairs = [
                f"the {NAMES[i]} is on the {NAMES[j]}"
                for i in range(1, NUM)
                for j in range(1, NUM)
                if at[i, 2] > at[j, 2] + 0.2 and np.linalg.norm(at[i, :2] - at[j, :2]) < 0.2
            ]
            told.append(
                f"The tower {'stands' if up else 'lies'}, the {NAMES[near]} is nearest to the pusher, "
                f"and {pairs[0] if pairs else 'nothing is on anything else'}."
            )
        return told


def unpacked(state: np.ndarray) -> Scene:
    """The bodies of states [N, D]."""
    n = len(state)
    rest = state[:, _START:_CAMERA].reshape(n, NUM - 1, 13)
    first = np.zeros((n, 1, 13))
    first[:, 0, :2], first[:, 0, 2], first[:, 0, 3], first[:, 0, 7:9] = state[:, :2], RADII[0], 1, state[:, 2:4]
    every = np.concatenate([first, rest], 1)
    return Scene(every[..., :3], every[..., 3:7], every[..., 7:10], every[..., 10:])


def packed(scene: Scene, azimuth: np.ndarray) -> np.ndarray:
    """States [N, D] of bodies and azimuths [N]."""
    every = np.concatenate([scene.at, scene.turn, scene.speed, scene.spin], 2)
    return np.concatenate(
        [every[:, 0, :2], every[:, 0, 7:9], every[:, 1:].reshape(len(every), -1), azimuth[:, None]], 1
    )


def matter(factors: Mapping[str, np.ndarray]) -> Matter:
    """What the bodies are made of."""
    return Matter(*(factors[k] for k in ("size", "mass", "friction", "restitution", "gravity")))


def upright(state: np.ndarray) -> np.ndarray:
    """[N] in [0, 1]: how far the tower's long axis points up; 1 standing, 0 lying."""
    x, y = state[:, _CAMERA - 13 + 4], state[:, _CAMERA - 13 + 5]
    return np.abs(1 - 2 * (x * x + y * y))


def voxels(state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
    """[N, *GRID] uint8: the body in whose inside the middle of a voxel lies; of several, the last."""
    scene, stuff = unpacked(state), matter(factors)
    turn, radii, halves = matrices(scene.turn), stuff.radii(), stuff.halves()
    axes = [(np.arange(g) + 0.5) * VOXEL - s for g, s in zip(GRID, (1.5, 1.5, 0.0))]
    spots = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    filled = np.zeros((len(state), *GRID), np.uint8)
    for b in range(NUM):
        off = spots - scene.at[:, b, None, None, None]
        if b in BALLS:
            inside = (off * off).sum(-1) < radii[:, b, None, None, None] ** 2
        else:
            local = sum(off[..., k, None] * turn[:, b, None, None, None, k] for k in range(3))
            inside = (np.abs(local) < halves[:, b - 3, None, None, None]).all(-1)
        filled[inside] = b + 1
    return filled
