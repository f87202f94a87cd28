"""Policies that score what they did: for gradients by the log-likelihood of actions (REINFORCE)."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn

from craik.ops.choice import mixed, one_hot_draw, uniforms


class Actor(nn.Module, ABC):
    """Proposes action vectors (`craik.parts.actions.vector`) from features."""

    @abstractmethod
    def act(self, features: Float[Tensor, "*B D"], generator: torch.Generator | None) -> Float[Tensor, "*B A"]:
        """One action vector a row; the mode without a generator."""

    @abstractmethod
    def score(
        self, features: Float[Tensor, "*B D"], vectors: Float[Tensor, "*B A"]
    ) -> tuple[Float[Tensor, "*B"], Float[Tensor, "*B"]]:
        """Log-likelihood of action vectors under features, and the policy's entropy."""


class BoundedNormal(Actor):
    """A normal whose mean lies in [-1, 1] and whose spread is bounded; what falls outside is left to the clipping.

    DreamerV3's "bounded normal": mean tanh(m), standard deviation `low + (high - low) sigmoid(s + 2)`.

    Args:
        net: [..., D] -> [..., 2 A].
        low, high: bounds of the standard deviation.
    """

    def __init__(self, net: nn.Module, low: float = 0.1, high: float = 1.0):
        super().__init__()
        self.net, self.low, self.high = net, low, high

    def spread(self, features: Float[Tensor, "*B D"]) -> tuple[Float[Tensor, "*B A"], Float[Tensor, "*B A"]]:
        """Mean and standard deviation."""
        mean, wide = self.net(features).float().chunk(2, -1)
        return mean.tanh(), self.low + (self.high - self.low) * (wide + 2).sigmoid()

    def act(self, features: Float[Tensor, "*B D"], generator: torch.Generator | None) -> Float[Tensor, "*B A"]:
        """A draw, perhaps outside [-1, 1]; the mean without a generator."""
        mean, std = self.spread(features)
        if generator is None:
            return mean
        return mean + std * torch.randn(mean.shape, generator=generator, device=mean.device)

    def score(
        self, features: Float[Tensor, "*B D"], vectors: Float[Tensor, "*B A"]
    ) -> tuple[Float[Tensor, "*B"], Float[Tensor, "*B"]]:
        """Of the normal as it is, before any clipping."""
        mean, std = self.spread(features)
        known = std.log() + 0.5 * math.log(2 * math.pi)
        likelihood = -0.5 * ((vectors - mean) / std).square() - known
        return likelihood.sum(-1), (known + 0.5).sum(-1)


class MixedChoices(Actor):
    """Independent categorical choices, each mixed with a uniform one; vectors are their one-hots side by side.

    Args:
        net: [..., D] -> [..., sum of sizes], logits.
        sizes: options of each choice.
        share: how much of each is uniform.
    """

    def __init__(self, net: nn.Module, sizes: tuple[int, ...], share: float = 0.01):
        super().__init__()
        self.net, self.sizes, self.share = net, sizes, share

    def chances(self, features: Float[Tensor, "*B D"]) -> list[Float[Tensor, "*B _"]]:
        """One [..., n] for each choice."""
        return [mixed(part, self.share) for part in self.net(features).split(self.sizes, -1)]

    def act(self, features: Float[Tensor, "*B D"], generator: torch.Generator | None) -> Float[Tensor, "*B A"]:
        """One-hots, drawn; the likeliest without a generator."""
        chances = self.chances(features)
        lead = (*features.shape[:-1], len(self.sizes))
        draws = uniforms(lead, generator, features.device)
        hots = [one_hot_draw(p.detach(), None if draws is None else draws[..., i]) for i, p in enumerate(chances)]
        return torch.cat(hots, -1)

    def score(
        self, features: Float[Tensor, "*B D"], vectors: Float[Tensor, "*B A"]
    ) -> tuple[Float[Tensor, "*B"], Float[Tensor, "*B"]]:
        """Sums over the choices."""
        logs = torch.cat([p.log() for p in self.chances(features)], -1)
        return (logs * vectors).sum(-1), -(logs.exp() * logs).sum(-1)
