"""Axis P: each law against a model that breaks it, and against models that break others."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from gymnasium import spaces

from craik.eval.card.billiards import Paths, energy, gravity, left_alone, momentum, paths, penetration
from craik.eval.card.exam import follow_laws, sit
from craik.eval.card.instrument import Parsed, Probed, Told
from craik.eval.card.laws import MOST, law_scores, permanence_score, residuals
from craik.eval.card.mirror import MIRRORS, reflected
from craik.eval.card.subject import Subject
from craik.eval.pretend import Frozen, IgnoredActions, ShuffledActions
from craik.eval.pretenders.actions import Mirrored
from craik.eval.pretenders.laws import Drifting, WrongLaw, no_contact
from craik.eval.pretenders.looks import Blurred, Noisy, Painter
from craik.worlds import luck
from craik.worlds.equations import Equations
from craik.worlds.oracle import Oracle

FALLING = {"gravity": 1.0, "drag": 0.0, "restitution": 1.0}


@pytest.fixture(scope="module")
def falling():
    return sit("craik/Bounce-v0", 32, seed=2_000_001, horizon=32, views=("state",), futures=2, factors=FALLING)


@pytest.fixture(scope="module")
def table():
    return sit("craik/Bounce-v0", 48, seed=2_000_001, horizon=32, views=("state",), futures=2)


@pytest.fixture(scope="module")
def oracle():
    return Oracle.of("craik/Bounce-v0")


def scores(model, exam, instrument=None, nulls=()):
    found = law_scores(Subject(model), exam, instrument or Told(exam), list(nulls))
    return {s.id.removeprefix("phys.").partition(":")[0].partition("@")[0]: s for s in found}


@pytest.mark.parametrize("world", ["craik/Bounce-v0", "craik/Swing-v0", "craik/Push-v0", "craik/CartPoleSwing-v0"])
def test_the_oracle_is_perfect(world):
    exam = sit(world, 12, seed=2_000_001, horizon=12, views=("state",), futures=2)
    oracle, told = Oracle.of(world), Told(exam)
    nulls = [(Subject(Frozen(oracle), "frozen"), told), (Subject(IgnoredActions(oracle), "ignored"), told)]
    found = scores(oracle, exam, told, nulls)
    assert np.isfinite(found["residual"].values).all()
    assert found["residual"].normalised == pytest.approx(1, abs=1e-3)
    assert found["residual"].null > 100 * found["residual"].mean
    for name, score in found.items():
        if name != "momentum":  # there may be no collision at all
            assert np.isfinite(score.values).all(), name
            assert score.mean == pytest.approx(score.floor.mean(), abs=1e-6), name


def test_each_wrong_law_shows_in_its_own_law(falling, table, oracle):
    half = scores(WrongLaw(oracle, {"gravity": 0.5}), falling)
    assert half["g_ratio"].mean == pytest.approx(0.5, abs=0.05)
    assert half["g_ratio"].normalised == pytest.approx(0.5, abs=0.05)
    assert half["penetration"].mean == 0
    assert half["energy"].mean < 0.15  # some, for it is counted with the true gravity

    dull = scores(WrongLaw(oracle, {"restitution": 0.6}), falling)
    assert dull["energy"].mean > 0.15
    assert dull["g_ratio"].mean == pytest.approx(1, abs=0.05)
    assert dull["penetration"].mean == 0

    through = scores(no_contact(oracle), falling)
    assert through["penetration"].mean > 0.05
    assert through["g_ratio"].mean == pytest.approx(1, abs=0.05)
    assert through["energy"].mean < 0.05

    heavy = scores(WrongLaw(oracle, {"mass": 2.5}), table)
    assert heavy["momentum"].mean > 0.25
    assert heavy["momentum"].n > 5
    assert scores(oracle, table)["momentum"].mean < 1e-4
    assert heavy["penetration"].mean == 0

    for broken in (half, dull, through):
        assert broken["residual"].mean > 1000 * broken["residual"].floor.mean()


@pytest.mark.parametrize("make", [ShuffledActions, Mirrored, IgnoredActions])
def test_who_mishears_what_is_done_still_knows_the_laws(falling, oracle, make):
    found = scores(make(oracle), falling)
    assert found["g_ratio"].mean == pytest.approx(1, abs=0.05)
    assert found["energy"].mean < 1e-4
    assert found["penetration"].mean == 0


def test_what_stands_still_does_not_fall(falling, oracle):
    found = scores(Frozen(oracle), falling)
    assert found["g_ratio"].mean == 0
    assert found["momentum"].n == 0
    assert found["residual"].mean > 0.5


def test_residuals_grow_with_the_fault(table, oracle):
    drift = [scores(Drifting(oracle, r), table)["residual"].mean for r in (0.03, 0.01, 0.003, 0.0)]
    assert drift == sorted(drift, reverse=True)
    drag = [scores(WrongLaw(oracle, {"drag": d}), table)["residual"].mean for d in (3.0, 2.0, 1.5, 1.0)]
    assert drag == sorted(drag, reverse=True)


def test_lost_but_lawful_costs_nothing_and_nonsense_the_most(table):
    told = Told(table)
    elsewhere = table.part(np.roll(np.arange(len(table.states)), 1))
    ours = elsewhere.look("state", elsewhere.states[:, 0]) / told.scale
    lawful = dataclasses.replace(table, actions=elsewhere.actions)
    assert residuals(lawful, told, ours).max() < 1e-3
    nothing = np.full_like(ours, np.nan)
    assert (residuals(table, told, nothing) == MOST).all()


def test_a_residual_by_hand():
    exam = sit("craik/Swing-v0", 8, seed=2_000_001, horizon=6, views=("state",), futures=2)
    told, path = Told(exam), exam.numbers()[:, 0]
    size = np.sqrt(np.square(np.diff(path, axis=1)).mean((0, 1)))
    off = path.copy()
    off[:, -1, 2] += 0.5 * size[2]  # half a step's change of one number of three, in the last step
    found = residuals(exam, told, off / told.scale)
    np.testing.assert_allclose(found[:, :-1], 0, atol=1e-9)
    np.testing.assert_allclose(found[:, -1], 0.5 / np.sqrt(3), rtol=1e-6)


class Coin(Equations):
    """Goes up or down by one, as luck has it, beside something that never changes."""

    FIELDS, LUCKY = ("height", "place", "luck"), True
    action = spaces.Box(-1, 1, (1,), np.float32)
    space = spaces.Box(-9, 9, (2,), np.float32)

    def move(self, state, effort, factors):
        thrown, after = luck.throw(state[:, 2], 1)
        up = np.where(thrown[:, 0] < 0.5, -1.0, 1.0)
        return np.stack([state[:, 0] + up, state[:, 1], after], 1), {}

    def reward(self, before, effort, after, goal, factors):
        return np.zeros(len(after))


class Counted(Coin):
    """The same, and it can say what may follow."""

    def outcomes(self, state, effort, factors):
        up, down, none = (state + np.array([v, 0, 0]) for v in (1.0, -1.0, 0.0))
        return np.stack([up, down, none], 1), np.tile([0.5, 0.5, 0.0], (len(state), 1))


@pytest.mark.parametrize("world", [Coin, Counted])
def test_of_laws_of_chance_the_nearest_outcome_counts(world):
    walk = np.array([[0, 1, 2, 1, 0.0], [3, 2, 1, 0, 1]])
    path = np.stack([walk, np.full_like(walk, 7)], -1)
    exam = SimpleNamespace(
        world=world(),
        states=path[:, None],
        actions=torch.zeros(2, 1, 5, 1),
        over=np.zeros((2, 1, 5), bool),
        scale=np.array([1.0, np.inf]),
        numbers=lambda: path[:, None],
        factors=lambda repeat: {},
    )
    told = Told(exam)
    np.testing.assert_array_equal(residuals(exam, told, path), 0)
    stuck = path.copy()
    stuck[0, 4] = stuck[0, 3]  # the coin never stands
    np.testing.assert_array_equal(residuals(exam, told, stuck), [[0, 0, 0, 1], [0, 0, 0, 0]])


def test_a_probe_is_measured_by_its_own_floor(table, oracle):
    subject = Subject(oracle)
    lessons = sit("craik/Bounce-v0", 24, seed=5, horizon=16, views=("state",), futures=2)
    probe = Probed(subject, lessons, table.scale)
    found, frozen = scores(oracle, table, probe), scores(Frozen(oracle), table, probe)
    assert found["residual"].mean == pytest.approx(found["residual"].floor.mean(), rel=0.05)
    assert frozen["residual"].mean > 5 * found["residual"].mean


def test_laws_are_read_off_pictures_too():
    exam = sit("craik/Bounce-v0", 8, seed=2_000_001, horizon=24, futures=2, factors=FALLING)
    oracle, places = Oracle.of(exam.id, "both"), Parsed(exam)
    half = scores(WrongLaw(oracle, {"gravity": 0.5}), exam, places)
    assert "residual" not in half
    assert half["g_ratio"].mean == pytest.approx(0.5, abs=0.05)
    assert half["g_ratio"].floor.mean() == pytest.approx(1, abs=0.05)
    assert half["energy"].floor.mean() < 0.1
    assert half["penetration"].floor.mean() == 0
    assert half["permanence"].mean == half["permanence"].floor.mean() == 1
    for make in (Blurred, Noisy):  # a bad picture of everything is one of everything
        assert permanence_score(Subject(make(oracle)), exam, places).mean == 1
    assert permanence_score(Subject(Grey(oracle)), exam, places).mean == 0


class Grey(Painter):
    """Draws a little of all colours and nothing of any."""

    def retouch(self, pictures):
        return torch.full_like(pictures, 128)


@pytest.mark.parametrize("world", ["craik/Bounce-v0", "craik/Swing-v0", "craik/SwingBins-v0", "craik/CartPoleSwing-v0"])
def test_mirrors_are_true(world):
    exam = sit(world, 8, seed=2_000_001, horizon=8, views=("state",), futures=2)
    make = next(m for w, m in MIRRORS.items() if isinstance(exam.world, w))
    turned = reflected(exam, make(exam.world))
    states, _, _ = follow_laws(turned.world, turned.actions.numpy())
    numbers = exam.world.numbers(states.reshape(-1, states.shape[-1])).reshape(exam.numbers().shape)
    np.testing.assert_allclose(numbers, turned.numbers(), atol=1e-9)
    twice = reflected(turned, make(exam.world))
    torch.testing.assert_close(twice.actions, exam.actions)
    torch.testing.assert_close(twice.context.obs["state"], exam.context.obs["state"], atol=1e-5, rtol=0)
    assert scores(Drifting(Oracle.of(world), 0.03), exam)["mirror"].mean > 0.01  # it drifts to one side in both


def flight(at, speed, **factors):
    usual = {"mass": 1.0, "radius": 0.17, "drag": 0.0, "gravity": 0.0}
    return Paths(np.array(at)[None], np.array(speed)[None], {k: np.array([v]) for k, v in (usual | factors).items()})


def test_laws_of_paths_by_hand():
    t = np.arange(12)[:, None] * 0.1
    still = np.zeros((12, 3, 2))
    far = still + np.array([[-0.5, 0], [0, 0.5], [0.5, 0]])
    fall = far.copy()
    fall[..., 1] -= 0.5 * 0.6 * t**2
    assert gravity(flight(fall, still, gravity=1.2))[0] == pytest.approx(0.5)
    assert penetration(flight(far, still))[0] == 0
    near = far.copy()
    near[:3, 1] = near[:3, 0] + [0.1, 0]  # in 3 frames of 12
    assert penetration(flight(near, still))[0] == 0.25
    fast, slow = (still + np.array([v, 0]) for v in (1.0, 0.6))
    assert energy(flight(far, slow), flight(far, fast))[0] == pytest.approx(1 - 0.36)
    lost = far.copy()
    lost[6:, 0] = np.nan
    assert energy(flight(lost, fast, gravity=1.0), flight(far, fast, gravity=1.0))[0] == 1


def test_a_collision_by_hand():
    t = np.arange(13)[:, None] * 0.1
    at, speed = np.zeros((13, 3, 2)), np.zeros((13, 3, 2))
    at[:, 2] = [0, 0.8]
    at[:, 1, 0], at[:, 0, :1] = 0.18, np.minimum(t - 0.76, -0.16)  # ball 0 comes to rest, ball 1 stays where it is
    speed[:6, 0, 0] = 1
    assert momentum(flight(at, speed))[0] == pytest.approx(1)  # nobody took it over
    speed[6:, 1, 0] = 1
    at[:, 1, 0] = 0.18 + np.maximum(t[:, 0] - 0.6, 0)
    assert momentum(flight(at, speed))[0] == pytest.approx(0)
    assert np.isnan(momentum(flight(at, speed * 0))[0])


def test_nothing_is_done_in_the_future_left_alone(falling, oracle):
    alone = left_alone(falling)
    assert alone.shape[1] == 1
    assert (alone.actions == 0).all()
    told = Told(falling)
    p = paths(alone, told, told.truth(alone))
    np.testing.assert_allclose(p.at[:, 0], alone.states[:, 0, 0].reshape(-1, 3, 4)[..., :2], atol=1e-6)
