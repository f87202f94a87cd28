"""Futures that scripted players make: exams whose K futures are what K players do from the same moments."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
import torch
from gymnasium import spaces

from craik.eval.card.exam import Exam
from craik.worlds.exact import ExactWorld
from craik.worlds.policies import Expert, Script, Seek, Still, Wander

Player = Callable[[ExactWorld], Script]
"""Makes a player of given worlds; it may look at their true state."""


class Blend(Script):
    """So much of one player's action, the rest of another's; of choices, so often.

    Args:
        world, seed: see `Script`.
        parts: the two players.
        share: of the first, in [0, 1].
    """

    def __init__(self, world: ExactWorld, seed: int, parts: tuple[Script, Script], share: float):
        super().__init__(world, seed)
        self.parts, self.share = parts, share

    def decide(self, first: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """See the class."""
        one, other = (part.decide(first, asked) for part in self.parts)
        if isinstance(self.world.single_action_space, spaces.Box):
            return (self.share * one + (1 - self.share) * other).astype(np.float32)
        often = (self.rng.random(len(first)) < self.share).reshape(-1, *(1,) * (one.ndim - 1))
        return np.where(often, one, other)


class Reversed(Script):
    """Does the opposite of another player: every number mirrored in its range, of n choices the n - 1 - i th."""

    def __init__(self, world: ExactWorld, seed: int, other: Script):
        super().__init__(world, seed)
        self.other = other

    def decide(self, first: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """See the class."""
        space, action = self.world.single_action_space, self.other.decide(first, asked)
        if isinstance(space, spaces.Discrete):
            return 2 * space.start + space.n - 1 - action
        assert isinstance(space, spaces.Box)
        return (space.low + space.high - action).astype(np.float32)


def crew(world: ExactWorld, seed: int, num: int = 12) -> dict[str, Player]:
    """`num` players of graded skill and style, by name: the pilot's styles by skills from none to all, and two idlers.

    In worlds without a pilot, planners in the exact world, far- and short-sighted, blended with wandering.
    """
    graded = num - 2
    if world.HAS_GOAL:
        styles = world.STYLES[:graded]
    else:
        styles = ("far", "near")
    found: dict[str, Player] = {}
    for i in range(graded):
        style, rank, ranks = styles[i % len(styles)], i // len(styles), -(-graded // len(styles))
        skill = (rank + 1) / ranks
        found[f"{style} {skill:.2f}"] = _graded(world.HAS_GOAL, style, skill, seed + i)
    found["wander"] = lambda w: Wander(w, seed + num)
    found["still"] = lambda w: Still(w, seed + num + 1)
    return found


def _graded(pilot: bool, style: str, skill: float, seed: int) -> Player:
    if pilot:
        return lambda w: Seek(w, seed, (skill, skill), style)
    far = 12 if style == "far" else 4
    return lambda w: Blend(w, seed, (Expert(w, seed, 16, far), Wander(w, seed + 1)), skill)


def perform(exam: Exam, players: Mapping[str, Player], steps: int) -> Exam:
    """The same moments; future k is what the k-th player does in `steps` steps and what truly follows."""
    actions, states, rewards, over = zip(*(_play(exam.world, make, steps) for make in players.values()))
    return dataclasses.replace(
        exam,
        actions=torch.as_tensor(np.stack(actions, 1)),
        states=np.stack(states, 1),
        rewards=np.stack(rewards, 1),
        over=np.stack(over, 1),
    )


def advance(world: ExactWorld, action: np.ndarray) -> np.ndarray:
    """Steps worlds by their laws alone, beyond any limit of time: what is paid, [N]. Those that are over stay so."""
    effort, over = world.effort(action), ~world.proceed(world.state)
    after, _ = world.move(world.state, effort, world.factors)
    after = np.where(over[:, None], world.state, after)
    paid = np.where(over, 0.0, world.reward(world.state, effort, after, world.goal, world.factors))
    world.state, world.over = after, ~world.proceed(after)
    return paid


def begin(world: ExactWorld) -> ExactWorld:
    """Copies of worlds to `advance`."""
    live = world.select(np.arange(world.num_envs))
    live.over = ~live.proceed(live.state)
    return live


def _play(world: ExactWorld, make: Player, steps: int) -> tuple[np.ndarray, ...]:
    live, everyone = begin(world), np.ones(world.num_envs, bool)
    player, told = make(live), []
    for t in range(steps):
        action = player.decide(np.full(world.num_envs, t == 0), everyone)
        paid = advance(live, action)
        told.append((action, live.state, paid, live.over))
    return tuple(np.stack(x, 1) for x in zip(*told))
