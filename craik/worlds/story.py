"""A household told in words: rooms, things, devices, warmth, counts and time, all in whole numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from craik.worlds import telling
from craik.worlds.draw import Color
from craik.worlds.equations import Factor
from craik.worlds.exact import ExactWorld
from craik.worlds.household import (
    AT,
    CAPACITY,
    COMMANDS,
    FIELDS,
    FRIDGE,
    HAND,
    LIMITS,
    PLACED,
    PLACES,
    ROOMS,
    TASKS,
    THINGS,
    WAIT,
    deed,
    nature,
    reachable,
)
from craik.worlds.household_picture import COLORS, paint, spots
from craik.worlds.housekeeper import Housekeeper
from craik.worlds.words import Fact, Worded

TEXT, JSON = 1664, 768
"""Bytes of the views, zeros behind what is said."""

COLD, STRONG = 8, 2
"""What chilled means, degrees; what tea means, minutes of brewing."""

UNCHANGED, BY_ACTION, BY_ITSELF = 0, 1, 2
"""Why a fact changed or did not."""

_ASKS = frozenset(telling.ASKS)


def _relation(name: str) -> str:
    """What a field says of its subject."""
    odd = {"cat": "room", "jar": "coins", "purse": "coins", "cat_clock": "clock", "tea_bags": "bags"}
    return odd.get(name) or ("eggs" if name.startswith("eggs") else name.partition("_")[2] or name)


class Story(Worded, ExactWorld):
    """Recipes and errands in four rooms. Action: one of `COMMANDS`; each takes a minute, and wait is the middle one.

    State, seen as it is: the whole numbers of `household.FIELDS`: the room one is in, the cat's, the places of seven
    things, what is open and switched on, degrees, cups, counts, minutes, and what is asked (task, what, where). First
    the command is done, if it can be (`household.deed`); then a minute passes (`household.nature`). So the facts of
    the next state change by the action, by themselves, or not at all: `changes`.
    Tasks: put a thing in its place, tea on the table, boiled eggs, so many coins in the purse, a chilled apple.
    The goal is a state in which what is asked has been done; only that part of it counts. Reward in [0, 1]: how much
    of it is done. Events: `done`, `refused`, `boiled`, `rang`, `cat_moved`. Episodes are truncated after 60 minutes.
    """

    FIELDS = FIELDS
    FPS, MAX_STEPS, HAS_GOAL, IDLE = 4, 60, True, WAIT
    STYLES = ("direct", "around", "tidy")
    EVENTS: ClassVar[Mapping[str, str]] = {
        "done": "the command could be done",
        "refused": "the command could not be done, and nothing came of it",
        "boiled": "the kettle switched itself off",
        "rang": "the timer ran out",
        "cat_moved": "the cat went to the next room by itself",
    }
    FACTORS: ClassVar[Mapping[str, Factor]] = {
        "leak": Factor(0.1, 0.05, 0.2, "of a difference of warmth that is lost in a minute"),
        "power": Factor(60.0, 30.0, 120.0, "of the kettle: degrees a minute for one cup"),
        "room": Factor(20.0, 15.0, 26.0, "degrees in the rooms, rounded"),
        "roam": Factor(6.0, 3.0, 20.0, "minutes that the cat stays in a room, rounded", "behavioural"),
        "wording": Factor(0.0, 0.0, 5.0, "way of saying facts, rounded down; 4 is kept for tests", "visual"),
        "words": Factor(0.0, 0.0, 3.0, "set of synonyms, rounded down; 2 is kept for tests", "visual"),
        "order": Factor(0.0, 0.0, 1.0, "where among the facts the text begins, in parts of all", "visual"),
        "light": Factor(1.0, 0.5, 1.0, "of the picture", "visual"),
        "mirror": Factor(0.0, 0.0, 1.0, "whether the picture is of the mirrored house, from 0.5", "geometric"),
        "heard": Factor(1.0, 0.3, 1.0, "part of the facts that the text tells", "sensory"),
    }
    VIEWS: ClassVar[Mapping[str, str]] = {
        "text": "every fact in a sentence, UTF-8",
        "glance": "the facts that can be seen from where one is, UTF-8",
        "json": "every fact as canonical JSON, UTF-8",
    }
    POINTS: Mapping[str, Color] = {"me": COLORS["me"], "cat": COLORS["cat"]}
    FACTS: Mapping[str, Fact] = {name: Fact(_relation(name), 0, most) for name, most in LIMITS.items()}
    REWORDED: ClassVar[Mapping[str, float]] = {"wording": telling.HELD_OUT, "words": telling.LAST_SET}
    COMMANDS = COMMANDS

    def __init__(self, num_envs: int = 1, **settings: Any):
        high = np.array(list(LIMITS.values()), np.float32)
        self.space = spaces.Box(np.zeros_like(high), high, dtype=np.float32)
        self.action = spaces.Discrete(len(COMMANDS))
        super().__init__(num_envs, **settings)

    def effort(self, action: np.ndarray) -> np.ndarray:
        """The number of the command, [N, 1]."""
        return action.astype(np.float64)[:, None]

    def move(self, state, effort, factors):  # noqa: ANN001, ANN201
        """One minute: the command, then what happens by itself."""
        between, done = deed(state, effort[:, 0])
        after, events = nature(between, factors)
        return after, {"done": done, "refused": ~done, **events}

    def changes(
        self, before: np.ndarray, after: np.ndarray, factors: Mapping[str, np.ndarray] | None = None
    ) -> np.ndarray:
        """Why each fact of `after` [N, D] is what it is: 0 unchanged, 1 by the action, 2 by itself; [N, D] int8.

        A fact is changed by the action if it would be another had one waited. Factors are the worlds' own by default.
        """
        waited, _ = nature(before, self.factors if factors is None else factors)
        why = np.where(after != waited, BY_ACTION, BY_ITSELF)
        return np.where(after == before, UNCHANGED, why).astype(np.int8)

    def reward(self, before, effort, after, goal, factors):  # noqa: ANN001, ANN201
        """See the class."""
        return self._part(after, goal)

    def reached(self, state: np.ndarray, goal: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """Whether what is asked has been done."""
        return self._part(state, goal) >= 1

    def _part(self, state: np.ndarray, goal: np.ndarray) -> np.ndarray:
        """[N] in [0, 1]: how much of what is asked has been done; 1 is all."""
        s, g = ({name: x[:, i] for name, i in AT.items()} for x in (state, goal))
        thing = PLACED.start + np.clip(g["what"], 0, len(THINGS) - 1).astype(np.int64)
        at, to = (x[np.arange(len(x)), thing] for x in (state, goal))
        place = np.where(at == to, 1.0, np.where(at == HAND, 0.5, 0.0))
        steps = (s["tea"] >= g["tea"], s["mug_cups"] >= np.minimum(g["mug_cups"], 1), s["brew"] >= g["brew"])
        tea = sum(x / 4 for x in (*steps, s["mug_place"] == g["mug_place"]))
        few = np.maximum(g["eggs_plate"], 1)
        rest = np.maximum(g["eggs_plate"] - s["eggs_plate"], 0)
        eggs = 1 - (rest - 0.5 * np.minimum(rest, s["eggs_pot"])) / few
        coins = 1 - np.abs(s["purse"] - g["purse"]) / 20
        chill = np.clip(1 - (s["apple_heat"] - g["apple_heat"]) / 20, 0, 1)
        return np.stack([place, tea, eggs, coins, chill])[g["task"].astype(np.int64), np.arange(len(state))]

    def begin(self, rng: np.random.Generator, factors: Mapping[str, float]) -> np.ndarray:
        """Things anywhere, some of it open, and something asked that has not been done."""
        room = round(factors["room"])
        places = rng.choice([p for p in range(1, len(PLACES)) if PLACES[p] != "stove"], len(THINGS))
        s = {
            "room": rng.integers(4),
            "cat": rng.integers(4),
            **{f"{x}_place": p for x, p in zip(THINGS, places)},
            **{f"{x}_open": rng.random() < 0.3 for x in ("fridge", "cupboard", "drawer", "chest")},
            "stove_on": rng.random() < 0.2,
            "lamp_on": rng.random() < 0.5,
            "kettle_heat": rng.integers(room, 60),
            "stove_heat": room,
            "milk_cups": rng.integers(2, CAPACITY["milk"] + 1),
            "pot_cups": rng.integers(2),
            "kettle_cups": rng.integers(3),
            "eggs_box": rng.integers(3, 7),
            "tea_bags": rng.integers(2, 7),
            "jar": rng.integers(8, 16),
            "purse": rng.integers(5),
            "timer": rng.integers(10),
            "task": rng.integers(len(TASKS)),
        }
        for x, p in zip(("apple", "milk", "pot", "mug"), places[[0, 2, 3, 4]]):
            s[f"{x}_heat"] = room if p != FRIDGE or x == "apple" else 4
        asks = [a for a in telling.ASKS if a[0] == s["task"] and _open(a, s)]
        s["task"], s["what"], s["where"] = asks[rng.integers(len(asks))]
        return np.array([float(s.get(name, 0)) for name in FIELDS])

    def aim(self, rng: np.random.Generator, state: np.ndarray, factors: Mapping[str, float]) -> np.ndarray:
        """The start, with what is asked done."""
        goal, what = state.copy(), int(state[AT["what"]])
        match TASKS[int(state[AT["task"]])]:
            case "place":
                goal[PLACED.start + what] = state[AT["where"]]
            case "tea":
                goal[AT["mug_place"]] = state[AT["where"]]
                goal[AT["mug_cups"]], goal[AT["tea"]], goal[AT["brew"]] = 1, 1, STRONG
                goal[AT["mug_heat"]] = 80
            case "eggs":
                goal[AT["eggs_plate"]], goal[AT["eggs_box"]] = what, max(state[AT["eggs_box"]] - what, 0)
            case "coins":
                goal[AT["purse"]], goal[AT["jar"]] = what, state[AT["jar"]] + state[AT["purse"]] - what
            case _:
                goal[AT["apple_place"]], goal[AT["apple_heat"]] = FRIDGE, COLD
        return goal

    def guide(self, style: str = "direct") -> np.ndarray:
        """Commands [N] of a pilot that knows the recipes; see `Housekeeper`."""
        return np.array([Housekeeper(s, g, style).choose() for s, g in zip(self.state, self.goal)], np.int64)

    def view_space(self, name: str) -> spaces.Box:
        """Bytes."""
        if name not in self.VIEWS:
            return super().view_space(name)
        return spaces.Box(0, 255, (JSON if name == "json" else TEXT,), np.uint8)

    def view(self, name: str, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """Words or JSON, [N, bytes] uint8."""
        if name not in self.VIEWS:
            return super().view(name, state, factors)
        if name == "json":
            return _bytes([telling.as_json(s) for s in state], JSON)
        told = seen(state) if name == "glance" else np.ones(state.shape, bool)
        spread = np.arange(len(FIELDS)) * 0.6180339887 % 1  # any part of them is spread evenly over the kinds
        told = told & (spread < factors["heard"][:, None])
        told[:, telling.ASKED] = True
        return self.tell(np.where(told, self.facts(state, factors), np.nan), factors)

    def tell(self, facts: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """Every fact in a sentence, in the wording that the factors say; what is asked only as a whole."""
        wording = np.clip(factors["wording"], 0, telling.WORDINGS - 1).astype(int)
        words = np.clip(factors["words"], 0, telling.WORD_SETS - 1).astype(int)
        start = (factors["order"] * len(telling.SINGLES)).astype(int) % len(telling.SINGLES)
        told, values = np.isfinite(facts), np.nan_to_num(facts)
        told[:, AT["task"]] &= [tuple(row) in _ASKS for row in np.where(told, values, -1)[:, telling.ASKED].astype(int)]
        full = told.all(1)
        rows = zip(values, wording, words, start, told, full)
        return _bytes([telling.tell(s, a, b, c, None if e else d) for s, a, b, c, d, e in rows], TEXT)

    def parse(self, line: str) -> Mapping[str, float]:
        """In any wording; see `telling.parse`."""
        return telling.parse(line)

    def captions(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> list[str]:
        """A sentence for each row: where one is, what one holds, and what goes on."""
        told = []
        for s in state.astype(np.int64):
            held = [f"the {x}" for x, p in zip(THINGS, s[PLACED]) if p == HAND]
            hands = "nothing" if not held else " and ".join(held)
            on = [x for x in ("stove", "kettle", "lamp") if s[AT[f"{x}_on"]]]
            running = "nothing is" if not on else f"the {' and the '.join(on)} {'is' if len(on) == 1 else 'are'}"
            ask = tuple(int(s[i]) for i in telling.ASKED)
            asked = telling.task(*ask) if ask in _ASKS else "do what cannot be done"
            told.append(
                f"You are in the {ROOMS[s[0]]} with {hands} in your hands, {running} switched on, "
                f"the cat is in the {ROOMS[s[1]]}, and you are asked to {asked}."
            )
        return told

    def places(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """You and the cat."""
        return spots(state, factors)

    def paint(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """The four rooms from above."""
        return paint(state, factors, self.size)


def said(row: np.ndarray) -> str:
    """The words of one row of a view (uint8)."""
    return row.astype(np.uint8).tobytes().rstrip(b"\0").decode()


def seen(state: np.ndarray) -> np.ndarray:
    """[N, D] bool: the facts that can be seen from where one is."""
    s, near = {name: state[:, i] for name, i in AT.items()}, reachable(state)
    told, room = np.zeros(state.shape, bool), state[:, 0]
    lit = {x: near[:, i] for i, x in enumerate(THINGS)}
    home = {"fridge": 0, "cupboard": 1, "drawer": 2, "chest": 3, "stove": 0, "kettle": 0, "lamp": 2}
    for x, where in home.items():
        lit[x] = room == where
    lit["cat"] = s["cat"] == room
    for name, i in AT.items():
        told[:, i] = lit.get(name.split("_")[0], True)
    box, tin = lit["fridge"] & (s["fridge_open"] == 1), lit["cupboard"] & (s["cupboard_open"] == 1)
    rest = {"eggs_box": box, "tea_bags": tin, "eggs_pot": lit["pot"], "cook": lit["pot"], "eggs_plate": room == 0}
    rest |= {"tea": lit["mug"], "brew": lit["mug"], "jar": room == 3}
    for name, shown in rest.items():
        told[:, AT[name]] = shown
    return told


def _open(ask: tuple[int, int, int], s: Mapping[str, Any]) -> bool:
    """Whether this is worth asking: not done yet, and possible."""
    kind, what, where = TASKS[ask[0]], ask[1], ask[2]
    if kind == "place":
        return PLACES[where] != "stove" and where != s[f"{THINGS[what]}_place"]
    if kind == "eggs":
        return what <= 3
    if kind == "coins":
        return what != s["purse"] and what <= min(s["purse"] + s["jar"], 15)
    return True


def _bytes(lines: list[bytes], length: int) -> np.ndarray:
    """[N, length] uint8, zeros behind."""
    return np.frombuffer(b"".join(x.ljust(length, b"\0") for x in lines), np.uint8).reshape(-1, length).copy()
