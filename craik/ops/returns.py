"""Returns: what comes, discounted, and how widely it spreads."""

from __future__ import annotations

import torch
from torch import Tensor


def lambda_returns(reward: Tensor, discount: Tensor, value: Tensor, lam: float | Tensor) -> Tensor:
    """Bootstrapped lambda-returns (DreamerV3, arXiv 2301.04104, eq. 7).

    `R[t] = reward[t] + discount[t] ((1 - lam) value[t] + lam R[t + 1])`, and R after the last is the last value.

    Args:
        reward: [N, H], of the arrival at step t + 1.
        discount: [N, H], what the future beyond that arrival counts for: gamma times the chance to go on.
        value: [N, H], of the state arrived at.
        lam: between one-step (0) and Monte-Carlo (1); one number, or one for each step [N, H].

    Returns:
        [N, H]
    """
    base = reward + discount * value * (1 - lam)
    keep = discount * lam
    last, returns = value[:, -1], []
    for t in range(reward.shape[1] - 1, -1, -1):
        last = base[:, t] + keep[:, t] * last
        returns.append(last)
    return torch.stack(returns[::-1], 1)


def percentiles(x: Tensor, low: float = 0.05, high: float = 0.95) -> Tensor:
    """[...] -> [2]: two quantiles of all numbers. Their distance is robust to outliers (DreamerV3, eq. 6)."""
    return torch.quantile(x.flatten().float(), torch.tensor([low, high], device=x.device))
