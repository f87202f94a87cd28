"""Levers: pulses arrive when and where the wires say, chances are exact, and seeing is not doing."""

import re
from itertools import product

import numpy as np
import pytest

from craik.core.errors import SpecError, UnknownName
from craik.worlds import make
from craik.worlds.levers_effects import Machine, pending, settled, spread
from craik.worlds.levers_panel import NAMES

SURE = {"noise": 0.0, "sway": 1.0}


def opened(num, seed=0, levers=5, **factors):
    world = make("craik/Levers-v0", num, seed=seed, levers=levers, factors=factors)
    world.reset()
    return world


def column(world, name):
    return world.state[:, world.FIELDS.index(name)].astype(int)


class Twin:
    """The machine once more, as a calendar of pulses: (when, to which light)."""

    def __init__(self, world, row):
        n = world.levers
        value = dict(zip(world.FIELDS, world.state[row].astype(int), strict=True))
        self.light = [value[f"light_{i}"] for i in range(n)]
        self.wire = [[value[f"wire_{i}_{j}"] for j in range(n)] for i in range(n)]
        self.link = [[value[f"link_{i}_{j}"] for j in range(n)] for i in range(n)]
        self.lamp, self.left, self.surge, self.now, self.calendar = value["lamp"], value["left"], value["surge"], 0, []

    def send(self, delays):
        self.calendar += [(self.now + d, light) for light, d in enumerate(delays) if d]

    def due(self):
        """Lights that pulses come to in the next move, one entry a pulse."""
        return [light for when, light in self.calendar if when == self.now + 1]

    def press(self, action):
        if action and self.left:
            self.left -= 1
            self.send(self.wire[action - 1])

    def turn(self, flips, surge):
        """The rest of the move, flips being known."""
        self.now += 1
        self.calendar = [p for p in self.calendar if p[0] > self.now]
        for light in flips:
            self.light[light] ^= 1
            self.send(self.link[light])
        self.surge = surge


@pytest.mark.parametrize("levers", [4, 5, 6])
def test_pulses_come_when_the_calendar_says(levers):
    world = opened(16, 3, levers, **SURE, budget=40.0, density=0.5)
    twins = [Twin(world, i) for i in range(16)]
    rng, flipped = np.random.default_rng(0), 0
    for _ in range(35):
        actions = rng.integers(0, levers + 1, 16)
        info = world.step(actions)[4]
        for i, twin in enumerate(twins):
            twin.press(actions[i])
            arriving = twin.due()
            assert info["arrived"][i] == len(arriving)
            arriving += [twin.lamp] * twin.surge
            flips = [light for light in range(levers) if arriving.count(light) % 2]
            twin.turn(flips, int(info["surged"][i]))
            assert info["flips"][i] == len(flips)
            assert twin.light == world.state[i, :levers].astype(int).tolist()
            assert twin.left == world.state[i, -2]
            assert len(twin.calendar) == pending(Machine.of(world.state[i : i + 1], levers)).sum()
            flipped += len(flips)
    assert flipped > 300


def test_outcomes_are_those_of_single_pulses():
    """Each pulse is lost or not, one after another: the chance of each pattern of flips, added up."""
    noise, sway, surging = 0.2, 0.7, 0.3
    world = opened(12, 5, noise=noise, sway=sway, surge=surging, budget=40.0, density=0.5)
    twins = [Twin(world, i) for i in range(12)]
    rng = np.random.default_rng(1)
    for _ in range(15):
        actions = rng.integers(0, 6, 12)
        after, chance = world.outcomes(world.state, world.effort(actions), world.factors)
        np.testing.assert_allclose(chance.sum(1), 1)
        before = world.state[:, :5].copy()
        info = world.step(actions)[4]
        for i, twin in enumerate(twins):
            twin.press(actions[i])
            causes = [(light, 1 - noise) for light in twin.due()] + [(twin.lamp, sway)] * twin.surge
            table = {}
            for happens in product([0, 1], repeat=len(causes)):
                pattern, share = [0] * 5, 1.0
                for (light, p), yes in zip(causes, happens, strict=True):
                    pattern[light] ^= yes
                    share *= p if yes else 1 - p
                table[tuple(pattern)] = table.get(tuple(pattern), 0) + share
            for new, p in zip(after[i], chance[i], strict=True):
                pattern = tuple(np.abs(new[:5] - before[i]).astype(int))
                surge = surging if new[-3] else 1 - surging
                np.testing.assert_allclose(p, table.get(pattern, 0) * surge, atol=1e-12)
            twin.turn(np.flatnonzero(world.state[i, :5] != before[i]).tolist(), int(info["surged"][i]))
            happened = (after[i, :, :-1] == world.state[i, :-1]).all(1)
            assert happened.sum() == 1
            assert chance[i, happened] > 0


