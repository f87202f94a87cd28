"""Axis D, equal operations: who is dear plans less, who is cheap plans more, and all that is read is counted."""

import dataclasses

import numpy as np
import pytest
import torch

from craik.core.spec import Spec
from craik.eval.card import decisions
from craik.eval.card.afford import Afforded, afforded, candidate_flops
from craik.eval.card.decisions import Budget, decision_scores, planner
from craik.eval.card.exam import sit
from craik.eval.card.subject import Subject
from craik.recipes.latent import td_mpc2
from craik.worlds.oracle import Oracle

from .faults import candidate, named

BUDGET = Budget(tasks=8, steps=8, horizon=6, candidates=32)


@pytest.fixture(scope="module")
def exam():
    return sit("craik/SwingBins-v0", 8, seed=2_000_011, horizon=8, views=("state",))


@pytest.fixture(scope="module")
def model(exam):
    torch.manual_seed(0)
    spec = Spec.of(Oracle.of(exam.id).spec.obs, exam.world.single_action_space)
    return td_mpc2.build(td_mpc2.SIZES["tiny"], spec).eval()


def test_as_many_candidates_as_fit(exam):
    agent = planner(Subject(Oracle.of(exam.id)), exam, BUDGET)  # rounds of n, n / 1.25 and n / 1.25^2, 16 at least
    assert afforded(agent, 10, 1000, 10 * 78) == Afforded(32, 3)  # 32 + 25 + 20 = 77, and 33 + 26 + 21 = 80
    assert afforded(agent, 10, 1000, 10 * 48) == Afforded(16, 3)
    assert afforded(agent, 10, 1000, 10 * 47) == Afforded(26, 2)  # 26 + 20 = 46, and 27 + 21 = 48
    assert afforded(agent, 10, 1000, 10 * 15) == Afforded(0, 0)
    assert afforded(agent, 0, 32, 10**10) == Afforded(32, 3)
    assert afforded(agent, 1, 64, 10**10) == Afforded(64, 3)


def test_operations_are_counted_with_what_is_read(exam, model):
    subject, one = Subject(model), exam.part(slice(1))
    belief = subject.believe(one)
    short, long = (
        candidate_flops(planner(subject, one, dataclasses.replace(BUDGET, horizon=h)), model, belief) for h in (6, 12)
    )
    assert short > 0
    assert long == 2 * short
    oracle = Subject(Oracle.of(exam.id))
    assert candidate_flops(planner(oracle, one, BUDGET), oracle.model, oracle.believe(one)) == 0


def test_who_is_cheap_plans_more_and_who_is_dear_at_random(exam, model, monkeypatch):
    def found():
        return named(decision_scores(Subject(model), exam, None, [], BUDGET))

    cheap = found()["dec.return.flops"]
    assert "64 in the first of 3 rounds" in cheap.says
    monkeypatch.setattr(decisions, "afforded", lambda agent, each, most: Afforded(BUDGET.candidates, BUDGET.rounds))
    same = found()
    np.testing.assert_array_equal(same["dec.return.flops"].values, same["dec.return"].values)
    monkeypatch.setattr(decisions, "afforded", lambda agent, each, most: afforded(agent, each, most, 1))
    dear = found()["dec.return.flops"]
    np.testing.assert_array_equal(dear.values, dear.nulls["random"])
    assert "0 in the first of 0 rounds" in dear.says


def test_what_counts_nothing_is_planned_with_as_usual(exam):
    subject, instrument, nulls = candidate(exam, lambda o: o)
    scores = named(decision_scores(subject, exam, instrument, nulls, BUDGET))
    np.testing.assert_array_equal(scores["dec.return.flops"].values, scores["dec.return"].values)
    assert scores["dec.return.flops"].normalised == pytest.approx(1)
