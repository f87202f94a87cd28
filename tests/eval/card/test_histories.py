"""Ways to one state and to two: the truth keeps them one and two, and each fault shows in its own number."""

import dataclasses

import numpy as np
import pytest
import torch

from craik.core.spec import Spec
from craik.eval.bench.rounds import join, pools
from craik.eval.card.exam import sit
from craik.eval.card.grade import AXES
from craik.eval.card.histories import CLEAR, LENGTH, Answers, grains, history_scores, ways
from craik.eval.card.instrument import instrument_for
from craik.eval.card.subject import Subject
from craik.eval.pretend import Frozen, IgnoredActions, Pretender, ShuffledActions
from craik.eval.pretenders.clothes import InGaussians, InLatent
from craik.worlds import make as open_world
from craik.worlds.oracle import Oracle
from tests.contract.honest import Honest

from .faults import named

WORLDS = ("craik/Tiles-v0", "craik/Levers-v0", "craik/Story-v0", "craik/Paddle-v0", "craik/RayFind-v0")
NAMES = ("vafa.compression", "vafa.precision", "vafa.recall")


@pytest.fixture(scope="module")
def exams():
    return {w: sit(w, 12, seed=2_000_061, horizon=12, views=("state",)) for w in WORLDS}


def means(exam, model):
    subject = Subject(model, "tested")
    found = named(history_scores(subject, exam, instrument_for(subject, exam, exam), []))
    return tuple(found[name].mean for name in NAMES)


@pytest.mark.parametrize("world", WORLDS)
def test_the_truth_knows_one_from_two(exams, world):
    exam, oracle = exams[world], Oracle.of(world)
    assert means(exam, oracle) == (1, 1, 1)
    subject = Subject(InLatent(oracle, exam.scale, 64), "in a latent")
    found = named(history_scores(subject, exam, instrument_for(subject, exam, exam), []))
    assert found["vafa.compression"].mean > 0.9
    for name in NAMES:  # a probe is not exact, and its floor is no better
        assert found[name].mean == pytest.approx(found[name].floor[np.isfinite(found[name].floor)].mean())


@pytest.mark.parametrize("world", WORLDS)
def test_who_does_not_hear_what_is_done_knows_nothing(exams, world):
    for make in (Frozen, IgnoredActions):
        assert means(exams[world], make(Oracle.of(world))) == (0, 0, 0)


@pytest.mark.parametrize("world", WORLDS)
def test_exchanged_actions_lead_elsewhere(exams, world):
    compression, precision, recall = means(exams[world], ShuffledActions(Oracle.of(world)))
    assert compression < 0.7
    assert precision < 0.5
    assert recall < 0.6


@pytest.mark.parametrize("world", ["craik/Tiles-v0", "craik/Paddle-v0"])
def test_who_has_learned_nothing_knows_nothing(exams, world):
    torch.manual_seed(0)
    there = open_world(world)
    model = Honest(Spec.of(there.single_observation_space, there.single_action_space))
    assert max(means(exams[world], model)) < 0.1


class Counting(Pretender):
    """Is right, but every doing of one action leaves its mark: where it is depends on how it came there."""

    def rollout(self, state, actions, *, generator=None):
        states = self.model.rollout(state, actions, generator=generator)
        marks = (actions == self.spec.action.start).cumsum(1).double()
        physics = states.physics.clone()
        physics[..., self.field] += marks
        return dataclasses.replace(states, physics=physics)

    field = 0


class Careless(Pretender):
    """Is right, but says of one number that it is as it was."""

    def rollout(self, state, actions, *, generator=None):
        states = self.model.rollout(state, actions, generator=generator)
        physics = states.physics.clone()
        physics[..., self.field] = state.physics[:, None, self.field]
        return dataclasses.replace(states, physics=physics)

    field = 2  # which way it looks


def test_each_fault_shows_in_its_own_number(exams):
    exam, oracle = exams["craik/Tiles-v0"], Oracle.of("craik/Tiles-v0")
    compression, precision, recall = means(exam, Counting(oracle))
    assert compression < 0.2
    assert precision < 0.9
    compression, precision, recall = means(exam, Careless(oracle))
    assert compression + precision > 1.5
    assert recall < 0.9
    assert recall < precision


