"""Tiles in words: what the walker sees, and a caption of everything."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from craik.worlds.sprites import CODE, KINDS

LENGTH = 320
"""Bytes of a text; shorter ones are padded with 0."""

NAMES = {
    "one": "light switch",
    "two": "dark switch",
    **{f"{c} {how}": f"{how} {c} door" for c in ("red", "blue") for how in ("closed", "open")},
    **{f"lock {how}": f"{how} locked door".replace("open locked", "unlocked") for how in ("closed", "open")},
    **{k: k for k in ("key", "gem", "mover")},
}
"""Kind of tile -> what it is called."""

HANDS = {"walker north": "nothing", "key north": "the key", "gem north": "the gem"}
OPEN = [CODE[k] for k in ("floor", "red open", "blue open", "lock open")]


def text(tiles: np.ndarray) -> np.ndarray:
    """What is seen in codes [N, k, k], the walker at the bottom in the middle: [N, LENGTH] uint8."""
    lines = [_sentence(row) for row in tiles]
    return np.array([np.frombuffer(line.encode().ljust(LENGTH, b"\0"), np.uint8) for line in lines])


def _sentence(tiles: np.ndarray) -> str:
    k, half = len(tiles), len(tiles) // 2
    kind = KINDS[tiles[-1, half]]
    if kind == "caught":
        hold = "You are caught."
    else:
        hold = f"You hold {HANDS[kind]}."
    free = [_run(line) for line in (tiles[-2::-1, half], tiles[-1, half - 1 :: -1], tiles[-1, half + 1 :])]
    seen = []
    for y, x in np.argwhere(tiles >= CODE["red closed"]):
        name = NAMES.get(KINDS[tiles[y, x]])
        if name:
            ahead, aside = k - 1 - y, x - half
            where = [f"{ahead} ahead"] if ahead else []
            where += [f"{abs(aside)} {'left' if aside < 0 else 'right'}"] if aside else []
            seen.append(f"{name} {' '.join(where)}")
    things = ", ".join(seen) or "nothing"
    return f"{hold} Free: {free[0]} ahead, {free[1]} left, {free[2]} right. You see: {things}."


def _run(line: np.ndarray) -> int:
    """How many tiles from here are free."""
    shut = ~np.isin(line, OPEN)
    return int(shut.argmax()) if shut.any() else len(line)


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
