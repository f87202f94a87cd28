"""Distributions over plans: numbers by normals, choices by categories. Both are fitted by weighted means."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class Normals(nn.Module):
    """Independent normals over the numbers of a plan, cut off at [-1, 1] where the action space has bounds.

    Args:
        bounded: which numbers have bounds.
        std, min_std, max_std: the spread to begin with, and its limits.
    """

    bounded: Bool[Tensor, " A"]

    def __init__(self, bounded: Bool[Tensor, " A"], std: float, min_std: float, max_std: float):
        super().__init__()
        self.register_buffer("bounded", bounded, persistent=False)
        self.std, self.min_std, self.max_std = std, min_std, max_std

    def begin(self, batch: int, horizon: int, size: int) -> tuple[Float[Tensor, "B H A"], Float[Tensor, "B H A"]]:
        """Mean and spread that know nothing."""
        mean = torch.zeros(batch, horizon, size, device=self.bounded.device)
        return mean, torch.full_like(mean, self.std)

    def draw(
        self, mean: Float[Tensor, "B H A"], std: Float[Tensor, "B H A"], noise: Float[Tensor, "B N H A"]
    ) -> Float[Tensor, "B N H A"]:
        """Plans from mean, spread and unit normal noise."""
        return self.within(mean[:, None] + std[:, None] * noise)

    def reopen(self, mean: Float[Tensor, "B H A"]) -> Float[Tensor, "B H A"]:
        """Where to begin from the last plan's mean: there, since the spread begins anew."""
        return mean

    def within(self, vectors: Float[Tensor, "*B A"]) -> Float[Tensor, "*B A"]:
        """The nearest plans that the action space allows."""
        return torch.where(self.bounded, vectors.clamp(-1, 1), vectors)

    def fit(
        self, vectors: Float[Tensor, "B K H A"], weights: Float[Tensor, "B K"]
    ) -> tuple[Float[Tensor, "B H A"], Float[Tensor, "B H A"]]:
        """Weighted mean and spread; the weights sum to 1."""
        w = weights[..., None, None]
        mean = (w * vectors).sum(1)
        var = (w * (vectors - mean[:, None]).square()).sum(1)
        return mean, var.sqrt().clamp(self.min_std, self.max_std)

    def jitter(
        self,
        vector: Float[Tensor, "B H A"],
        mean: Float[Tensor, "B H A"],
        std: Float[Tensor, "B H A"],
        amount: float,
        generator: torch.Generator,
    ) -> Float[Tensor, "B H A"]:
        """Decisions with `amount` times the spread as noise."""
        noise = torch.randn(vector.shape, generator=generator, device=vector.device)
        return self.within(vector + amount * std * noise)

    def nudge(self, vector: Float[Tensor, "B H A"], generator: torch.Generator) -> Float[Tensor, "B H A"]:
        """Decisions with the least spread as noise."""
        return self.jitter(vector, vector, torch.full_like(vector, self.min_std), 1.0, generator)


class Categories(nn.Module):
    """Independent categorical distributions over the choices of a plan; the mean of one-hots *is* the distribution.

    Args:
        sizes: options of each choice; their one-hots stand side by side.
        min_share: share of the chance that always stays spread evenly, in [0, 1].
    """

    even: Float[Tensor, " A"]

    def __init__(self, sizes: tuple[int, ...], min_share: float):
        super().__init__()
        self.sizes, self.min_share = sizes, min_share
        self.register_buffer("even", torch.cat([torch.full((n,), 1 / n) for n in sizes]), persistent=False)

    def begin(self, batch: int, horizon: int, size: int) -> tuple[Float[Tensor, "B H A"], Float[Tensor, "B H A"]]:
        """Chances that know nothing, and their spread."""
        mean = self.even.expand(batch, horizon, size)
        return mean, self._spread(mean)

    def draw(
        self, mean: Float[Tensor, "B H A"], std: Float[Tensor, "B H A"], noise: Float[Tensor, "B N H A"]
    ) -> Float[Tensor, "B N H A"]:
        """Plans of one-hots: the Gumbel trick, its noise made from the unit normals.

        Noise that is correlated in time gives choices that are.
        """
        uniform = (0.5 * (1 + torch.erf(noise / math.sqrt(2)))).clamp(1e-7, 1 - 1e-6)
        return self.within(mean.log()[:, None] - (-uniform.log()).log())

    def reopen(self, mean: Float[Tensor, "B H A"]) -> Float[Tensor, "B H A"]:
        """Where to begin from the last plan's chances: halfway to even, or nothing else is tried."""
        return (mean + self.even) / 2

    def within(self, vectors: Float[Tensor, "*B A"]) -> Float[Tensor, "*B A"]:
        """The nearest plans that the action space allows: a one at each choice's largest number."""
        parts = vectors.split(self.sizes, -1)
        return torch.cat([torch.zeros_like(p).scatter(-1, p.argmax(-1, keepdim=True), 1.0) for p in parts], -1)

    def fit(
        self, vectors: Float[Tensor, "B K H A"], weights: Float[Tensor, "B K"]
    ) -> tuple[Float[Tensor, "B H A"], Float[Tensor, "B H A"]]:
        """Weighted chances of one-hots, and their spread; the weights sum to 1."""
        mean = (weights[..., None, None] * vectors).sum(1)
        mean = (1 - self.min_share) * mean + self.min_share * self.even
        return mean, self._spread(mean)

    def jitter(
        self,
        vector: Float[Tensor, "B H A"],
        mean: Float[Tensor, "B H A"],
        std: Float[Tensor, "B H A"],
        amount: float,
        generator: torch.Generator,
    ) -> Float[Tensor, "B H A"]:
        """Decisions, each drawn anew from the final chances with probability `amount`."""
        noise = torch.randn(vector.shape, generator=generator, device=vector.device)
        again = torch.rand(vector.shape[:2], generator=generator, device=vector.device) < amount
        return torch.where(again[..., None], self.draw(mean, std, noise[:, None])[:, 0], vector)

    def nudge(self, vector: Float[Tensor, "B H A"], generator: torch.Generator) -> Float[Tensor, "B H A"]:
        """Decisions, the least share of them drawn evenly."""
        even = self.even.expand_as(vector)
        return self.jitter(vector, even, even, self.min_share, generator)

    @staticmethod
    def _spread(mean: Float[Tensor, "B H A"]) -> Float[Tensor, "B H A"]:
        return (mean * (1 - mean)).clamp(min=0).sqrt()
