"""A household in whole numbers: what there is, what can be done, and what happens by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

ROOMS = ("kitchen", "pantry", "study", "hall")
"""A ring: each opens into the next and the one before."""

THINGS = ("apple", "bread", "milk", "pot", "mug", "book", "key")
PLACES = ("hand", "counter", "fridge", "stove", "shelf", "cupboard", "desk", "drawer", "table", "chest")
CONTAINERS = ("fridge", "cupboard", "drawer", "chest")
DEVICES = ("stove", "kettle", "lamp")
WARM = ("apple", "milk", "pot", "mug", "kettle", "stove")
TASKS = ("place", "tea", "eggs", "coins", "chill")

HAND, COUNTER, FRIDGE, STOVE = 0, 1, 2, 3
HOME = np.array([-1, 0, 0, 0, 1, 1, 2, 2, 3, 3])
"""The room of each place; the hand is wherever one is."""

SURFACE, INSIDE = np.array([1, 4, 6, 8]), np.array([2, 5, 7, 9])
"""The surface and the container of each room, as places."""

CAPACITY = {"milk": 6, "pot": 4, "mug": 2, "kettle": 4}
"""Cups."""

COUNTS = {"eggs_box": 6, "eggs_pot": 4, "eggs_plate": 6, "tea_bags": 6, "jar": 20, "purse": 20}
"""The most of each."""

TAP, BOIL, HOT, PLATE = 15, 100, 90, 200
"""Degrees: tap water, boiling water, where eggs cook, the stove's plate."""

BREW, DONE = 60, 4
"""Degrees from which tea brews; minutes after which an egg is cooked."""

LONGEST, STEEPED, COOKED = 9, 5, 9
"""The most minutes of the timer, of tea and of eggs that are told."""

LIMITS: dict[str, int] = {
    "room": 3,
    "cat": 3,
    "cat_clock": 30,
    **{f"{x}_place": 9 for x in THINGS},
    **{f"{x}_open": 1 for x in CONTAINERS},
    **{f"{x}_on": 1 for x in DEVICES},
    **{f"{x}_heat": PLATE for x in WARM},
    **{f"{x}_cups": most for x, most in CAPACITY.items()},
    **COUNTS,
    "timer": LONGEST,
    "ringing": 1,
    "cook": COOKED,
    "tea": 1,
    "brew": STEEPED,
    "task": len(TASKS) - 1,
    "what": 20,
    "where": 9,
}
"""Field -> its largest value; the smallest is 0 and all are whole."""

FIELDS = tuple(LIMITS)
AT = {name: i for i, name in enumerate(FIELDS)}
"""Field -> where it stands in the state."""

PLACED, HEATS = slice(AT["apple_place"], AT["key_place"] + 1), slice(AT["apple_heat"], AT["stove_heat"] + 1)
OPENS, ONS = slice(AT["fridge_open"], AT["chest_open"] + 1), slice(AT["stove_on"], AT["lamp_on"] + 1)

Masks = tuple[np.ndarray, np.ndarray]
"""Which rows give this command, and the number of what it is about in each."""

_VERBS: list[tuple[str, str, tuple[str, ...]]] = [
    ("go", "go to the {}", ROOMS),
    ("open", "open the {}", CONTAINERS),
    ("close", "close the {}", CONTAINERS),
    ("take", "take the {}", THINGS),
    ("heat", "put the pot on the stove", ("",)),
    ("on", "turn on the {}", DEVICES),
    ("off", "turn off the {}", DEVICES),
    ("fill", "fill 1 cup of water into the {}", ("kettle", "pot")),
    ("milk", "pour 1 cup of milk into the mug", ("",)),
    ("wait", "wait", ("",)),
    ("pour", "pour 1 cup from the kettle into the {}", ("mug", "pot")),
    ("put", "put the {} down", THINGS),
    ("store", "put the {} inside", THINGS),
    ("drink", "drink 1 cup", ("",)),
    ("empty", "empty the pot", ("",)),
    ("egg", "put 1 egg into the pot", ("",)),
    ("serve", "take 1 egg out of the pot", ("",)),
    ("bag", "put 1 tea bag into the mug", ("",)),
    ("timer", "set the timer to {}", ("3", "5")),
    ("stop", "stop the timer", ("",)),
    ("coins", "{}", ("take 1 coin", "take 5 coins", "put 1 coin back", "put 5 coins back")),
    ("shoo", "shoo the cat", ("",)),
]

