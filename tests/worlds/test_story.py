"""The household: commands, warmth, time, and its telling in words and back."""

import json
import math

import numpy as np
import pytest

from craik.core.errors import SpecError, UnknownName
from craik.worlds import make, telling
from craik.worlds.household import (
    AT,
    COMMANDS,
    FIELDS,
    HOME,
    LIMITS,
    PLACES,
    ROOMS,
    THINGS,
    WAIT,
    command,
)
from craik.worlds.story import BY_ACTION, BY_ITSELF, UNCHANGED, said


def opened(num=1, state=None, **settings):
    """Worlds in which everything lies about in the kitchen, or changed by `state`."""
    world = make("craik/Story-v0", num, seed=1, **settings)
    world.reset()
    if state is not None:
        row = dict.fromkeys(FIELDS, 0)
        row |= {f"{x}_place": PLACES.index("counter") for x in THINGS}
        row |= {f"{x}_heat": 20 for x in ("apple", "milk", "pot", "mug", "kettle", "stove")} | state
        world.reset(options={"state": np.tile([float(row[f]) for f in FIELDS], (num, 1))})
    return world


def facts(world, row=0):
    return dict(zip(FIELDS, world.state[row].astype(int).tolist()))


def do(world, *names):
    for name in names:
        info = world.step(np.full(world.num_envs, COMMANDS.index(name)))[4]
    return info


# The laws again, a row at a time, in plain words.


def near(s, thing):
    place = PLACES[s[f"{thing}_place"]]
    here = place == "hand" or ROOMS[HOME[PLACES.index(place)]] == ROOMS[s["room"]]
    return here and (place not in ("fridge", "cupboard", "drawer", "chest") or bool(s[f"{place}_open"]))


def join(s, vessel, degrees, most):
    cups = s[f"{vessel}_cups"]
    if cups >= most:
        return False
    s[f"{vessel}_heat"] = math.floor((cups * s[f"{vessel}_heat"] + degrees) / (cups + 1) + 0.5)
    s[f"{vessel}_cups"] += 1
    return True


def act(before, name):
    """The state after a command, or the same one if it cannot be done."""
    s, words = dict(before), name.split()
    kitchen, held = s["room"] == 0, [x for x in THINGS if s[f"{x}_place"] == 0]
    box, top = ("fridge", "cupboard", "drawer", "chest")[s["room"]], ("counter", "shelf", "desk", "table")[s["room"]]
    ok = True
    if words[0] == "go":
        ok = abs(ROOMS.index(words[-1]) - s["room"]) in (1, 3)
        s["room"] = ROOMS.index(words[-1])
    elif words[0] in ("open", "close"):
        ok = words[-1] == box and s[f"{box}_open"] == (words[0] == "close")
        s[f"{box}_open"] = int(words[0] == "open")
    elif name.startswith("take the"):
        ok = near(s, words[2]) and words[2] not in held and len(held) < 2
        s[f"{words[2]}_place"] = 0
    elif name == "put the pot on the stove":
        ok = "pot" in held and kitchen
        s["pot_place"] = PLACES.index("stove")
    elif name.endswith((" down", " inside")):
        inside = words[-1] == "inside"
        ok = words[2] in held and (not inside or s[f"{box}_open"] == 1)
        s[f"{words[2]}_place"] = PLACES.index(box if inside else top)
    elif words[0] == "turn":
        where, on = {"stove": 0, "kettle": 0, "lamp": 2}[words[-1]], words[1] == "on"
        ok = (
            s["room"] == where and s[f"{words[-1]}_on"] != on and (name != "turn on the kettle" or s["kettle_cups"] > 0)
        )
        s[f"{words[-1]}_on"] = int(on)
    elif words[0] == "fill":
        ok = kitchen and (words[-1] == "kettle" or near(s, "pot")) and join(s, words[-1], 15, 4)
    elif name.startswith("pour 1 cup from"):
        ok = kitchen and s["kettle_cups"] > 0 and near(s, words[-1])
        ok = join(s, words[-1], s["kettle_heat"], 2 if words[-1] == "mug" else 4) and ok
        s["kettle_cups"] -= 1
    elif name.startswith("pour 1 cup of milk"):
        ok = near(s, "milk") and near(s, "mug") and s["milk_cups"] > 0
        ok = join(s, "mug", s["milk_heat"], 2) and ok
        s["milk_cups"] -= 1
    elif words[0] == "drink":
        ok = near(s, "mug") and s["mug_cups"] > 0
        s["mug_cups"] -= 1
        if s["mug_cups"] == 0:
            s["tea"] = s["brew"] = 0
    elif words[0] == "empty":
        ok, s["pot_cups"] = near(s, "pot") and kitchen and s["pot_cups"] > 0, 0
    elif name == "put 1 egg into the pot":
        ok = near(s, "pot") and kitchen and s["fridge_open"] == 1 and s["eggs_box"] > 0 and s["eggs_pot"] < 4
        s["eggs_box"], s["eggs_pot"], s["cook"] = s["eggs_box"] - 1, s["eggs_pot"] + 1, 0
    elif name == "take 1 egg out of the pot":
        ok = near(s, "pot") and kitchen and s["eggs_pot"] > 0 and s["cook"] >= 4
        s["eggs_pot"], s["eggs_plate"] = s["eggs_pot"] - 1, s["eggs_plate"] + 1
    elif name == "put 1 tea bag into the mug":
        ok = near(s, "mug") and s["room"] == 1 and s["cupboard_open"] == 1 and s["tea_bags"] > 0 and not s["tea"]
        s["tea_bags"], s["tea"] = s["tea_bags"] - 1, 1
    elif words[0] == "set":
        s["timer"], s["ringing"] = int(words[-1]), 0
    elif name == "stop the timer":
        ok = s["timer"] > 0 or s["ringing"] > 0
        s["timer"] = s["ringing"] = 0
    elif "coin" in name:
        many = int(words[1]) * (1 if words[0] == "take" else -1)
        s["jar"], s["purse"] = s["jar"] - many, s["purse"] + many
        ok = s["room"] == 3 and 0 <= s["jar"] <= 20 and 0 <= s["purse"] <= 20
    elif words[0] == "shoo":
        ok = s["cat"] == s["room"]
        s["cat"], s["cat_clock"] = (s["cat"] + 1) % 4, 0
    return (s, True) if ok else (dict(before), name == "wait")


