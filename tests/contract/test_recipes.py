"""Every recipe, at its smallest, keeps the contract on every kind of world it takes. There is no list to maintain."""

from __future__ import annotations

import functools

import pytest

from craik.core.registry import recipe, where
from craik.eval.contract import CONTRACT, KINDS, Case, case_of, examine, kinds_taken

CLAUSES = [pytest.param(c.name, marks=pytest.mark.slow if c.slow else ()) for c in CONTRACT]


@functools.lru_cache(maxsize=1)
def case(name: str, kind: str) -> Case:
    return case_of(recipe(name), kind)


@pytest.mark.parametrize("clause", CLAUSES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", where())
def test_recipe_keeps_the_contract(name, kind, clause):
    module = recipe(name)
    if kind not in kinds_taken(module):
        pytest.skip(f"{name} takes {', '.join(module.TAKES)}")
    [verdict] = examine(case(name, kind), [clause], getattr(module, "NOT_CLAIMED", None)).verdicts
    if verdict.outcome in ("not claimed", "not asked"):
        pytest.skip(f"{verdict.outcome}: {verdict.words}")
    assert verdict.outcome == "kept", f"{verdict.says}\n{verdict.words}"


@pytest.mark.parametrize("name", where())
def test_recipe_declines_only_clauses_that_exist_and_says_why(name):
    declined = getattr(recipe(name), "NOT_CLAIMED", {})
    assert set(declined) <= {c.name for c in CONTRACT}
    assert all(len(reason.split()) >= 3 for reason in declined.values())
