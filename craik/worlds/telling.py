"""The household in words: every fact a sentence, and back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache

import numpy as np

from craik.worlds.household import (
    AT,
    CONTAINERS,
    COUNTS,
    DEVICES,
    FIELDS,
    LIMITS,
    PLACES,
    ROOMS,
    TASKS,
    THINGS,
)

WORDINGS, HELD_OUT = 5, 4
"""Ways of saying each fact, and the one kept for tests."""

SYNONYMS: dict[str, tuple[str, str, str]] = {
    "kitchen": ("kitchen", "cookroom", "galley"),
    "pantry": ("pantry", "storeroom", "larder"),
    "study": ("study", "office", "den"),
    "hall": ("hall", "lobby", "entrance"),
    "bread": ("bread", "loaf", "baguette"),
    "pot": ("pot", "saucepan", "casserole"),
    "mug": ("mug", "beaker", "tumbler"),
    "book": ("book", "novel", "paperback"),
    "fridge": ("fridge", "refrigerator", "icebox"),
    "stove": ("stove", "cooker", "hob"),
    "chest": ("chest", "trunk", "coffer"),
    "lamp": ("lamp", "light", "lantern"),
    "cat": ("cat", "kitten", "tabby"),
    "purse": ("purse", "wallet", "pouch"),
}
"""Word -> itself and two others that mean it. The last of each is kept for tests."""

WORD_SETS, LAST_SET = 3, 2

_PLACE = (
    "The {x} is {p}.",
    "You find the {x} {p}.",
    "There is the {x} {p}.",
    "{P} is the {x}.",
    "As for the {x}, look {p}.",
)
_HELD = (
    "You hold the {x}.",
    "You carry the {x}.",
    "The {x} is in your hand.",
    "In your hand is the {x}.",
    "As for the {x}, you have it with you.",
)
_IS = (
    "The {x} is {v}.",
    "You see that the {x} is {v}.",
    "It is {v}, the {x}.",
    "{V} is the {x}.",
    "As for the {x}, it is {v}.",
)
_HEAT = (
    "The {x} is at {n} degrees.",
    "The {x} has {n} degrees.",
    "It is {n} degrees in the {x}.",
    "{n} degrees is the {x}.",
    "As for the {x}, it shows {n} degrees.",
)
_HOLDS = (
    "The {x} holds {n} {u}.",
    "There are {n} {u} in the {x}.",
    "You count {n} {u} in the {x}.",
    "{n} {u} are in the {x}.",
    "As for the {x}, its content is {n} {u}.",
)
_ROOM = (
    "You are in the {r}.",
    "You stand in the {r}.",
    "The {r} is where you are.",
    "Around you is the {r}.",
    "As for yourself, you went to the {r}.",
)
_CAT = (
    "The {c} is in the {r}.",
    "The {c} sits in the {r}.",
    "The {r} is where the {c} is.",
    "Around the {c} is the {r}.",
    "As for the {c}, it went to the {r}.",
)
_MINUTES = (
    "The {x} for {n} {u}.",
    "For {n} {u} the {x}.",
    "It is {n} {u} that the {x}.",
    "{n} {u} is how long the {x}.",
    "As for time, the {x} {n} {u}.",
)
_TASK = ("Please {t}.", "Your task: {t}.", "You are asked to {t}.", "What is wanted: {t}.", "As for the task, {t}.")

_VESSELS = {
    "eggs_box": ("box", "egg"),
    "eggs_pot": ("pot", "egg"),
    "eggs_plate": ("plate", "egg"),
    "tea_bags": ("tin", "tea bag"),
    "jar": ("jar", "coin"),
    "purse": ("purse", "coin"),
}
_LASTING = {
    "cat_clock": "cat has stayed",
    "cook": "eggs have cooked",
    "brew": "tea has brewed",
    "timer": "timer runs on",
}
_YES_NO = {
    **{f"{x}_open": (x, "open", "closed") for x in CONTAINERS},
    **{f"{x}_on": (x, "switched on", "switched off") for x in DEVICES},
    "ringing": ("timer", "ringing", "silent"),
    "tea": ("tea bag", "in the mug", "not in the mug"),
}

ASKED = (AT["task"], AT["what"], AT["where"])
"""The three numbers that one sentence tells together."""

SINGLES = tuple(i for i in range(len(FIELDS)) if i not in ASKED)
"""All others: a sentence each."""


def _where(place: str) -> str:
    return f"{'in' if place in CONTAINERS else 'on'} the {place}"


def _few(n: int, unit: str) -> str:
    return unit if n == 1 else unit + "s"


def task(kind: int, what: int, where: int) -> str:
    """What is asked, in words."""
    name = TASKS[kind]
    if name == "place":
        return f"put the {THINGS[what]} {_where(PLACES[where])}"
    if name == "tea":
        return "bring a mug of tea to the table"
    if name == "eggs":
        return f"boil {what} {_few(what, 'egg')}"
    if name == "coins":
        return f"have {what} {_few(what, 'coin')} in the purse"
    return "chill the apple"


def _plain(field: str, value: int, wording: int) -> str:
    """One fact in the plain words."""
    if field == "room":
        return _ROOM[wording].format(r=ROOMS[value])
    if field == "cat":
        return _CAT[wording].format(c="cat", r=ROOMS[value])
    if field.endswith("_place"):
        x, where = field.removesuffix("_place"), _where(PLACES[value])
        if PLACES[value] == "hand":
            return _HELD[wording].format(x=x)
        return _PLACE[wording].format(x=x, p=where, P=where.capitalize())
    if field in _YES_NO:
        x, yes, no = _YES_NO[field]
        v = yes if value else no
        return _IS[wording].format(x=x, v=v, V=v.capitalize())
    if field.endswith("_heat"):
        return _HEAT[wording].format(x=field.removesuffix("_heat"), n=value)
    if field in _LASTING:
        return _MINUTES[wording].format(x=_LASTING[field], n=value, u=_few(value, "minute"))
    x, unit = _VESSELS[field] if field in _VESSELS else (field.removesuffix("_cups"), "cup")
    return _HOLDS[wording].format(x=x, n=value, u=_few(value, unit))


_KNOWN = re.compile(r"\b(" + "|".join(SYNONYMS) + r")\b")


def reworded(sentence: str, words: int) -> str:
    """The sentence with other words of the same meaning: set 0 (plain), 1 or 2."""
    return _KNOWN.sub(lambda m: SYNONYMS[m[1]][words], sentence) if words else sentence


@cache
def sentence(index: int, value: int, wording: int, words: int) -> bytes:
    """One fact (field by its place in `FIELDS`), in one way of saying it."""
    return reworded(_plain(FIELDS[index], value, wording), words).encode()


@cache
def request(kind: int, what: int, where: int, wording: int, words: int) -> bytes:
    """What is asked, in one way of saying it."""
    return reworded(_TASK[wording].format(t=task(kind, what, where)), words).encode()


def tell(state: np.ndarray, wording: int, words: int, start: int = 0, told: np.ndarray | None = None) -> bytes:
    """One state [D] in sentences.

    Args:
        state: whole numbers, as floats.
        wording: 0 .. 4, which way of saying facts.
        words: 0 .. 2, which set of synonyms.
        start: which fact comes first; the others follow in order, round to the one before it.
        told: [D] bool, which facts are told; all by default.
    """
    values = state.astype(np.int64).tolist()
    order = SINGLES[start:] + SINGLES[:start] if start else SINGLES
    lines = [sentence(i, values[i], wording, words) for i in order if told is None or told[i]]
    if told is None or told[ASKED[0]]:
        lines.insert(0, request(*(values[i] for i in ASKED), wording, words))
    return b" ".join(lines)


def _asks() -> Iterator[tuple[int, int, int]]:
    for what in range(len(THINGS)):
        for where in range(1, len(PLACES)):
            yield 0, what, where
    yield 1, THINGS.index("mug"), PLACES.index("table")
    for k in range(1, COUNTS["eggs_plate"] + 1):
        yield 2, k, 0
    for k in range(COUNTS["purse"] + 1):
        yield 3, k, 0
    yield 4, 0, PLACES.index("fridge")


ASKS = tuple(_asks())
"""All that may be asked: task, what, where."""

_DIGITS = re.compile(r"\d+")
_NUMBERED = {f for f in FIELDS if f.endswith(("_heat", "_cups")) or f in _VESSELS or f in _LASTING}


@cache
def _meanings() -> dict[str, tuple[tuple[int, int | None], ...]]:
    """Sentence, its number replaced by #, -> the facts it tells: field and value, None where it is the number."""
    known: dict[str, tuple[tuple[int, int | None], ...]] = {}

    def enter(said: bytes, facts: tuple[tuple[int, int | None], ...], number: bool) -> None:
        text = said.decode()
        key = _DIGITS.sub("#", text) if number else text
        if known.setdefault(key, facts) != facts:
            raise AssertionError(f"{key!r} means two things")

    for wording in range(WORDINGS):
        for words in range(WORD_SETS):
            for i in SINGLES:
                number = FIELDS[i] in _NUMBERED
                for value in (1, 2) if number and LIMITS[FIELDS[i]] > 1 else range(LIMITS[FIELDS[i]] + 1):
                    enter(sentence(i, value, wording, words), ((i, None if number else value),), number)
            for ask in ASKS:
                counted = TASKS[ask[0]] in ("eggs", "coins")
                values = (ask[0], None if counted else ask[1], ask[2])
                enter(request(*ask, wording, words), tuple(zip(ASKED, values)), counted)
    return known