def towards(t, around, rate):
    return t + (1 if around > t else -1) * math.ceil(abs(around - t) * rate - 1e-9)


def minute(before, leak, power, room, roam):
    """What happens by itself."""
    s, b, room = dict(before), before, round(room)
    for x in ("apple", "milk", "mug", "pot"):
        cold = PLACES[b[f"{x}_place"]] == "fridge"
        s[f"{x}_heat"] = towards(b[f"{x}_heat"], (12 if b["fridge_open"] else 4) if cold else room, leak)
    if PLACES[b["pot_place"]] == "stove":
        s["pot_heat"] = towards(b["pot_heat"], min(b["stove_heat"], 100), 0.3)
    s["stove_heat"] = towards(b["stove_heat"], 200 if b["stove_on"] else room, 0.5)
    if b["kettle_on"]:
        s["kettle_heat"] = min(100, b["kettle_heat"] + math.ceil(power / max(b["kettle_cups"], 1)))
        s["kettle_on"] = int(s["kettle_heat"] < 100 and b["kettle_cups"] > 0)
    else:
        s["kettle_heat"] = towards(b["kettle_heat"], room, leak)
    s["timer"] = max(b["timer"] - 1, 0)
    s["ringing"] = int(b["ringing"] or b["timer"] == 1)
    if not b["eggs_pot"]:
        s["cook"] = 0
    elif b["pot_cups"] and s["pot_heat"] >= 90:
        s["cook"] = min(b["cook"] + 1, 9)
    if b["tea"] and b["mug_cups"] and s["mug_heat"] >= 60:
        s["brew"] = min(b["brew"] + 1, 5)
    s["cat_clock"] += 1
    if s["cat_clock"] >= round(roam):
        s["cat"], s["cat_clock"] = (s["cat"] + 1) % 4, 0
    return s


def test_every_command_and_minute_is_as_written_plainly():
    ranges = {"leak": (0.05, 0.2), "power": (30.0, 120.0), "room": (15.0, 26.0), "roam": (3.0, 20.0)}
    world = opened(120, factors=ranges)
    rng, done = np.random.default_rng(0), set()
    for t in range(58):
        styles = [world.guide(style) for style in world.STYLES]
        action = np.where(rng.random(120) < 0.5, styles[t % 3], rng.integers(0, len(COMMANDS), 120))
        before = world.state.astype(int)
        info = world.step(action)[4]
        for i in range(120):
            s, ok = act(dict(zip(FIELDS, before[i].tolist())), COMMANDS[action[i]])
            s = minute(s, *(float(world.factors[k][i]) for k in ranges))
            assert facts(world, i) == s, COMMANDS[action[i]]
            assert info["done"][i] == ok
            assert info["refused"][i] != ok
            if ok:
                done.add(COMMANDS[action[i]])
    assert len(done) >= 56
    assert (world.state == np.round(world.state)).all()
    assert (world.state <= list(LIMITS.values())).all()
    assert (world.state >= 0).all()


