"""Scripted players of graded skill, for gathering data in exact worlds: `act(obs, first)`, as a `Player` has it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from craik.core.errors import SpecError, UnknownName
from craik.worlds import luck
from craik.worlds.exact import ExactWorld


class Script(ABC):
    """Decides for the N worlds it was made for, looking at their true state. What it draws, it draws from its seed.

    Args:
        world: the worlds it plays in; it reads them and never steps them.
        seed: of its own source of randomness.
    """

    def __init__(self, world: ExactWorld, seed: int):
        self.world, self.rng = world, np.random.default_rng(seed)

    def act(self, obs: dict[str, Tensor], first: Tensor) -> Tensor:
        """The actions [N, ...] to take; `first` [N] says where an episode has just begun. `obs` is not looked at."""
        return torch.as_tensor(self.decide(first.cpu().numpy(), np.ones(len(first), bool)))

    @abstractmethod
    def decide(self, first: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """Actions [N, ...] in the world's units; those of rows not `asked` [N] are not used."""


class Wander(Script):
    """Random with a memory: an Ornstein-Uhlenbeck walk, mapped to the bounds; a Discrete choice is kept for a while.

    Args:
        world, seed: see `Script`.
        keep: how much of the last action stays at each step, in [0, 1).
    """

    def __init__(self, world: ExactWorld, seed: int, keep: float = 0.85):
        super().__init__(world, seed)
        self.keep = keep
        self.last: np.ndarray | None = None

    def decide(self, first: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """See the class."""
        space, n = self.world.single_action_space, self.world.num_envs
        if isinstance(space, spaces.Discrete):
            fresh = draw(space, self.rng, (n,))
            stay = (self.rng.random(n) < self.keep) & ~first
            self.last = fresh if self.last is None else np.where(stay, self.last, fresh)
            return self.last
        assert isinstance(space, spaces.Box)
        noise = self.rng.standard_normal((n, *space.shape))
        walk = noise if self.last is None else self.keep * self.last + np.sqrt(1 - self.keep**2) * noise
        self.last = np.where(first[:, None], noise, walk)
        return (space.low + (space.high - space.low) * (np.tanh(self.last) + 1) / 2).astype(np.float32)


class Still(Script):
    """One action all through an episode: half the time none at all, else a random one."""

    last: np.ndarray | None = None

    def decide(self, first: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """See the class."""
        space, n = self.world.single_action_space, self.world.num_envs
        fresh = draw(space, self.rng, (n,))
        none = np.broadcast_to(self.world.idle(), fresh.shape)
        idle = (self.rng.random(n) < 0.5).reshape(n, *(1,) * (fresh.ndim - 1))
        fresh = np.where(idle, none, fresh)
        opens = first.reshape(idle.shape)
        self.last = fresh if self.last is None else np.where(opens, fresh, self.last)
        return self.last


class Erratic(Script):
    """Uniformly random, anew at every step."""

    def decide(self, first: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """See the class."""
        return draw(self.world.single_action_space, self.rng, (self.world.num_envs,))


class Seek(Script):
    """The world's own simple pilot (`world.guide`), blended with a walk: `skill` of the pilot, the rest noise.

    Args:
        world, seed: see `Script`; the world has to have a pilot (`ExactWorld.has_pilot`).
        skill: the range in [0, 1] from which each episode draws its own: how much of an action is the pilot's, or, of
            choices, how often it is.
        style: one of the world's `STYLES`; the first by default.

    Raises:
        SpecError: if the world has no pilot.
        UnknownName: if its pilot has no such style.
    """

    def __init__(self, world: ExactWorld, seed: int, skill: tuple[float, float] = (0.3, 1.0), style: str | None = None):
        super().__init__(world, seed)
        if not world.has_pilot:
            raise SpecError(f"{type(world).__name__} has no pilot", "use Expert, which needs only a reward")
        self.skill, self.style = skill, world.STYLES[0] if style is None else style
        if self.style not in world.STYLES:
            raise UnknownName(f"style of {type(world).__name__}'s pilot", self.style, world.STYLES)
        self.walk = Wander(world, seed + 1)
        self.share = self.rng.uniform(*skill, world.num_envs)

    def decide(self, first: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """See the class."""
        self.share = np.where(first, self.rng.uniform(*self.skill, len(first)), self.share)
        pilot, walk = self.world.guide(self.style), self.walk.decide(first, asked)
        if isinstance(self.world.single_action_space, spaces.Discrete):
            return np.where(self.rng.random(len(first)) < self.share, pilot, walk)
        share = self.share[:, None]
        return (share * pilot + (1 - share) * walk).astype(np.float32)


class Expert(Script):
    """Plans in the exact world by random shooting: the best of some action sequences by the reward they collect.

    Among them are the last plan carried on, variations of it, and what the world's pilot would hold on to.

    Args:
        world, seed: see `Script`.
        candidates: sequences compared at each step.
        horizon: their length.
    """

    def __init__(self, world: ExactWorld, seed: int, candidates: int = 32, horizon: int = 12):
        super().__init__(world, seed)
        self.candidates, self.horizon = candidates, horizon
        self.plan = self._fresh(1)[:, 0]

    def decide(self, first: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """See the class."""
        n, k = self.world.num_envs, self.candidates
        tries = self._fresh(k)  # [N, k, H, ...]
        shape = (n, 1, 1) + (1,) * (tries.ndim - 3)
        carried = np.concatenate([self.plan[:, 1:], self.plan[:, -1:]], 1)[:, None]
        half = slice(1, k // 2)
        vary = self.rng.random((n, k // 2 - 1, self.horizon, *shape[3:])) < 0.25
        tries[:, half] = np.where(first.reshape(shape), tries[:, half], np.where(vary, tries[:, half], carried))
        tries[:, :1] = np.where(first.reshape(shape), tries[:, :1], carried)
        if self.world.has_pilot:
            tries[:, -1] = self.world.guide()[:, None]
        best = np.zeros(n, np.int64)
        if asked.any():
            best[asked] = self._collected(tries[asked], asked).argmax(1)
        self.plan = tries[np.arange(n), best]
        return self.plan[:, 0]

    def _fresh(self, k: int) -> np.ndarray:
        """Random sequences that hold each action for three steps: [N, k, H, ...]."""
        held = draw(self.world.single_action_space, self.rng, (self.world.num_envs, k, -(-self.horizon // 3)))
        return np.repeat(held, 3, 2)[:, :, : self.horizon]

    def _collected(self, tries: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """The reward along each sequence, the last step's counted as often as all others together: [rows, k]."""
        world, (n, k) = self.world, tries.shape[:2]
        state, goal = np.repeat(world.state[rows], k, 0), np.repeat(world.goal[rows], k, 0)
        factors = {name: np.repeat(v[rows], k) for name, v in world.factors.items()}
        if world.LUCKY:  # nobody knows what chance will bring; all candidates of a world meet the same
            state = np.concatenate([state[:, :-1], np.repeat(luck.fresh(self.rng, n), k)[:, None]], 1)
        flat = tries.reshape(n * k, *tries.shape[2:])
        total = reward = np.zeros(n * k)
        for t in range(self.horizon):
            effort = world.effort(flat[:, t])
            before, (state, _) = state, world.move(state, effort, factors)
            reward = world.reward(before, effort, state, goal, factors)
            total = total + reward
        return (total + self.horizon * reward).reshape(n, k)


class Spoiler(Expert):
    """Plans for the least reward: an adversary that knows the world."""

    def _collected(self, tries: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return -super()._collected(tries, rows)


class Mixture(Script):
    """Each episode is played by one of several scripts, drawn by their shares.

    Args:
        world, seed: see `Script`.
        parts: (share, script) pairs; shares need not sum to 1.
    """

    def __init__(self, world: ExactWorld, seed: int, parts: Sequence[tuple[float, Script]]):
        super().__init__(world, seed)
        share = np.array([s for s, _ in parts], float)
        self.shares, self.scripts = share / share.sum(), [script for _, script in parts]
        self.who = self.rng.choice(len(parts), world.num_envs, p=self.shares)

    @property
    def id(self) -> str:
        """Who is in it and how often, as "wander:0.40+still:0.10"."""
        return "+".join(f"{type(s).__name__.lower()}:{p:.2f}" for p, s in zip(self.shares, self.scripts))

    def decide(self, first: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """See the class."""
        fresh = self.rng.choice(len(self.scripts), len(first), p=self.shares)
        self.who = np.where(first, fresh, self.who)
        actions = [script.decide(first, asked & (self.who == i)) for i, script in enumerate(self.scripts)]
        return np.stack(actions)[self.who, np.arange(len(first))]


def usual(world: ExactWorld, seed: int) -> Mixture:
    """The usual mixture: 40 % wandering, 30 % noisy goal reaching, 20 % weak expert, 10 % constant or no action.

    In a world without a pilot, the expert takes the seeker's share.
    """
    seeds = [int(s) for s in np.random.SeedSequence(seed).generate_state(4)]
    parts: list[tuple[float, Script]] = [(0.4, Wander(world, seeds[0])), (0.1, Still(world, seeds[1]))]
    if world.has_pilot:
        parts += [(0.3, Seek(world, seeds[2])), (0.2, Expert(world, seeds[3]))]
    else:
        parts += [(0.5, Expert(world, seeds[3]))]
    return Mixture(world, seed, parts)


def draw(space: spaces.Space, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Uniform actions, [*shape, ...]."""
    if isinstance(space, spaces.Discrete):
        return rng.integers(space.start, space.start + space.n, shape)
    assert isinstance(space, spaces.Box)
    return rng.uniform(space.low, space.high, (*shape, *space.shape)).astype(np.float32)
