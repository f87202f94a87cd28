"""Returns: what comes, discounted, and how widely it spreads."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def lambda_returns(
    reward: Float[Tensor, "N H"],
    discount: Float[Tensor, "N H"],
    value: Float[Tensor, "N H"],
    lam: float | Float[Tensor, "N H"],
) -> Float[Tensor, "N H"]:
    """Bootstrapped lambda-returns (DreamerV3, arXiv 2301.04104, eq. 7).

    `R[t] = reward[t] + discount[t] ((1 - lam) value[t] + lam R[t + 1])`, and R after the last is the last value.

    Args:
        reward: of the arrival at step t + 1.
        discount: what the future beyond that arrival counts for: gamma times the chance to go on.
        value: of the state arrived at.
        lam: between one-step (0) and Monte-Carlo (1); one number, or one for each step.
    """
    base = reward + discount * value * (1 - lam)
    keep = discount * lam
    last, returns = value[:, -1], []
    for t in range(reward.shape[1] - 1, -1, -1):
        last = base[:, t] + keep[:, t] * last
        returns.append(last)
    return torch.stack(returns[::-1], 1)


def percentiles(x: Float[Tensor, "*_"], low: float = 0.05, high: float = 0.95) -> Float[Tensor, " 2"]:
    """Two quantiles of all numbers. Their distance is robust to outliers (DreamerV3, eq. 6)."""
    return torch.quantile(x.flatten().float(), torch.tensor([low, high], device=x.device))
