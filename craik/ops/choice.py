"""Categorical choices: mixed with a uniform one, drawn by inversion, differentiable by straight-through."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def mixed(logits: Float[Tensor, "*B C"], share: float) -> Float[Tensor, "*B C"]:
    """Chances of logits, a `share` of them uniform, so that no choice has chance 0."""
    return logits.float().softmax(-1) * (1 - share) + share / logits.shape[-1]


def mixed_log(logits: Float[Tensor, "*B C"], share: float) -> Float[Tensor, "*B C"]:
    """The logarithm of `mixed`."""
    return mixed(logits, share).log()


def uniforms(
    shape: tuple[int, ...], generator: torch.Generator | None, device: torch.device | str = "cpu"
) -> Float[Tensor, "*_"] | None:
    """Uniform numbers in [0, 1) for `one_hot_draw`; None, for modes, without a generator."""
    return None if generator is None else torch.rand(shape, generator=generator, device=device)


def one_hot_draw(chances: Float[Tensor, "*B C"], uniform: Float[Tensor, "*B"] | None) -> Float[Tensor, "*B C"]:
    """One-hot draws from chances that pass gradients straight through (DreamerV2, arXiv 2010.02193, alg. 1).

    Inverts the cumulated chances: one uniform number a draw, where Gumbel noise takes C and their logarithms.

    Args:
        chances: summing to 1 over C.
        uniform: in [0, 1); None for the likeliest.
    """
    known = chances.detach()
    if uniform is None:
        index = known.argmax(-1, keepdim=True)
    else:
        below = known.cumsum(-1) <= uniform[..., None]
        index = below.sum(-1, keepdim=True).clamp_(max=chances.shape[-1] - 1)
    hot = torch.zeros_like(known).scatter_(-1, index, 1.0)
    return hot + (chances - known) if chances.requires_grad else hot
