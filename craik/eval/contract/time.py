"""Clauses about time: causes come first, episodes end, and two ways round give one answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch

from craik.core import tree
from craik.core.data import Batch
from craik.core.model import WorldModel
from craik.eval.contract.clause import Case, NotAsked, demand, differs, same
from craik.eval.contract.exercise import belief, copied, learn, plan_of
from craik.eval.contract.experience import opens_at

TOLERANCE = 1e-4

UPDATES = 4
"""Updates before the action is asked to matter: a gate that starts at zero lets nothing through at first."""


def future_does_not_leak(case: Case) -> None:
    """Changing what is seen after a moment, or done from it on, changes no belief up to that moment."""
    batch = case.batch()
    beliefs = case.model.follow(batch)
    for cut in range(case.length):
        other = case.model.follow(_changed_after(batch, case.batch(1), cut))
        same(f"beliefs up to {cut} of {case.length}", other[:, : cut + 1], beliefs[:, : cut + 1], TOLERANCE)


def loss_does_not_look_ahead(case: Case) -> None:
    """Changing what is seen after a moment, or done from it on, changes no entry of a loss up to that moment."""
    batch = case.batch()
    losses = _timed(case, batch)
    for cut in range(1, case.length):
        other = _timed(case, _changed_after(batch, case.batch(1), cut))
        for name, term in losses.items():
            # [B, T] is indexed by arrivals (entry t is of obs[t + 1]), [B, T+1] by observations.
            stop = cut + 1 if term.shape[1] == case.length + 1 else cut
            same(f"loss {name!r} up to {cut}", other[name][:, :stop], term[:, :stop], TOLERANCE)


def episodes_are_forgotten(case: Case) -> None:
    """After `first` a belief is that of a fresh start given the same, and no entry of a loss knows what came before."""
    batch, k = case.batch(), opens_at(case.length)
    rows = slice(1, None)  # row 0 runs through
    beliefs = case.model.follow(batch)[rows, k:]
    fresh = case.model.follow(batch.stretch(k, case.length))[rows]
    same("beliefs after `first`, beside a fresh start", beliefs, fresh, TOLERANCE)
    other = _changed_before(batch, case.batch(1), k)
    changed = _timed(case, other)
    for name, term in _timed(case, batch).items():
        same(f"loss {name!r} after `first`", changed[name][rows, k:], term[rows, k:], TOLERANCE)


def rows_do_not_mix(case: Case) -> None:
    """Changing what other rows saw and did changes no belief, no reading and no entry of a loss of a row."""
    batch, other = case.batch(), case.batch(1)
    keep = torch.arange(case.rows, device=batch.device) == 1
    mixed = tree.where(keep, batch, other)
    same("row 1's beliefs", case.model.follow(mixed)[1:2], case.model.follow(batch)[1:2], TOLERANCE)
    ends = [case.model.follow(b)[:, -1] for b in (mixed, batch)]
    plan, strange = plan_of(case), plan_of(case, salt=1)
    dreams = [case.model.rollout(ends[0], tree.where(keep, plan, strange)), case.model.rollout(ends[1], plan)]
    same("row 1's imagination", dreams[0][1:2], dreams[1][1:2], TOLERANCE)
    reads = [tree.index(dict(case.model.read(s)), slice(1, 2)) for s in ends]
    same("row 1's readings", reads[0], reads[1], TOLERANCE)
    changed = _timed(case, mixed)
    for name, term in _timed(case, batch).items():
        same(f"row 1's loss {name!r}", changed[name][1:2], term[1:2], TOLERANCE)


def action_matters(case: Case) -> None:
    """Every number of an action, and every choice, moves the state after `step` and `rollout`, and some reading."""
    model, agent = copied(case)
    learn(case, model, agent, [case.batch(salt) for salt in range(UPDATES)])
    model.eval()
    space, actions = model.spec.action, _one_of_each(case)
    state = tree.repeat(model.follow(case.batch())[:1, -1], len(actions))
    long = actions[:, None].expand(-1, 3, *actions.shape[1:]).contiguous()
    ends = {"step": model.step(state, actions), "rollout": model.rollout(state, long)[:, -1]}
    readings = {k: {n: r for n, r in dict(model.read(s)).items() if n != "action"} for k, s in ends.items()}
    for verb, end in ends.items():
        for i in range(1, len(actions)):
            what = f"{verb} with action {actions[i].tolist()} instead of {actions[0].tolist()} of {space}"
            demand(differs(end[:1], end[i : i + 1]), f"{what} gives the very same state")
            one, two = (tree.index(readings[verb], slice(j, j + 1)) for j in (0, i))
            demand(differs(one, two), f"{what} gives the very same readings ({', '.join(readings[verb])})")


def _one_of_each(case: Case) -> torch.Tensor:
    """A first action, and others that differ from it in one number or choice each."""
    first = plan_of(case, 1, rows=1)[:, 0]
    others = plan_of(case, 16, rows=1, salt=2)[0]
    if first.dim() == 1:
        return torch.cat([first, others[others != first].unique()[:6]])
    changed = []
    for i in range(first.shape[1]):
        other = first.clone()
        other[0, i] = others[others[:, i] != first[0, i]][0, i]
        changed.append(other)
    return torch.cat([first, *changed])


def rollout_equals_steps(case: Case) -> None:
    """`rollout` gives the beliefs of `step` in a loop."""
    state, plan = belief(case), plan_of(case)
    loop = WorldModel.rollout(case.model, state, plan)
    same("rollout beside steps", case.model.rollout(state, plan), loop, TOLERANCE)


def follow_equals_observing(case: Case) -> None:
    """`follow` gives the beliefs of `observe` in a loop that starts over where an episode opens."""
    for salt in (0, 1):
        batch = case.batch(salt)
        loop = WorldModel.follow(case.model, batch)
        same("follow beside observe", case.model.follow(batch), loop, TOLERANCE)


def _timed(case: Case, batch: Batch) -> dict[str, torch.Tensor]:
    """The model's losses that have a time axis, with every draw the same."""
    losses = case.model.loss(batch, generator=case.generator())
    timed = {k: v for k, v in losses.items() if v.dim() == 2}
    if not timed:
        raise NotAsked("no loss has a time axis")
    return timed


def _changed_after(batch: Batch, other: Batch, cut: int) -> Batch:
    """The batch up to `obs[cut]`, and another one's content from `action[cut]` on; the boundaries stay."""
    return _spliced(batch, other, lambda t: t > cut, lambda t: t >= cut)


def _changed_before(batch: Batch, other: Batch, cut: int) -> Batch:
    """The batch from `obs[cut]` on, and another one's content up to the arrival there; the boundaries stay."""
    return _spliced(batch, other, lambda t: t < cut, lambda t: t < cut)


def _spliced(
    batch: Batch,
    other: Batch,
    seen: Callable[[torch.Tensor], torch.Tensor],
    done: Callable[[torch.Tensor], torch.Tensor],
) -> Batch:
    rows, length = batch.shape
    times = torch.arange(length + 1, device=batch.device).expand(rows, -1)
    happened = done(times[:, :-1]) & batch.valid  # a transition that never happened stays null
    return dataclasses.replace(
        batch,
        obs=tree.where(seen(times), other.obs, batch.obs),
        action=tree.where(happened, other.action, batch.action),
        reward=tree.where(happened, other.reward, batch.reward),
    )
