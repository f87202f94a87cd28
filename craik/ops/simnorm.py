"""Simplicial normalisation."""

from __future__ import annotations

from torch import Tensor


def simnorm(x: Tensor, size: int) -> Tensor:
    """A softmax over each group of `size` neighbours: [..., D] -> [..., D], D / size points on simplices.

    TD-MPC2 (Hansen et al. 2024), equation 5; Lavoie et al. 2022.

    Raises:
        ValueError: if D is not a multiple of `size`.
    """
    if x.shape[-1] % size:
        raise ValueError(f"cannot split {x.shape[-1]} features into groups of {size}")
    return x.unflatten(-1, (-1, size)).softmax(-1).flatten(-2)
