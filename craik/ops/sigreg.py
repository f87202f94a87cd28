"""SIGReg: how far a cloud of vectors is from a standard normal one, judged along random directions.

A distribution is N(0, I) if and only if all its one-dimensional projections are N(0, 1) (Cramer and Wold), and a
sample on a line is compared with N(0, 1) through its characteristic function (Epps and Pulley, 1983). See LeJEPA,
Balestriero and LeCun, arXiv 2511.08544, section 4; used per time step by LeWorldModel, arXiv 2603.19312, eq. 3.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def epps_pulley(x: Float[Tensor, "*B N P"], knots: int = 17, reach: float = 3.0) -> Float[Tensor, "*B P"]:
    """The Epps-Pulley statistic of normality of N numbers: `N * integral |phi_N(t) - exp(-t^2/2)|^2 exp(-t^2/2) dt`.

    `phi_N(t)` is the mean of `exp(i t x)`. The integrand is even, so the trapezoidal rule runs over [0, reach] and
    counts twice. Of N draws from N(0, 1) it has mean `sqrt(2 pi) - sqrt(2 pi / 3)`, about 1.06, whatever N.

    Args:
        x: P samples of N numbers each.
        knots: points of the quadrature.
        reach: where the integral is cut.
    """
    t = torch.linspace(0, reach, knots, device=x.device, dtype=x.dtype)
    normal = torch.exp(-t.square() / 2)
    step = 2 * reach / (knots - 1)
    weight = torch.full_like(t, step)
    weight[[0, -1]] = step / 2
    angle = x[..., None] * t  # [..., N, P, knots]
    real, imaginary = angle.cos().mean(-3), angle.sin().mean(-3)
    error = (real - normal).square() + imaginary.square()
    return x.shape[-2] * (error @ (weight * normal))


def directions(
    size: int, count: int, generator: torch.Generator | None, device: torch.device | str = "cpu"
) -> Float[Tensor, "D P"]:
    """Random unit vectors; always the same ones without a generator."""
    if generator is None:
        generator = torch.Generator().manual_seed(0)
    drawn = torch.randn(size, count, generator=generator, device=generator.device).to(device)
    return drawn / drawn.norm(dim=0)


def sigreg(
    z: Float[Tensor, "*B N D"], along: Float[Tensor, "D P"], knots: int = 17, reach: float = 3.0
) -> Float[Tensor, ""]:
    """The mean Epps-Pulley statistic of embeddings over directions and groups (LeJEPA eq. 12; LeWM eq. 3).

    Args:
        z: groups (time steps, say) of N embeddings each.
        along: unit vectors.
        knots: points of the quadrature.
        reach: where the integral is cut.

    Returns:
        At least 0, about 1.06 for N draws from N(0, I).
    """
    return epps_pulley(z.float() @ along, knots, reach).mean()
