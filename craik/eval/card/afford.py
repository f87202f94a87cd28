"""How much planning a model may do when all may do the same number of operations."""

from __future__ import annotations

import dataclasses

import torch
from torch.utils.flop_counter import FlopCounterMode

from craik.behave.icem import ICEM
from craik.behave.planner_agent import PlannerAgent
from craik.core.model import WorldModel
from craik.core.state import State

OPERATIONS = 10**10
"""Of one plan, from one belief: those of matrix products, convolutions and attention, as `cost.flops` counts them."""


@dataclasses.dataclass(frozen=True)
class Afforded:
    """What a planner may draw.

    Attributes:
        candidates: plans of the first round; 0 if it cannot plan at all.
        rounds: of the search.
    """

    candidates: int
    rounds: int


def afforded(agent: PlannerAgent, each: int, most: int, operations: int = OPERATIONS) -> Afforded:
    """As many candidates as fit, and `most` at most; of rounds as many as usual, or fewer if not even the least fit.

    Args:
        agent: plans by ICEM.
        each: operations of one candidate (`candidate_flops`); of what counts none, `most` are afforded.
        most: candidates.
        operations: of one plan.
    """
    search = agent.planner
    assert isinstance(search, ICEM)
    least, drawn = 2 * search.num_elites, operations // max(each, 1)
    rounds = min(search.num_steps, drawn // least)
    if rounds < 1:
        return Afforded(0, 0)

    def used(first: int) -> int:
        return sum(max(int(first * search.shrink**-i), least) for i in range(rounds))

    return Afforded(max(n for n in range(least, max(most, least) + 1) if n == least or used(n) <= drawn), rounds)


@torch.no_grad()
def candidate_flops(agent: PlannerAgent, model: WorldModel, belief: State) -> int:
    """Operations of imagining one candidate from one belief and of scoring it, whatever a model reads for that."""
    search = agent.planner
    blank = search.proposals.begin(1, search.config.horizon, search.vector.size)[0]
    actions = search.steps(search.proposals.within(blank))[:, None].to(model.device)
    with FlopCounterMode(display=False) as counted:
        search.score(model, belief, agent.objective, actions)
    return int(counted.get_total_flops())
