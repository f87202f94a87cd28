"""Tiles in words: what the walker sees, and a caption of everything."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from craik.worlds.sprites import CODE
from craik.worlds.words import Fact

LENGTH = 320
"""Bytes of a text; shorter ones are padded with 0."""

THINGS = ("one", "two", "red", "blue", "lock", "key", "gem", "mover")
"""What may be seen, besides walls; at most one of each."""

DOORS = ("red", "blue", "lock")

NAMES = {
    "one": "light switch",
    "two": "dark switch",
    **{f"{c} {how}": f"{how} {c} door" for c in ("red", "blue") for how in ("closed", "open")},
    **{f"lock {how}": f"{how} locked door".replace("open locked", "unlocked") for how in ("closed", "open")},
    **{k: k for k in ("key", "gem", "mover")},
}
"""Kind of tile -> what it is called."""

KIND = {called: kind for kind, called in NAMES.items()}

HANDS = ("nothing", "the key", "the gem")
OPEN = [CODE[k] for k in ("floor", "red open", "blue open", "lock open")]

FACTS: dict[str, Fact] = {
    "caught": Fact("caught", 0, 1),
    "hand": Fact("hand", 0, 2),
    **{f"free_{where}": Fact("free", 0, 6) for where in ("ahead", "left", "right")},
    **{f"{thing}_ahead": Fact("ahead", 0, 6) for thing in THINGS},
    **{f"{thing}_aside": Fact("aside", -3, 3) for thing in THINGS},
    **{f"{door}_open": Fact("open", 0, 1) for door in DOORS},
}
"""What the text tells: whether the walker is caught, what it holds (0 nothing, 1 the key, 2 the gem), how many tiles
are free, and where things are that are in sight: tiles ahead and aside, to the left below 0."""

AT = {name: i for i, name in enumerate(FACTS)}
_FREE = slice(AT["free_ahead"], AT["free_right"] + 1)


def facts(tiles: np.ndarray) -> np.ndarray:
    """What is seen in codes [N, k, k], the walker at the bottom in the middle: [N, F]; NaN of what is not in sight."""
    n, k = tiles.shape[:2]
    half, own = k // 2, tiles[:, -1, tiles.shape[1] // 2]
    found = np.full((n, len(FACTS)), np.nan)
    found[:, AT["caught"]] = own == CODE["caught"]
    hands = [CODE[kind] for kind in ("walker north", "key north", "gem north")]
    for i, code in enumerate(hands):
        found[own == code, AT["hand"]] = i
    lines = (tiles[:, -2::-1, half], tiles[:, -1, half - 1 :: -1], tiles[:, -1, half + 1 :])
    found[:, _FREE] = np.stack([_run(line) for line in lines], 1)
    for thing in THINGS:
        for kind in (f"{thing} closed", f"{thing} open") if thing in DOORS else (thing,):
            row, y, x = np.nonzero(tiles == CODE[kind])
            found[row, AT[f"{thing}_ahead"]], found[row, AT[f"{thing}_aside"]] = k - 1 - y, x - half
            if thing in DOORS:
                found[row, AT[f"{thing}_open"]] = kind.endswith("open")
    return found


def _run(lines: np.ndarray) -> np.ndarray:
    """[N] how many tiles from here are free in lines [N, L]."""
    shut = ~np.isin(lines, OPEN)
    return np.where(shut.any(1), shut.argmax(1), lines.shape[1])


def tell(facts: np.ndarray) -> np.ndarray:
    """Facts [N, F] in words: [N, LENGTH] uint8. A part of which anything is not known is left out."""
    lines = [_sentences(dict(zip(AT, row))) for row in facts.tolist()]
    return np.array([np.frombuffer(line.encode().ljust(LENGTH, b"\0"), np.uint8) for line in lines])


def _sentences(fact: dict[str, float]) -> str:
    said = []
    if fact["caught"] == 1:
        said.append("You are caught.")
    elif np.isfinite(fact["hand"]):
        said.append(f"You hold {HANDS[int(fact['hand'])]}.")
    free = [fact[f"free_{where}"] for where in ("ahead", "left", "right")]
    if np.isfinite(free).all():
        said.append("Free: {:.0f} ahead, {:.0f} left, {:.0f} right.".format(*free))
    seen = []
    for thing in THINGS:
        how = fact.get(f"{thing}_open", 0.0)
        place = -fact[f"{thing}_ahead"], fact[f"{thing}_aside"]
        if np.isfinite([how, *place]).all():
            seen.append((place, f"{thing} {'open' if how else 'closed'}" if thing in DOORS else thing))
    things = ", ".join(f"{NAMES[kind]} {_where(*place)}" for place, kind in sorted(seen)) or "nothing"
    return " ".join([*said, f"You see: {things}."])


def _where(back: float, aside: float) -> str:
    where = [f"{-back:.0f} ahead"] if back else []
    where += [f"{abs(aside):.0f} {'left' if aside < 0 else 'right'}"] if aside else []
    return " ".join(where) or "here"


_THING = re.compile(r"(\D+?)(?: (\d) ahead)?(?: (\d) (left|right))?(?: here)?")


def parse(line: str) -> dict[str, float]:
    """What a text tells, name -> number; see `FACTS`."""
    told: dict[str, float] = {}
    if "You are caught." in line:
        told["caught"] = 1.0
    if (hold := re.search(r"You hold ([a-z ]+)\.", line)) and hold[1] in HANDS:
        told |= {"caught": 0.0, "hand": float(HANDS.index(hold[1]))}
    if free := re.search(r"Free: (\d) ahead, (\d) left, (\d) right", line):
        told |= {f"free_{where}": float(x) for where, x in zip(("ahead", "left", "right"), free.groups())}
    seen = re.search(r"You see: ([^.]*)\.", line)
    for part in seen[1].split(", ") if seen else ():
        match = _THING.fullmatch(part)
        if match and match[1] in KIND:
            thing, _, how = KIND[match[1]].partition(" ")
            told[f"{thing}_ahead"] = float(match[2] or 0)
            told[f"{thing}_aside"] = float(match[3] or 0) * (-1 if match[4] == "left" else 1)
            if how:
                told[f"{thing}_open"] = float(how == "open")
    return told


def caption(state: Mapping[str, int]) -> str:
    """Where the walker is, what it holds, which doors are open and how far the mover is, from one state by field."""
    place = _room(state["x"], state["y"], state)
    hold = ("nothing", "the key", "the gem")[state["hand"]]
    doors = [n for n in ("red", "blue", "lock") if state[f"{n}_open"]]
    open_ = f"open doors: {len(doors)} ({', '.join(doors)})" if doors else "open doors: 0"
    far = abs(state["x"] - state["mover_x"]) + abs(state["y"] - state["mover_y"])
    mover = (
        "has caught it"
        if far == 0
        else f"is {far} {'tile' if far == 1 else 'tiles'} away {_room(*_mover(state), state)}"
    )
    return f"The walker is {place}, looks {_WAYS[state['way']]} and holds {hold}; {open_}; the mover {mover}."


_WAYS = ("east", "south", "west", "north")


def _mover(state: Mapping[str, int]) -> tuple[int, int]:
    return state["mover_x"], state["mover_y"]


def _room(x: int, y: int, state: Mapping[str, int]) -> str:
    if x == state["wall_x"] or y == state["wall_y"]:
        return "in a doorway"
    down = "upper" if y < state["wall_y"] else "lower"
    return f"in the {down} {'left' if x < state['wall_x'] else 'right'} room"