def test_many_draws_follow_the_chances():
    world = opened(1, 2, noise=0.3, sway=0.6, surge=0.3, density=0.6)
    for action in (1, 2, 3):
        world.step(np.array([action]))
    many = world.fork(20_000)
    many.reroll(np.random.default_rng(0))
    action = np.full(20_000, 4)
    after, _ = many.move(many.state, many.effort(action), many.factors)
    outcomes, chance = (x[0] for x in world.outcomes(world.state, world.effort(action[:1]), world.factors))
    count = np.array([(after[:, :-1] == o[:-1]).all(1).sum() for o in outcomes])
    assert count.sum() == 20_000
    possible = chance > 0
    assert possible.sum() >= 8
    wanted = 20_000 * chance[possible]
    spare = possible.sum() - 1
    assert ((count[possible] - wanted) ** 2 / wanted).sum() < spare + 4 * np.sqrt(2 * spare)


def watched(choose, num=256):
    """How often the lamp flips in the move of a press of the decoy, and in one of waiting."""
    world = opened(num, 7, budget=40.0)
    rng, told = np.random.default_rng(0), []
    lamp, decoy, rows = column(world, "lamp"), column(world, "decoy"), np.arange(num)
    for _ in range(35):
        action, before = choose(world, rng), world.state[:, :5]
        world.step(action)
        told.append(np.stack([action == decoy + 1, action == 0, (world.state[:, :5] != before)[rows, lamp]], 1))
    told = np.concatenate(told)
    return told[told[:, 0], 2].mean(), told[told[:, 1], 2].mean()


def test_seeing_a_press_is_not_pressing():
    """The passive pilot presses the decoy when the current surges: the lamp seems to follow the decoy. It does not."""
    seen, seen_without = watched(lambda world, rng: world.guide("passive"))
    done, done_without = watched(lambda world, rng: rng.integers(0, 6, world.num_envs))
    assert seen > 0.7
    assert seen_without < 0.2
    assert abs(done - done_without) < 0.05


def test_the_decoy_does_nothing():
    """For equal luck, pressing the decoy changes nothing but the count of presses and what is seen of the lever."""
    world = opened(32, 1, budget=40.0)
    decoy = column(world, "decoy") + 1
    pressed, waited = world.fork(1), world.fork(1)
    for _ in range(20):
        pressed.step(decoy)
        waited.step(decoy * 0)
        np.testing.assert_array_equal(pressed.state[:, :5], waited.state[:, :5])
    chances = [world.outcomes(world.state, world.effort(a), world.factors)[1] for a in (decoy, decoy * 0)]
    np.testing.assert_array_equal(*chances)


def test_links_have_no_cycles_and_everyone_but_the_decoy_a_wire():
    world = opened(100, 4, density=0.6)
    machine = Machine.of(world.state, 5)
    power = machine.link > 0
    for _ in range(5):
        power = (power.astype(int) @ (machine.link > 0)) > 0
    assert not power.any()
    wired = (machine.wire > 0).any(2)
    np.testing.assert_array_equal(wired, np.arange(5) != column(world, "decoy")[:, None])
    assert not (machine.link[np.arange(100), column(world, "lamp")] > 0).any()
    slow = opened(50, 4, slowest=1.0)
    assert Machine.of(slow.state, 5).wire.max() == 1


def test_a_wiring_can_be_fixed():
    fixed = opened(8, 3, graph=17.0)
    hidden = fixed.state[:, 30:82]
    np.testing.assert_array_equal(hidden, np.broadcast_to(hidden[0], hidden.shape))
    again, other = opened(1, 9, graph=17.0), opened(1, 9, graph=18.0)
    np.testing.assert_array_equal(again.state[0, 30:82], hidden[0])
    assert (other.state[0, 30:82] != hidden[0]).any()
    assert len(np.unique(opened(20, 3).state[:, 30:82], axis=0)) == 20


def test_rest_is_foreseen():
    world = opened(64, 6, noise=0.0, surge=0.0, density=0.5)
    rng = np.random.default_rng(0)
    for _ in range(6):
        world.step(rng.integers(0, 6, 64))
    machine = Machine.of(world.state, 5)
    assert pending(machine).any(1).mean() > 0.5
    foreseen = settled(machine, spread(machine))
    for _ in range(20):
        world.step(np.zeros(64, int))
    np.testing.assert_array_equal(world.state[:, :5], foreseen)
    assert not pending(Machine.of(world.state, 5)).any()


