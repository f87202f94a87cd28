"""Violations of expectation: the truth notices the least of them, and what never happens surprises no one for good."""

import numpy as np
import pytest

from craik.core.spec import Spec
from craik.eval.card.exam import sit
from craik.eval.card.subject import Subject
from craik.eval.card.surprise import MAGNITUDES, WINDOW, surprise, surprise_scores, threshold, told_apart, violations
from craik.eval.pretend import Frozen, Pretender
from craik.eval.pretenders.actions import IgnoredActions, ShuffledActions
from craik.eval.pretenders.laws import Drifting, WrongLaw
from craik.recipes.latent import td_mpc2
from craik.worlds.oracle import Oracle

from .faults import candidate, named

KINDS = {
    "craik/Rooms-v0": {"teleport", "reversal", "action"},
    "craik/Bounce-v0": {"teleport", "reversal", "action", "gravity"},
    "craik/SwingBins-v0": {"teleport", "reversal", "action", "gravity"},
    "craik/Push-v0": {"teleport", "action"},
}


@pytest.fixture(scope="module")
def exams():
    heavy = {"craik/Bounce-v0": {"gravity": 2.0}}
    return {w: sit(w, 32, seed=2_000_041, horizon=8, views=("state",), factors=heavy.get(w)) for w in KINDS}


def scores(exam, make):
    subject, _, nulls = candidate(exam, make)
    return named(surprise_scores(subject, exam, [s for s, _ in nulls]))


@pytest.mark.parametrize("world", KINDS)
def test_the_oracle_is_not_surprised_by_what_happens_and_is_by_the_least_of_what_cannot(exams, world):
    exam = exams[world]
    assert surprise(Subject(Oracle.of(world)), exam).max() < 1e-5
    found = scores(exam, lambda o: o)
    assert {k.split("@")[0].removeprefix("voe.") for k in found if "delta50" not in k} == KINDS[world]
    for name, score in found.items():
        assert np.isfinite(score.values[np.isfinite(score.floor)]).all()
        if "delta50" not in name:
            assert score.mean == 1
    assert found["voe.delta50.teleport"].mean == MAGNITUDES[0]


@pytest.mark.parametrize("world", KINDS)
def test_both_sides_of_a_pair_have_one_past_and_both_go_on_by_the_laws(exams, world):
    exam = exams[world]
    for kind, pair in violations(exam, 1.0).items():
        one, other = pair.possible.states[:, 0], pair.impossible.states[:, 0]
        assert one.shape == other.shape
        assert one.shape[1] == pair.when + WINDOW
        np.testing.assert_array_equal(one[:, : pair.when], other[:, : pair.when])
        assert (one[pair.real, pair.when :] != other[pair.real, pair.when :]).any((1, 2)).all()
        if kind != "gravity":
            effort = exam.world.effort(exam.actions[:, 0, pair.when + 1].numpy())
            after, _ = exam.world.move(other[:, pair.when], effort, exam.factors())
            np.testing.assert_allclose(other[:, pair.when + 1], after)


def test_all_of_a_jump_ends_where_another_future_is(exams):
    exam = exams["craik/Rooms-v0"]
    pair = violations(exam, 1.0)["teleport"]
    np.testing.assert_allclose(pair.impossible.states[:, 0, pair.when], exam.states[:, 1, pair.when])
    half = violations(exam, 0.5)["teleport"].impossible.states[:, 0, pair.when]
    np.testing.assert_allclose(half, (exam.states[:, 0, pair.when] + exam.states[:, 1, pair.when]) / 2)


def test_choices_have_no_halves(exams):
    assert "action" not in violations(exams["craik/SwingBins-v0"], 0.5)
    assert "action" in violations(exams["craik/SwingBins-v0"], 1.0)


def test_who_expects_nothing_to_change_notices_only_what_is_large(exams):
    exam = exams["craik/Rooms-v0"]
    found = scores(exam, Frozen)
    assert found["voe.action@0.125"].mean < 0.6
    assert found["voe.teleport@0.125"].mean < 0.75
    assert found["voe.teleport@1"].mean > 0.9  # a coarse violation says little of a model
    assert found["voe.delta50.action"].normalised == pytest.approx(0)


def test_who_mishears_actions_does_not_notice_wrong_ones(exams):
    exam = exams["craik/Rooms-v0"]
    for make in (IgnoredActions, ShuffledActions):
        found = scores(exam, make)
        assert found["voe.action@0.25"].mean < 0.65
        assert found["voe.delta50.action"].mean > 0.5


def test_who_believes_in_less_gravity_finds_it_natural(exams):
    exam = exams["craik/Bounce-v0"]
    found = scores(exam, lambda o: WrongLaw(o, {"gravity": 0.0}))
    assert found["voe.gravity@1"].mean < 0.1
    assert found["voe.gravity@1"].normalised < 0


def test_the_more_a_model_errs_the_more_it_takes(exams):
    exam = exams["craik/Rooms-v0"]
    limits = [scores(exam, lambda o, r=r: Drifting(o, r))["voe.action@0.125"].mean for r in (0.0, 0.01, 0.05)]
    assert limits == sorted(limits, reverse=True)


def test_an_untrained_model_is_a_control(exams):
    exam = exams["craik/Rooms-v0"]
    model = td_mpc2.build(td_mpc2.SIZES["tiny"], Spec.of(Oracle.of(exam.id).spec.obs, exam.world.single_action_space))
    subject = Subject(model.eval(), "untrained")
    told = told_apart(subject, violations(exam, 0.125)["action"])
    assert np.isfinite(told).all()
    assert told.mean() < 0.8
    assert surprise(subject, exam).shape == (32, 8)


class Drawing(Pretender):
    """Says only what it would see."""

    def __init__(self, model):
        super().__init__(model)
        self.spec = model.spec.offering("obs")

    def read(self, state, query=None):
        return {"obs": self.model.read(state, query)["obs"]}


def test_without_a_latent_what_is_drawn_is_compared_with_what_is_seen():
    exam = sit("craik/Rooms-v0", 8, seed=2_000_041, horizon=8, size=32)
    oracle = Oracle.of(exam.id, "both", 32)
    assert surprise(Subject(Drawing(oracle)), exam).max() < 1e-5
    frozen = surprise(Subject(Drawing(Frozen(oracle))), exam)
    assert frozen.shape == (8, 8)
    assert frozen.mean() > 0.01
    assert told_apart(Subject(Drawing(oracle)), violations(exam, 0.5)["teleport"]).mean() == 1


def test_thresholds_by_hand():
    assert threshold({0.125: 0.9, 0.25: 1.0}) == 0.125
    assert threshold({0.125: 0.5, 0.25: 0.5, 0.5: 1.0}) == pytest.approx(0.25 * 2**0.5)
    assert threshold({0.125: 0.5, 1.0: 0.7}) == 2
