"""Distributions over plans: numbers by normals, choices by categories. Both are fitted by weighted means."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class Normals(nn.Module):
    """Independent normals over the numbers of a plan, cut off at [-1, 1] where the action space has bounds.

    Args:
        bounded: [A] bool, which numbers have bounds.
        std, min_std, max_std: the spread to begin with, and its limits.
    """

    bounded: Tensor

    def __init__(self, bounded: Tensor, std: float, min_std: float, max_std: float):
        super().__init__()
        self.register_buffer("bounded", bounded, persistent=False)
        self.std, self.min_std, self.max_std = std, min_std, max_std

    def begin(self, batch: int, horizon: int, size: int) -> tuple[Tensor, Tensor]:
        """Mean and spread [B, H, A] that know nothing."""
        mean = torch.zeros(batch, horizon, size, device=self.bounded.device)
        return mean, torch.full_like(mean, self.std)

    def draw(self, mean: Tensor, std: Tensor, noise: Tensor) -> Tensor:
        """Plans [B, N, H, A] from mean and spread [B, H, A] and unit normal noise [B, N, H, A]."""
        return self.within(mean[:, None] + std[:, None] * noise)

    def reopen(self, mean: Tensor) -> Tensor:
        """Where to begin from the last plan's mean [B, H, A]: there, since the spread begins anew."""
        return mean

    def within(self, vectors: Tensor) -> Tensor:
        """The nearest plans that the action space allows."""
        return torch.where(self.bounded, vectors.clamp(-1, 1), vectors)

    def fit(self, vectors: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Weighted mean and spread: vectors [B, K, H, A], weights [B, K] that sum to 1 -> [B, H, A] each."""
        w = weights[..., None, None]
        mean = (w * vectors).sum(1)
        var = (w * (vectors - mean[:, None]).square()).sum(1)
        return mean, var.sqrt().clamp(self.min_std, self.max_std)

    def jitter(self, vector: Tensor, mean: Tensor, std: Tensor, amount: float, generator: torch.Generator) -> Tensor:
        """Decisions [B, H, A] with `amount` times the spread as noise."""
        noise = torch.randn(vector.shape, generator=generator, device=vector.device)
        return self.within(vector + amount * std * noise)

    def nudge(self, vector: Tensor, generator: torch.Generator) -> Tensor:
        """Decisions [B, H, A] with the least spread as noise."""
        return self.jitter(vector, vector, torch.full_like(vector, self.min_std), 1.0, generator)


class Categories(nn.Module):
    """Independent categorical distributions over the choices of a plan; the mean of one-hots *is* the distribution.

    Args:
        sizes: options of each choice; their one-hots stand side by side.
        min_share: share of the chance that always stays spread evenly, in [0, 1].
    """

    even: Tensor

    def __init__(self, sizes: tuple[int, ...], min_share: float):
        super().__init__()
        self.sizes, self.min_share = sizes, min_share
        self.register_buffer("even", torch.cat([torch.full((n,), 1 / n) for n in sizes]), persistent=False)

    def begin(self, batch: int, horizon: int, size: int) -> tuple[Tensor, Tensor]:
        """Chances [B, H, A] that know nothing, and their spread."""
        mean = self.even.expand(batch, horizon, size)
        return mean, self._spread(mean)

    def draw(self, mean: Tensor, std: Tensor, noise: Tensor) -> Tensor:
        """Plans of one-hots [B, N, H, A]: the Gumbel trick, its noise made from the unit normals [B, N, H, A].

        Noise that is correlated in time gives choices that are.
        """
        uniform = (0.5 * (1 + torch.erf(noise / math.sqrt(2)))).clamp(1e-7, 1 - 1e-6)
        return self.within(mean.log()[:, None] - (-uniform.log()).log())

    def reopen(self, mean: Tensor) -> Tensor:
        """Where to begin from the last plan's chances [B, H, A]: halfway to even, or nothing else is tried."""
        return (mean + self.even) / 2

    def within(self, vectors: Tensor) -> Tensor:
        """The nearest plans that the action space allows: a one at each choice's largest number."""
        parts = vectors.split(self.sizes, -1)
        return torch.cat([torch.zeros_like(p).scatter(-1, p.argmax(-1, keepdim=True), 1.0) for p in parts], -1)

    def fit(self, vectors: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Weighted chances and their spread: one-hots [B, K, H, A], weights [B, K] that sum to 1 -> [B, H, A] each."""
        mean = (weights[..., None, None] * vectors).sum(1)
        mean = (1 - self.min_share) * mean + self.min_share * self.even
        return mean, self._spread(mean)

    def jitter(self, vector: Tensor, mean: Tensor, std: Tensor, amount: float, generator: torch.Generator) -> Tensor:
        """Decisions [B, H, A], each drawn anew from the final chances with probability `amount`."""
        noise = torch.randn(vector.shape, generator=generator, device=vector.device)
        again = torch.rand(vector.shape[:2], generator=generator, device=vector.device) < amount
        return torch.where(again[..., None], self.draw(mean, std, noise[:, None])[:, 0], vector)

    def nudge(self, vector: Tensor, generator: torch.Generator) -> Tensor:
        """Decisions [B, H, A], the least share of them drawn evenly."""
        even = self.even.expand_as(vector)
        return self.jitter(vector, even, even, self.min_share, generator)

    @staticmethod
    def _spread(mean: Tensor) -> Tensor:
        return (mean * (1 - mean)).clamp(min=0).sqrt()
