"""First person: fireballs fly at the walker; stay alive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from craik.worlds import cast
from craik.worlds.equations import Factor
from craik.worlds.luck import throw
from craik.worlds.ray import RADIUS, Ray, Rows, facing, middle

BALLS = 6
"""So many fireballs are in the air at most."""

MOUTHS = np.linspace(-0.84, 0.84, 8)
"""Where along the north wall fireballs start, units."""

START = 0.93
"""How far north they start, units."""

MOUTH: tuple[int, int, int] = (96, 74, 104)

FIRST = 4
"""The field with which the fireballs begin; each has five: on, x, y and how far it flies in a step, east and north."""


class RayDodge(Ray):
    """Fireballs start from mouths in the north wall and fly straight at where the walker stood at that moment.

    Fields: pose, `alive` (1 or 0), and for each of six fireballs `on` (1 in the air, else all its numbers are 0), place
    (units) and flight (units a step). At each step, with chance `rate`, a fireball starts from one of the eight mouths,
    all equally likely, if fewer than six are in the air: `outcomes` counts all that may happen. A fireball that meets a
    wall is gone; one that comes within its radius and the walker's at any moment of a step ends the episode.
    Choices: step left, turn left, stand, turn right, step right; continuous: (step to the right, turn to the left).
    Reward: 1 for each step survived, 0 for the last one if it was not. Events: `bumps`, `hit`, `started`.
    There is no goal, but a pilot. Styles: "direct", wherever it is safe; "left" and "right" keep to the west and east.
    Episodes end with a hit, or are cut after 200 steps.
    """

    FIELDS = (
        *("x", "y", "heading", "alive"),
        *(f"{name}{i}" for i in range(BALLS) for name in ("on", "ball_x", "ball_y", "fly_x", "fly_y")),
        "luck",
    )
    LIMITS: ClassVar[Mapping[str, tuple[float, float]]] = {"alive": (0, 1)} | {f"on{i}": (0, 1) for i in range(BALLS)}
    AXES: ClassVar[tuple[int, ...]] = (2, 1)
    CHOICES: ClassVar[tuple[tuple[float, float, float], ...]] = (
        (0, 0, -1),
        (0, 1, 0),
        (0, 0, 0),
        (0, -1, 0),
        (0, 0, 1),
    )
    FPS, MAX_STEPS, LUCKY, ENDS = 10, 200, True, True
    STYLES: ClassVar[tuple[str, ...]] = ("direct", "left", "right")
    EVENTS: ClassVar[Mapping[str, str]] = {
        **Ray.EVENTS,
        "hit": "whether a fireball met the walker",
        "started": "whether a fireball started",
    }
    FACTORS: ClassVar[Mapping[str, Factor]] = {
        **Ray.FACTORS,
        "pace": Factor(0.08, 0.05, 0.12, "of fireballs, units a step", "behavioural"),
        "rate": Factor(0.2, 0.05, 0.4, "chance that a fireball starts in a step", "behavioural"),
        "swell": Factor(0.07, 0.04, 0.1, "radius of fireballs, units", "geometric"),
    }

    def move(self, state, effort, factors):  # noqa: ANN001, ANN201
        """One step: the walker and the fireballs, then luck."""
        after, events = self._fly(state, effort, factors)
        chance, after[:, -1] = throw(state[:, -1], 2)
        mouth = np.where(chance[:, 0] < factors["rate"], (chance[:, 1] * len(MOUTHS)).astype(np.int64), -1)
        return after, events | {"started": _start(after, mouth, factors)}

    def outcomes(self, state: np.ndarray, effort: np.ndarray, factors: Rows) -> tuple[np.ndarray, np.ndarray]:
        """No new fireball, or one from each mouth: [N, 9, D] with luck 0, and [N, 9]."""
        after, _ = self._fly(state, effort, factors)
        after[:, -1] = 0
        ways, chance = [after], [np.ones(len(state))]
        for mouth in range(len(MOUTHS)):
            one = after.copy()
            started = _start(one, np.full(len(state), mouth), factors)
            ways.append(one)
            chance.append(np.where(started, factors["rate"] / len(MOUTHS), 0))
        chance[0] = np.where(chance[1] > 0, 1 - factors["rate"], 1)
        return np.stack(ways, 1), np.stack(chance, 1)

    def _fly(self, state: np.ndarray, effort: np.ndarray, factors: Rows) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """What happens without luck."""
        n, after = len(state), state.copy()
        none = np.zeros((n, 0, 2))
        after[:, :3], bumps = self.walk(state, effort, factors, (none, none), none, np.zeros(0))
        balls = after[:, FIRST:-1].reshape(n, BALLS, 5)
        on = balls[..., 0] > 0
        gap_x, gap_y = balls[..., 1] - state[:, :1], balls[..., 2] - state[:, 1:2]
        by_x, by_y = balls[..., 3] - (after[:, :1] - state[:, :1]), balls[..., 4] - (after[:, 1:2] - state[:, 1:2])
        when = np.clip(-(gap_x * by_x + gap_y * by_y) / np.maximum(by_x**2 + by_y**2, 1e-12), 0, 1)
        near = (gap_x + when * by_x) ** 2 + (gap_y + when * by_y) ** 2
        hit = (on & (near < (RADIUS + factors["swell"][:, None]) ** 2)).any(1)
        balls[..., 1:3] += balls[..., 3:]
        balls *= (on & (np.abs(balls[..., 1:3]).max(2) <= 1))[..., None]
        after[:, FIRST:-1] = balls.reshape(n, -1)
        hit &= state[:, 3] > 0
        after[:, 3] = np.where(hit, 0, state[:, 3])
        return after, {"bumps": bumps, "hit": hit}

    def reward(self, before, effort, after, goal, factors):  # noqa: ANN001, ANN201
        """See the class."""
        return after[:, 3].copy()

    def proceed(self, state: np.ndarray) -> np.ndarray:
        """While the walker lives."""
        return state[:, 3] > 0

    def begin(self, rng: np.random.Generator, factors: Mapping[str, float]) -> np.ndarray:
        """In the south, looking north; nothing in the air."""
        state = np.zeros(len(self.FIELDS))
        state[:4] = rng.uniform(-0.6, 0.6), -0.75, np.pi / 2 + rng.uniform(-0.15, 0.15), 1
        return state

    def guide(self, style: str = "direct") -> np.ndarray:
        """Actions of a pilot that looks twenty steps ahead at where fireballs will be, and not at those to come."""
        state, step = self.state, self.factors["step"][:, None]
        targets = np.linspace(-0.9, 0.9, 19)
        balls = state[:, FIRST:-1].reshape(len(state), 1, BALLS, 5)
        worst = np.zeros((len(state), len(targets)))
        for t in range(1, 21):
            x = state[:, :1] + np.clip(targets - state[:, :1], -step * t, step * t)
            gap_x = balls[..., 1] + t * balls[..., 3] - x[..., None]
            gap_y = balls[..., 2] + t * balls[..., 4] - state[:, 1, None, None]
            far = np.sqrt(gap_x**2 + gap_y**2)
            safe = RADIUS + self.factors["swell"][:, None, None] + 0.08
            worst += (np.maximum(safe - far, 0) * (balls[..., 0] > 0)).sum(2) * (1 + 10 / t)
        home = {"direct": 0.0, "left": -0.5, "right": 0.5}[style]
        worst += 0.02 * np.abs(targets - state[:, :1]) + (0.02 if style == "direct" else 0.06) * np.abs(targets - home)
        gap = targets[worst.argmin(1)] - state[:, 0]
        off = (np.pi / 2 - state[:, 2] + np.pi) % (2 * np.pi) - np.pi
        if self.continuous:
            side = np.clip(gap / step[:, 0], -1, 1)
            return np.stack([side, np.clip(off / self.factors["turn"], -1, 1)], 1).astype(np.float32)
        side = np.where(np.abs(gap) < step[:, 0] * 0.75, 2, np.where(gap < 0, 0, 4))
        return np.where(np.abs(off) > 0.6 * self.factors["turn"], np.where(off > 0, 1, 3), side)

    def scene(self, state: np.ndarray, factors: Rows) -> cast.Scene:
        """A bare hall, mouths in the north, fireballs as high as the eye."""
        n = len(state)
        balls = state[:, FIRST:-1].reshape(n, BALLS, 5)
        parts = middle(factors, n) | {
            "balls": np.concatenate([balls[..., 1:3], np.zeros((n, BALLS, 1))], 2),
            "swell": balls[..., 0] * factors["swell"][:, None],
            "doors": np.broadcast_to(MOUTHS, (n, len(MOUTHS))),
            "panel": np.broadcast_to(np.array(MOUTH, float), (n, len(MOUTHS), 3)),
        }
        return cast.Scene(**parts, door=0.06)

    def captions(self, state: np.ndarray, factors: Rows) -> list[str]:
        """Where the walker looks, how many fireballs fly, and how near the nearest is."""
        balls, told = state[:, FIRST:-1].reshape(len(state), BALLS, 5), []
        for row, wind in enumerate(facing(state[:, 2])):
            flying = balls[row][balls[row, :, 0] > 0]
            if state[row, 3] == 0:
                told.append(f"Looking {wind}: a fireball has hit the walker.")
                continue
            text = "no fireballs fly"
            if len(flying):
                far = np.linalg.norm(flying[:, 1:3] - state[row, :2], axis=1).min()
                count = f"{len(flying)} fireballs fly" if len(flying) > 1 else "1 fireball flies"
                text = f"{count}, the nearest {far:.1f} units away"
            told.append(f"Looking {wind}: {text}.")
        return told


def _start(state: np.ndarray, mouth: np.ndarray, factors: Rows) -> np.ndarray:
    """Starts a fireball from `mouth` [N] (-1: none) in the first place free, in `state` itself; [N] whether it did."""
    balls = state[:, FIRST:-1].reshape(len(state), BALLS, 5).copy()
    free = balls[..., 0] == 0
    started = (mouth >= 0) & free.any(1)
    rows, which = np.flatnonzero(started), free.argmax(1)[started]
    from_x = MOUTHS[mouth[rows]]
    gap_x, gap_y = state[rows, 0] - from_x, state[rows, 1] - START
    part = factors["pace"][rows] / np.sqrt(gap_x**2 + gap_y**2)
    ones = np.ones(len(rows))
    balls[rows, which] = np.stack([ones, from_x, START * ones, gap_x * part, gap_y * part], 1)
    state[:, FIRST:-1] = balls.reshape(len(state), -1)
    return started
