"""Pretenders over the oracle that believe in other laws, drift, lose things, or see the world as they wish it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import torch

from craik.core import tree
from craik.core.errors import UnknownName
from craik.core.model import WorldModel
from craik.eval.pretend import Pretender
from craik.worlds.oracle import Oracle, Truth


class Mistaken(Pretender):
    """An oracle that is wrong about what follows: `step` says how, and a rollout is steps in a row.

    Args:
        oracle: of the true world.
    """

    def __init__(self, oracle: Oracle):
        super().__init__(oracle)
        self.oracle = oracle
        self.width = len(oracle.laws.FIELDS) - oracle.laws.LUCKY  # numbers of the state beside luck

    def rollout(self, state, actions, *, generator=None):  # noqa: ANN001, ANN201, D102
        return WorldModel.rollout(self, state, actions, generator=generator)


class WrongLaw(Mistaken):
    """An oracle of a world whose constants are others.

    Args:
        oracle: of the true world.
        factors: name -> what the true constant is multiplied by.

    Raises:
        UnknownName: if the world has no such constant.
    """

    def __init__(self, oracle: Oracle, factors: Mapping[str, float]):
        super().__init__(oracle)
        names = list(oracle.laws.FACTORS)
        for name in factors:
            if name not in names:
                raise UnknownName("factor", name, names)
        self.times = torch.tensor([factors.get(n, 1.0) for n in names], dtype=torch.float64)

    def step(self, state: Truth, action, *, generator=None):  # noqa: ANN001, ANN201
        """The law with the wrong constants; the belief keeps the right ones, for what is seen."""
        wrong = dataclasses.replace(state, factors=state.factors * self.times)
        return dataclasses.replace(self.oracle.step(wrong, action, generator=generator), factors=state.factors)


class Drifting(Mistaken):
    """An oracle whose every number wanders off at random.

    Args:
        oracle: of the true world.
        rate: standard deviation of one step's drift, in units of each number.
    """

    def __init__(self, oracle: Oracle, rate: float = 0.004):
        super().__init__(oracle)
        self.rate = rate

    def rollout(self, state, actions, *, generator=None):  # noqa: ANN001, ANN201
        """Equal beliefs drift alike: what drifts does not depend on what is done."""
        noise = np.random.default_rng(0)
        states = []
        for action in actions.unbind(1):
            state = self.oracle.step(state, action, generator=generator)
            slip = torch.zeros_like(state.physics)
            slip[..., : self.width] = self.rate * torch.as_tensor(noise.standard_normal(self.width))
            state = dataclasses.replace(state, physics=state.physics + slip)
            states.append(state)
        return tree.stack(states, 1)


class Optimist(Mistaken):
    """An oracle that sees its goal coming nearer by itself, a part of the way at each step.

    Args:
        oracle: of a world with goals.
        pull: part of what is left.
    """

    def __init__(self, oracle: Oracle, pull: float = 0.1):
        super().__init__(oracle)
        self.pull = pull

    def step(self, state: Truth, action, *, generator=None):  # noqa: ANN001, ANN201, D102
        after = self.oracle.step(state, action, generator=generator)
        wished = torch.lerp(after.physics, after.goal, self.pull)
        wished[:, self.width :] = after.physics[:, self.width :]
        paid = self.oracle.pay(state, action, wished)
        return dataclasses.replace(after, physics=wished, reward=torch.where(state.over, after.reward, paid))


def no_contact(oracle: Oracle) -> WrongLaw:
    """An oracle of billiards whose balls are too small to meet, though it draws them as large as they are."""
    return WrongLaw(oracle, {"radius": 0.01})


class Usual(Mistaken):
    """Believes that the world's constants are the usual ones, whatever they are.

    Args:
        oracle: of the true world.
    """

    def __init__(self, oracle: Oracle):
        super().__init__(oracle)
        usual = [f.default for f in oracle.laws.FACTORS.values()]
        self.usual = torch.tensor(usual, dtype=torch.float64)

    def step(self, state: Truth, action, *, generator=None):  # noqa: ANN001, ANN201
        """The law with the usual constants; the belief keeps the right ones, for what is seen."""
        wrong = dataclasses.replace(state, factors=self.usual.expand_as(state.factors))
        return dataclasses.replace(self.oracle.step(wrong, action, generator=generator), factors=state.factors)
