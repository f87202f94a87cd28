"""Clauses about randomness: it comes from the generator that is given, or there is none."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from craik.eval.contract.clause import Case, demand, same
from craik.eval.contract.exercise import copied, every_verb, learn, model_verbs


def same_seed_same_numbers(case: Case) -> None:
    """Generators of one seed give the same numbers in every verb, whatever the global generators say."""
    one = _under(1, lambda: every_verb(case, case.model, case.agent, case.generator()))
    two = _under(2, lambda: every_verb(case, case.model, case.agent, case.generator()))
    for verb, value in one.items():
        same(f"{verb}, twice from one seed", two[verb], value)


def modes_without_a_generator(case: Case) -> None:
    """Without a generator the model's verbs are deterministic, whatever the global generators say."""
    one = _under(1, lambda: model_verbs(case, case.model, None))
    two = _under(2, lambda: model_verbs(case, case.model, None))
    for verb, value in one.items():
        same(f"{verb}, twice without a generator", two[verb], value)


def global_generators_are_untouched(case: Case) -> None:
    """No verb and no update draws from the global generators of torch, numpy or Python."""
    model, agent = copied(case)
    before = _globals()
    for generator in (case.generator(), None):
        model_verbs(case, model, generator)
    every_verb(case, model, agent, case.generator())
    learn(case, model, agent, [case.batch()])
    for name, state in _globals().items():
        demand(state == before[name], f"the global generator of {name} was drawn from")


def _globals() -> dict[str, str]:
    """The states of the global generators, in a form that can be compared."""
    numbers = np.random.get_state(legacy=False)  # noqa: NPY002 - only looked at
    assert isinstance(numbers, dict)
    return {
        "torch": str(torch.random.get_rng_state().tolist()),
        "numpy": str(numbers["state"]["key"].tolist()) + str({**numbers, "state": numbers["state"]["pos"]}),
        "Python": str(random.getstate()),
    }


def _under(seed: int, run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return run()
