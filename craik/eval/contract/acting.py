"""Clauses about the agent."""

from __future__ import annotations

import torch

from craik.behave.agent import Agent
from craik.core import tree
from craik.eval.contract.beliefs import inside
from craik.eval.contract.clause import Case, NotAsked, demand, finite, same
from craik.eval.contract.exercise import belief


def acts_inside_the_space(case: Case) -> None:
    """The agent's actions, doing well or exploring, lie in the action space, and its memory keeps its form."""
    agent, state = _agent(case), belief(case)
    memory, generator = agent.start(case.rows), case.generator()
    form = {name: (leaf.shape, leaf.dtype) for name, leaf in tree.flatten(memory)}
    for explore in (False, True, False):
        action, memory = agent.act(case.model, state, memory, generator=generator, explore=explore)
        finite("actions", action)
        inside("an action", action, case.model.spec.action, case.rows)
        now = {name: (leaf.shape, leaf.dtype) for name, leaf in tree.flatten(memory)}
        demand(now == form, f"the agent's memory went from {form} to {now}")
        state = case.model.step(state, action)


def actors_do_not_mix(case: Case) -> None:
    """Changing what other rows believe changes no action of a row."""
    agent, keep = _agent(case), torch.arange(case.rows, device=case.model.device) == 1
    state, memory = belief(case), agent.start(case.rows)
    other = case.model.follow(case.batch(1))[:, -1]
    for explore in (False, True):
        acts = [
            agent.act(case.model, s, memory, generator=case.generator(), explore=explore)[0]
            for s in (state, tree.where(keep, state, other))
        ]
        same("row 1's action", acts[1][1:2], acts[0][1:2], 1e-4)


def _agent(case: Case) -> Agent:
    if case.agent is None:
        raise NotAsked("there is no agent: pass agent=")
    return case.agent
