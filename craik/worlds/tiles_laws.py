"""The laws of `Tiles`: what the walker does, where the mover goes, and what is seen, all on whole tiles."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from craik.worlds.sprites import CODE

FIELDS = (
    *("x", "y", "way", "hand", "mover_x", "mover_y", "key_x", "key_y", "gem_x", "gem_y"),
    *("red_x", "red_y", "red_open", "blue_x", "blue_y", "blue_open", "lock_x", "lock_y", "lock_open"),
    *("one_x", "one_y", "two_x", "two_y", "wires", "wall_x", "wall_y", "luck"),
)
"""Places of walker, mover, things, doors and switches; ways (0 to 3: east, south, west, north); what is held and
open; `wires` (0: switch one works the red door and two the blue one, 1: the other way round); the inner walls."""

SIDE = 9
"""Tiles along a side, the outer wall among them."""

REACH = 7
"""Tiles along a side of what the walker sees; it stands in the middle of the nearest row."""

LEFT, RIGHT, FORWARD, PICK, DROP, TOGGLE = range(6)
"""The actions."""

AHEAD = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])
"""Way 0 to 3 -> one tile that way, across and down: east, south, west, north."""

STEPS = np.array([[0, 0], [1, 0], [0, 1], [-1, 0], [0, -1]])
"""What the mover may do: stay, or step east, south, west, north."""

EMPTY, KEY, GEM = range(3)
"""What the walker holds."""

DOORS = ("red", "blue", "lock")

AT = {name: i for i, name in enumerate(FIELDS)}
"""Field -> its column."""

WALKER, MOVER = slice(0, 2), slice(AT["mover_x"], AT["mover_x"] + 2)
THING = {KEY: slice(AT["key_x"], AT["key_x"] + 2), GEM: slice(AT["gem_x"], AT["gem_x"] + 2)}
"""Columns of places, across and down."""


def caught(state: np.ndarray) -> np.ndarray:
    """[N] bool: whether mover and walker have met."""
    return lies(state, state[:, WALKER], "mover")


def lies(state: np.ndarray, place: np.ndarray, name: str) -> np.ndarray:
    """[N] bool: whether places [N, 2] are that of the thing of this name."""
    i = AT[f"{name}_x"]
    return (state[:, i] == place[:, 0]) & (state[:, i + 1] == place[:, 1])


def barred(state: np.ndarray, place: np.ndarray) -> np.ndarray:
    """[N] bool: whether places [N, 2] are walls, closed doors or have a thing on them; mover and walker are no bar."""
    wall = (place == 0) | (place == SIDE - 1) | (place == state[:, AT["wall_x"] : AT["wall_y"] + 1])
    wall = wall[:, 0] | wall[:, 1]
    for name in DOORS:
        wall &= ~(lies(state, place, name) & (state[:, AT[f"{name}_open"]] == 1))
    for name, code in (("key", KEY), ("gem", GEM)):
        wall |= lies(state, place, name) & (state[:, AT["hand"]] != code)
    return wall


def act(state: np.ndarray, action: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """What the walker does, if it does not slip, and its events; nothing once it is caught."""
    after, live = state.copy(), ~caught(state)
    way, hand = state[:, AT["way"]], state[:, AT["hand"]]
    turn = np.where(action == RIGHT, 1, np.where(action == LEFT, -1, 0)) * live
    after[:, AT["way"]] = (way + turn) % 4
    ahead = state[:, WALKER] + AHEAD[way.astype(np.int64)]
    wall, mover = barred(state, ahead), lies(state, ahead, "mover")
    going, shut = live & (action == FORWARD), wall | (mover & (hand == GEM))
    goes = going & ~shut
    after[goes, WALKER] = ahead[goes]
    picked = np.zeros(len(state), bool)
    for name, code in (("key", KEY), ("gem", GEM)):
        takes = live & (action == PICK) & (hand == EMPTY) & lies(state, ahead, name)
        after[takes, AT["hand"]] = code
        picked |= takes
    doorway = np.zeros(len(state), bool)
    for name in DOORS:
        doorway |= lies(state, ahead, name)
    dropped = live & (action == DROP) & (hand != EMPTY) & ~wall & ~mover & ~doorway
    after[dropped, AT["hand"]] = EMPTY
    for code, columns in THING.items():
        held, falls = after[:, AT["hand"]] == code, dropped & (hand == code)
        after[held, columns] = after[held, WALKER]
        after[falls, columns] = ahead[falls]
    toggles = live & (action == TOGGLE)
    one, two = (toggles & lies(state, ahead, name) for name in ("one", "two"))
    wires = state[:, AT["wires"]] == 0
    turned = {
        "red": np.where(wires, one, two),
        "blue": np.where(wires, two, one),
        "lock": toggles & lies(state, ahead, "lock") & (hand == KEY),
    }
    for name, asked in turned.items():
        i = AT[f"{name}_x"]
        free = ~lies(state, state[:, WALKER], name) & ~lies(state, state[:, MOVER], name)
        turned[name] = asked & free
        after[:, i + 2] = np.where(turned[name], 1 - state[:, i + 2], state[:, i + 2])
    events = {"bumped": going & shut, "picked": picked, "dropped": dropped}
    return after, events | {"switched": turned["red"] | turned["blue"], "unlocked": turned["lock"]}


def roam(state: np.ndarray, factors: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Where the mover may go, [N, 5, 2], and the chance of each, [N, 5]; barred ways have none."""
    at, walker = state[:, MOVER], state[:, WALKER]
    places = at[:, None] + STEPS
    away = walker - at
    across = np.abs(away[:, 0]) >= np.abs(away[:, 1])
    chase = np.zeros((len(state), 5))
    chase[:, 1], chase[:, 3] = across & (away[:, 0] > 0), across & (away[:, 0] < 0)
    chase[:, 2], chase[:, 4] = ~across & (away[:, 1] > 0), ~across & (away[:, 1] < 0)
    rate, hunt, lean = (factors[k][:, None] for k in ("rate", "hunt", "lean"))
    chance = rate * (hunt * chase + (1 - hunt) * (1 + lean * np.array([0, 1, -1, 1, -1])) / 4)
    safe, over = state[:, AT["hand"]] == GEM, caught(state)
    for i in range(1, 5):
        meets = (places[:, i, 0] == walker[:, 0]) & (places[:, i, 1] == walker[:, 1])
        shut = barred(state, places[:, i]) | (safe & meets) | over
        chance[shut, i] = 0
    chance[:, 0] = 1 - chance[:, 1:].sum(1)
    return places, chance


