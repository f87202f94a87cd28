"""An exam: moments of an exact world, what could be done there, and what would truly follow."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import torch
from gymnasium.vector import AutoresetMode
from torch import Tensor

from craik import worlds
from craik.core.data import Batch
from craik.core.errors import SpecError
from craik.worlds.aims import aims
from craik.worlds.exact import ExactWorld, Snapshot
from craik.worlds.ours import OURS
from craik.worlds.policies import Mixture, Script, Seek, Still, Wander
from craik.worlds.splits import Split
from craik.worlds.withheld import rule

DISTINCT = 0.1
"""Two futures are told apart if they come to differ by this much, in standard deviations of a number of the state."""

TRIES = 12
"""Other episodes whose actions are tried on a moment, to find those that make a difference."""


@dataclasses.dataclass(frozen=True)
class Exam:
    """E moments, each with what was seen before it and K futures after it. Future 0 is the one that was lived.

    Attributes:
        id: the world's.
        world: E worlds as they are at the moments; they lend their laws and eyes and are never stepped.
        context: B = E rows of T = C arrivals, with every view asked for.
        actions: [E, K, H, ...] what is done after the moment.
        states: [E, K, H, D] the physical states that follow; where an episode is over, its last one.
        rewards: [E, K, H] of these arrivals; 0 after the end.
        over: [E, K, H] bool: whether the episode has ended by then.
        usual: where what is asked are actions that training never had, the same moments with the most similar ones
            that it had; None otherwise.
    """

    id: str
    world: ExactWorld
    context: Batch
    actions: Tensor
    states: np.ndarray
    rewards: np.ndarray
    over: np.ndarray
    usual: Exam | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """(E, K, H): moments, futures of each, steps of a future."""
        e, k, h = self.states.shape[:3]
        return e, k, h

    @cached_property
    def snapshot(self) -> Snapshot:
        """The moments themselves."""
        return self.world.get_state()

    @cached_property
    def scale(self) -> np.ndarray:
        """[S] the standard deviation of every number of the state over all futures; infinite where it never varies."""
        numbers = self.world.numbers(self.states.reshape(-1, self.states.shape[-1]))
        std = numbers.std(0)
        return np.where(std > 1e-6, std, np.inf)

    @cached_property
    def whole(self) -> np.ndarray:
        """[S] bool: numbers of the state that are whole throughout: counts, choices, places on a grid."""
        numbers = self.numbers()
        return (numbers == np.round(numbers)).all((0, 1, 2))

    def factors(self, repeat: int = 1) -> dict[str, np.ndarray]:
        """The worlds' constants, each row `repeat` times."""
        return {k: np.repeat(v, repeat) for k, v in self.world.factors.items()}

    def look(self, name: str, states: np.ndarray) -> np.ndarray:
        """One view of states [E, ..., D] of these worlds: [E, ..., view]."""
        lead = states.shape[:-1]
        flat = states.reshape(-1, states.shape[-1])
        seen = self.world.look(name, flat, self.factors(len(flat) // len(states)))
        return seen.reshape(*lead, *seen.shape[1:])

    def views(self, names: tuple[str, ...] | list[str], future: int = 0) -> dict[str, np.ndarray]:
        """What is seen along one future, name -> [E, H, ...]."""
        return {n: self.look(n, self.states[:, future]) for n in names}

    def numbers(self) -> np.ndarray:
        """The numbers of the state along all futures, [E, K, H, S]."""
        flat = self.world.numbers(self.states.reshape(-1, self.states.shape[-1]))
        return flat.reshape(*self.states.shape[:3], -1)

    def lived(self, names: tuple[str, ...] | list[str], future: int = 0) -> Batch:
        """Context and one future in one batch, [E, C + H], with these views."""
        seen = {k: torch.as_tensor(v) for k, v in self.views(names, future).items()}
        first = torch.cat([self.context.first, torch.zeros(len(self.states), self.shape[2], dtype=torch.bool)], 1)
        over = torch.as_tensor(self.over[:, future])
        ended = over & ~torch.cat([torch.zeros_like(over[:, :1]), over[:, :-1]], 1)
        return Batch(
            {k: torch.cat([self.context.obs[k], seen[k].to(self.context.obs[k].dtype)], 1) for k in names},
            torch.cat([self.context.action, self.actions[:, future]], 1),
            torch.cat([self.context.reward, torch.as_tensor(self.rewards[:, future]).float()], 1),
            torch.cat([self.context.terminated, ended], 1),
            first,
        )

    def part(self, rows: slice | np.ndarray) -> Exam:
        """Some of the moments."""
        where = np.arange(len(self.states))[rows]
        return Exam(
            self.id,
            self.world.select(where),
            self.context.rows(torch.as_tensor(where)),
            self.actions[torch.as_tensor(where)],
            self.states[where],
            self.rewards[where],
            self.over[where],
            self.usual.part(where) if self.usual is not None else None,
        )


def sit(
    id: str,
    num: int,
    *,
    seed: int,
    context: int = 4,
    horizon: int = 16,
    futures: int = 4,
    views: tuple[str, ...] = ("state", "pixels"),
    size: int = 64,
    factors: dict[str, float | tuple[float, float]] | None = None,
    still: bool = False,
    split: Split | None = None,
) -> Exam:
    """Sets an exam in one exact world.

    Scripted players (wandering, noisy goal seeking, constant actions) lead to the moments and beyond. The other
    futures of a moment follow actions that were lived in other episodes and that make a difference here, as far as
    such are found.

    Args:
        id: the world's.
        num: moments E.
        seed: of everything drawn. Test seeds begin at 2,000,000.
        context: steps C before the moment.
        horizon: steps H after it.
        futures: K.
        views: what is seen in the context.
        size: height and width of pictures.
        factors: as in `craik.worlds.make`.
        still: whether nothing is done (`ExactWorld.idle`) in the lived future.
        split: where constants and goals come from, who acts, and what is not done; or is, where the split is defiant:
            then `Exam.usual` has the same moments without. The usual constants and players by default.

    Raises:
        SpecError: if it is no exact world, or too few episodes last so long.
    """
    if id not in OURS or not OURS[id].exact:
        raise SpecError(f"{id} is no exact world: what would follow there is not known", "see them: craik worlds")
    settings: dict[str, Any] = {"seed": seed, "obs": "+".join(views), "size": size, "factors": factors or {}}
    for many in (2,) if split is None else (2, 16):  # some splits end most episodes early
        world = worlds.make(
            id, many * num, autoreset=AutoresetMode.DISABLED, max_steps=context + horizon + 1, **settings
        )
        assert isinstance(world, ExactWorld)
        begun, moment, acts = _live(world, seed, context, horizon, split, set(factors or {}))
        keep, after = _kept(moment, acts[:, context:], still, split)
        if len(keep) >= num:
            break
    else:
        raise SpecError(
            f"of {many * num} episodes in {id} only {len(keep)} last {context + horizon} steps",
            "ask for a shorter horizon",
        )
    keep = keep[:num]
    moment, begun, acts = moment.select(keep), begun.select(keep), acts[keep]
    seen = _seen(begun, acts[:, :context])

    def asked(choices: np.ndarray, usual: Exam | None = None) -> Exam:
        return Exam(id, moment, seen, torch.as_tensor(choices), *follow_laws(moment, choices), usual)

    choices = _choices(moment, after[keep], futures)
    if split is None or not split.defiant:
        return asked(choices)
    return asked(choices, asked(_choices(moment, after[keep], futures, rule(world, split.rule).matched)))


def follow_laws(world: ExactWorld, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the laws make of actions [E, K, H, ...] from where E worlds are: states [E, K, H, D], rewards, over."""
    e, k, h = actions.shape[:3]
    state, goal = np.repeat(world.state, k, 0), np.repeat(world.goal, k, 0)
    factors = {name: np.repeat(v, k) for name, v in world.factors.items()}
    flat = actions.reshape(e * k, h, *actions.shape[3:])
    over = ~world.proceed(state)
    states: list[np.ndarray] = []
    rewards: list[np.ndarray] = []
    ended: list[np.ndarray] = []
    for t in range(h):
        effort = world.effort(flat[:, t])
        after, _ = world.move(state, effort, factors)
        after = np.where(over[:, None], state, after)
        paid = np.where(over, 0.0, world.reward(state, effort, after, goal, factors))
        over = over | ~world.proceed(after)
        state = after
        for told, now in ((states, after), (rewards, paid), (ended, over)):
            told.append(now)
    return tuple(np.stack(x, 1).reshape(e, k, h, *x[0].shape[1:]) for x in (states, rewards, ended))  # type: ignore


def players(world: ExactWorld, seed: int) -> Mixture:
    """Who leads to the moments: half wander, a tenth do one thing all along, the rest seek a goal if there is one."""
    seeds = [int(s) for s in np.random.SeedSequence(seed).generate_state(4) >> 1]
    parts: list[tuple[float, Script]] = [(0.5, Wander(world, seeds[0])), (0.1, Still(world, seeds[1]))]
    if world.HAS_GOAL:
        parts.append((0.4, Seek(world, seeds[2])))
    return Mixture(world, seeds[3], parts)


def _live(
    world: ExactWorld, seed: int, context: int, horizon: int, split: Split | None, fixed: set[str]
) -> tuple[ExactWorld, ExactWorld, np.ndarray]:
    """The worlds at the beginning and at the moment, and the actions [N, C + H, ...] that were chosen throughout."""
    if split is None:
        world.reset()
    else:
        constants = split.constants(seed, world.num_envs)
        world.reset(options={"factors": {k: v for k, v in constants.items() if k not in fixed}})
        world.goal = aims(world, split.goals, seed)
    everyone, begun, moment = np.arange(world.num_envs), world.select(np.arange(world.num_envs)), world
    live = world.select(everyone)
    who = players(live, seed + 1) if split is None else split.acting(live, seed + 1)
    first, acts = np.ones(world.num_envs, bool), []
    for t in range(context + horizon):
        if t == context:
            moment = live.select(everyone)
        action = who.decide(first, np.ones(world.num_envs, bool))
        if live.over.any():
            live.over = np.zeros_like(live.over)  # rows that end are left out afterwards
        live.step(action)
        acts.append(action)
        first = np.zeros_like(first)
    return begun, moment, np.stack(acts, 1)


def _kept(moment: ExactWorld, lived: np.ndarray, still: bool, split: Split | None) -> tuple[np.ndarray, np.ndarray]:
    """Rows that may be asked about, and the actions [N, H, ...] that are asked about first."""
    keep, after = _lasting(moment, lived), np.zeros_like(lived) + moment.idle() if still else lived
    if split is None or not split.defiant:
        return keep, after
    after = rule(moment, split.rule).defy(after)
    return np.intersect1d(keep, _lasting(moment, after)), after


def _lasting(world: ExactWorld, acts: np.ndarray) -> np.ndarray:
    """Rows whose episode is not over before these actions [N, H, ...] are done."""
    _, _, over = follow_laws(world, acts[:, None])
    return np.flatnonzero(world.proceed(world.state) & ~over[:, 0, :-1].any(1))


def _choices(
    world: ExactWorld, lived: np.ndarray, futures: int, changed: Callable[[np.ndarray], np.ndarray] = lambda x: x
) -> np.ndarray:
    """[E, K, H, ...]: the lived actions, and others' whose outcomes differ from those before; all `changed`."""
    e = len(lived)
    if futures == 1:
        return changed(lived[:, None])
    tries = min(TRIES, e - 1)
    tried = changed(np.stack([np.roll(lived, -i, 0) for i in range(tries + 1)], 1))
    states, _, _ = follow_laws(world, tried)
    numbers = world.numbers(states.reshape(-1, states.shape[-1])).reshape(*states.shape[:3], -1)
    std = numbers.reshape(-1, numbers.shape[-1]).std(0)
    numbers = numbers[:, :, [lived.shape[1] // 2, -1]] / np.where(std > 1e-6, std, np.inf)
    chosen = np.zeros((e, futures), np.int64)
    for row in range(e):
        far = np.abs(numbers[row][:, None] - numbers[row][None]).max(-1).min(-1)  # [tries + 1, tries + 1]
        taken = [0]
        for candidate in range(1, tries + 1):
            if len(taken) < futures and far[candidate, taken].min() > DISTINCT:
                taken.append(candidate)
        while len(taken) < futures:  # too few that differ: those that differ most
            left = [c for c in range(1, tries + 1) if c not in taken] or [0]
            taken.append(max(left, key=lambda c: far[c, taken].min()))
        chosen[row] = taken
    return tried[np.arange(e)[:, None], chosen]


def _seen(begun: ExactWorld, acts: np.ndarray) -> Batch:
    """What was seen while these actions [E, C, ...] were done from the beginning."""
    states, rewards, over = follow_laws(begun, acts[:, None])
    path = np.concatenate([begun.state[:, None], states[:, 0]], 1)  # [E, C + 1, D]
    factors = {k: np.repeat(v, path.shape[1]) for k, v in begun.factors.items()}
    obs = {n: begun.look(n, path.reshape(-1, path.shape[-1]), factors) for n in begun.shown}
    first = np.zeros(path.shape[:2], bool)
    first[:, 0] = True
    return Batch(
        {k: torch.as_tensor(v.reshape(*path.shape[:2], *v.shape[1:])) for k, v in obs.items()},
        torch.as_tensor(acts),
        torch.as_tensor(rewards[:, 0]).float(),
        torch.as_tensor(over[:, 0]),
        torch.as_tensor(first),
    )