def parse(text: str | bytes | np.ndarray) -> dict[str, int]:
    """Every fact that a text tells, name -> number. What is not understood is passed over.

    Args:
        text: in words, as UTF-8, or as one row of the view "text" (uint8, zeros behind).
    """
    if isinstance(text, np.ndarray):
        text = text.astype(np.uint8).tobytes()
    if isinstance(text, bytes):
        text = text.rstrip(b"\0").decode(errors="replace")
    known, facts = _meanings(), {}
    for part in re.split(r"(?<=\.)\s+", text.strip()):
        number = _DIGITS.search(part)
        meaning = known.get(_DIGITS.sub("#", part)) if number else known.get(part)
        for i, value in meaning or ():
            facts[FIELDS[i]] = int(number[0]) if value is None and number else value
    return {k: v for k, v in facts.items() if v is not None}


def _value(field: str, value: int) -> str | int | bool:
    if field in ("room", "cat"):
        return ROOMS[value]
    if field.endswith("_place"):
        return PLACES[value]
    return bool(value) if field in _YES_NO else value


@cache
def _pair(index: int, value: int) -> str:
    return f"{json.dumps(FIELDS[index])}:{json.dumps(_value(FIELDS[index], value))}"


_SORTED = tuple(sorted(range(len(FIELDS)), key=FIELDS.__getitem__))


def as_json(state: np.ndarray) -> bytes:
    """One state [D] as canonical JSON: names in order, no spaces, places and rooms in words."""
    values = state.astype(np.int64).tolist()
    return ("{" + ",".join(_pair(i, values[i]) for i in _SORTED) + "}").encode()


def from_json(text: str | bytes | np.ndarray) -> np.ndarray:
    """The state [D] that a canonical JSON tells.

    Raises:
        ValueError: if it is no JSON, or names a place or a room that is not there.
        KeyError: if a fact is missing.
    """
    if isinstance(text, np.ndarray):
        text = text.astype(np.uint8).tobytes()
    facts: Mapping[str, str | int | bool] = json.loads(text.rstrip(b"\0") if isinstance(text, bytes) else text)
    lists = {"room": ROOMS, "cat": ROOMS, **{f"{x}_place": PLACES for x in THINGS}}
    return np.array(
        [lists[f].index(facts[f]) if f in lists else int(facts[f]) for f in FIELDS],  # type: ignore[arg-type]
        float,
    )
