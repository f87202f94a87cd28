"""Simplicial normalisation."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def simnorm(x: Float[Tensor, "*B D"], size: int) -> Float[Tensor, "*B D"]:
    """A softmax over each group of `size` features: D / size points on simplices.

    TD-MPC2 (Hansen et al. 2024), equation 5; Lavoie et al. 2022. A group here is every (D / size)-th feature and not
    `size` neighbours: the same up to the order of features, and three times as fast on a CPU.

    Raises:
        ValueError: if D is not a multiple of `size`.
    """
    if x.shape[-1] % size:
        raise ValueError(f"cannot split {x.shape[-1]} features into groups of {size}")
    return x.unflatten(-1, (size, -1)).softmax(-2).flatten(-2)
