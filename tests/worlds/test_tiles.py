"""Tiles: what one may do, where the mover goes and how likely, and what can be seen."""

import re

import numpy as np
import pytest

from craik.core.errors import UnknownName
from craik.worlds import make
from craik.worlds.policies import Seek, Wander
from craik.worlds.sprites import CODE, KINDS, POINTS
from craik.worlds.tiles import Tiles
from craik.worlds.tiles_laws import AHEAD, AT, DOORS, SIDE

FACTORS = {"rate": (0.0, 1.0), "hunt": (0.0, 0.8), "lean": (-1.0, 1.0), "slip": (0.0, 0.3), "sight": (1.0, 6.0)}
WAYS = [(1, 0), (0, 1), (-1, 0), (0, -1)]


def played(num=32, steps=60, seed=0, **factors):
    """Worlds in the middle of things: skilled and clumsy play, so that everything happens."""
    world = make("craik/Tiles-v0", num, seed=seed, factors={**FACTORS, **factors})
    world.reset()
    script, first = Seek(world, seed, (0.5, 1.0)), np.ones(num, bool)
    for _ in range(steps):
        action = script.decide(first, first)
        yield world, action
        _, _, terminated, _, _ = world.step(action)
        first = terminated


def named(row):
    return dict(zip(Tiles.FIELDS, row.tolist(), strict=True))


def shut(s, x, y):
    """Plainly: is this tile a wall, a closed door, or has it a thing on it?"""
    for door in DOORS:
        if (x, y) == (s[f"{door}_x"], s[f"{door}_y"]):
            return not s[f"{door}_open"]
    if x in (0, SIDE - 1, s["wall_x"]) or y in (0, SIDE - 1, s["wall_y"]):
        return True
    things = [(s["key_x"], s["key_y"])] * (s["hand"] != 1) + [(s["gem_x"], s["gem_y"])] * (s["hand"] != 2)
    return (x, y) in things


def acted(row, action):
    """The rules once more, for one state by name."""
    s = named(row)
    if (s["x"], s["y"]) == (s["mover_x"], s["mover_y"]):
        return s
    dx, dy = WAYS[int(s["way"])]
    x, y = s["x"] + dx, s["y"] + dy
    mover, walker = (s["mover_x"], s["mover_y"]), (s["x"], s["y"])
    if action == 0:
        s["way"] = (s["way"] + 3) % 4
    elif action == 1:
        s["way"] = (s["way"] + 1) % 4
    elif action == 2 and not shut(s, x, y) and not (s["hand"] == 2 and (x, y) == mover):
        s["x"], s["y"] = x, y
    elif action == 3 and s["hand"] == 0:
        for code, name in ((1, "key"), (2, "gem")):
            if (x, y) == (s[f"{name}_x"], s[f"{name}_y"]):
                s["hand"] = code
    elif action == 4 and s["hand"]:
        doors = [(s[f"{d}_x"], s[f"{d}_y"]) for d in DOORS]
        if not shut(s, x, y) and (x, y) != mover and (x, y) not in doors:
            name = ("key", "gem")[int(s["hand"]) - 1]
            s["hand"], s[f"{name}_x"], s[f"{name}_y"] = 0.0, x, y
    elif action == 5:
        door = None
        for i, switch in enumerate(("one", "two")):
            if (x, y) == (s[f"{switch}_x"], s[f"{switch}_y"]):
                door = ("red", "blue")[(i + int(s["wires"])) % 2]
        if (x, y) == (s["lock_x"], s["lock_y"]) and s["hand"] == 1:
            door = "lock"
        if door and (s[f"{door}_x"], s[f"{door}_y"]) not in (mover, walker):
            s[f"{door}_open"] = 1 - s[f"{door}_open"]
    if s["hand"]:
        name = ("key", "gem")[int(s["hand"]) - 1]
        s[f"{name}_x"], s[f"{name}_y"] = s["x"], s["y"]
    return s


