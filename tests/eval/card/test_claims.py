"""False success: the truth claims none, the optimist much, the frozen one never any."""

import numpy as np
import pytest

from craik.eval.card.claims import SOURCES, claim_scores
from craik.eval.card.exam import sit
from craik.eval.card.perform import perform
from craik.eval.pretend import Frozen
from craik.eval.pretenders.laws import Optimist

from .faults import candidate, named


@pytest.fixture(scope="module")
def exam():
    return sit("craik/Bounce-v0", 48, seed=2_000_031, horizon=8, views=("state",))


def scores(exam, make):
    subject, instrument, nulls = candidate(exam, make)
    return named(claim_scores(subject, exam, instrument, nulls))


def test_the_oracle_claims_what_is_so(exam):
    found = scores(exam, lambda o: o)
    assert found["act.false_success@24"].mean == 0
    assert found["act.false_failure@24"].mean == 0
    assert (
        found["act.false_success@24"].n + found["act.false_failure@24"].n
        == len(SOURCES) * (~exam.world.success()).sum()
    )


def test_the_optimist_claims_success(exam):
    found = scores(exam, Optimist)
    assert found["act.false_success@24"].mean >= 0.3
    assert found["act.false_success.zero@24"].mean >= 0.3


def test_who_never_claims_success_pays_in_the_mirror(exam):
    found = scores(exam, Frozen)
    assert found["act.false_success@24"].mean == 0
    assert found["act.false_failure@24"].mean > 0.6


def test_the_opposite_is_the_opposite(exam):
    tour = perform(exam, SOURCES, 3)
    first = tour.actions[:, :, 0].numpy()
    np.testing.assert_allclose(first[:, 0], -first[:, 2], atol=1e-6)
    assert (first[:, 1] == 0).all()
    reached = tour.rewards.mean((0, 2))
    assert reached[0] == reached.max()


def test_worlds_without_a_goal_have_nothing_to_claim():
    swing = sit("craik/Swing-v0", 8, seed=2_000_031, horizon=8, views=("state",))
    assert scores(swing, lambda o: o) == {}
