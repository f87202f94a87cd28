"""Worlds in which chance has a part: the oracle draws it anew, is calibrated, and plans without foresight."""

import dataclasses

import gymnasium
import numpy as np
import pytest
import torch

from craik.eval.card.calibration import calibration_scores
from craik.eval.card.decisions import Budget, decision_scores, plan_and_do
from craik.eval.card.exam import sit
from craik.eval.card.ranking import ranking_scores
from craik.eval.card.subject import Subject
from craik.eval.card.surprise import surprise_scores, violations
from craik.eval.pretend import Pretender
from craik.worlds.oracle import Oracle
from craik.worlds.ours import OURS, Entry
from craik.worlds.registry import register

from .faults import candidate, named
from .walk import CHANCE

ID = "craik/TestWalk-v0"


@pytest.fixture(scope="module")
def exam():
    OURS[ID] = Entry("tests.eval.card.walk:Walk", "a body pushed by luck")
    register()
    yield sit(ID, 96, seed=2_000_071, horizon=8, views=("state",))
    del OURS[ID], gymnasium.registry[ID]


class Expecting(Pretender):
    """Imagines what follows on average: one path, whatever the seed."""

    def rollout(self, state, actions, *, generator=None):
        steps = torch.arange(1, actions.shape[1] + 1)
        place = state.physics[:, None, :1] + CHANCE / 2 * actions.cumsum(1).double()
        luck = state.physics[:, None, 1:].expand(-1, len(steps), -1)
        reached = self.model.rollout(state, actions)
        return dataclasses.replace(reached, physics=torch.cat([place, luck], -1))


def scores(exam, make):
    subject, instrument, nulls = candidate(exam, make)
    return named(calibration_scores(subject, exam, instrument, nulls))


def test_the_oracle_is_calibrated_and_the_mean_is_not(exam):
    right, mean = scores(exam, lambda o: o), scores(exam, Expecting)
    for region in (50, 80, 95):
        assert right[f"cal.coverage@{region}"].mean < 0.12
        assert mean[f"cal.coverage@{region}"].mean > 0.3
    assert right["cal.pit"].mean < 0.06 < mean["cal.pit"].mean
    for h in (1, 2, 4, 8):
        assert right[f"cal.crps@{h}"].mean < mean[f"cal.crps@{h}"].mean
        assert right[f"cal.crps@{h}"].mean == pytest.approx(right[f"cal.crps@{h}"].floor.mean(), abs=0.03)
    assert right["cal.crps@8"].mean > 0.05  # nobody can know


def test_the_oracle_plans_without_foresight(exam):
    subject, instrument, nulls = candidate(exam, lambda o: o)
    budget = Budget(tasks=48, steps=8, horizon=6, every=2, candidates=32, rounds=2)
    found = named(decision_scores(subject, exam, instrument, nulls, budget))
    assert found["dec.regret"].mean == 0
    part = exam.part(slice(48))
    other = part.world.select(np.arange(48))
    other.reroll(np.random.default_rng(5))
    twin = dataclasses.replace(part, world=other)
    one, two = (plan_and_do(Subject(Oracle.of(ID)), x, dataclasses.replace(budget, steps=2)) for x in (part, twin))
    assert one.value.shape == two.value.shape
    assert (one.value != two.value).any()
    # Were luck foreseen, the plan would come true to the digit.
    assert np.abs(found["dec.gap"].values).max() > 0.05
    assert abs(found["dec.gap"].mean) < 0.15


def test_all_else_is_told_as_well(exam):
    subject, instrument, nulls = candidate(exam, lambda o: o)
    ranked = named(ranking_scores(subject, exam, instrument, nulls))
    assert ranked["dec.policy_r"].mean > 0.9
    found = named(surprise_scores(subject, exam, [s for s, _ in nulls]))
    assert found["voe.teleport@1"].mean == 1
    jump = violations(exam, 1.0)["teleport"]
    np.testing.assert_array_equal(jump.impossible.states[:, 0, jump.when, -1], exam.states[:, 0, jump.when, -1])
