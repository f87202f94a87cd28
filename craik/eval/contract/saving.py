"""Clauses about building a model, and building it again from what was saved."""

from __future__ import annotations

import torch
from safetensors.torch import load, save

from craik.core.spec import READS, Spec
from craik.eval.contract.clause import Case, NotAsked, demand, same
from craik.eval.contract.exercise import copied, every_verb, learn


def builds_as_it_says(case: Case) -> None:
    """The spec is well formed, offers some readings, and building again gives the same parameters in name and shape."""
    spec = case.model.spec
    demand(Spec.parse(spec.describe()).describe() == spec.describe(), "the spec does not survive being written down")
    demand(len(spec.reads) > 0, f"the model offers no readings; claim some of {', '.join(READS)} (Spec.offering)")
    if case.build is not None:
        again = case.build()[0].state_dict()
        mine = case.model.state_dict()
        demand(list(again) == list(mine), f"built again it has other parameters: {sorted(set(again) ^ set(mine))}")
        other = [k for k in mine if mine[k].shape != again[k].shape]
        demand(not other, f"built again these have other shapes: {other}")


def saves_bit_by_bit(case: Case) -> None:
    """A model built from another seed that loads the saved parameters is the same model in every verb, bit by bit."""
    if case.build is None:
        raise NotAsked("nothing to build a second model with: pass build=")
    model, agent = copied(case)
    learn(case, model, agent, [case.batch(salt) for salt in range(2)])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(case.seed + 77)
        other, actor = case.build()
    for mine, its in ((model, other), (agent, actor)):
        if mine and its:
            saved = save({k: v.contiguous().clone() for k, v in mine.state_dict().items()})
            its.eval().load_state_dict(load(saved))
            mine.eval()
    one = every_verb(case, model, agent, case.generator())
    two = every_verb(case, other, actor, case.generator())
    for verb, value in one.items():
        same(f"after loading, {verb}", two[verb], value)
