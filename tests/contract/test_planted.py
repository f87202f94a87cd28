"""The contract is itself on trial: an honest model keeps it, and each planted bug breaks the clause made for it."""

from __future__ import annotations

import pytest
import torch

from craik.core.errors import UnknownName
from craik.eval.contract import CONTRACT, KINDS, ContractError, check, spec_of
from tests.contract.broken import BUGS
from tests.contract.honest import WEIGHTS, Actor, Honest


def built(model_class, agent_class, kind="vector-box"):
    def build():
        model = model_class(spec_of(kind))
        return model, agent_class(model)

    with torch.random.fork_rng():
        torch.manual_seed(0)
        return (*build(), build)


def judged(model_class, agent_class, kind="vector-box", **keywords):
    model, agent, build = built(model_class, agent_class, kind)
    return check(model, agent, weights=WEIGHTS, build=build, **keywords)


@pytest.mark.parametrize("kind", [k for k in KINDS if k.startswith("vector")])
def test_an_honest_model_keeps_every_clause(kind):
    report = judged(Honest, Actor, kind)
    assert {v.outcome for v in report.verdicts} == {"kept"}, str(report)
    assert report.require() is report


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_a_planted_bug_breaks_its_clause(bug):
    model, agent = (bug, Actor) if issubclass(bug, Honest) else (Honest, bug)
    clauses = [c.name for c in CONTRACT if not c.slow or c.name == bug.clause]
    report = judged(model, agent, vars(bug).get("kind", "vector-box"), clauses=clauses)
    assert bug.clause in report.broken, str(report)
    assert set(report.broken) <= {bug.clause, *bug.crosstalk}, str(report)
    with pytest.raises(ContractError, match=bug.clause):
        report.require()


def test_every_clause_has_a_planted_bug():
    assert {bug.clause for bug in BUGS} == {clause.name for clause in CONTRACT}


def test_every_clause_says_what_it_demands():
    assert all(clause.says.endswith(".") and len(clause.says) > 20 for clause in CONTRACT)


def test_what_is_not_claimed_is_skipped_visibly():
    report = judged(Honest, Actor, not_claimed={"action_matters": "a film has no actions"})
    [verdict] = [v for v in report.verdicts if v.clause == "action_matters"]
    assert (verdict.outcome, verdict.words) == ("not claimed", "a film has no actions")
    assert "a film has no actions" in str(report)


def test_what_cannot_be_asked_says_what_is_missing():
    model, *_ = built(Honest, Actor)
    report = check(model, clauses=["losses_are_named", "saves_bit_by_bit", "actors_do_not_mix"])
    assert {v.outcome for v in report.verdicts} == {"not asked"}
    assert all("pass " in v.words for v in report.verdicts)


def test_checking_changes_nothing():
    model, agent, build = built(Honest, Actor)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    check(model.train(), agent.eval(), weights=WEIGHTS, build=build)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert model.training
    assert not agent.training


def test_a_clause_that_does_not_exist():
    model, *_ = built(Honest, Actor)
    with pytest.raises(UnknownName, match="did you mean rows_do_not_mix"):
        check(model, clauses=["rows_dont_mix"])
