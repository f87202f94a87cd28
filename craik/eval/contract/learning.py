"""Clauses about losses and learning."""

from __future__ import annotations

import dataclasses

import torch

from craik.eval.contract.clause import Case, NotAsked, demand, finite
from craik.eval.contract.exercise import copied, every_verb, learn, losses_of, total

PATIENCE = 60
"""Batches within which every parameter must have had a gradient (some wait behind a zero start or free nats)."""

OVERFIT_UPDATES = 200
OVERFIT_FACTOR = 0.7
"""The model's total loss on one batch must fall below this share of what it was, after so many updates."""


def losses_have_their_shape(case: Case) -> None:
    """Every loss is a floating-point tensor [B, T], [B, T+1] or []."""
    batch = case.batch()
    rows, length = batch.shape
    losses = losses_of(*copied(case), batch, case.generator())
    demand(len(losses) > 0, "there are no losses")
    allowed = {(rows, length), (rows, length + 1), ()}
    for name, term in losses.items():
        demand(tuple(term.shape) in allowed, f"loss {name!r} has shape {tuple(term.shape)}; allowed: {sorted(allowed)}")
        demand(term.is_floating_point(), f"loss {name!r} is {term.dtype}")


def losses_are_finite(case: Case) -> None:
    """Every loss is finite, with a generator and without, on experience with episode boundaries in it."""
    model, agent = copied(case)
    for salt, generator in ((0, case.generator()), (1, None)):
        finite("losses", losses_of(model, agent, case.batch(salt), generator))


def losses_are_named(case: Case) -> None:
    """The losses of the model and the agent are exactly those that training weighs, and no name is used twice."""
    if case.weights is None:
        raise NotAsked("no weights were given: pass weights=training(cfg).weights")
    model, agent = copied(case)
    batch = case.batch()
    own = list(model.loss(batch, generator=case.generator()))
    hers = list(agent.loss(model, batch, generator=case.generator())) if agent else []
    twice = set(own) & set(hers)
    demand(not twice, f"the model and the agent both have a loss called {sorted(twice)}")
    names, weighed = {*own, *hers}, set(case.weights)
    demand(
        names == weighed, f"without a weight: {sorted(names - weighed)}; weighed but absent: {sorted(weighed - names)}"
    )


@torch.enable_grad()
def every_parameter_learns(case: Case) -> None:
    """Every trainable parameter gets finite gradients from the total loss, and within a few batches a non-zero one."""
    model, agent = copied(case)
    parameters = {
        f"{who}.{name}": p
        for who, module in (("model", model), ("agent", agent))
        if module
        for name, p in module.named_parameters()
        if p.requires_grad
    }
    asleep = set(parameters)
    adam = torch.optim.Adam(parameters.values(), 3e-3)
    for salt in range(PATIENCE):
        batch = case.batch(salt)
        adam.zero_grad()
        total(case, losses_of(model, agent, batch, case.generator(salt)), batch).backward()
        for name, p in parameters.items():
            if p.grad is not None:
                finite(f"the gradient of {name}", p.grad)
                asleep -= {name} if bool(p.grad.any()) else set()
        if not asleep:
            return
        adam.step()
        for module in (model, agent):
            if module:
                module.after_step()
    demand(False, f"no gradient but zero in {PATIENCE} batches: {', '.join(sorted(asleep))}")


def updates_stay_finite(case: Case) -> None:
    """Three updates, each with its `after_step`, leave every parameter and buffer finite."""
    model, agent = copied(case)
    learn(case, model, agent, [case.batch(salt) for salt in range(3)])
    finite("the model", dict(model.state_dict()))
    finite("the agent", dict(agent.state_dict()) if agent else None)


@torch.enable_grad()
def bfloat16_stays_finite(case: Case) -> None:
    """Under bfloat16 autocast every verb and every gradient is finite."""
    model, agent = copied(case)
    with torch.autocast(case.model.device.type, torch.bfloat16):
        with torch.no_grad():
            finite("under bfloat16", every_verb(case, model.eval(), agent.eval() if agent else None, case.generator()))
        model.train()
        batch = case.batch()
        loss = total(case, losses_of(model, agent, batch, case.generator()), batch)
    loss.backward()
    for name, p in model.named_parameters():
        if p.grad is not None:
            finite(f"under bfloat16, the gradient of {name}", p.grad)


def overfits_one_batch(case: Case) -> None:
    """The model's own total loss on one little batch falls below 0.7 of its beginning in 200 updates of Adam."""
    model, _ = copied(case)
    case = dataclasses.replace(case, rows=2, length=5)
    batch = case.batch()

    def measured() -> float:
        draws = [model.loss(batch, generator=case.generator(900 + i)) for i in range(4)]
        return sum(float(total(case, losses, batch)) for losses in draws) / len(draws)

    begin = measured()
    learn(case, model, None, [batch] * OVERFIT_UPDATES, lr=3e-3)
    end = measured()
    demand(
        end <= begin - (1 - OVERFIT_FACTOR) * abs(begin),
        f"the total loss went from {begin:.4g} to {end:.4g} in {OVERFIT_UPDATES} updates of Adam",
    )
