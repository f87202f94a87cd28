"""Pong, exact: a ball, two paddles, a score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from craik.core.errors import UnknownName
from craik.worlds import court, luck
from craik.worlds.court import FACE, GAME
from craik.worlds.draw import BLUE, GREEN, RED, Color, across
from craik.worlds.equations import Factor
from craik.worlds.exact import ExactWorld
from craik.worlds.words import Fact, Worded

DT = 0.1
PAUSE = 4
"""Steps for which the ball rests in the middle before it is served."""

FASTEST = 4.0
"""No paddle sends the ball off faster, units/s."""

STEEPEST = 1.1
"""Nor at a steeper angle, rad."""

SERVES = np.array([side * np.pi / 2 + np.pi / 2 + a for side in (-1, 1) for a in (-0.6, -0.2, 0.2, 0.6)])
"""Directions of a serve, rad counter-clockwise from the right; all are equally likely."""

AIMS = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
"""Where the opponent means to meet the ball, in parts of the furthest; all are equally likely."""


class Paddle(Worded, ExactWorld):
    """Return the ball past the other paddle. Mine is on the right; I may go down (0), stay (1) or go up (2).

    State, seen as it is: the ball's x, y and speeds (units, units/s; the court is [-1, 1] both ways), the paddles'
    heights, points won and lost, steps until the serve, and where the opponent means to meet the ball (`aim`). The ball
    is a square of half width `ball`. Between meetings all motion is straight, and each meeting is found at its exact
    time within the step: no ball is too fast. The sides of the court reflect it. A paddle is a front at x = -0.88 or
    0.88; met at `c` in [-1, 1] of its reach and going up at `u` in [-1, 1] of `pace`, it sends the ball off at the
    angle `mirror * (angle of arrival) + spread * c + spin * u`, `growth` times as fast. A ball past it is a point.

    The opponent follows the ball's height while it comes and the middle while it goes, at `0.4 + 0.6 skill` of `pace`;
    it aims off the middle of its paddle by up to `1.8 - 1.2 skill` of its half length. Chance: its aim, drawn each
    time I strike (`AIMS`), and the direction of the serve (`SERVES`).

    Reward: 1 for a point won, -1 for one lost, as in Pong. Events: see `EVENTS`. An episode ends at 5 points, or is
    truncated after 400 steps of 0.1 s.
    """

    FIELDS = ("x", "y", "speed_x", "speed_y", "mine", "theirs", "won", "lost", "wait", "aim", "luck")
    FPS, MAX_STEPS, LUCKY, ENDS, PAYS, IDLE = 10, 400, True, True, (-1.0, 1.0), 1
    STYLES: ClassVar[tuple[str, ...]] = ("away", "up", "down", "plain")
    FACTORS: ClassVar[Mapping[str, Factor]] = {
        "speed": Factor(1.2, 0.6, 2.4, "of a serve, units/s"),
        "growth": Factor(1.06, 1.0, 1.2, "speed after a paddle, in parts of that before"),
        "mirror": Factor(0.3, 0.0, 0.8, "how much of the angle of arrival a paddle gives back"),
        "spread": Factor(0.8, 0.3, 1.0, "angle that the end of a paddle adds, rad"),
        "spin": Factor(0.3, 0.0, 0.5, "angle that a paddle's motion adds, rad"),
        "pace": Factor(1.2, 0.8, 2.0, "of the paddles, units/s"),
        "paddle": Factor(0.22, 0.12, 0.35, "half the length of mine, units", "geometric"),
        "opponent": Factor(0.22, 0.12, 0.35, "half the length of the opponent's, units", "geometric"),
        "ball": Factor(0.07, 0.05, 0.1, "half the width of the ball, units", "geometric"),
        "skill": Factor(0.5, 0.0, 1.0, "of the opponent", "behavioural"),
        "dusk": Factor(0.0, 0.0, 1.0, "how dark the court is", "visual"),
        "veil": Factor(0.0, 0.0, 0.4, "half the width of a curtain before the middle, units", "sensory"),
    }
    EVENTS: ClassVar[Mapping[str, str]] = {
        "hits": "balls struck by me in the step",
        "returns": "balls struck by the opponent",
        "wall_hits": "meetings of ball and side",
        "won": "whether I made a point",
        "lost": "whether the opponent did",
        "served": "whether the ball was served",
    }
    VIEWS: ClassVar[Mapping[str, str]] = {"text": "the state in a line of words, UTF-8 padded with zeros"}
    POINTS: Mapping[str, Color] = {"ball": RED, "mine": GREEN, "theirs": BLUE}

    def __init__(self, num_envs: int = 1, **settings: Any):
        limit = np.array([1.3, 1, FASTEST, FASTEST, 1, 1, GAME, GAME, PAUSE, 1], np.float32)
        low = -limit
        low[6:9] = 0
        alike = {"mine": "height", "theirs": "height", "won": "points", "lost": "points"}
        ends = zip(self.FIELDS, low.tolist(), limit.tolist())
        self.FACTS = {n: Fact(alike.get(n, n), round(a, 2), round(b, 2)) for n, a, b in ends}
        self.space = spaces.Box(low, limit, dtype=np.float32)
        self.action = spaces.Discrete(3)
        super().__init__(num_envs, **settings)

    def effort(self, action: np.ndarray) -> np.ndarray:
        """-1, 0 or 1, [N, 1]."""
        return (action.astype(np.int64) - 1).astype(np.float64)[:, None]

    def move(self, state, effort, factors):  # noqa: ANN001, ANN201
        """One step of play, then what chance decides."""
        after, events = self._play(state, effort, factors)
        thrown, after[:, -1] = luck.throw(state[:, -1], 2)
        served, struck = events["served"], events["hits"] > 0
        way = SERVES[(thrown[:, 0] * len(SERVES)).astype(np.int64)]
        after[:, 2:4] = np.where(served[:, None], _heading(way, factors["speed"]), after[:, 2:4])
        aim = AIMS[(thrown[:, 1] * len(AIMS)).astype(np.int64)]
        after[:, 9] = np.where(struck, aim, after[:, 9])
        return after, events

    def outcomes(
        self, state: np.ndarray, effort: np.ndarray, factors: Mapping[str, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Eight serves, or five aims, or the one thing that must happen. See the base class."""
        after, events = self._play(state, effort, factors)
        after[:, -1] = 0
        served, struck = events["served"], (events["hits"] > 0) & ~events["served"]
        every, chance = np.repeat(after[:, None], len(SERVES), 1), np.zeros((len(state), len(SERVES)))
        chance[:, 0] = 1
        chance[served] = 1 / len(SERVES)
        every[served, :, 2:4] = _heading(SERVES[None], factors["speed"][served, None])
        chance[struck, : len(AIMS)] = 1 / len(AIMS)
        every[struck, : len(AIMS), 9] = AIMS
        return every, chance

    def _play(
        self, state: np.ndarray, effort: np.ndarray, factors: Mapping[str, np.ndarray]
    ) -> tuple[np.ndarray, dict]:
        """A step without its luck: whom the ball meets, in order of time."""
        n, after = len(state), state.copy()
        half = np.stack([factors["opponent"], factors["paddle"]], 1)
        going = np.stack([self._chase(state, factors), effort[:, 0] * factors["pace"]], 1)
        start = state[:, [5, 4]]
        after[:, [5, 4]] = np.clip(start + DT * going, half - 1, 1 - half)
        told = {name: np.zeros(n, np.int64) for name in ("returns", "hits", "wall_hits")}
        won, lost = np.zeros(n, bool), np.zeros(n, bool)
        clock, rows = np.zeros(n), np.flatnonzero((state[:, 2] != 0) & (state[:, 8] == 0))
        wide, law = factors["ball"], {k: factors[k] for k in ("mirror", "spread", "spin", "growth", "pace")}
        while len(rows):
            x, y, fast, rise = (after[rows, i] for i in range(4))
            side = np.where(fast > 0, 1.0, -1.0)
            mine, r = (fast > 0).astype(np.int64), wide[rows]
            ahead, front = side * x, FACE - r  # towards the goal line the ball heads for
            coming = ahead < front
            with np.errstate(divide="ignore", invalid="ignore"):
                wall = np.where(rise != 0, (np.where(rise > 0, 1 - r, r - 1) - y) / rise, np.inf)
                line = np.where(coming, front - ahead, 1 + r - ahead) / np.abs(fast)
            wall, line, left = np.maximum(wall, 0), np.maximum(line, 0), DT - clock[rows]
            first = np.minimum(np.minimum(wall, line), left)
            bounced, crossed = (wall == first) & (first < left), (line == first) & (first < left)
            now = clock[rows] + first
            # Rounding must not carry the ball over a front it has not met.
            gone = ahead + np.abs(fast) * first
            ahead = np.where(coming, np.minimum(gone, np.nextafter(front, 0)), gone)
            ahead = np.where(crossed & coming, front, ahead)
            y = np.where(bounced, np.where(rise > 0, 1 - r, r - 1), y + rise * first)
            rise = np.where(bounced, -rise, rise)
            bar, push = half[rows, mine], going[rows, mine]
            free = start[rows, mine] + push * now
            at = np.clip(free, bar - 1, 1 - bar)
            struck = crossed & coming & (np.abs(y - at) <= bar + r)
            sent_x, sent_y = _sent(
                (y - at) / (bar + r), np.where(free == at, push, 0), fast, rise, {k: v[rows] for k, v in law.items()}
            )
            fast, rise = np.where(struck, -side * sent_x, fast), np.where(struck, sent_y, rise)
            out = crossed & ~coming
            after[rows, :4] = np.stack([side * ahead, y, fast, rise], 1)
            clock[rows] = now
            told["hits"][rows] += struck & (mine == 1)
            told["returns"][rows] += struck & (mine == 0)
            told["wall_hits"][rows] += bounced
            won[rows], lost[rows] = out & (mine == 0), out & (mine == 1)
            rows = rows[(first < left) & ~out]
        after[:, 6], after[:, 7] = after[:, 6] + won, after[:, 7] + lost
        point, done = won | lost, ~self.proceed(after)
        served = (state[:, 8] == 1) & ~done
        after[:, 8] = np.where(point, PAUSE, np.maximum(state[:, 8] - ~done, 0))
        after[:, :4] = np.where(point[:, None], 0, after[:, :4])
        return after, told | {"won": won, "lost": lost, "served": served}

    def _chase(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """The opponent's speed in a step, [N] units/s."""
        off = state[:, 9] * factors["opponent"] * (1.8 - 1.2 * factors["skill"])
        target = np.where(state[:, 2] < 0, state[:, 1] + off, 0)
        most = factors["pace"] * (0.4 + 0.6 * factors["skill"])
        return np.clip((target - state[:, 5]) / DT, -most, most)

    def reward(self, before, effort, after, goal, factors):  # noqa: ANN001, ANN201
        """See the class."""
        return (after[:, 6] - before[:, 6]) - (after[:, 7] - before[:, 7])

    def proceed(self, state: np.ndarray) -> np.ndarray:
        """Until somebody has 5 points."""
        return state[:, 6:8].max(1) < GAME

    def begin(self, rng: np.random.Generator, factors: Mapping[str, float]) -> np.ndarray:
        """The paddles anywhere, the ball about to be served."""
        mine, theirs = (rng.uniform(half - 1, 1 - half) for half in (factors["paddle"], factors["opponent"]))
        return np.array([0, 0, 0, 0, mine, theirs, 0, 0, rng.integers(1, PAUSE + 1), rng.choice(AIMS), 0.0])

    def guide(self, style: str = "away") -> np.ndarray:
        """Actions [N] of a player who knows where the ball will cross.

        It sends the ball away from the opponent, or always up or down with an end of its paddle, or ("plain") meets
        it with the middle.
        """
        if style not in self.STYLES:
            raise UnknownName("style of Paddle's pilot", style, self.STYLES)
        state, factors = self.state, self.factors
        meet = self._landing(state[:, 0], state[:, 1], state[:, 2], state[:, 3], 1.0)
        reach = 0.7 * (factors["paddle"] + factors["ball"])
        part = {"up": 1.0, "down": -1.0, "plain": 0.0}.get(style, np.nan) * np.ones(len(state))
        if style == "away":
            arrives = np.arctan2(state[:, 3], np.abs(state[:, 2]))
            angles = [np.clip(factors["mirror"] * arrives + p * 0.7 * factors["spread"], -1.1, 1.1) for p in (-1, 1)]
            lands = [self._landing(np.full(len(state), FACE), meet, -np.cos(a), np.sin(a), -1.0) for a in angles]
            below, above = (np.abs(y - state[:, 5]) for y in lands)
            part = np.where(above > below, 1.0, -1.0)
        target = np.where(state[:, 2] > 0, meet - part * reach, 0)
        off = target - state[:, 4]
        return np.where(np.abs(off) < 0.5 * DT * factors["pace"], 1, np.where(off > 0, 2, 0))

    def _landing(self, x: np.ndarray, y: np.ndarray, fast: np.ndarray, rise: np.ndarray, side: float) -> np.ndarray:
        """[N]: the height at which a ball that heads for this side will cross its paddle's front."""
        room = 1 - self.factors["ball"]
        time = (side * (FACE - self.factors["ball"]) - x) / np.where(side * fast > 0, fast, side)
        turns = (y + rise * np.maximum(time, 0) + room) % (4 * room)
        return np.where(turns > 2 * room, 4 * room - turns, turns) - room

    def paint(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """The court from above, points in gold at its top."""
        return court.paint(self.size, state, factors)

    def places(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """Where the middles of the ball and the paddles are; NaN while the curtain hides any of the ball."""
        bar = np.full(len(state), FACE + court.THICK / 2)
        things = [state[:, :2], np.stack([bar, state[:, 4]], 1), np.stack([-bar, state[:, 5]], 1)]
        spots = across(np.stack(things, 1), court.REACH)
        hidden = (factors["veil"] > 0) & (np.abs(state[:, 0]) < factors["veil"] + factors["ball"])
        spots[:, 0] = np.where(hidden[:, None], np.nan, spots[:, 0])
        return spots

    def view(self, name: str, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """See `VIEWS`."""
        if name == "text":
            return self.tell(self.facts(state, factors), factors)
        return super().view(name, state, factors)

    def tell(self, facts: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """See `court.write`."""
        return court.write(facts)

    def parse(self, line: str) -> Mapping[str, float]:
        """To three places; see `court.told`."""
        return dict(zip(self.FACTS, court.told(line), strict=True))

    def view_space(self, name: str) -> spaces.Box:
        """See `VIEWS`."""
        return spaces.Box(0, 255, (court.LETTERS,), np.uint8) if name == "text" else super().view_space(name)

    def captions(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> list[str]:
        """A sentence for each state."""
        return court.captions(state, factors)


def _heading(angle: np.ndarray, speed: np.ndarray) -> np.ndarray:
    """Velocities [..., 2] of this speed in these directions."""
    return np.stack(np.broadcast_arrays(speed * np.cos(angle), speed * np.sin(angle)), -1)


def _sent(
    part: np.ndarray, push: np.ndarray, fast: np.ndarray, rise: np.ndarray, law: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """How a paddle sends the ball off: speed away from it and upwards, [N] each."""
    angle = law["mirror"] * np.arctan2(rise, np.abs(fast)) + law["spread"] * part + law["spin"] * push / law["pace"]
    angle = np.clip(angle, -STEEPEST, STEEPEST)
    speed = np.minimum(np.sqrt(fast**2 + rise**2) * law["growth"], FASTEST)
    return speed * np.cos(angle), speed * np.sin(angle)