def test_presses_run_out():
    world = opened(4, 1, budget=3.0)
    told = [world.step(np.full(4, 1))[4] for _ in range(5)]
    assert [t["pressed"][0] for t in told] == [1, 1, 1, 0, 0]
    assert [t["refused"][0] for t in told] == [0, 0, 0, 1, 1]
    assert (column(world, "left") == 0).all()


@pytest.mark.parametrize("style", ["direct", "patient"])
def test_the_pilot_lights_what_is_wanted(style):
    world = opened(100, 11)
    assert not world.success().any()
    lamp = column(world, "lamp")
    assert not world.goal[np.arange(100), lamp].any()
    for _ in range(39):
        _, reward, _, _, info = world.step(world.guide(style))
    assert info["success"].mean() > 0.9
    np.testing.assert_array_equal(reward == 1, info["success"])
    wild, rng = opened(100, 11), np.random.default_rng(0)
    for _ in range(39):
        info = wild.step(rng.integers(0, 6, 100))[4]
    assert info["success"].mean() < 0.4


def test_nothing_shows_what_is_hidden():
    world = opened(16, 3)
    world.step(world.guide())
    other = world.state.copy()
    other[:, 10:-2] = opened(16, 4).state[:, 10:-2]
    pressed = [world.FIELDS.index(f"pressed_{i}_1") for i in range(5)]
    other[:, pressed] = world.state[:, pressed]
    assert (other != world.state).any(1).all()
    for name in ("pixels", "symbols", "text"):
        np.testing.assert_array_equal(*(world.look(name, s, world.factors) for s in (world.state, other)))


def test_text_and_symbols_tell_what_is_seen():
    world = opened(64, 8, levers=6)
    rng = np.random.default_rng(0)
    for _ in range(15):
        action = rng.integers(0, 7, 64)
        before = column(world, "left")
        world.step(action)
        symbols = world.look("symbols", world.state, world.factors)
        np.testing.assert_array_equal(symbols[:, 0], world.state[:, :6])
        captions = world.captions(world.state, world.factors)
        for i, line in enumerate(world.look("text", world.state, world.factors)):
            words = bytes(line).rstrip(b"\0").decode()
            count, lit, lever, left = re.fullmatch(
                r"Lights lit: (\d) \((.*)\); just pressed: (.*); presses left: (\d+)\.", words
            ).groups()
            on = [NAMES.index(name) for name in lit.split(", ") if name != "none"]
            assert on == np.flatnonzero(symbols[i, 0]).tolist()
            assert int(count) == len(on)
            assert int(left) == symbols[i, 2, 0] == world.state[i, -2]
            down = action[i] if before[i] else 0
            assert lever == (f"lever {down}" if down else "nothing")
            assert symbols[i, 1].tolist() == [int(down == j + 1) for j in range(6)]
            assert captions[i].startswith(words[:-1])


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("levers", [4, 6])
def test_lights_are_where_places_says(size, levers):
    world = make("craik/Levers-v0", 32, seed=6, size=size, levers=levers)
    world.reset()
    picture, places = world.render().astype(float), world.places(world.state, world.factors)
    spots = (np.arange(size) + 0.5) / size
    for i, color in enumerate(world.POINTS.values()):
        near = np.exp(-(((picture - color) / 12) ** 2).sum(-1))
        for row in range(32):
            if np.isnan(places[row, i]).any():
                assert world.state[row, i] == 0
                assert near[row].max() < 0.5
            else:
                weight = near[row] / near[row].sum()
                middle = np.array([(weight.sum(0) * spots).sum(), (weight.sum(1) * spots).sum()])
                assert np.abs(middle - places[row, i]).max() < 1.2 / size


def test_looks_change_looks_alone():
    plain = make("craik/Levers-v0", 4, seed=3, obs="both")
    other = make("craik/Levers-v0", 4, seed=3, obs="both", factors={"theme": 1.0, "glow": 0.5})
    a, b = plain.reset()[0], other.reset()[0]
    np.testing.assert_array_equal(a["state"], b["state"])
    assert (a["pixels"] != b["pixels"]).mean() > 0.5


def test_wrong_names_and_numbers():
    with pytest.raises(SpecError, match="4 to 6"):
        make("craik/Levers-v0", levers=7)
    with pytest.raises(UnknownName, match="style"):
        make("craik/Levers-v0").guide("rash")