def test_sums_are_kept():
    world = opened(64)
    rng = np.random.default_rng(3)
    sums = [[AT[x] for x in names] for names in (("jar", "purse"), ("eggs_box", "eggs_pot", "eggs_plate"))]
    before = [world.state[:, x].sum(1) for x in sums]
    for _ in range(59):
        world.step(np.where(rng.random(64) < 0.5, world.guide(), rng.integers(0, len(COMMANDS), 64)))
    for x, total in zip(sums, before, strict=True):
        np.testing.assert_array_equal(world.state[:, x].sum(1), total)


def test_pouring_mixes_by_volume():
    world = opened(state={"kettle_cups": 2, "kettle_heat": 100, "milk_cups": 3, "milk_heat": 4, "mug_heat": 37})
    do(world, "pour 1 cup from the kettle into the mug")
    assert facts(world)["mug_heat"] == 92  # 100, and a minute's loss of a tenth of 80
    before = facts(world)
    do(world, "pour 1 cup of milk into the mug")
    mixture = math.floor((before["mug_heat"] + before["milk_heat"]) / 2 + 0.5)
    assert facts(world)["mug_heat"] == towards(mixture, 20, 0.1)
    assert (facts(world)["kettle_cups"], facts(world)["milk_cups"], facts(world)["mug_cups"]) == (1, 2, 2)
    assert do(world, "pour 1 cup from the kettle into the mug")["refused"].all()


def test_the_timer_rings_when_it_has_run_out():
    world = opened(state={})
    do(world, "set the timer to 3")
    rang = [bool(do(world, "wait")["rang"][0]) for _ in range(4)]
    assert rang == [False, True, False, False]
    assert facts(world)["ringing"] == 1
    do(world, "stop the timer")
    assert facts(world)["ringing"] == 0


def test_changes_tell_the_action_from_the_world():
    world = opened(state={"kettle_cups": 1, "milk_heat": 4, "timer": 4})
    before = world.state.copy()
    do(world, "turn on the kettle")
    why = dict(zip(FIELDS, world.changes(before, world.state)[0].tolist()))
    told = {name: kind for name, kind in why.items() if kind != UNCHANGED}
    assert told == {"kettle_on": BY_ACTION, "kettle_heat": BY_ACTION, "milk_heat": BY_ITSELF} | {
        "timer": BY_ITSELF,
        "cat_clock": BY_ITSELF,
    }
    before = world.state.copy()
    do(world, "wait")
    assert (world.changes(before, world.state) != BY_ACTION).all()


@pytest.mark.parametrize("style", ["direct", "around", "tidy"])
def test_the_pilot_does_what_is_asked(style):
    world = opened(100)
    for _ in range(59):
        info = world.step(world.guide(style))[4]
    assert info["success"].all()
    lids = world.state[:, AT["fridge_open"] : AT["chest_open"] + 1].sum()
    assert (lids < 160) == (style == "tidy")


def test_chance_does_what_is_asked_rarely_and_styles_differ():
    world = opened(200)
    rng = np.random.default_rng(0)
    ways = np.stack([world.guide(style) for style in world.STYLES])
    assert (ways[0] != ways[1]).any()
    for _ in range(59):
        info = world.step(rng.integers(0, len(COMMANDS), 200))[4]
    assert info["success"].mean() < 0.2


@pytest.mark.parametrize("wording", range(telling.WORDINGS))
@pytest.mark.parametrize("words", range(telling.WORD_SETS))
def test_words_tell_the_state(wording, words):
    world = opened(12, factors={"wording": float(wording), "words": float(words), "order": (0.0, 1.0)})
    for t in range(40):
        world.step(world.guide())
        if t % 8 == 0:
            shown = world.look("text", world.state, world.factors)
            assert shown.shape == (12, *world.view_space("text").shape)
            assert (shown[:, -1] == 0).all()
            for i in range(12):
                assert telling.parse(shown[i]) == facts(world, i)
                assert telling.parse(said(shown[i])) == facts(world, i)


