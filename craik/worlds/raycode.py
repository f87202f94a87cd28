"""First person: a colour is shown, then hidden; later the door of that colour has to be entered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from craik.worlds import cast
from craik.worlds.draw import SLATE
from craik.worlds.equations import Factor
from craik.worlds.ray import COLORS, NAMES, RADIUS, Ray, Rows, facing, middle

SHOWN = 4
"""The code is shown at the steps before this one."""

DOORS = np.array([-0.69, -0.23, 0.23, 0.69])
"""Where along the north wall the doors are, from west to east, units."""

DOOR, POST, ORBIT = 0.17, 0.08, 0.2
"""Half the width of a door, radius of the pillars, and of the circles on which those go, units."""

HEARTS = np.array([[-0.5, -0.1], [0.5, -0.1]])
"""The middles of those circles."""

BLINK = 6
"""The pillars change their colours every so many steps."""


class RayCode(Ray):
    """Four doors show one colour, the code, for four steps; then they are grey and shut for `delta` steps; then they
    open, each in a colour of its own. Entering the door of the code's colour ends the episode well, another one badly.

    Fields: pose; `phase0`, `phase1` (rad) of two pillars; `clock`, steps since the code appeared; `code` (index into
    `COLORS`); `flash`, from which the pillars' colours are counted; `door0` .. `door3`, the doors' colours from west to
    east; `entered`, 0 or the number of a door from 1. The pillars circle about and change through the same four colours
    all the time, whatever the code: they distract. All but the picture tells the code all the time, and so does the
    goal, which is the state in the right door: a test of memory shows pixels alone.
    Reward: 1 for entering the right door, else 0. Success: having entered it. Events: `bumps`, `right`, `wrong`.
    Styles: "direct" waits in the middle, "left" before the west doors, "right" before the east doors.
    Episodes end in a door, or are cut after 200 steps; for `delta` beyond 128 pass more `max_steps`.
    """

    FIELDS = (
        *("x", "y", "heading", "phase0", "phase1", "clock", "code", "flash"),
        *("door0", "door1", "door2", "door3", "entered"),
    )
    ANGLES: ClassVar[tuple[int, ...]] = (2, 3, 4)
    LIMITS: ClassVar[Mapping[str, tuple[float, float]]] = {
        "clock": (0, 1e6),
        **dict.fromkeys(("code", "flash", "door0", "door1", "door2", "door3"), (0, 3)),
        "entered": (0, 4),
    }
    FPS, MAX_STEPS, HAS_GOAL, ENDS = 10, 200, True, True
    STYLES: ClassVar[tuple[str, ...]] = ("direct", "left", "right")
    EVENTS: ClassVar[Mapping[str, str]] = {
        **Ray.EVENTS,
        "right": "whether the right door was entered",
        "wrong": "whether a wrong door was entered",
    }
    FACTORS: ClassVar[Mapping[str, Factor]] = {
        **Ray.FACTORS,
        "delta": Factor(24, 4, 128, "steps from when the code is hidden to when the doors open", "behavioural"),
    }

    def move(self, state, effort, factors):  # noqa: ANN001, ANN201
        """One step: the clock and the pillars go on, then the walker, and perhaps through a door."""
        after, n = state.copy(), len(state)
        after[:, 3:5] = (state[:, 3:5] + factors["pace"][:, None] + np.pi) % (2 * np.pi) - np.pi
        after[:, 5] = state[:, 5] + 1
        none = np.zeros((n, 0, 2))
        after[:, :3], bumps = self.walk(state, effort, factors, (none, none), _posts(after), np.array([POST, POST]))
        at_door = np.abs(after[:, :1] - DOORS) < DOOR
        into = _open(after, factors) & at_door.any(1) & (after[:, 1] >= 1 - RADIUS - 1e-9) & (state[:, 12] == 0)
        after[:, 12] = np.where(into, at_door.argmax(1) + 1, state[:, 12])
        right = into & (after[:, 12] == _right(after) + 1)
        return after, {"bumps": bumps, "right": right, "wrong": into & ~right}

    def reward(self, before, effort, after, goal, factors):  # noqa: ANN001, ANN201
        """See the class."""
        return ((before[:, 12] == 0) & (after[:, 12] == _right(after) + 1)).astype(float)

    def proceed(self, state: np.ndarray) -> np.ndarray:
        """Until a door is entered."""
        return state[:, 12] == 0

    def reached(self, state: np.ndarray, goal: np.ndarray, factors: Rows) -> np.ndarray:
        """Whether the goal's door was entered."""
        return state[:, 12] == goal[:, 12]

    def begin(self, rng: np.random.Generator, factors: Mapping[str, float]) -> np.ndarray:
        """In the south, looking north."""
        pose = rng.uniform(-0.3, 0.3), -0.75 + rng.uniform(-0.1, 0.1), np.pi / 2 + rng.uniform(-0.2, 0.2)
        phases, chosen = rng.uniform(-np.pi, np.pi, 2), rng.integers(4, size=2)
        return np.concatenate([pose, phases, [0], chosen, rng.permutation(4), [0]])

    def aim(self, rng: np.random.Generator, state: np.ndarray, factors: Mapping[str, float]) -> np.ndarray:
        """In the right door, at the moment when it opens."""
        goal, door = state.copy(), int(_right(state[None])[0])
        goal[:3] = DOORS[door], 1 - RADIUS, np.pi / 2
        goal[5], goal[12] = np.ceil(SHOWN + factors["delta"]), door + 1
        return goal

    def guide(self, style: str = "direct") -> np.ndarray:
        """Actions of a pilot that knows the code: waits, and goes where it should."""
        wait = {"direct": (0.0, 0.45), "left": (-0.6, 0.55), "right": (0.6, 0.55)}[style]
        door = np.stack([DOORS[_right(self.state)], np.full(self.num_envs, 1.1)], 1)
        near = self.state[:, 1] > 0.45
        door[:, 1] = np.where(np.abs(self.state[:, 0] - door[:, 0]) < 0.1, 1.1, np.where(near, 0.75, 0.55))
        target = np.where(_open(self.state, self.factors)[:, None], door, np.array(wait))
        return self.steer(target, np.full(self.num_envs, np.pi / 2))

    def scene(self, state: np.ndarray, factors: Rows) -> cast.Scene:
        """Doors in the north, two pillars."""
        n, whole = len(state), state[:, 5:12].astype(np.int64)
        colors = np.array(COLORS, float)
        panel = np.where((state[:, 5] < SHOWN)[:, None, None], colors[whole[:, 1:2]], np.array(SLATE, float))
        panel = np.where(_open(state, factors)[:, None, None], colors[whole[:, 3:]], panel)
        turns = (whole[:, 2] + whole[:, 0] // BLINK)[:, None] + np.array([0, 2])
        parts = middle(factors, n) | {
            "posts": _posts(state),
            "girth": np.array([POST, POST]),
            "paint": colors[turns % 4],
            "doors": np.broadcast_to(DOORS, (n, 4)),
            "panel": panel,
        }
        return cast.Scene(**parts, door=DOOR)

    def kinds(self) -> tuple[int, ...]:
        """Both pillars move."""
        return (3, 3)

    def captions(self, state: np.ndarray, factors: Rows) -> list[str]:
        """Where the walker looks, and what the doors show."""
        left, told = np.ceil(SHOWN + factors["delta"]) - state[:, 5], []
        for row, wind in enumerate(facing(state[:, 2])):
            if state[row, 12]:
                color = NAMES[int(state[row, 7 + int(state[row, 12])])]
                text = f"the walker has entered the {color} door"
            elif state[row, 5] < SHOWN:
                text = f"the doors show the code, {NAMES[int(state[row, 6])]}"
            elif left[row] > 0:
                text = f"the doors are shut for {int(left[row])} more step{'s' if left[row] > 1 else ''}"
            else:
                names = [NAMES[int(i)] for i in state[row, 8:12]]
                text = f"the doors are open, from west to east {', '.join(names)}"
            told.append(f"Looking {wind}: {text}.")
        return told


def _open(state: np.ndarray, factors: Rows) -> np.ndarray:
    """[N] bool: whether the doors are open."""
    return state[:, 5] >= SHOWN + factors["delta"]


def _right(state: np.ndarray) -> np.ndarray:
    """Which door from the west has the code's colour, [N]."""
    return (state[:, 8:12] == state[:, 6:7]).argmax(1)


def _posts(state: np.ndarray) -> np.ndarray:
    """The pillars' middles, [N, 2, 2]."""
    phase = state[:, 3:5]
    return HEARTS + ORBIT * np.stack([np.cos(phase), np.sin(phase)], 2)