def roamed(s, f):
    """Where the mover may go next, with its chances, plainly."""
    at, chances = (s["mover_x"], s["mover_y"]), {}
    if at == (s["x"], s["y"]):
        return {at: 1.0}
    right, down = s["x"] - at[0], s["y"] - at[1]
    if abs(right) >= abs(down):
        chase = (np.sign(right), 0)
    else:
        chase = (0, np.sign(down))
    stay = 1.0
    for way in WAYS:
        share = (1 - f["hunt"]) * (1 + f["lean"] * (1 if way[0] else -1)) / 4 + f["hunt"] * (way == chase)
        to = (at[0] + way[0], at[1] + way[1])
        if not shut(s, *to) and not (s["hand"] == 2 and to == (s["x"], s["y"])):
            chances[to] = f["rate"] * share
            stay -= f["rate"] * share
    return {**chances, at: stay}


def told(world, action):
    """Chances by next state, of the plain rules: one dict a row."""
    tables = []
    for i in range(world.num_envs):
        f = {k: v[i] for k, v in world.factors.items()}
        table = {}
        for s, share in ((acted(world.state[i], action[i]), 1 - f["slip"]), (named(world.state[i]), f["slip"])):
            for (x, y), chance in roamed(s, f).items():
                key = tuple({**s, "mover_x": x, "mover_y": y, "luck": 0}.values())
                table[key] = table.get(key, 0) + share * chance
        tables.append({k: v for k, v in table.items() if v > 1e-12})
    return tables


def test_outcomes_are_those_of_the_plain_rules():
    happened = set()
    for world, action in played():
        after, chance = world.outcomes(world.state, world.effort(action), world.factors)
        for i, table in enumerate(told(world, action)):
            ours = {tuple(s): p for s, p in zip(after[i], chance[i], strict=True) if p > 1e-12}
            assert len(ours) == (chance[i] > 1e-12).sum()
            assert ours.keys() == table.keys()
            np.testing.assert_allclose([ours[k] for k in table], list(table.values()), atol=1e-12)
        moved, events = world.move(world.state, world.effort(action), world.factors)
        happened |= {k for k, v in events.items() if v.any()}
        moved[:, -1] = 0
        assert ((moved[:, None] == after).all(-1) & (chance > 0)).any(1).all()
    assert happened == set(Tiles.EVENTS)


def test_many_draws_follow_the_chances():
    factors = {"rate": 0.8, "hunt": 0.3, "lean": 0.4, "slip": 0.2}
    world = make("craik/Tiles-v0", 1, seed=4, factors=factors)
    world.reset()
    state = world.state.copy()
    mover, place = slice(AT["mover_x"], AT["mover_x"] + 2), slice(0, 2)
    state[0, mover], state[0, place] = [2, 2], [6, 1]
    for name, value in {"wall_x": 4, "wall_y": 5, "way": 1, "hand": 0}.items():
        state[0, AT[name]] = value
    for name in ("key", "gem", *DOORS):
        state[0, AT[f"{name}_x"] : AT[f"{name}_x"] + 2] = [7, 7]
    world.reset(options={"state": state})
    many = world.fork(20_000)
    many.reroll(np.random.default_rng(0))
    action = np.full(20_000, 2)
    after, _ = many.move(many.state, many.effort(action), many.factors)
    outcomes, chance = (x[0] for x in world.outcomes(world.state, world.effort(action[:1]), world.factors))
    count = np.array([(after[:, :-1] == o[:-1]).all(1).sum() for o in outcomes])
    assert count.sum() == 20_000
    assert (chance > 0).sum() == 10
    assert ((count - 20_000 * chance) ** 2 / (20_000 * chance)).sum() < 27.9  # 9 degrees of freedom, p = 0.001


def test_events_say_what_changed():
    for world, action in played(steps=80):
        before = world.state
        after, events = world.move(before, world.effort(action), world.factors)
        hand, held = before[:, AT["hand"]], after[:, AT["hand"]]
        doors = [before[:, AT[f"{d}_open"]] != after[:, AT[f"{d}_open"]] for d in DOORS]
        np.testing.assert_array_equal(events["picked"], (hand == 0) & (held > 0))
        np.testing.assert_array_equal(events["dropped"], (hand > 0) & (held == 0))
        np.testing.assert_array_equal(events["switched"], doors[0] | doors[1])
        np.testing.assert_array_equal(events["unlocked"], doors[2])
        met = (after[:, :2] == after[:, AT["mover_x"] : AT["mover_x"] + 2]).all(1)
        np.testing.assert_array_equal(events["caught"], met)
        np.testing.assert_array_equal(world.proceed(after), ~met)


