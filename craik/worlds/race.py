"""A car on a closed road, seen from above: once round, quickly, and no faster than the tyres hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from craik.worlds import track
from craik.worlds.draw import BLUE, INK, Canvas
from craik.worlds.equations import Factor
from craik.worlds.exact import CHUNK, ExactWorld

GRAVITY, BASE, LOCK = 9.81, 2.6, 0.5
"""m/s^2; distance of the axles, m; the front wheels' largest angle, rad."""

BRAKE, DRAG, ROUGH, LAG = 9.0, 0.006, 0.8, 0.12
"""Strongest brake, m/s^2; air, per m; grass slows by this per second; the wheels take so long to bite, s."""

SOFT = 0.6
"""Grip on grass, in parts of that on the road."""

FIELD = 90.0
"""Nobody gets farther from the origin than this along an axis, m."""

AHEAD = 0.05
"""Progress is counted no farther ahead than this part of a lap: who cuts a bend has to come back."""

DT, SUBSTEPS = 0.1, 4
LAP, COST = 10.0, 0.005
"""What a lap pays, and what a step costs: a hundredth of CarRacing's 1000, and of its 0.1 for each of 5 frames."""

FEW = 8
"""Pictures painted together: few enough to stay in the cache."""

Rows = Mapping[str, np.ndarray]


