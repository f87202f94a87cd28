"""Actions that training never takes: rules that players obey while data is gathered, and that an exam breaks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from gymnasium import spaces

from craik.core.errors import UnknownName
from craik.worlds.exact import ExactWorld
from craik.worlds.policies import Script

CORNER = 0.3
"""A region begins here on both of its axes, in parts of the range on either side of its middle."""

MOST = 0.7
"""The largest size of an action that training takes, in the same parts."""

LONG = 8
"""So many equal actions in a row are too many."""

NEAR = 2
"""Steps within which a second choice may not follow a first one."""

ALIKE = 1e-3
"""Numbers that differ by less are the same action."""


class Rule(ABC):
    """What is not done. Actions are in the world's units, [N, ...] now or [N, T, ...] along episodes.

    Args:
        world: whose actions; it lends its action space and its idle action.

    Attributes:
        name: of the rule.
    """

    name: ClassVar[str]

    def __init__(self, world: ExactWorld):
        self.space, self.none = world.single_action_space, world.idle()

    @abstractmethod
    def broken(self, actions: np.ndarray) -> np.ndarray:
        """[N, T] bool: where episodes of these actions break it."""

    @abstractmethod
    def obey(self, action: np.ndarray, past: np.ndarray, age: np.ndarray) -> np.ndarray:
        """Actions [N, ...] changed, where they would break it, so that they do not.

        Args:
            action: what is wanted.
            past: [N, LONG, ...] what was done before, the last one last.
            age: [N] how many of these are of this episode.
        """

    @abstractmethod
    def defy(self, actions: np.ndarray) -> np.ndarray:
        """Actions [N, T, ...] changed so that they break it."""

    @abstractmethod
    def mirror(self, defiant: np.ndarray) -> np.ndarray:
        """What `defy` gives [N, ..., T, *A], changed into the most similar that training had, or almost."""

    def matched(self, defiant: np.ndarray) -> np.ndarray:
        """Actions that break it [E, K, T, ...] changed into ones that do not and are else as they were.

        A model that is equally wrong everywhere has to do equally well on both: with whatever players usually do in
        their place, half the gain would look like a failure to extrapolate.
        """
        near = self.mirror(defiant)
        flat = near.reshape(-1, *near.shape[2:])
        past = np.broadcast_to(self.none, (len(flat), LONG, *self.none.shape)).astype(flat.dtype)
        done = []
        for t in range(flat.shape[1]):
            action = self.obey(flat[:, t], past, np.full(len(flat), t))
            past = np.concatenate([past[:, 1:], action[:, None]], 1)
            done.append(action)
        return np.stack(done, 1).reshape(near.shape)

    def unit(self, actions: np.ndarray) -> np.ndarray:
        """Numbers of a Box in [-1, 1]; a choice as it is."""
        if isinstance(self.space, spaces.Box):
            return 2 * (actions - self.space.low) / (self.space.high - self.space.low) - 1.0
        return actions

    def native(self, unit: np.ndarray) -> np.ndarray:
        """Undoes `unit`."""
        assert isinstance(self.space, spaces.Box)
        found = self.space.low + (unit + 1) / 2 * (self.space.high - self.space.low)
        return np.clip(found, self.space.low, self.space.high).astype(np.float32)


class Region(Rule):
    """Never the corner where the first two numbers are both above `CORNER`: the smaller one is turned round."""

    name = "region"

    def broken(self, actions: np.ndarray) -> np.ndarray:
        """See `Rule`."""
        return np.all(self.unit(actions)[..., :2] > CORNER + ALIKE, axis=-1)

    def obey(self, action: np.ndarray, past: np.ndarray, age: np.ndarray) -> np.ndarray:
        """See `Rule`."""
        unit = self.unit(action)
        wrong: np.ndarray = np.all(unit[:, :2] > CORNER, axis=1)
        smaller = np.arange(2) == unit[:, :2].argmin(1)[:, None]
        unit[:, :2] = np.where(wrong[:, None] & smaller, -unit[:, :2], unit[:, :2])
        return np.where(wrong[:, None], self.native(unit), action)

    def defy(self, actions: np.ndarray) -> np.ndarray:
        """Into the corner: sizes stay in their order, signs are lost."""
        unit = self.unit(actions)
        unit[..., :2] = CORNER + 0.02 + (0.98 - CORNER) * np.abs(unit[..., :2])
        return self.native(unit)

    def mirror(self, defiant: np.ndarray) -> np.ndarray:
        """Into one of the other corners, another one from row to row."""
        turn = np.array([[-1, 1], [1, -1], [-1, -1]])[np.arange(len(defiant)) % 3]
        unit = self.unit(defiant)
        unit[..., :2] *= turn.reshape(len(defiant), *(1,) * (defiant.ndim - 2), 2)
        return self.native(unit)


class Magnitude(Rule):
    """Never a number larger than `MOST`: an action that has one is made smaller as a whole."""

    name = "magnitude"

    def broken(self, actions: np.ndarray) -> np.ndarray:
        """See `Rule`."""
        return np.any(np.abs(self.unit(actions)) > MOST + ALIKE, axis=-1)

    def obey(self, action: np.ndarray, past: np.ndarray, age: np.ndarray) -> np.ndarray:
        """See `Rule`."""
        unit = self.unit(action)
        wrong = (np.abs(unit) > MOST).any(-1, keepdims=True)
        return np.where(wrong, self.native(MOST * unit), action)

    def defy(self, actions: np.ndarray) -> np.ndarray:
        """The same direction, larger."""
        unit = self.unit(actions)
        size = np.abs(unit).max(-1, keepdims=True)
        one = np.where(size > ALIKE, unit / np.maximum(size, ALIKE), 1.0)
        return self.native(one * (MOST + 0.02 + (0.98 - MOST) * size))

    def mirror(self, defiant: np.ndarray) -> np.ndarray:
        """The same directions, smaller by one factor."""
        return self.native(MOST * self.unit(defiant))


class Composition(Rule):
    """Never the second of two choices within `NEAR` steps of the first: then nothing is done.

    The two are the first ones that do something.
    """

    name = "composition"

    def __init__(self, world: ExactWorld):
        super().__init__(world)
        assert isinstance(self.space, spaces.Discrete)
        choices = [int(c) for c in range(self.space.start, self.space.start + self.space.n) if c != self.none]
        self.one, self.two = choices[:2]

    def broken(self, actions: np.ndarray) -> np.ndarray:
        """See `Rule`."""
        found = np.zeros(actions.shape, bool)
        for back in range(1, NEAR + 1):
            found[:, back:] |= (actions[:, back:] == self.two) & (actions[:, :-back] == self.one)
        return found

    def obey(self, action: np.ndarray, past: np.ndarray, age: np.ndarray) -> np.ndarray:
        """See `Rule`."""
        lately = (past[:, -NEAR:] == self.one) & (np.arange(NEAR, 0, -1) <= age[:, None])
        return np.where((action == self.two) & lately.any(1), self.none, action)

    def defy(self, actions: np.ndarray) -> np.ndarray:
        """One, then the other, every `LONG` steps."""
        found = actions.copy()
        found[:, ::LONG], found[:, 1::LONG] = self.one, self.two
        return found

    def mirror(self, defiant: np.ndarray) -> np.ndarray:
        """The other one first."""
        found = defiant.copy()
        found[..., ::LONG], found[..., 1::LONG] = self.two, self.one
        return found


class Duration(Rule):
    """Never the same for `LONG` steps: then another choice, or numbers half their range away."""

    name = "duration"

    def broken(self, actions: np.ndarray) -> np.ndarray:
        """See `Rule`."""
        unit = self.unit(actions).reshape(*actions.shape[:2], -1)
        same: np.ndarray = np.all(np.abs(np.diff(unit, axis=1)) < ALIKE, axis=-1)  # [N, T - 1]
        found = np.zeros(actions.shape[:2], bool)
        for t in range(LONG - 1, actions.shape[1]):
            found[:, t] = same[:, t - LONG + 1 : t].all(1)
        return found

    def obey(self, action: np.ndarray, past: np.ndarray, age: np.ndarray) -> np.ndarray:
        """See `Rule`."""
        back = self.unit(past[:, 1 - LONG :]).reshape(len(action), LONG - 1, -1)
        here = self.unit(action).reshape(len(action), 1, -1)
        same = (np.abs(back - here) < ALIKE).all((1, 2)) & (age >= LONG - 1)
        if isinstance(self.space, spaces.Discrete):
            other = self.space.start + (action - self.space.start + 1) % self.space.n
        else:
            other = self.native((self.unit(action) + 2) % 2 - 1)
        return np.where(same.reshape(-1, *(1,) * (action.ndim - 1)), other, action)

    def defy(self, actions: np.ndarray) -> np.ndarray:
        """The first action all along."""
        return np.repeat(actions[:, :1], actions.shape[1], 1)

    def mirror(self, defiant: np.ndarray) -> np.ndarray:
        """As it is: obeying makes every `LONG`-th step another one."""
        return defiant


class Obedient(Script):
    """Another player, held to a rule.

    Args:
        world: see `Script`.
        other: the player.
        rule: what it may not do.
    """

    def __init__(self, world: ExactWorld, other: Script, rule: Rule):
        super().__init__(world, 0)
        self.other, self.rule = other, rule
        none = np.broadcast_to(world.idle(), (world.num_envs, LONG, *(world.single_action_space.shape or ())))
        self.past, self.age = none.copy(), np.zeros(world.num_envs, np.int64)

    def decide(self, first: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """See `Script`."""
        self.age = np.where(first, 0, self.age)
        action = self.rule.obey(self.other.decide(first, asked), self.past, self.age)
        self.past = np.concatenate([self.past[:, 1:], action[:, None]], 1)
        self.age = self.age + 1
        return action


def rules(world: ExactWorld) -> dict[str, type[Rule]]:
    """The rules that there are for a world's actions, by name, the usual one first."""
    space = world.single_action_space
    if isinstance(space, spaces.Discrete):
        fit: tuple[type[Rule], ...] = (Composition, Duration) if space.n > 2 else (Duration,)
    else:
        wide = space.shape is not None and space.shape[0] > 1
        fit = (Region, Magnitude, Duration) if wide else (Magnitude, Duration)
    return {kind.name: kind for kind in fit}


def rule(world: ExactWorld, name: str = "") -> Rule:
    """One of them, the usual one if no name is given.

    Raises:
        UnknownName: if there is none of this name for this world's actions.
    """
    known = rules(world)
    name = name or next(iter(known))
    if name not in known:
        raise UnknownName(f"rule for the actions of {type(world).__name__}", name, known)
    return known[name](world)