COMMANDS = tuple(form.format(word) for _, form, words in _VERBS for word in words)
"""What one can do, in words; the number of a command is its place here."""

VERB = np.array([v for v, (_, _, words) in enumerate(_VERBS) for _ in words])
ABOUT = np.array([i for _, _, words in _VERBS for i in range(len(words))])
NUMBER = {name: v for v, (name, _, _) in enumerate(_VERBS)}
WAIT = COMMANDS.index("wait")


def command(verb: str, about: int = 0) -> int:
    """The number of a command, by its verb and what it is about."""
    return int(np.flatnonzero((NUMBER[verb] == VERB) & (about == ABOUT))[0])


def reachable(s: np.ndarray) -> np.ndarray:
    """[N, 7] bool: whether each thing is in the hand, or here and not shut away."""
    place = s[:, PLACED].astype(np.int64)
    shut = np.zeros((len(s), len(PLACES)), bool)
    shut[:, INSIDE] = s[:, OPENS] == 0
    here = HOME[place] == s[:, :1]
    return (place == HAND) | (here & ~np.take_along_axis(shut, place, 1))


def mixed(cups: np.ndarray, heat: np.ndarray, more: np.ndarray) -> np.ndarray:
    """Degrees after one cup at `more` degrees joins `cups` at `heat`: the mean by volume, halves upwards."""
    return np.floor((cups * heat + more) / (cups + 1) + 0.5)


