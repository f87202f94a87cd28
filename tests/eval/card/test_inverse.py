"""Whether actions can be told from what is imagined: who follows them, who does not, and who does so late or weakly."""

import numpy as np
import pytest

from craik.eval.card.exam import sit
from craik.eval.card.inverse import inverse_scores
from craik.eval.pretend import Frozen, IgnoredActions, ShuffledActions
from craik.eval.pretenders.actions import Gain, Lag, Mirrored
from craik.eval.pretenders.laws import WrongLaw
from tests.eval.card.faults import candidate


@pytest.fixture(scope="module")
def exams():
    worlds = ("craik/Bounce-v0", "craik/Swing-v0", "craik/SwingBins-v0")
    return {w: sit(w, 24, seed=2_000_001, horizon=16, views=("state",)) for w in worlds}


def told(exam, make):
    (score,) = inverse_scores(*(lambda who, by, nulls: (who, exam, by, nulls))(*candidate(exam, make)))
    assert np.isfinite(score.values).all()
    return score


@pytest.mark.parametrize("world", ["craik/Bounce-v0", "craik/Swing-v0"])
def test_continuous_actions(exams, world):
    exam = exams[world]
    truth = told(exam, lambda oracle: oracle)
    assert truth.id == "act.idm_r2:ar"
    assert truth.mean > 0.6, "real frames tell what was done"
    assert truth.normalised == pytest.approx(1)
    for make in (Frozen, IgnoredActions):
        assert told(exam, make).mean < 0.1
    for make in (ShuffledActions, Mirrored):
        assert told(exam, make).mean < -0.2
    half = told(exam, lambda oracle: Gain(oracle, 0.5)).mean
    assert 0 < half < truth.mean - 0.1
    assert told(exam, Lag).mean < half


def test_other_laws_are_not_its_matter(exams):
    exam = exams["craik/Bounce-v0"]
    assert told(exam, lambda oracle: WrongLaw(oracle, {"gravity": 0.5})).normalised == pytest.approx(1, abs=0.05)


def test_half_the_gain_explains_three_quarters(exams):
    half = told(exams["craik/Swing-v0"], lambda oracle: Gain(oracle, 0.5))
    assert half.mean == pytest.approx(1 - 0.5**2, abs=0.05)  # a torque shows in the next speed, by one line


def test_what_real_frames_do_not_tell_is_not_asked():
    exam = sit("craik/Tiles-v0", 12, seed=2_000_001, horizon=12, futures=2, views=("state",))
    who, by, nulls = candidate(exam, lambda oracle: oracle)
    assert inverse_scores(who, exam, by, nulls) == []


def test_choices(exams):
    exam = exams["craik/SwingBins-v0"]
    truth = told(exam, lambda oracle: oracle)
    choices = exam.world.single_action_space.n
    assert truth.id == "act.idm_accuracy:ar"
    assert truth.mean > 0.6
    assert truth.normalised == pytest.approx(1)
    assert told(exam, Frozen).mean == pytest.approx(1 / choices, abs=0.1)
    assert told(exam, ShuffledActions).mean < truth.mean / 2


def test_too_short_a_future_tells_nothing(exams):
    exam = sit("craik/Swing-v0", 4, seed=1, horizon=4, futures=1, views=("state",))
    who, by, nulls = candidate(exam, lambda oracle: oracle)
    assert inverse_scores(who, exam, by, nulls) == []
