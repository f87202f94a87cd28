"""Symmetric logarithm: squeezes numbers of any size and sign (DreamerV3, arXiv 2301.04104, eq. 9)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def symlog(x: Float[Tensor, "*B"]) -> Float[Tensor, "*B"]:
    """sign(x) log(1 + |x|): about x near 0, logarithmic far from it."""
    return x.sign() * x.abs().log1p()


def symexp(x: Float[Tensor, "*B"]) -> Float[Tensor, "*B"]:
    """sign(x) (exp(|x|) - 1): undoes `symlog`."""
    return x.sign() * x.abs().expm1()