def test_the_ways_are_what_they_should_be(exams):
    exam = exams["craik/Tiles-v0"]
    asked = ways(exam)
    assert asked.asked.all()
    states = asked.exam.states.reshape(len(exam.states), 3, asked.futures, *asked.exam.states.shape[2:])
    paths = states[:, :, 0, :LENGTH]
    np.testing.assert_array_equal(paths[:, 0, -1], paths[:, 1, -1])
    assert (paths[:, 0] != paths[:, 1]).any((1, 2)).all()
    ends = exam.world.numbers(paths[:, :, -1].reshape(-1, paths.shape[-1])).reshape(len(paths), 3, -1) / exam.scale
    assert (np.abs(ends[:, 0] - ends[:, 2]).max(-1) > CLEAR).all()
    np.testing.assert_array_equal(states[:, 0, :, LENGTH:], states[:, 1, :, LENGTH:])


def test_a_part_of_an_exam_is_asked_the_same(exams):
    exam = exams["craik/Tiles-v0"]
    oracle = Subject(ShuffledActions(Oracle.of(exam.id)), "tested")
    instrument = instrument_for(oracle, exam, exam)
    parts = [exam.part(slice(0, 5)), exam.part(slice(5, 12))]
    pieces = [(len(p.states), history_scores(oracle, p, instrument, [])) for p in parts]
    assert all(pools(score, n) for n, scores in pieces for score in scores)
    for one in join(pieces):
        assert len(one.values) == 12


def test_where_no_two_ways_lead_to_one_state_nothing_is_asked():
    for world in ("craik/Rooms-v0", "craik/SwingBins-v0"):
        exam = sit(world, 8, seed=2_000_061, horizon=8, views=("state",))
        oracle = Subject(Oracle.of(world), "tested")
        assert history_scores(oracle, exam, instrument_for(oracle, exam, exam), []) == []


def test_it_can_be_asked_of_pictures():
    exam = sit("craik/Tiles-v0", 6, seed=2_000_061, horizon=4, futures=2, views=("state", "pixels"), size=32)
    subject = Subject(InGaussians(Oracle.of(exam.id, obs="both", size=32)), "drawn")
    found = named(history_scores(subject, exam, instrument_for(subject, exam, exam), []))
    assert found["vafa.compression"].instrument == "parsed"
    assert found["vafa.compression"].mean > 0.8
    assert found["vafa.recall"].mean > 0.5


def test_it_stands_on_the_axis_of_memory(exams):
    exam = exams["craik/Paddle-v0"]
    subject = Subject(Oracle.of(exam.id), "tested")
    instrument = instrument_for(subject, exam, exam)
    found = [s for measure in AXES["M"] for s in measure(subject, exam, instrument, [])]
    assert {f"{name}:ar" for name in NAMES} <= {s.id for s in found}


def test_by_hand():
    """One moment, one experiment of one step, two numbers; way one and two are one state, the third differs in both."""
    true = np.array([[0.0, 0.0], [1.0, 2.0]]), np.array([[0.0, 0.0], [1.0, 2.0]]), np.array([[5.0, 0.0], [1.0, 4.0]])
    true = np.stack(true)[None, :, None]  # [1, 3, 1, 2, 2]: the first number differs at once, the second after a step
    live, grain = np.ones((1, 1, 2), bool), np.array([0.5, 0.5])

    def of(ours):
        answers = Answers(ours, true, live, grain)
        return tuple(float(x()[0]) for x in (answers.compression, answers.precision, answers.recall))

    assert of(true) == (1, 1, 1)
    one = true.copy()
    one[:, 2, 0, :, 0] = true[:, 0, 0, :, 0]  # says that the first number does not differ
    assert of(one) == (1, 1, 0.5)
    more = true.copy()
    more[:, 2, 0, 1, 1] = 7.0  # says that the second differs otherwise than it does
    assert of(more) == (1, 0.75, 0.75)
    two = true.copy()
    two[:, 1, 0, 1, 0] = 3.0
    assert of(two) == (0, 1, 1)
    assert of(true[:, [0, 0, 0]]) == (0, 0, 0)
    assert np.isnan(Answers(true, true[:, [0, 0, 0]], live, grain).compression()[0])
    gone = Answers(true, true, np.zeros_like(live), grain)
    assert np.isnan(gone.recall()[0])


def test_grains():
    numbers = np.stack([np.array([0.0, 2, 4, 4, np.nan]), np.linspace(0, 1, 5), np.zeros(5)], -1)
    np.testing.assert_allclose(grains(numbers), [1.0, 0.125, 0.2])
    assert grains(np.linspace(0, 1, 40)[:, None])[0] == pytest.approx(0.2)
