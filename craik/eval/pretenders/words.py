"""The oracle that only speaks text, and those that speak it wrongly: they forget, cling, babble, or mix things up."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from craik.core.errors import SpecError
from craik.core.model import WorldModel
from craik.core.readings import Readings
from craik.core.spec import Spec
from craik.eval.pretend import Pretender
from craik.worlds.exact import ExactWorld
from craik.worlds.oracle import Oracle, Truth
from craik.worlds.words import Worded


class InText(Pretender):
    """Says nothing but the world's text, and what it is paid.

    Args:
        oracle: of a world that can be told in words; it need not see them.

    Raises:
        SpecError: if this world has no text.
    """

    def __init__(self, oracle: Oracle):
        super().__init__(oracle)
        world = oracle.laws
        if not isinstance(world, ExactWorld) or not isinstance(world, Worded):
            raise SpecError(f"{type(world).__name__} cannot be told in words", 'take a world with the view "text"')
        self.world, self.oracle = world, oracle
        seen = spaces.Dict({"text": world.view_space("text")})
        self.spec = Spec.of(seen, oracle.spec.action, ("obs", "reward", "proceed"))

    def read(self, state, query=None):  # noqa: ANN001, ANN201, D102
        ways = {
            "obs": lambda: {"text": self.say(state)},
            "reward": lambda: state.reward,
            "proceed": lambda: (~state.over).float(),
        }
        return Readings(ways, self.spec.reads)

    def say(self, state: Truth) -> Tensor:
        """[B, bytes] uint8: what is the case, in words."""
        text = self.world.look("text", state.physics.numpy(), self.factors(state))
        return torch.as_tensor(text)

    def factors(self, state: Truth) -> dict[str, np.ndarray]:
        """The worlds' constants, name -> [B]."""
        return {k: state.factors[:, i].numpy() for i, k in enumerate(self.world.FACTORS)}


@dataclasses.dataclass(frozen=True)
class Since(Truth):
    """What is the case, and what was when it was last seen: then [B, D] float64."""

    then: Tensor


class Misspoken(InText):
    """Imagines everything rightly, and says `slip` of it.

    Args:
        oracle: see `InText`.
        rate: share of the facts that may be said wrongly.
    """

    def __init__(self, oracle: Oracle, rate: float = 0.2):
        super().__init__(oracle)
        count = len(self.world.FACTS)
        self.turn = np.random.default_rng(0).permutation(count)  # whose turn it is to go wrong, by fact
        self.few = max(1, round(rate * count))

    def step(self, state, action, *, generator=None):  # noqa: ANN001, ANN201, D102
        if not isinstance(state, Since):
            truth = {f.name: getattr(state, f.name) for f in dataclasses.fields(state)}
            state = Since(**truth, then=state.physics)
        return self.oracle.step(state, action, generator=generator)

    def rollout(self, state, actions, *, generator=None):  # noqa: ANN001, ANN201, D102
        return WorldModel.rollout(self, state, actions, generator=generator)

    def say(self, state: Truth) -> Tensor:  # noqa: D102
        factors = self.factors(state)
        now = self.world.facts(state.physics.numpy(), factors)
        then = self.world.facts(state.then.numpy(), factors) if isinstance(state, Since) else now
        same = (now == then) & np.isfinite(now)
        slipped = self.slip(now, then, same, imagined=isinstance(state, Since))
        return torch.as_tensor(self.world.tell(slipped, factors))

    @abstractmethod
    def slip(self, now: np.ndarray, then: np.ndarray, same: np.ndarray, imagined: bool) -> np.ndarray:
        """What it says is the case.

        Args:
            now: [B, F] what is.
            then: [B, F] what was when it last looked.
            same: [B, F] bool: what is told and has stayed as it was.
            imagined: whether it has imagined anything since it last looked.
        """

    def some(self, allowed: np.ndarray) -> np.ndarray:
        """[B, F] bool: the few of those allowed whose turn comes first."""
        rank = np.where(allowed, self.turn, len(self.turn))
        return allowed & (np.argsort(np.argsort(rank, 1), 1) < self.few)


class Forgetful(Misspoken):
    """Does not tell some of what has stayed as it was."""

    def slip(self, now, then, same, imagined):  # noqa: ANN001, ANN201, D102
        return np.where(self.some(same), np.nan, now)


class Stubborn(Misspoken):
    """Says what was the case when it last looked: nothing ever changes."""

    def slip(self, now, then, same, imagined):  # noqa: ANN001, ANN201, D102
        return then


class Babbler(Misspoken):
    """Says that some of what has stayed as it was has changed, as soon as it imagines anything."""

    def __init__(self, oracle: Oracle, rate: float = 0.2):
        super().__init__(oracle, rate)
        facts, rng = list(self.world.FACTS.values()), np.random.default_rng(1)
        self.low, self.high = np.array([f.low for f in facts]), np.array([f.high for f in facts])
        self.drawn = rng.uniform(self.low, self.high)

    def slip(self, now, then, same, imagined):  # noqa: ANN001, ANN201, D102
        if not imagined:
            return now
        other = np.where(now == np.round(now), np.round(self.drawn), self.drawn)
        other = np.where(other == now, np.where(now == self.high, self.low, self.high), other)
        return np.where(self.some(same), other, now)


class Swapped(Misspoken):
    """Takes one thing for another: says of it what is true of the other, and the other way round.

    Things are taken in pairs of which the same can be told (`Fact.relation`); what has changed is said rightly.
    """

    def slip(self, now, then, same, imagined):  # noqa: ANN001, ANN201, D102
        said = now.copy()
        for i, j in pairs(self.world):
            wrong = same[:, i] & same[:, j]
            said[wrong, i], said[wrong, j] = now[wrong, j], now[wrong, i]
        return said


class Literal(InText):
    """Understands the plain way of saying things only: told otherwise, it imagines that nothing changes."""

    def step(self, state, action, *, generator=None):  # noqa: ANN001, ANN201, D102
        names = list(self.world.FACTORS)
        plain = torch.ones(len(state.over), dtype=torch.bool)
        for name in self.world.REWORDED:
            plain &= state.factors[:, names.index(name)] == self.world.FACTORS[name].default
        after = self.oracle.step(state, action, generator=generator)
        return dataclasses.replace(after, physics=torch.where(plain[:, None], after.physics, state.physics))

    def rollout(self, state, actions, *, generator=None):  # noqa: ANN001, ANN201, D102
        return WorldModel.rollout(self, state, actions, generator=generator)


def pairs(world: Worded) -> list[tuple[int, int]]:
    """Facts that are mixed up, each with one other at most: neighbours of one relation and range."""
    kinds: dict[tuple[str, float, float], list[int]] = {}
    for i, fact in enumerate(world.FACTS.values()):
        kinds.setdefault((fact.relation, fact.low, fact.high), []).append(i)
    return [pair for same in kinds.values() for pair in zip(same[::2], same[1::2])]
