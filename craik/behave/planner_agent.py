"""Acting by planning."""

from __future__ import annotations

import dataclasses

import torch
from jaxtyping import Int, Shaped
from torch import Tensor

from craik.behave.agent import Agent
from craik.behave.objectives import Objective
from craik.behave.plan import Planner, same_again
from craik.core import tree
from craik.core.model import WorldModel
from craik.core.state import State


@dataclasses.dataclass(frozen=True)
class Intent(State):
    """What is left to carry out.

    Attributes:
        warm: the planner's memory.
        queue: actions of the last plan, Q = receding_horizon * action_block.
        left: how many of them were not carried out yet, counted from the end.
    """

    warm: State
    queue: Shaped[Tensor, "B Q ..."]
    left: Int[Tensor, " B"]


class PlannerAgent(Agent):
    """Plans, carries out the beginning of the plan, and plans again. It asks nothing of the environment.

    Args:
        planner: how to search.
        objective: what to search for; may be set anew at any time.
        noise: while exploring, how much of the plan's own final spread is added to it (see `Proposals.jitter`).
    """

    def __init__(self, planner: Planner, objective: Objective, noise: float = 1.0):
        super().__init__()
        self.planner, self.objective, self.noise = planner, objective, noise

    def start(self, batch: int) -> Intent:  # noqa: D102
        warm, config = self.planner.start(batch), self.planner.config
        blank = self.planner.proposals.begin(batch, config.receding_horizon, self.planner.vector.size)[0]
        queue = self.planner.steps(blank)
        return Intent(warm, queue, torch.zeros(batch, dtype=torch.int64, device=queue.device))

    def act(self, model, state, memory, *, generator=None, explore=False):  # noqa: ANN001, ANN201, D102
        assert isinstance(memory, Intent)
        due = memory.left == 0
        if due.all():
            memory = self.think(model, state, self.objective, memory, generator, explore)
        elif due.any():
            rows = due.nonzero()[:, 0]
            new = self.think(
                model, tree.index(state, rows), self.objective.rows(rows), memory[rows], generator, explore
            )
            memory = tree.map(lambda old, part: old.index_copy(0, rows, part), memory, new)
        turn = memory.queue.shape[1] - memory.left
        action = memory.queue[torch.arange(len(turn), device=turn.device), turn]
        return action, dataclasses.replace(memory, left=memory.left - 1)

    def think(
        self,
        model: WorldModel,
        state: State,
        objective: Objective,
        memory: Intent,
        generator: torch.Generator | None,
        explore: bool,
    ) -> Intent:
        """A full queue from a new plan."""
        plan = self.planner.plan(model, state, objective, memory.warm, generator=generator)
        actions, size = plan.actions, memory.queue.shape[1]
        if explore and self.noise:
            generator = same_again(generator, model.device)
            tried = self.planner.proposals.jitter(plan.vector, plan.mean, plan.std, self.noise, generator)
            actions = self.planner.steps(tried)
        return Intent(plan.memory, actions[:, :size], torch.full_like(memory.left, size))
