"""Clauses about the belief state and what is read from it."""

from __future__ import annotations

import numpy as np
import torch
from gymnasium import spaces
from safetensors.torch import load, save
from torch import Tensor

from craik.core import tree
from craik.core.spec import tensor_dtype
from craik.core.state import State
from craik.eval.contract.clause import Case, demand, finite, same
from craik.eval.contract.exercise import belief, plan_of

STEPS = 50
"""How long a state is watched for growth."""


def state_never_grows(case: Case) -> None:
    """Over 50 steps, with eyes open and shut, the state keeps the names, shapes, dtypes and device it starts with."""
    batch, model = case.batch(), case.model
    state = model.start(case.rows)
    begin = _form(state)
    demand(isinstance(state, State), f"start returned a {type(state).__name__}, not a State")
    for name, leaf in tree.flatten(state):
        demand(leaf.shape[:1] == (case.rows,), f"state.{name} is {tuple(leaf.shape)}: its first axis is not the row")
    actions = plan_of(case, STEPS)
    for t in range(STEPS):
        if t % 10 < 5:
            state = model.observe(state, actions[:, t], batch.at(t % case.length))
        else:
            state = model.step(state, actions[:, t])
        now = _form(state)
        demand(now == begin, f"after {t + 1} steps the state is {_changes(begin, now)}")


def _form(state: State) -> dict[str, tuple]:
    return {name: (tuple(x.shape), x.dtype, str(x.device)) for name, x in tree.flatten(state)}


def _changes(begin: dict[str, tuple], now: dict[str, tuple]) -> str:
    return "; ".join(f"{k}: {now.get(k)}, was {begin.get(k)}" for k in {**begin, **now} if now.get(k) != begin.get(k))


def state_is_a_tree(case: Case) -> None:
    """A state can be indexed, repeated, stacked, selected, saved as safetensors and loaded, and goes on alike."""
    model, state, action = case.model, belief(case), plan_of(case, 1)[:, 0]
    ahead = model.step(state, action)
    names = [name for name, _ in tree.flatten(state)]
    demand(len(set(names)) == len(names), f"two leaves share a name: {names}")
    back = load(save({name: leaf.contiguous().clone() for name, leaf in tree.flatten(state)}))
    order = iter([back[name] for name in names])
    same("read back from safetensors", tree.map(lambda _: next(order), state), state)
    same("row 1 alone", model.step(state[1:2], action[1:2]), ahead[1:2], 1e-4)
    twice = model.step(tree.repeat(state, 2), tree.repeat(action, 2))
    same("every row twice", twice, tree.repeat(ahead, 2), 1e-4)
    same("stacked and taken apart", tree.stack([state, ahead], 1)[:, 1], ahead)
    mask = torch.arange(case.rows, device=model.device) % 2 == 0
    mixed = model.step(tree.where(mask, state, ahead), action)
    same("rows chosen from two", mixed, tree.where(mask, ahead, model.step(ahead, action)), 1e-4)


def arguments_are_left_alone(case: Case) -> None:
    """No verb writes into the states, observations or actions it is given."""
    model, batch, state, plan = case.model, case.batch(), belief(case), plan_of(case)
    given = (state, batch, plan, model.start(case.rows))
    before = tree.map(torch.clone, given)
    model.observe(state, plan[:, 0], batch.at(0))
    model.step(state, plan[:, 0])
    model.rollout(state, plan)
    dict(model.read(state))
    model.follow(batch)
    model.loss(batch, generator=case.generator())
    if case.agent:
        case.agent.act(model, state, case.agent.start(case.rows), generator=case.generator())
        case.agent.loss(model, batch, generator=case.generator())
    for what, now, then in zip(("the state", "the batch", "the plan", "the blank state"), given, before, strict=True):
        same(f"{what} after use", now, then)


def null_action_is_accepted(case: Case) -> None:
    """An episode may open with the null action, and what is believed then is finite."""
    model = case.model
    state = model.observe(model.start(case.rows), case.null(), case.batch().at(0))
    finite("after the null action, the state", state)
    finite("after the null action, the readings", dict(model.read(state)))


def reads_what_it_claims(case: Case) -> None:
    """`read` returns one entry for every reading the spec claims, and no other."""
    offered, claimed = set(case.model.read(belief(case))), set(case.model.spec.reads)
    demand(
        offered == claimed,
        f"read without being claimed: {sorted(offered - claimed)}; claimed but not read: {sorted(claimed - offered)}",
    )


def readings_fit_the_spec(case: Case) -> None:
    """Every reading has the shape, dtype and range the spec gives it, with eyes open and shut."""
    model, seen = case.model, belief(case)
    for state in (seen, model.rollout(seen, plan_of(case))[:, -1]):
        readings = dict(model.read(state))
        finite("readings", readings)
        for name in readings.keys() & {"reward", "proceed", "value"}:
            x = readings[name]
            demand(tuple(x.shape) == (case.rows,), f"{name} is {tuple(x.shape)}, not [B] = ({case.rows},)")
            demand(x.dtype == torch.float32, f"{name} is {x.dtype}, not torch.float32")
        if "proceed" in readings:
            p = readings["proceed"]
            demand((p >= 0).all() and (p <= 1).all(), f"proceed is a probability, and lies in [{p.min()}, {p.max()}]")
        if "latent" in readings:
            z = readings["latent"]
            demand(
                z.dim() == 2 and len(z) == case.rows and z.dtype == torch.float32, f"latent is {_say(z)}, not [B, D]"
            )
        if "action" in readings:
            inside("the action read", readings["action"], model.spec.action, case.rows)
        if "obs" in readings:
            drawn, worlds = readings["obs"], model.spec.obs.spaces
            demand(set(drawn) == set(worlds), f"obs has {sorted(drawn)}; the spec has {sorted(worlds)}")
            for name, space in worlds.items():
                inside(f"obs {name!r}", drawn[name], space, case.rows)


def inside(what: str, x: Tensor, space: spaces.Space, rows: int) -> None:
    """Demands that `rows` values lie in a Gymnasium space, in the dtype that craik holds it in."""
    shape = (rows, *(space.shape or ()))
    demand(tuple(x.shape) == shape, f"{what} is {tuple(x.shape)}, not {shape}")
    demand(x.dtype == tensor_dtype(space), f"{what} is {x.dtype}, not {tensor_dtype(space)}")
    values = x.detach().cpu().numpy()
    if isinstance(space, spaces.Box):
        low, high = space.low.astype(values.dtype), space.high.astype(values.dtype)
    elif isinstance(space, spaces.Discrete):
        low, high = np.asarray(space.start), np.asarray(space.start + space.n - 1)
    else:
        assert isinstance(space, spaces.MultiDiscrete)
        low, high = np.zeros_like(space.nvec), space.nvec - 1
    out = (values < low) | (values > high)
    demand(not out.any(), f"{what}: {int(out.sum())} of {out.size} numbers are outside {space}, e.g. {values[out][:4]}")


def _say(x: Tensor) -> str:
    return f"{tuple(x.shape)} {x.dtype}"
