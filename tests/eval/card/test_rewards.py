"""Axis D, rewards: statistics by hand, what is foretold by who knows, and blanks where there is nothing to foretell."""

import dataclasses

import numpy as np
import pytest
import torch

from craik.behave.agent import random_actions
from craik.core.readings import Readings
from craik.core.spec import Spec
from craik.eval.card.exam import sit
from craik.eval.card.instrument import Told
from craik.eval.card.rewards import drawn, outranked, precision, rank_terms, reward_scores, slope_terms
from craik.eval.card.subject import Subject
from craik.eval.pretend import Frozen, IgnoredActions, Pretender, ShuffledActions
from craik.eval.pretenders.actions import Gain, Mirrored
from craik.eval.pretenders.laws import Optimist
from craik.recipes.latent import td_mpc2
from craik.worlds.oracle import Oracle

from .faults import candidate, named

WORLDS = ("craik/Rooms-v0", "craik/Tiles-v0", "craik/Lane-v0")


@pytest.fixture(scope="module")
def exams():
    return {w: sit(w, 24, seed=2_000_011, horizon=24, views=("state",)) for w in WORLDS}


def scores(exam, make):
    subject, instrument, nulls = candidate(exam, make)
    return named(reward_scores(subject, exam, instrument, nulls))


def test_precision_by_hand():
    # By falling score: event, no, event (tied with a no), no. Precisions at events: 1/1, and 2/4 with the tie.
    said = np.array([[0.9, 0.8], [0.5, 0.5]])
    event = np.array([[True, False], [True, False]])
    np.testing.assert_allclose(precision(said, event), [[1, np.nan], [0.5, np.nan]])
    assert np.nanmean(precision(np.zeros((2, 4)), np.eye(2, 4, dtype=bool))) == pytest.approx(0.25)  # the base rate


def test_outranking_by_hand():
    # Non-events at 0.1 and 0.5; events at 0.5 (beats one, ties one: 3/4) and at 0.0 (beats none). NaN is not asked.
    said = np.array([[0.1, 0.5, np.nan], [0.5, 0.0, np.nan]])
    event = np.array([[False, False, False], [True, True, False]])
    np.testing.assert_allclose(outranked(said, event), [[np.nan] * 3, [0.75, 0, np.nan]])


def test_slopes_and_ranks_by_hand():
    true = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert slope_terms(2 * true + 7, true).mean() == pytest.approx(0.5)
    assert rank_terms(true**3, true).mean() == pytest.approx(1)
    for constant in (slope_terms, rank_terms):
        assert (constant(np.ones((2, 2)), true) == 0).all()


def test_an_interval_lets_moments_vary():
    rng = np.random.default_rng(0)
    event = rng.random((40, 8)) < 0.1
    said = event + rng.normal(0, 1.0, event.shape)
    low, high = np.quantile(drawn(outranked, said, event), [0.025, 0.975])
    assert 0.5 < low < np.nanmean(outranked(said, event)) < high < 1


@pytest.mark.parametrize("world", WORLDS)
def test_the_oracle_foretells_all(exams, world):
    found = scores(exams[world], lambda o: o)
    assert ("dec.done_auc" in found) == exams[world].world.ENDS
    assert ("dec.reward_pr" in found) == (world == "craik/Tiles-v0")
    for name, score in found.items():
        if "mae" in name or "bias" in name:
            assert score.mean == pytest.approx(0, abs=1e-6)
        else:
            assert score.mean == pytest.approx(1)
            assert score.interval().low == pytest.approx(1)
        if "bias" not in name:
            assert score.normalised == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("make", [Frozen, IgnoredActions])
def test_who_sees_no_action_is_a_null(exams, world, make):
    for name, score in scores(exams[world], make).items():
        if "bias" not in name and "slope" not in name:
            assert score.normalised <= 1e-9, name


def test_faults_cost_what_they_should(exams):
    rooms = exams["craik/Rooms-v0"]
    right = [scores(rooms, lambda o, g=g: Gain(o, g))["dec.reward_mae@16"].mean for g in (0.25, 0.5, 0.75, 1.0)]
    assert right == sorted(right, reverse=True)
    for make in (Mirrored, ShuffledActions):
        found = scores(rooms, make)
        assert found["dec.reward_mae@16"].normalised < 0.1
        assert found["dec.return_rho@16"].normalised < 0.1
    wish = scores(rooms, Optimist)
    assert wish["dec.return_bias@16"].interval().low > 0.01
    half = scores(rooms, lambda o: Gain(o, 0.5))
    assert abs(half["dec.return_bias@16"].mean) < wish["dec.return_bias@16"].mean


def test_who_has_no_reading_or_cannot_know_the_goal_gets_no_score(exams):
    exam = exams["craik/Rooms-v0"]
    spec = Spec.of(Oracle.of(exam.id).spec.obs, exam.world.single_action_space)
    model = td_mpc2.build(td_mpc2.SIZES["tiny"], spec).eval()
    assert reward_scores(Subject(model), exam, Told(exam), []) == []  # Rooms pays for a goal, and never ends
    silent = Oracle.of(exam.id)
    silent.spec = silent.spec.offering("obs", "latent")
    assert reward_scores(Subject(silent), exam, Told(exam), []) == []


class Weighing(Pretender):
    """Says a value: what really comes of its own proposals (to the right), or the opposite of it."""

    def __init__(self, oracle, sign):
        super().__init__(oracle)
        self.spec = oracle.spec.offering("obs", "reward", "proceed", "latent", "value", "action")
        self.sign = sign

    def read(self, state, query=None):
        told, start = self.model.read(state), state
        action = random_actions(self.spec.action, (state.batch,), torch.Generator().manual_seed(0)) * 0 + 1
        total = torch.zeros(state.batch)
        for _ in range(12):
            start = self.model.step(start, action)
            total = total + start.reward
        ways = {"value": lambda: self.sign * total, "action": lambda: action}
        return Readings({**{k: lambda k=k: told[k] for k in self.model.spec.reads}, **ways}, self.spec.reads)


def test_a_value_is_ranked_with_what_its_own_proposals_earn(exams):
    exam = exams["craik/Rooms-v0"]
    for sign in (1, -1):
        found = named(reward_scores(Subject(Weighing(Oracle.of(exam.id), sign)), exam, Told(exam), [], steps=12))
        assert found["dec.value_rho"].mean == pytest.approx(sign)


def test_values_are_one_a_moment_and_their_weighted_mean_is_the_statistic(exams):
    exam = exams["craik/Lane-v0"]
    score = scores(exam, Mirrored)["dec.done_auc"]
    assert score.values.shape == score.weights.shape == (24,)
    assert score.n == (exam.over.any((1, 2))).sum()
    short = scores(dataclasses.replace(exam, over=np.zeros_like(exam.over)), Mirrored)
    assert "dec.done_auc" not in short