def test_wordings_and_words_all_differ():
    world = opened(1)
    texts = {
        said(world.look("text", world.state, {**world.factors, "wording": np.array([a]), "words": np.array([b])})[0])
        for a in range(5)
        for b in range(3)
    }
    assert len(texts) == 15


def test_no_text_is_longer_than_its_view():
    for wording in range(telling.WORDINGS):
        for words in range(telling.WORD_SETS):
            longest = max(len(telling.request(*ask, wording, words)) for ask in telling.ASKS)
            for i in telling.SINGLES:
                longest += 1 + max(len(telling.sentence(i, v, wording, words)) for v in range(LIMITS[FIELDS[i]] + 1))
            assert longest < make("craik/Story-v0").view_space("text").shape[0]


def test_every_number_is_read_back():
    for i in telling.SINGLES:
        for value in range(LIMITS[FIELDS[i]] + 1):
            assert telling.parse(telling.sentence(i, value, 4, 2)) == {FIELDS[i]: value}


def test_nonsense_is_passed_over():
    assert telling.parse("The apple is on the moon. Hello. The kettle is at 33 degrees.") == {"kettle_heat": 33}


def test_json_tells_the_state():
    world = opened(20)
    for _ in range(10):
        world.step(world.guide())
    for row, state in zip(world.look("json", world.state, world.factors), world.state, strict=True):
        read = json.loads(said(row))
        assert said(row) == json.dumps(read, sort_keys=True, separators=(",", ":"))
        assert read["room"] == ROOMS[int(state[0])]
        np.testing.assert_array_equal(telling.from_json(row), state)


def test_a_glance_shows_what_is_here_and_not_shut_away():
    world = opened(state={"apple_place": PLACES.index("fridge"), "book_place": PLACES.index("desk")})
    told = telling.parse(world.look("glance", world.state, world.factors)[0])
    assert told.items() <= facts(world).items()
    assert "mug_place" in told
    assert "fridge_open" in told
    assert not {"apple_place", "apple_heat", "book_place", "lamp_on", "eggs_box", "jar"} & set(told)
    do(world, "open the fridge")
    told = telling.parse(world.look("glance", world.state, world.factors)[0])
    assert told["apple_place"] == PLACES.index("fridge")
    assert told["eggs_box"] == 0


def test_the_picture_shows_you_the_cat_and_what_is_open():
    world = opened(30, size=96)
    pictures, spots = world.render().astype(int), world.places(world.state, world.factors)
    for k, color in enumerate(world.POINTS.values()):
        for picture, spot in zip(pictures, spots[:, k], strict=True):
            x, y = (spot * 96).astype(int)
            assert np.abs(picture[y, x] - color).max() <= 3
    shut = opened(state={"apple_place": PLACES.index("fridge")})
    still = shut.picture(shut.state, shut.factors)
    moved = shut.state.copy()
    moved[0, AT["apple_heat"]] = 7
    np.testing.assert_array_equal(shut.picture(moved, shut.factors), still)
    moved[0, AT["apple_place"]] = PLACES.index("counter")
    assert (shut.picture(moved, shut.factors) != still).any()


def test_factors_of_the_picture_and_of_the_text_act():
    world = opened(2)
    plain = world.render()
    mirror = world.picture(world.state, {**world.factors, "mirror": np.ones(2)})
    np.testing.assert_array_equal(mirror, plain[:, :, ::-1])
    assert world.picture(world.state, {**world.factors, "light": np.full(2, 0.5)}).mean() < 0.6 * plain.mean()
    part = telling.parse(world.look("text", world.state, {**world.factors, "heard": np.full(2, 0.5)})[0])
    assert 12 < len(part) < 30
    assert part.items() <= facts(world).items()


def test_captions_are_true():
    world = opened(state={"mug_place": 0, "lamp_on": 1, "task": 2, "what": 3})
    assert world.captions(world.state, world.factors) == [
        "You are in the kitchen with the mug in your hands, the lamp is switched on, the cat is in the kitchen, "
        "and you are asked to boil 3 eggs."
    ]


def test_waiting_is_in_the_middle_and_views_are_known():
    assert len(COMMANDS) // 2 == WAIT
    assert len(COMMANDS) <= 64
    assert command("timer", 1) == COMMANDS.index("set the timer to 5")
    with pytest.raises(UnknownName, match="view"):
        make("craik/Story-v0", obs="smell")
    with pytest.raises(SpecError, match="not all in 0"):
        opened(1).step(np.array([len(COMMANDS)]))