def _grid(state: np.ndarray) -> np.ndarray:
    """Codes of all tiles but the walker, [N, SIDE, SIDE], down and across."""
    n, rows, whole = len(state), np.arange(len(state)), state.astype(np.int64)
    grid = np.full((n, SIDE, SIDE), CODE["floor"], np.uint8)
    grid[:, [0, -1]] = grid[:, :, [0, -1]] = CODE["wall"]
    grid[rows, :, whole[:, AT["wall_x"]]] = grid[rows, whole[:, AT["wall_y"]]] = CODE["wall"]
    for name in DOORS:
        i = AT[f"{name}_x"]
        grid[rows, whole[:, i + 1], whole[:, i]] = CODE[f"{name} closed"] + whole[:, i + 2]
    for name in ("one", "two", "key", "gem", "mover"):
        i = AT[f"{name}_x"]
        grid[rows, whole[:, i + 1], whole[:, i]] = CODE[name]
    return grid


def above(state: np.ndarray) -> np.ndarray:
    """Codes of all tiles, [N, SIDE, SIDE]; the walker's says which way it looks."""
    grid, whole, rows = _grid(state), state.astype(np.int64), np.arange(len(state))
    walker = CODE["walker east"] + 4 * whole[:, AT["hand"]] + whole[:, AT["way"]]
    grid[rows, whole[:, 1], whole[:, 0]] = np.where(caught(state), CODE["caught"], walker)
    return grid


def seen(state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
    """Codes of the tiles ahead, [N, REACH, REACH], the walker at the bottom in the middle, looking up."""
    whole, half = state.astype(np.int64), REACH // 2
    ahead = AHEAD[whole[:, AT["way"]]][:, None, None]
    aside = np.stack([-ahead[..., 1], ahead[..., 0]], -1)
    far, off = np.arange(REACH)[::-1, None, None], (np.arange(REACH) - half)[:, None]
    place = whole[:, None, None, WALKER] + far * ahead + off * aside
    inside = ((place >= 0) & (place < SIDE)).all(-1)
    x, y = np.clip(place[..., 0], 0, SIDE - 1), np.clip(place[..., 1], 0, SIDE - 1)
    tiles = _grid(state)[np.arange(len(state))[:, None, None], y, x]
    near = np.maximum(far, np.abs(off))[..., 0] <= factors["sight"][:, None, None]
    tiles = np.where(inside & _clear(tiles) & near, tiles, CODE["unseen"]).astype(np.uint8)
    walker = CODE["walker north"] + 4 * whole[:, AT["hand"]]
    tiles[:, -1, half] = np.where(caught(state), CODE["caught"], walker)
    return tiles


def _clear(tiles: np.ndarray) -> np.ndarray:
    """Which of the tiles ahead are in sight, [N, REACH, REACH]: MiniGrid's rule, light spreads ahead and aside."""
    open_ = ~np.isin(tiles, [CODE[k] for k in ("wall", "red closed", "blue closed", "lock closed", "one", "two")])
    lit = np.zeros(tiles.shape, bool)
    lit[:, -1, REACH // 2] = open_[:, -1, REACH // 2] = True
    for j in range(REACH - 1, -1, -1):
        for columns, side in ((range(REACH - 1), 1), (range(REACH - 1, 0, -1), -1)):
            for i in columns:
                through = lit[:, j, i] & open_[:, j, i]
                lit[:, j, i + side] |= through
                if j:
                    lit[:, j - 1, i] |= through
                    lit[:, j - 1, i + side] |= through
    return lit
