"""A player without a model: from what is seen, and the goal where one has to be told, straight to an action."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch
import torch.nn.functional as F
from gymnasium import spaces
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from craik.eval.players.lessons import Lessons, Steps
from craik.nets.mlp import MLP
from craik.parts.actions.vector import ActionVector

HIDDEN = (128, 128)
"""Widths of every network."""

SPREAD = 0.5
"""Standard deviation of the Gaussian of numbers, in halves of their range."""

KINDS = 32
"""Whole numbers up to so far from one another are told apart by kind."""


class Player(nn.Module, ABC):
    """Learns from steps, and acts.

    Args:
        lessons: what will be learned from: they say what is seen and done, and how numbers spread.

    Attributes:
        FOREIGN: share of the goals told that are from other episodes (`Lessons.steps`).
    """

    FOREIGN = 0.0

    def __init__(self, lessons: Lessons):
        super().__init__()
        self.aimed = lessons.aimed
        self.eye = Eye(lessons)
        self.actor = Actor(self.eye.size, lessons.action_space)

    @abstractmethod
    def loss(self, steps: Steps) -> dict[str, Float[Tensor, ""]]:
        """What is to be made small, by name; their sum is followed."""

    def after_update(self) -> None:
        """Called after every update: where slow copies move."""

    @torch.no_grad()
    def act(
        self, seen: Float[Tensor, "B S"], goal: Float[Tensor, "B G"], generator: torch.Generator | None = None
    ) -> Shaped[Tensor, "B ..."]:
        """Actions in the world's units: of numbers the mean, of choices a draw; the likeliest without a generator."""
        return self.actor(self.eye(seen, goal), generator)


class Eye(nn.Module):
    """The state view, and the goal's beside it: numbers by their mean and standard deviation in the lessons.

    Numbers that are whole throughout and at most `KINDS` from one another (places on a grid, choices, switches) are
    one-hots instead: that one is the next is no more alike than another.
    """

    mean: Float[Tensor, " S"]
    std: Float[Tensor, " S"]
    known: Float[Tensor, " K"]

    def __init__(self, lessons: Lessons):
        super().__init__()
        seen = np.concatenate([lessons.seen, lessons.after[-1:]])
        whole = (seen == np.round(seen)).all(0) & (np.ptp(seen, 0) < KINDS)
        kinds = [np.unique(seen[:, i]) for i in np.flatnonzero(whole)]
        self.whole = [int(i) for i, k in zip(np.flatnonzero(whole), kinds) for _ in k]
        self.plain = [int(i) for i in np.flatnonzero(~whole)]
        mean, std = (torch.as_tensor(x)[self.plain] for x in (seen.mean(0), seen.std(0)))
        self.register_buffer("mean", mean)
        self.register_buffer("std", torch.where(std > 1e-6, std, 1.0))
        self.register_buffer("known", torch.as_tensor(np.concatenate([*kinds, np.zeros(0, np.float32)])))
        self.size = (len(self.plain) + len(self.whole)) * (2 if lessons.aimed else 1)

    def forward(self, seen: Float[Tensor, "B S"], goal: Float[Tensor, "B G"]) -> Float[Tensor, "B D"]:
        """See the class; without a goal, [B, 0]."""
        return torch.cat([self.tame(x) for x in (seen, goal) if x.shape[1]], 1)

    def tame(self, view: Float[Tensor, "B S"]) -> Float[Tensor, "B D"]:
        """The numbers of one view."""
        hots = (view[:, self.whole] == self.known).float()
        return torch.cat([(view[:, self.plain] - self.mean) / self.std, hots], 1)


class Actor(nn.Module):
    """A policy: of numbers the mean of a Gaussian of fixed spread, within their bounds by tanh; of choices categories.

    Args:
        inputs: features in.
        space: the action space.
    """

    def __init__(self, inputs: int, space: spaces.Space):
        super().__init__()
        self.vector = ActionVector(space)
        self.net = MLP(inputs, HIDDEN, self.vector.size, nn.LayerNorm)

    def forward(self, features: Float[Tensor, "B D"], generator: torch.Generator | None) -> Shaped[Tensor, "B ..."]:
        """See `Player.act`."""
        out = self.net(features)
        if self.vector.continuous:
            return self.vector.invert(self._mean(out))
        if generator is None:
            return self.vector.invert(out)
        uniform = torch.rand(out.shape, generator=generator, device=out.device).clamp(1e-6, 1 - 1e-6)
        return self.vector.invert(out - (-uniform.log()).log())  # the largest with Gumbel noise is a draw

    def unlikely(self, features: Float[Tensor, "B D"], action: Shaped[Tensor, "B ..."]) -> Float[Tensor, " B"]:
        """Minus the log-likelihood of actions, but for a constant: half the squared error, or the cross-entropy."""
        out, wanted = self.net(features), self.vector(action)
        if self.vector.continuous:
            return 0.5 * (self._mean(out) - wanted).square().sum(-1)
        logs = [F.log_softmax(part, -1) for part in out.split(self.vector.sizes, -1)]
        return -(torch.cat(logs, -1) * wanted).sum(-1)

    def around(self, features: Float[Tensor, "B D"], generator: torch.Generator, num: int) -> Float[Tensor, "N B A"]:
        """Draws from the Gaussian of numbers, as action vectors; those out of bounds are at them."""
        mean = self._mean(self.net(features)).expand(num, -1, -1)
        drawn = mean + SPREAD * torch.randn(mean.shape, generator=generator, device=mean.device)
        return torch.where(self.vector.bounded, drawn.clamp(-1, 1), drawn)

    def _mean(self, out: Float[Tensor, "B A"]) -> Float[Tensor, "B A"]:
        return torch.where(self.vector.bounded, out.tanh(), out)
