"""Putting a model and its agent through all their verbs."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor

from craik.behave.agent import Agent, random_actions
from craik.core.data import Batch, masked_mean
from craik.core.model import WorldModel
from craik.core.state import State
from craik.eval.contract.clause import Case


def copied(case: Case) -> tuple[WorldModel, Agent | None]:
    """The model and the agent again, in training mode, to be trained or scrambled."""
    model, agent = copy.deepcopy((case.model, case.agent))
    return model.train(), agent.train() if agent else None


def plan_of(case: Case, horizon: int = 4, rows: int | None = None, salt: int = 0) -> Tensor:
    """Random actions [B, H, ...]."""
    lead = (case.rows if rows is None else rows, horizon)
    return random_actions(case.model.spec.action, lead, case.generator(salt + 500), case.model.device)


def belief(case: Case) -> State:
    """The model's beliefs at the end of the case's experience, B rows."""
    return case.model.follow(case.batch())[:, -1]


def losses_of(
    model: WorldModel, agent: Agent | None, batch: Batch, generator: torch.Generator | None
) -> dict[str, Tensor]:
    """The losses of the model and of its agent."""
    return {
        **model.loss(batch, generator=generator),
        **(agent.loss(model, batch, generator=generator) if agent else {}),
    }


def total(case: Case, losses: dict[str, Tensor], batch: Batch) -> Tensor:
    """What is minimised: the weighted sum of the losses' means; a loss without a weight counts once."""
    weights = case.weights or {}
    return sum((weights.get(k, 1.0) * masked_mean(v, batch) for k, v in losses.items()), torch.zeros(()))


def model_verbs(case: Case, model: WorldModel, generator: torch.Generator | None) -> dict[str, Any]:
    """What every verb of the model gives, in a fixed order: name -> tensors."""
    batch = case.batch()
    state = model.start(case.rows)
    seen = model.observe(state, case.null(), batch.at(0), generator=generator)
    stepped = model.step(seen, batch.action[:, 0], generator=generator)
    return {
        "start": state,
        "observe": seen,
        "step": stepped,
        "rollout": model.rollout(seen, plan_of(case), generator=generator),
        "follow": model.follow(batch, generator=generator),
        "read": dict(model.read(stepped)),
        "loss": model.loss(batch, generator=generator),
    }


def agent_verbs(case: Case, model: WorldModel, agent: Agent, generator: torch.Generator | None) -> dict[str, Any]:
    """What every verb of the agent gives, in a fixed order: name -> tensors."""
    state, memory = model.follow(case.batch())[:, -1], agent.start(case.rows)
    greedy, memory = agent.act(model, state, memory, generator=generator)
    curious, memory = agent.act(model, state, memory, generator=generator, explore=True)
    loss = agent.loss(model, case.batch(), generator=generator)
    return {"act": greedy, "act to explore": curious, "memory": memory, "agent's loss": loss}


def every_verb(case: Case, model: WorldModel, agent: Agent | None, generator: torch.Generator | None) -> dict[str, Any]:
    """`model_verbs`, and `agent_verbs` if there is one."""
    done = model_verbs(case, model, generator)
    return {**done, **agent_verbs(case, model, agent, generator)} if agent else done


@torch.enable_grad()
def learn(
    case: Case, model: WorldModel, agent: Agent | None, batches: list[Batch], lr: float = 1e-3
) -> list[dict[str, Tensor]]:
    """One update of plain Adam a batch, with `after_step`; returns the losses before each update."""
    parameters = [p for m in (model, agent) if m for p in m.parameters() if p.requires_grad]
    adam, before = torch.optim.Adam(parameters, lr), []
    for i, batch in enumerate(batches):
        losses = losses_of(model, agent, batch, case.generator(i))
        adam.zero_grad()
        total(case, losses, batch).backward()
        adam.step()
        for module in (model, agent):
            if module:
                module.after_step()
        before.append({k: v.detach() for k, v in losses.items()})
    return before