def test_the_gem_bars_the_mover():
    world = make("craik/Tiles-v0", 64, seed=1, factors={"rate": 1.0, "hunt": 0.8})
    world.reset()
    world.state[:, AT["mover_x"] : AT["mover_x"] + 2] = world.state[:, AT["gem_x"] : AT["gem_x"] + 2]
    world.state[:, :3], world.state[:, AT["hand"]] = world.goal[:, :3], 2
    free = world.goal[:, :2] + AHEAD[world.goal[:, AT["way"]].astype(int)]
    world.state[:, AT["mover_x"] : AT["mover_x"] + 2] = free
    rng = np.random.default_rng(0)
    for _ in range(30):
        info = world.step(rng.choice([0, 1, 2, 3], 64))[4]
        assert not info["caught"].any()
        assert info["success"].all()


def sight(world):
    return world.look("symbols", world.state, world.factors)


def test_what_is_seen_is_where_it_is():
    for world, _ in played(steps=25):
        for s, f, tiles in zip(world.state, world.factors["sight"], sight(world), strict=True):
            s = named(s)
            dx, dy = WAYS[int(s["way"])]
            for row in range(7):
                for column in range(7):
                    if tiles[row, column] == CODE["unseen"] or (row, column) == (6, 3):
                        continue
                    far, off = 6 - row, column - 3
                    assert max(far, abs(off)) <= f
                    x, y = s["x"] + far * dx - off * dy, s["y"] + far * dy + off * dx
                    kind = KINDS[tiles[row, column]]
                    assert (kind in ("wall", "one", "two", "key", "gem") or kind.endswith("closed")) == shut(
                        s, x, y
                    ) or (kind == "mover" and (x, y) == (s["mover_x"], s["mover_y"]))
                    name = kind.split()[0]
                    if name not in ("wall", "floor"):
                        assert (x, y) == (s[f"{name}_x"], s[f"{name}_y"])


def test_walls_and_closed_doors_hide():
    """From the first room nothing is seen of the others; with a door open, something is."""
    world = make("craik/Tiles-v0", 100, seed=2)
    world.reset()
    tiles = sight(world)
    assert not np.isin(tiles, [CODE[k] for k in ("key", "gem", "mover")]).any()
    assert np.isin(tiles, [CODE["one"], CODE["two"]]).any()
    seen = np.zeros(100, bool)
    for _ in range(30):
        world.step(world.guide())
        seen |= (sight(world) == CODE["key"]).any((1, 2))
    assert seen.mean() > 0.8


def test_nothing_shows_the_wires():
    world = make("craik/Tiles-v0", 16, seed=3)
    world.reset()
    other = world.state.copy()
    other[:, AT["wires"]] = 1 - other[:, AT["wires"]]
    assert (world.look("state", other, world.factors) != world.look("state", world.state, world.factors)).any(1).all()
    for name in ("pixels", "map", "symbols", "text"):
        one, two = (world.look(name, s, world.factors) for s in (world.state, other))
        np.testing.assert_array_equal(one, two)


def test_the_text_tells_the_symbols():
    names = {"light switch": "one", "dark switch": "two", "closed locked door": "lock closed"}
    names |= {
        "unlocked door": "lock open",
        **{f"{how} {c} door": f"{c} {how}" for c in ("red", "blue") for how in ("closed", "open")},
    }
    for world, _ in played(steps=20):
        lines = world.look("text", world.state, world.factors)
        assert lines.shape == (32, *world.view_space("text").shape)
        for line, tiles in zip(lines, sight(world), strict=True):
            words = bytes(line).rstrip(b"\0").decode()
            found = set()
            for thing in words.split("You see: ")[1].rstrip(".").split(", "):
                if thing != "nothing":
                    name, ahead, side, which = re.fullmatch(
                        r"(\D+?)(?: (\d) ahead)?(?: (\d) (left|right))?", thing
                    ).groups()
                    off = int(side or 0) * (-1 if which == "left" else 1)
                    found.add((CODE[names.get(name, name)], 6 - int(ahead or 0), 3 + off))
            there = {(c, y, x) for (y, x), c in np.ndenumerate(tiles) if 3 <= c <= CODE["mover"]}
            assert found == there
            kind = KINDS[tiles[6, 3]]
            hand = {"walker": "nothing", "key": "the key", "gem": "the gem"}.get(kind.split()[0])
            assert words.startswith("You are caught" if kind == "caught" else f"You hold {hand}.")