class Race(ExactWorld):
    """One lap, counter-clockwise, of a road that is another one in every episode. Once done, the episode ends.

    State: x, y (m), `heading` (rad), `speed` (m/s), `yaw` (rad/s, to the left), `lap` (progress in [0, 1]) and the six
    waves of the road (`craik.worlds.track`); cosine and sine of the heading are seen. Action in [-1, 1]^2, as in
    CarRacing but for one axis of gas and brake: steer (-1 left, 1 right), drive (gas above 0, brake below).
    The car is a bicycle: the wheels ask for the yaw rate `speed tan(angle) / base`, which it takes up within `LAG`; the
    tyres give at most `friction x gravity` of acceleration, first across, then along (Kamm's circle), so that it
    runs wide in bends taken too fast. Grass grips and rolls worse. There is no reverse.
    Progress is the angle about the origin, in laps; it is counted on the road alone and in its order.
    Reward: `10 x progress - 0.005`, CarRacing's by a hundred: about 9 for a good lap. Goal: the lap's end.
    Events: `off_road`, `sliding` (more was asked than the tyres hold). Episodes are cut after 400 steps of 0.1 s.
    Styles: "direct" drives in the middle, "left" inside, "right" outside, "calm" slower.
    """

    FIELDS = ("x", "y", "heading", "speed", "yaw", "lap", "bend0", "bend1", "bend2", "bend3", "bend4", "bend5")
    FPS, MAX_STEPS, HAS_GOAL, ENDS = 10, 400, True, True
    PAYS: ClassVar[tuple[float, float]] = (-COST, LAP * AHEAD * SUBSTEPS)
    STYLES: ClassVar[tuple[str, ...]] = ("direct", "left", "right", "calm")
    EVENTS: ClassVar[Mapping[str, str]] = {
        "off_road": "whether the car's middle is beside the road",
        "sliding": "whether more was asked of the tyres than they hold",
    }
    FACTORS: ClassVar[Mapping[str, Factor]] = {
        "friction": Factor(0.9, 0.5, 1.3, "of the tyres on the road, acceleration in parts of gravity"),
        "power": Factor(6.0, 3.0, 9.0, "strongest acceleration, m/s^2"),
        "curvature": Factor(1.0, 0.3, 1.3, "how strongly the road bends, in parts of the usual", "geometric"),
        "width": Factor(5.0, 3.5, 7.0, "half the road's width, m", "geometric"),
        "zoom": Factor(20.0, 14.0, 32.0, "half the width of what is seen, m", "visual"),
        "rotation": Factor(0.0, -0.8, 0.8, "by how much the picture is turned, rad", "visual"),
        "season": Factor(0.0, 0.0, 1.0, "from grass to sand", "visual"),
        "light": Factor(1.0, 0.6, 1.1, "brightness, in parts of the usual", "visual"),
        "haze": Factor(0.0, 0.0, 0.6, "how much of the picture is washed out", "sensory"),
    }
    VIEWS: ClassVar[Mapping[str, str]] = {
        "map": "the whole road from above, north up",
        "occupancy": "what the picture shows, in cells: 0 beside the road, 1 road, 2 car",
    }
    POINTS: Mapping[str, tuple[int, int, int]] = {"car": BLUE}

    def __init__(self, num_envs: int = 1, **settings: Any):
        limit = np.array([FIELD, FIELD, 1, 1, 40, 5, 1] + [1] * 6, np.float32)
        low = -limit
        low[[4, 6]] = 0
        self.space = spaces.Box(low, limit, dtype=np.float32)
        self.action = spaces.Box(-1, 1, (2,), np.float32)
        super().__init__(num_envs, **settings)

    def move(self, state, effort, factors):  # noqa: ANN001, ANN201
        """One step: four arcs."""
        x, y, heading, speed, yaw, lap = (state[:, i] for i in range(6))
        bend, dt = track.bends(state[:, 6:], factors["curvature"]), DT / SUBSTEPS
        steer = np.tan(-LOCK * effort[:, 0]) / BASE
        drive = np.where(effort[:, 1] > 0, factors["power"], BRAKE) * effort[:, 1]
        sliding = np.zeros(len(state), bool)
        rough = np.abs(track.offset(x, y, bend)[0]) > factors["width"]
        for _ in range(SUBSTEPS):
            hold = factors["friction"] * GRAVITY * np.where(rough, SOFT, 1)
            asked = speed * steer
            most = hold / np.maximum(speed, 0.1)
            sliding |= np.abs(asked) > most
            yaw = yaw + (asked - yaw) * (1 - np.exp(-dt / LAG))
            yaw = np.clip(yaw, -most, most)
            along = np.sqrt(np.maximum(hold**2 - (speed * yaw) ** 2, 0))
            sliding |= np.abs(drive) > along
            push = np.clip(drive, -along, along) - DRAG * speed**2 - np.where(rough, ROUGH, 0.05) * speed
            faster = np.maximum(speed + push * dt, 0)
            way, turn = (speed + faster) / 2 * dt, yaw * dt
            middle = heading + turn / 2
            chord = way * np.sinc(turn / (2 * np.pi))
            x, y = x + chord * np.cos(middle), y + chord * np.sin(middle)
            heading, speed = heading + turn, faster
            ended = np.maximum(np.abs(x), np.abs(y)) > FIELD
            x, y, speed = np.clip(x, -FIELD, FIELD), np.clip(y, -FIELD, FIELD), np.where(ended, 0, speed)
            rough = np.abs(track.offset(x, y, bend)[0]) > factors["width"]
            gain = (np.arctan2(y, x) / (2 * np.pi) - lap + 0.5) % 1 - 0.5
            lap = np.where(~rough & (gain > 0) & (gain < AHEAD), np.minimum(lap + gain, 1), lap)
        heading = (heading + np.pi) % (2 * np.pi) - np.pi
        after = np.concatenate([np.stack([x, y, heading, speed, yaw, lap], 1), state[:, 6:]], 1)
        return after, {"off_road": rough, "sliding": sliding}

    def reward(self, before, effort, after, goal, factors):  # noqa: ANN001, ANN201
        """See the class."""
        return LAP * (after[:, 5] - before[:, 5]) - COST

    def proceed(self, state: np.ndarray) -> np.ndarray:
        """Until the lap is done."""
        return state[:, 5] < 1

    def reached(self, state: np.ndarray, goal: np.ndarray, factors: Rows) -> np.ndarray:
        """Whether as much of the lap is done as at the goal."""
        return state[:, 5] >= goal[:, 5]

    def numbers(self, state: np.ndarray) -> np.ndarray:
        """The fields, with cosine and sine in place of the heading."""
        c, s = np.cos(state[:, 2]), np.sin(state[:, 2])
        return np.concatenate([state[:, :2], c[:, None], s[:, None], state[:, 3:]], 1)

    def invert(self, numbers: np.ndarray) -> np.ndarray:
        """The heading in (-pi, pi]."""
        x = numbers.astype(np.float64)
        return np.concatenate([x[:, :2], np.arctan2(x[:, 3:4], x[:, 2:3]), x[:, 4:]], 1)

    def begin(self, rng: np.random.Generator, factors: Mapping[str, float]) -> np.ndarray:
        """At rest on the finish line of a new road, along it but for a little."""
        return _lined(rng.uniform(-1, 1, 6), factors, 0.0, 0.0, rng.uniform(-1, 1), rng.uniform(-0.1, 0.1))

    def aim(self, rng: np.random.Generator, state: np.ndarray, factors: Mapping[str, float]) -> np.ndarray:
        """At the end of the lap, at 10 m/s."""
        return _lined(state[6:], factors, 10.0, 1.0, 0.0, 0.0)

    def guide(self, style: str = "direct") -> np.ndarray:
        """Actions [N, 2] of a pilot that knows the road: steers for a place ahead, brakes for the bends to come."""
        x, y, heading, speed = (self.state[:, i] for i in range(4))
        f, bend = self.factors, track.bends(self.state[:, 6:], self.factors["curvature"])
        here = np.arctan2(y, x)
        target = here + (5 + 0.45 * speed) / track.RADIUS
        side = {"direct": 0.0, "left": -0.45, "right": 0.45, "calm": 0.0}[style] * f["width"]
        far, slope, _ = track.middle(target, bend)
        far = far + side * np.sqrt(1 + (slope / far) ** 2)
        gap_x, gap_y = far * np.cos(target) - x, far * np.sin(target) - y
        off = (np.arctan2(gap_y, gap_x) - heading + np.pi) % (2 * np.pi) - np.pi
        wheel = np.arctan(2 * BASE * np.sin(off) / np.maximum(np.hypot(gap_x, gap_y), 3))
        ahead = np.arange(12) * 2.5  # m
        bent = np.abs(track.curvature(here[:, None] + ahead / track.RADIUS, bend))
        hold = (0.4 if style == "calm" else 0.75) * f["friction"][:, None] * GRAVITY
        most = np.sqrt((hold / np.maximum(bent, 0.01) + 0.8 * hold * ahead).min(1))
        drive = np.clip(0.8 * (np.minimum(most, 18) - speed), -1, 1)
        return np.stack([np.clip(-wheel / LOCK, -1, 1), drive], 1).astype(np.float32)

    # What is seen.

    def paint(self, state: np.ndarray, factors: Rows) -> np.ndarray:
        """From above, the car below the middle and driving upwards, as in CarRacing; a bar tells its speed."""
        low = 0.4
        turn = state[:, 2] + factors["rotation"]
        picture = self._ground(state, factors, state[:, :2], factors["zoom"], turn, low)
        canvas = Canvas(len(state), self.size, 1.0, picture)
        scale = 1.3 / factors["zoom"]  # a little larger than it is, to be seen
        at = np.tile([0.0, -low], (len(state), 1))
        _car(canvas, at, np.pi / 2 - factors["rotation"], scale)
        start = np.tile([-0.9, -0.9], (len(state), 1))
        full = np.minimum(state[:, 3] / 20, 1)[:, None] * [1.8, 0]
        canvas.capsule(start, -start * [1, -1], 0.035, INK, alpha=0.35)
        canvas.capsule(start, start + full, 0.035, (250, 250, 250))
        return canvas.image()

    def places(self, state: np.ndarray, factors: Rows) -> np.ndarray:
        """Where the car is in the picture: always the same."""
        return np.tile([0.5, 0.7], (len(state), 1, 1))

    def view_space(self, name: str) -> spaces.Box:
        """See `VIEWS`."""
        if name == "occupancy":
            return spaces.Box(0, 2, (32, 32), np.uint8)
        return spaces.Box(0, 255, (self.size, self.size, 3), np.uint8) if name == "map" else super().view_space(name)

    def view(self, name: str, state: np.ndarray, factors: Rows) -> np.ndarray:
        """See `VIEWS`."""
        if name not in self.VIEWS:
            return super().view(name, state, factors)
        way = self._map if name == "map" else self._occupancy
        pieces = [slice(i, i + CHUNK) for i in range(0, len(state), CHUNK)]
        return np.concatenate([way(state[p], {k: v[p] for k, v in factors.items()}) for p in pieces])

    def _map(self, state: np.ndarray, factors: Rows) -> np.ndarray:
        n, reach = len(state), 66.0
        north, middle = np.full(n, np.pi / 2), np.zeros((n, 2))
        picture = self._ground(state, factors, middle, np.full(n, reach), north, 0.0)
        canvas = Canvas(n, self.size, reach, picture)
        _car(canvas, state[:, :2], state[:, 2], np.full(n, 2.2))
        return canvas.image()

    def _occupancy(self, state: np.ndarray, factors: Rows) -> np.ndarray:
        x, y = track.ground(track.pixels(32), state[:, :2], factors["zoom"], state[:, 2] + factors["rotation"], 0.4)
        out, _ = track.offset(x, y, track.bends(state[:, 6:], factors["curvature"]))
        grid = (np.abs(out) <= factors["width"][:, None, None]).astype(np.uint8)
        c, s = (np.asarray(z, np.float32)[:, None, None] for z in (np.cos(state[:, 2]), np.sin(state[:, 2])))
        gap_x, gap_y = (z - state[:, i].astype(np.float32)[:, None, None] for i, z in enumerate((x, y)))
        grid[(np.abs(gap_x * c + gap_y * s) < 2.2) & (np.abs(gap_x * s - gap_y * c) < 1.1)] = 2
        return grid

    def _ground(
        self, state: np.ndarray, factors: Rows, eye: np.ndarray, reach: np.ndarray, turn: np.ndarray, low: float
    ) -> np.ndarray:
        out = np.empty((len(state), self.size, self.size, 3), np.uint8)
        bend = track.bends(state[:, 6:], factors["curvature"])
        for i in range(0, len(state), FEW):
            p = slice(i, i + FEW)
            given = {k: v[p] for k, v in factors.items()}
            out[p] = track.land(self.size, eye[p], reach[p], turn[p], low, bend[p], given)
        return out

    def captions(self, state: np.ndarray, factors: Rows) -> list[str]:
        """Speed, progress, where on the road, and what comes."""
        bend = track.bends(state[:, 6:], factors["curvature"])
        out, _ = track.offset(state[:, 0], state[:, 1], bend)
        next_ = track.curvature(np.arctan2(state[:, 1], state[:, 0]) + 15 / track.RADIUS, bend)
        told = []
        for row in range(len(state)):
            where = "beside the road" if abs(out[row]) > factors["width"][row] else "on the road"
            turn = "goes straight" if abs(next_[row]) < 0.012 else "turns left" if next_[row] > 0 else "turns right"
            done = int(100 * state[row, 5])
            told.append(
                f"The car is {where} at {state[row, 3]:.0f} m/s, {done} % of the lap done; the road {turn} ahead."
            )
        return told


