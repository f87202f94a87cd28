"""A pilot for `Tiles` that knows the wires: it plans its way over tiles and turns, keeping out of the mover's reach."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from craik.worlds.tiles_laws import (
    AHEAD,
    AT,
    DOORS,
    DROP,
    EMPTY,
    FORWARD,
    GEM,
    KEY,
    LEFT,
    MOVER,
    PICK,
    RIGHT,
    SIDE,
    THING,
    TOGGLE,
    WALKER,
    barred,
    roam,
)

STYLES = ("direct", "bold", "thorough")
"""Opens what it needs next; the same without a thought for the mover; opens both doors before anything else."""

FEAR = 40.0
"""Steps of detour that a certain meeting is worth."""

FAR = np.float32(1e4)
"""Further than any way."""

TILES = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), -1).reshape(-1, 2).astype(np.float64)


def steer(state: np.ndarray, factors: Mapping[str, np.ndarray], style: str) -> np.ndarray:
    """Actions [N] in states [N, D]."""
    rows, hand = np.arange(len(state)), state[:, AT["hand"]]
    free = _free(state)
    danger = np.zeros_like(free, np.float32) if style == "bold" else _danger(state, factors)
    target, action = _errand(state, style)
    x, y, way = state[:, :3].astype(np.int64).T
    way_to = _distance(target, free, 1 + FEAR * danger)
    lost = way_to[rows, way, y, x] >= FAR
    if lost.any():
        target[lost], action[lost] = _way_out(state[lost])
        way_to[lost] = _distance(target[lost], free[lost], (1 + FEAR * danger)[lost])
    dx, dy = AHEAD[way].T
    ahead = free[rows, y + dy, x + dx]
    onward = np.where(ahead, way_to[rows, way, y + dy, x + dx] + FEAR * danger[rows, y + dy, x + dx], FAR)
    here, there = danger[rows, y, x], danger[rows, y + dy, x + dx]
    turns = np.stack([way_to[rows, (way - 1) % 4, y, x], way_to[rows, (way + 1) % 4, y, x]], 1) + FEAR * here[:, None]
    choice = np.where(turns[:, 0] < turns[:, 1], LEFT, RIGHT)
    choice = np.where(onward <= turns.min(1), FORWARD, choice)
    wait = np.where(hand == EMPTY, DROP, PICK)
    choice = np.where((choice == FORWARD) & (there > here), wait, choice)
    choice = np.where(way_to[rows, way, y, x] == 0, action, choice)
    flight, better = _flight(state, free, danger)
    return np.where(hand == GEM, wait, np.where((here > 0) & better, flight, choice)).astype(np.int64)


def _danger(state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
    """How likely one is met on each tile at the next step, [N, SIDE, SIDE]; the mover's own tile is certain."""
    rows, danger = np.arange(len(state)), np.zeros((len(state), SIDE, SIDE), np.float32)
    places, chance = roam(state, factors)
    x, y = np.clip(places.astype(np.int64), 0, SIDE - 1).transpose(2, 0, 1)
    danger[rows[:, None], y, x] = chance
    danger[rows, y[:, 0], x[:, 0]] = 1
    danger[state[:, AT["hand"]] == GEM] = 0
    return danger


