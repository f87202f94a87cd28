"""Axis D, dreams: who learns in the truth earns by it, in a wish is deceived, and who is blind learns nothing."""

import dataclasses

import numpy as np
import pytest
import torch

from craik.core.spec import Spec
from craik.eval.card.dreams import dream_scores, teach, worthwhile
from craik.eval.card.exam import sit
from craik.eval.card.instrument import Probed, Told
from craik.eval.card.practice import Practice, advantages, learn, reader_for
from craik.eval.card.subject import Subject
from craik.eval.pretend import Frozen, IgnoredActions
from craik.eval.pretenders.actions import Gain, Mirrored, ShuffledActions
from craik.eval.pretenders.clothes import InLatent
from craik.eval.pretenders.laws import Optimist
from craik.recipes.latent import td_mpc2
from craik.worlds.oracle import Oracle

from .faults import named

WORLDS = ("craik/Rooms-v0", "craik/SwingBins-v0")
PRACTICE = Practice(dreams=48, steps=24, rounds=12, shown=(4,))


@pytest.fixture(scope="module")
def schools():
    """Per world: what is asked, what is learned from, and those that every model is measured against."""
    found = {}
    for world in WORLDS:
        exam = sit(world, 16, seed=2_000_011, horizon=8, views=("state",))
        lessons = sit(world, 48, seed=3, horizon=8, futures=1, views=("state",))
        oracle = Oracle.of(world)
        nulls = [
            (Subject(Frozen(oracle), "frozen"), Told(exam)),
            (Subject(IgnoredActions(oracle), "ignored"), Told(exam)),
        ]
        found[world] = exam, lessons, teach(Subject(oracle), Told(exam), nulls, lessons, PRACTICE)
    return found


def scores(schools, world, make):
    exam, lessons, school = schools[world]
    ours = learn(Subject(make(Oracle.of(world))), Told(exam), lessons, PRACTICE)
    return named(dream_scores(dataclasses.replace(school, ours=ours), exam))


@pytest.mark.parametrize("world", WORLDS)
def test_the_oracle_is_perfect_and_learns(schools, world):
    exam, _, school = schools[world]
    found = named(dream_scores(school, exam))
    assert set(found) == {"dec.dream_return@4", "dec.dream_gap@4", "dec.dream_return", "dec.dream_gap"}
    for at in ("@4", ""):
        assert abs(found[f"dec.dream_gap{at}"].mean) < 1e-3
        assert found[f"dec.dream_gap{at}"].normalised == pytest.approx(1, abs=0.02)
    final = found["dec.dream_return"]
    assert final.normalised == pytest.approx(1, abs=0.05)
    apart = final.values - final.nulls["random"]
    assert apart.mean() > 2 * apart.std() / np.sqrt(len(apart))
    assert found["dec.dream_return@4"].mean < final.mean


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("make", [Frozen, IgnoredActions, ShuffledActions, Mirrored])
def test_who_does_not_know_what_actions_do_teaches_nothing(schools, world, make):
    assert scores(schools, world, make)["dec.dream_return"].normalised < 0.1


def test_who_turns_actions_round_promises_what_does_not_come(schools):
    for world in WORLDS:
        assert scores(schools, world, Mirrored)["dec.dream_gap"].normalised < 0.5


def test_half_the_gain_is_half_as_bad(schools):
    found = scores(schools, "craik/Rooms-v0", lambda o: Gain(o, 0.5))
    assert 0.3 < found["dec.dream_return"].normalised < 1
    assert found["dec.dream_gap"].mean < 0.02  # it promises less than there is


def test_the_optimist_is_exploited(schools):
    found = scores(schools, "craik/Rooms-v0", Optimist)
    assert found["dec.dream_gap"].mean > 0.05
    assert found["dec.dream_gap"].mean > np.mean(found["dec.dream_gap"].floor) + 0.05
    assert found["dec.dream_gap"].normalised < 0.8


def test_the_truth_in_a_latent_teaches_as_well(schools):
    exam, lessons, school = schools["craik/Rooms-v0"]
    subject = Subject(InLatent(Oracle.of(exam.id), lessons.scale))
    reader = reader_for(subject, None, lessons)
    assert isinstance(reader, Probed)
    ours = learn(subject, reader, lessons, PRACTICE)
    found = named(dream_scores(dataclasses.replace(school, ours=ours), exam))
    assert found["dec.dream_return"].normalised == pytest.approx(1, abs=0.1)
    assert abs(found["dec.dream_gap"].mean) < 0.02


def test_a_model_that_has_to_look_is_asked_too(schools):
    exam, lessons, _ = schools["craik/SwingBins-v0"]
    spec = Spec.of(Oracle.of(exam.id).spec.obs, exam.world.single_action_space)
    subject = Subject(td_mpc2.build(td_mpc2.SIZES["tiny"], spec).eval())
    school = teach(subject, None, [], lessons, Practice(dreams=8, steps=4, rounds=2, epochs=1, shown=()))
    found = named(dream_scores(school, exam.part(slice(4))))
    assert np.isfinite(found["dec.dream_return"].values).all()
    assert np.isfinite(found["dec.dream_gap"].values).all()
    silent = Oracle.of(exam.id)
    silent.spec = silent.spec.offering("reward")
    assert teach(Subject(silent), None, [], lessons, PRACTICE) is None


def test_where_nothing_can_be_learned_nothing_is_normalised(schools):
    exam, lessons, school = schools["craik/SwingBins-v0"]
    assert school.fruitful
    assert not worthwhile(school.others["frozen"], lessons, PRACTICE.steps)
    found = named(dream_scores(dataclasses.replace(school, fruitful=False), exam))
    assert all(np.isnan(score.normalised) and np.isfinite(score.mean) for score in found.values())


def test_learning_is_the_same_again_and_draws_from_nothing_global(schools):
    exam, lessons, _ = schools["craik/SwingBins-v0"]
    short = Practice(dreams=8, steps=4, rounds=2, shown=())
    before = torch.get_rng_state()
    one, two = (learn(Subject(Oracle.of(exam.id)), Told(exam), lessons, short)[2].pupil for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    for a, b in zip(one.parameters(), two.parameters()):
        assert torch.equal(a, b)
    assert short.imagined == 64


def test_advantages_by_hand():
    # Nothing is told, and one of two dreams is paid at its end: with lambda 1 the advantage is what is paid in the end,
    # less what time alone explains (the mean).
    told, paid = np.zeros((2, 2, 0)), np.array([[0.0, 1.0], [0.0, 0.0]])
    np.testing.assert_allclose(advantages(paid, told, 1.0), [[1, 1], [-1, -1]], atol=0.1)
    assert advantages(np.ones((2, 1)), np.zeros((2, 1, 0)), 1.0) is None