@pytest.mark.parametrize("size", [32, 64])
def test_colours_are_where_places_says(size):
    world = make("craik/Tiles-v0", 64, seed=6, size=size)
    world.reset()
    for _ in range(14):
        world.step(world.guide())
    picture, places = world.render().astype(float), world.places(world.state, world.factors)
    spots = (np.arange(size) + 0.5) / size
    found = 0
    for i, color in enumerate(POINTS.values()):
        near = np.exp(-(((picture - color) / 12) ** 2).sum(-1))
        for row in range(64):
            if np.isnan(places[row, i]).any():
                assert near[row].max() < 0.9
            elif near[row].sum() > 1:
                middle = (
                    np.array([(near[row].sum(0) * spots).sum(), (near[row].sum(1) * spots).sum()]) / near[row].sum()
                )
                assert np.abs(middle - places[row, i]).max() < 0.5 / 7
                found += 1
    assert found > size // 2


def test_a_caption_counts_the_doors():
    for world, _ in played(16, 30):
        for s, words in zip(world.state, world.captions(world.state, world.factors), strict=True):
            s = named(s)
            assert f"open doors: {sum(int(s[f'{d}_open']) for d in DOORS)}" in words
            assert f"holds {('nothing', 'the key', 'the gem')[int(s['hand'])]};" in words


def test_looks_change_looks_alone():
    plain = make("craik/Tiles-v0", 4, seed=3, obs="both")
    other = make("craik/Tiles-v0", 4, seed=3, obs="both", factors={"theme": 1.0, "light": 0.5})
    a, b = plain.reset()[0], other.reset()[0]
    np.testing.assert_array_equal(a["state"], b["state"])
    assert b["pixels"].mean() < 0.6 * a["pixels"].mean()


def runs(choose, num=64):
    """Share of first episodes in which the gem was fetched, and in which the walker was caught."""
    world = make("craik/Tiles-v0", num, seed=3)
    world.reset()
    won, lost = np.zeros(num, bool), np.zeros(num, bool)
    act = choose(world)
    for _ in range(world.max_steps - 1):
        _, _, over, _, info = world.step(act())
        won |= info["success"] & ~lost
        lost |= over
    return won.mean(), (lost & ~won).mean()


def test_the_pilot_fetches_the_gem_and_fear_helps():
    won, lost = runs(lambda w: w.guide)
    bold, caught = runs(lambda w: lambda: w.guide("bold"))
    assert won > 0.8
    assert lost + 0.1 < caught
    assert bold < won
    thorough, _ = runs(lambda w: lambda: w.guide("thorough"))
    assert thorough > 0.75

    def wander(world):
        script = Wander(world, 0)
        return lambda: script.decide(np.zeros(64, bool), np.ones(64, bool))

    assert runs(wander)[0] < 0.05
    with pytest.raises(UnknownName, match="style"):
        make("craik/Tiles-v0").guide("timid")


def test_every_world_can_be_solved_and_differs():
    world = make("craik/Tiles-v0", 200, seed=9, factors={"rate": 0.0, "stray": (0.0, 1.0)})
    world.reset()
    world.state[:, AT["mover_x"] : AT["mover_x"] + 2] = 0  # in the corner of the outer wall, in nobody's way
    assert len(np.unique(world.state[:, :-1], axis=0)) == 200
    assert 0.4 < world.state[:, AT["wires"]].mean() < 0.6
    won = np.zeros(200, bool)
    for _ in range(100):
        won |= world.step(world.guide())[4]["success"]
    assert won.all()