def _lined(
    fields: np.ndarray, factors: Mapping[str, float], speed: float, lap: float, aside: float, askew: float
) -> np.ndarray:
    """A state on the finish line, `aside` m from the middle and `askew` rad from the road's direction."""
    bend = track.bends(fields[None], np.array([factors["curvature"]]))
    far, slope, _ = (float(z[0]) for z in track.middle(np.zeros(1), bend))
    heading = np.arctan2(far, slope) + askew
    return np.array([far + aside, 0.0, heading, speed, 0.0, lap, *fields])


def _car(canvas: Canvas, at: np.ndarray, heading: np.ndarray, scale: np.ndarray) -> None:
    """A car of 4.4 m x 2.2 m times `scale`: blue, dark windows, dark tyres."""
    c, s = np.cos(heading)[:, None], np.sin(heading)[:, None]
    for corners, color in (
        ([[-1.7, -1.2], [-0.9, -1.2], [-0.9, 1.2], [-1.7, 1.2]], INK),
        ([[0.9, -1.2], [1.7, -1.2], [1.7, 1.2], [0.9, 1.2]], INK),
        ([[-2.2, -0.95], [2.2, -0.75], [2.2, 0.75], [-2.2, 0.95]], BLUE),
        ([[0.1, -0.65], [0.9, -0.55], [0.9, 0.55], [0.1, 0.65]], (214, 226, 236)),
    ):
        x, y = (np.array(corners)[:, i] * scale[:, None] for i in (0, 1))
        canvas.polygon(at[:, None] + np.stack([x * c - y * s, x * s + y * c], 2), color)
