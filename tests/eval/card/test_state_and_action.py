"""Axes S and A on models wrong in one known way: the truth is perfect, and each fault shows where it should."""

import numpy as np
import pytest

from craik.eval.card.action import action_scores
from craik.eval.card.exam import sit
from craik.eval.card.instrument import instrument_for
from craik.eval.card.state import state_scores, survival_median, valid_horizon
from craik.eval.card.subject import Subject
from craik.eval.pretend import Frozen
from craik.eval.pretenders.actions import Gain, IgnoredActions, Lag, Mirrored, ShuffledActions
from craik.eval.pretenders.laws import Drifting, Optimist, WrongLaw
from craik.worlds.oracle import Oracle

WORLDS = ("craik/Rooms-v0", "craik/Bounce-v0", "craik/Swing-v0")


@pytest.fixture(scope="module")
def exams():
    return {w: sit(w, 48, seed=2_000_001, horizon=16, views=("state",)) for w in WORLDS}


def scores(exam, make):
    oracle = Oracle.of(exam.id)
    subject = Subject(make(oracle), "tested")
    instrument = instrument_for(subject, exam, exam)
    nulls = [(Subject(Frozen(oracle), "frozen"), instrument), (Subject(IgnoredActions(oracle), "ignored"), instrument)]
    found = state_scores(subject, exam, instrument, nulls) + action_scores(subject, exam, instrument, nulls)
    return {s.id.partition(":")[0]: s for s in found if s.id != "state.err@1:tf"}


@pytest.mark.parametrize("world", WORLDS)
def test_the_oracle_is_perfect(exams, world):
    for score in scores(exams[world], lambda o: o).values():
        assert np.isfinite(score.values).all(), score.id
        assert score.normalised == pytest.approx(1, abs=0.02), score.id
    assert scores(exams[world], lambda o: o)["act.retrieval@4,8"].mean == 1


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("make", [Frozen, IgnoredActions])
def test_a_model_without_actions_has_no_effects(exams, world, make):
    found = scores(exams[world], make)
    assert found["act.effect_r2@8"].mean == pytest.approx(0, abs=1e-9)
    assert found["act.gain@8"].mean == pytest.approx(0, abs=1e-9)
    assert found["act.retrieval@4,8"].mean == pytest.approx(0.25, abs=1e-9)
    assert found["state.err@8"].normalised < 0.02


@pytest.mark.parametrize("world", WORLDS)
def test_exchanged_actions_have_the_wrong_effects(exams, world):
    found = scores(exams[world], ShuffledActions)
    assert found["act.effect_r2@8"].mean < -0.5
    assert found["act.retrieval@4,8"].mean < 0.45
    mirrored = scores(exams[world], Mirrored)
    assert mirrored["act.effect_r2@8"].mean < 0
    assert mirrored["act.gain@8"].mean < 0.5


@pytest.mark.parametrize("gain", [0.25, 0.5, 0.75])
def test_the_slope_is_the_gain(gain):
    weak = sit(
        "craik/Rooms-v0", 48, seed=2_000_001, horizon=8, views=("state",), factors={"gain": 1.0}
    )  # few walls met
    found = scores(weak, lambda o: Gain(o, gain))
    assert found["act.gain@8"].mean == pytest.approx(gain, abs=0.05)
    assert found["act.effect_r2@8"].mean == pytest.approx(1 - (1 - gain) ** 2, abs=0.05)


def test_faults_cost_what_they_should(exams):
    exam = exams["craik/Rooms-v0"]
    for make in (Lag, Drifting, Optimist, lambda o: WrongLaw(o, {"drag": 0.3})):
        found = scores(exam, make)
        assert found["state.err@16"].mean > 5 * scores(exam, lambda o: o)["state.err@16"].mean
        assert found["state.err@16"].normalised < 0.98


def test_a_fault_that_vanishes_vanishes_from_the_score(exams):
    exam = exams["craik/Rooms-v0"]
    drift = [scores(exam, lambda o, r=r: Drifting(o, r))["state.err@16"].mean for r in (0.03, 0.01, 0.003, 0.0)]
    assert drift == sorted(drift, reverse=True)
    gains = [scores(exam, lambda o, g=g: Gain(o, g))["act.effect_r2@8"].mean for g in (0.1, 0.4, 0.7, 1.0)]
    assert gains == sorted(gains)


def test_horizons_that_are_cut_off():
    error = np.array([[0.1, 0.3, 0.1], [0.1, 0.1, 0.1], [0.5, 0.0, 0.0]])
    assert valid_horizon(error).tolist() == [1, 3, 0]
    assert survival_median(np.array([1, 2, 3, 9, 9]), 9) == 3
    assert survival_median(np.array([9, 9, 9, 2]), 9) == np.inf