def relaxed(heat: np.ndarray, around: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """Degrees a minute later: nearer to what is around by `rate` of the difference, at least by one degree."""
    gap = around - heat
    return heat + np.sign(gap) * np.ceil(np.abs(gap) * rate - 1e-9)


def deed(state: np.ndarray, number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a command does before anything else happens.

    Args:
        state: [N, D].
        number: [N] of `COMMANDS`.

    Returns:
        the state [N, D], and whether it could be done [N] bool; if not, nothing has changed.
    """
    s, number = state.copy(), number.astype(np.int64)
    verb, about, done = VERB[number], ABOUT[number], number == WAIT
    near = reachable(state)
    for v in np.unique(verb):
        name = _VERBS[v][0]
        if name == "wait":
            continue
        rows = np.flatnonzero(verb == v)
        part = s[rows]
        done[rows] = ok = _DEEDS[name](part, about[rows], near[rows])
        s[rows[ok]] = part[ok]
    return s, done


def _go(s: np.ndarray, about: np.ndarray, near: np.ndarray) -> np.ndarray:
    ok = (s[:, 0] - about) % 2 == 1
    s[:, 0] = about
    return ok


def _lid(value: int) -> Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
    def act(s: np.ndarray, about: np.ndarray, near: np.ndarray) -> np.ndarray:
        row = np.arange(len(s))
        ok = (s[:, 0] == about) & (s[row, OPENS.start + about] != value)
        s[row, OPENS.start + about] = value
        return ok

    return act


def _take(s: np.ndarray, about: np.ndarray, near: np.ndarray) -> np.ndarray:
    row, at = np.arange(len(s)), PLACED.start + about
    ok = near[row, about] & (s[row, at] != HAND) & ((s[:, PLACED] == HAND).sum(1) < 2)
    s[row, at] = HAND
    return ok


def _put(where: np.ndarray, inside: bool) -> Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
    def act(s: np.ndarray, about: np.ndarray, near: np.ndarray) -> np.ndarray:
        row, at, room = np.arange(len(s)), PLACED.start + about, s[:, 0].astype(np.int64)
        ok = s[row, at] == HAND
        if inside:
            ok &= s[row, OPENS.start + room] == 1
        s[row, at] = where[room]
        return ok

    return act


def _heat(s: np.ndarray, about: np.ndarray, near: np.ndarray) -> np.ndarray:
    ok = (s[:, AT["pot_place"]] == HAND) & (s[:, 0] == 0)
    s[:, AT["pot_place"]] = STOVE
    return ok


def _switch(value: int) -> Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
    def act(s: np.ndarray, about: np.ndarray, near: np.ndarray) -> np.ndarray:
        row = np.arange(len(s))
        ok = (s[:, 0] == np.array([0, 0, 2])[about]) & (s[row, ONS.start + about] != value)
        if value:  # an empty kettle will not
            ok &= (about != 1) | (s[:, AT["kettle_cups"]] > 0)
        s[row, ONS.start + about] = value
        return ok

    return act


def _add(s: np.ndarray, name: str, heat: np.ndarray | int) -> np.ndarray:
    """One cup more in a vessel; whether there was room."""
    cups = s[:, AT[f"{name}_cups"]].copy()
    s[:, AT[f"{name}_heat"]] = mixed(cups, s[:, AT[f"{name}_heat"]], np.broadcast_to(heat, cups.shape))
    s[:, AT[f"{name}_cups"]] += 1
    return cups < CAPACITY[name]


def _fill(s: np.ndarray, about: np.ndarray, near: np.ndarray) -> np.ndarray:
    return _into(s, ("kettle", "pot"), about, near, TAP)


def _pour(s: np.ndarray, about: np.ndarray, near: np.ndarray) -> np.ndarray:
    enough = s[:, AT["kettle_cups"]] > 0
    s[:, AT["kettle_cups"]] -= 1
    return _into(s, ("mug", "pot"), about, near, s[:, AT["kettle_heat"]]) & enough


def _into(
    s: np.ndarray, vessels: tuple[str, str], about: np.ndarray, near: np.ndarray, heat: np.ndarray | int
) -> np.ndarray:
    """One cup more in the one or the other vessel, in the kitchen; whether it could be done."""
    ok = s[:, 0] == 0
    for i, name in enumerate(vessels):
        rows = np.flatnonzero(about == i)
        part = s[rows]
        room = _add(part, name, np.broadcast_to(heat, len(s))[rows])
        s[rows] = part
        ok[rows] &= room & (near[rows, THINGS.index(name)] if name in THINGS else True)
    return ok


def _milk(s: np.ndarray, about: np.ndarray, near: np.ndarray) -> np.ndarray:
    ok = near[:, THINGS.index("milk")] & near[:, THINGS.index("mug")] & (s[:, AT["milk_cups"]] > 0)
    s[:, AT["milk_cups"]] -= 1
    return _add(s, "mug", s[:, AT["milk_heat"]]) & ok


def _drink(s: np.ndarray, about: np.ndarray, near: np.ndarray) -> np.ndarray:
    ok = near[:, THINGS.index("mug")] & (s[:, AT["mug_cups"]] > 0)
    s[:, AT["mug_cups"]] -= 1
    last = s[:, AT["mug_cups"]] == 0
    s[last, AT["tea"]] = s[last, AT["brew"]] = 0
    return ok


def _empty(s: np.ndarray, about: np.ndarray, near: np.ndarray) -> np.ndarray:
    ok = near[:, THINGS.index("pot")] & (s[:, AT["pot_cups"]] > 0) & (s[:, 0] == 0)
    s[:, AT["pot_cups"]] = 0
    return ok


def _egg(s: np.ndarray, about: np.ndarray, near: np.ndarray) -> np.ndarray:
    ok = near[:, THINGS.index("pot")] & (s[:, 0] == 0) & (s[:, AT["fridge_open"]] == 1)
    ok &= (s[:, AT["eggs_box"]] > 0) & (s[:, AT["eggs_pot"]] < COUNTS["eggs_pot"])
    s[:, AT["eggs_box"]] -= 1
    s[:, AT["eggs_pot"]] += 1
    s[:, AT["cook"]] = 0
    return ok


def _serve(s: np.ndarray, about: np.ndarray, near: np.ndarray) -> np.ndarray:
    ok = near[:, THINGS.index("pot")] & (s[:, 0] == 0) & (s[:, AT["eggs_pot"]] > 0) & (s[:, AT["cook"]] >= DONE)
    s[:, AT["eggs_pot"]] -= 1
    s[:, AT["eggs_plate"]] += 1
    return ok


def _bag(s: np.ndarray, about: np.ndarray, near: np.ndarray) -> np.ndarray:
    ok = near[:, THINGS.index("mug")] & (s[:, 0] == 1) & (s[:, AT["cupboard_open"]] == 1)
    ok &= (s[:, AT["tea_bags"]] > 0) & (s[:, AT["tea"]] == 0)
    s[:, AT["tea_bags"]] -= 1
    s[:, AT["tea"]] = 1
    return ok


def _timer(s: np.ndarray, about: np.ndarray, near: np.ndarray) -> np.ndarray:
    s[:, AT["timer"]], s[:, AT["ringing"]] = np.array([3, 5])[about], 0
    return np.ones(len(s), bool)


def _stop(s: np.ndarray, about: np.ndarray, near: np.ndarray) -> np.ndarray:
    ok = (s[:, AT["timer"]] > 0) | (s[:, AT["ringing"]] > 0)
    s[:, AT["timer"]] = s[:, AT["ringing"]] = 0
    return ok


def _coins(s: np.ndarray, about: np.ndarray, near: np.ndarray) -> np.ndarray:
    many = np.array([1, 5, -1, -5])[about]
    s[:, AT["jar"]] -= many
    s[:, AT["purse"]] += many
    held = s[:, [AT["jar"], AT["purse"]]]
    return (s[:, 0] == 3) & (held >= 0).all(1) & (held <= 20).all(1)


def _shoo(s: np.ndarray, about: np.ndarray, near: np.ndarray) -> np.ndarray:
    ok = s[:, 1] == s[:, 0]
    s[:, 1], s[:, 2] = (s[:, 1] + 1) % 4, 0
    return ok


_DEEDS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "go": _go,
    "open": _lid(1),
    "close": _lid(0),
    "take": _take,
    "put": _put(SURFACE, inside=False),
    "store": _put(INSIDE, inside=True),
    "heat": _heat,
    "on": _switch(1),
    "off": _switch(0),
    "fill": _fill,
    "pour": _pour,
    "milk": _milk,
    "drink": _drink,
    "empty": _empty,
    "egg": _egg,
    "serve": _serve,
    "bag": _bag,
    "timer": _timer,
    "stop": _stop,
    "coins": _coins,
    "shoo": _shoo,
}


def nature(state: np.ndarray, factors: Mapping[str, np.ndarray]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """What happens by itself in a minute: warmth spreads, the kettle heats, eggs cook, time runs, the cat walks."""
    s = state.copy()
    room, leak = np.round(factors["room"]), factors["leak"]
    place, heat = state[:, PLACED], state[:, HEATS]
    on, cups = state[:, AT["kettle_on"]] == 1, state[:, AT["kettle_cups"]]
    around = np.broadcast_to(room[:, None], heat.shape).copy()
    cold = np.where(state[:, AT["fridge_open"]] == 1, 12.0, 4.0)
    for i, name in enumerate(WARM[:4]):
        around[:, i] = np.where(place[:, THINGS.index(name)] == FRIDGE, cold, room)
    over = place[:, THINGS.index("pot")] == STOVE
    around[:, 2] = np.where(over, np.minimum(heat[:, 5], BOIL), around[:, 2])
    around[:, 5] = np.where(state[:, AT["stove_on"]] == 1, PLATE, room)
    rate = np.repeat(leak[:, None], 6, 1)
    rate[:, 2] = np.where(over, 0.3, leak)
    rate[:, 5] = 0.5
    later = relaxed(heat, around, rate)
    boiling = np.minimum(heat[:, 4] + np.ceil(factors["power"] / np.maximum(cups, 1)), BOIL)
    later[:, 4] = np.where(on, boiling, later[:, 4])
    s[:, HEATS] = later
    off = on & ((later[:, 4] >= BOIL) | (cups == 0))
    s[:, AT["kettle_on"]] = on & ~off
    s[:, AT["timer"]] = np.maximum(state[:, AT["timer"]] - 1, 0)
    rang = state[:, AT["timer"]] == 1
    s[:, AT["ringing"]] = np.maximum(state[:, AT["ringing"]], rang)
    hot = (later[:, 2] >= HOT) & (state[:, AT["pot_cups"]] > 0)
    cook = np.minimum(state[:, AT["cook"]] + hot, COOKED)
    s[:, AT["cook"]] = np.where(state[:, AT["eggs_pot"]] > 0, cook, 0)
    brews = (state[:, AT["tea"]] == 1) & (state[:, AT["mug_cups"]] > 0) & (later[:, 3] >= BREW)
    s[:, AT["brew"]] = np.minimum(state[:, AT["brew"]] + brews, STEEPED)
    clock = state[:, 2] + 1
    walks = clock >= np.round(factors["roam"])
    s[:, 1], s[:, 2] = np.where(walks, (state[:, 1] + 1) % 4, state[:, 1]), np.where(walks, 0, clock)
    return s, {"boiled": off, "rang": rang, "cat_moved": walks}