def _flight(state: np.ndarray, free: np.ndarray, danger: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How to leave a tile for the safest one beside it, [N], and whether there is a safer one, [N] bool."""
    rows, (x, y, way) = np.arange(len(state)), state[:, :3].astype(np.int64).T
    risk = np.stack([np.where(free[rows, y + dy, x + dx], danger[rows, y + dy, x + dx], 1) for dx, dy in AHEAD], 1)
    turns = (np.arange(4) - way[:, None]) % 4
    best = (risk + np.array([0, 0.02, 0.04, 0.02])[turns]).argmin(1)
    action = np.array([FORWARD, RIGHT, RIGHT, LEFT])[turns[rows, best]]
    return action, risk[rows, best] < danger[rows, y, x]


def _errand(state: np.ndarray, style: str) -> tuple[np.ndarray, np.ndarray]:
    """What to face next, [N, SIDE, SIDE] bool, and what to do there, [N]."""
    hand, unlocked = state[:, AT["hand"]], state[:, AT["lock_open"]] == 1
    upright = state[:, AT["lock_x"]] == state[:, AT["wall_x"]]
    to_key = np.where((state[:, AT["red_x"]] == state[:, AT["wall_x"]]) == upright, 0, 1)  # the door, 0 red, 1 blue
    open_ = state[:, [AT["red_open"], AT["blue_open"]]] == 1
    rows = np.arange(len(state))
    door = np.where(hand == KEY, 1 - to_key, to_key)
    if style == "thorough":
        door = np.where((hand == EMPTY) & open_[rows, door], 1 - door, door)
    works = ~open_[rows, door] & ~unlocked
    place = np.where((hand == KEY)[:, None], _at(state, "lock"), _at(state, "key"))
    place = np.where(unlocked[:, None], _at(state, "gem"), place)
    place = np.where(works[:, None], _switch(state, door), place)
    action = np.where(works | ((hand == KEY) & ~unlocked), TOGGLE, PICK)
    target, drops = _mark(place), (hand == KEY) & unlocked
    target[drops] = _room_to_drop(state[drops])
    return target, np.where(drops, DROP, action)


def _way_out(state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What to face, and what to do, when there is no way: a closed door's switch, else the key that bars the way."""
    open_ = state[:, [AT["red_open"], AT["blue_open"]]] == 1
    place = np.where(open_.all(1)[:, None], _at(state, "key"), _switch(state, np.where(open_[:, 0], 1, 0)))
    return _mark(place), np.where(open_.all(1), PICK, TOGGLE)


def _switch(state: np.ndarray, door: np.ndarray) -> np.ndarray:
    """Where the switches [N, 2] of these doors [N] are (0 red, 1 blue)."""
    one = (door == state[:, AT["wires"]])[:, None]
    return np.where(one, _at(state, "one"), _at(state, "two"))


def _at(state: np.ndarray, name: str) -> np.ndarray:
    return state[:, AT[f"{name}_x"] : AT[f"{name}_x"] + 2]


def _mark(place: np.ndarray) -> np.ndarray:
    """Places [N, 2] -> True there, [N, SIDE, SIDE]."""
    marked = np.zeros((len(place), SIDE, SIDE), bool)
    x, y = place.astype(np.int64).T
    marked[np.arange(len(place)), y, x] = True
    return marked


def _free(state: np.ndarray) -> np.ndarray:
    """Where one may walk, [N, SIDE, SIDE]."""
    many = np.repeat(state, len(TILES), 0)
    return ~barred(many, np.tile(TILES, (len(state), 1))).reshape(len(state), SIDE, SIDE)


def _room_to_drop(state: np.ndarray) -> np.ndarray:
    """Where a thing may be dropped without being in the way, [N, SIDE, SIDE]: not in a doorway nor before one."""
    room = _free(state) & ~_mark(state[:, MOVER]) & ~_mark(state[:, WALKER]) & ~_mark(state[:, THING[GEM]])
    for name in DOORS:
        far = np.abs(TILES - _at(state, name)[:, None]).sum(-1).reshape(-1, SIDE, SIDE)
        room &= far > 1
    return room


def _distance(target: np.ndarray, free: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """What the way to facing a target costs, [N, way, SIDE, SIDE]; entering and turning cost [N, SIDE, SIDE]."""
    facing = np.stack([np.roll(target, (-dy, -dx), (1, 2)) for dx, dy in AHEAD], 1) & free[:, None]
    value = np.where(facing, np.float32(0), FAR)
    entry = np.where(free, cost, FAR).astype(np.float32)
    while True:
        best = value + 0
        arrive = value + entry[:, None]
        for way, (dx, dy) in enumerate(AHEAD):
            np.minimum(best[:, way], np.roll(arrive[:, way], (-dy, -dx), (1, 2)), out=best[:, way])
        turned = np.minimum(np.roll(value, 1, 1), np.roll(value, -1, 1)) + entry[:, None]
        np.minimum(best, turned, out=best)
        np.minimum(best, FAR, out=best)
        if (best == value).all():
            return value
        value = best
