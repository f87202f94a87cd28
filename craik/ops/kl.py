"""Divergence between categorical beliefs, balanced and with free nats."""

from __future__ import annotations

import torch
from torch import Tensor


def categorical_kl(p: Tensor, q: Tensor) -> Tensor:
    """KL(p || q) of independent categoricals, log-chances [..., S, C] each, summed over S: [...]."""
    return (p.exp() * (p - q)).sum((-2, -1))


def balanced_kl(posterior: Tensor, prior: Tensor, free: float) -> tuple[Tensor, Tensor]:
    """The two halves of DreamerV3's KL loss (arXiv 2301.04104, eq. 5), each cut off below `free` nats.

    Args:
        posterior: log-chances [..., S, C].
        prior: log-chances [..., S, C].
        free: nats below which neither pulls.

    Returns:
        `dyn` [...], which moves the prior to the posterior, and `rep` [...], which moves the posterior to the prior.
    """
    dyn = categorical_kl(posterior.detach(), prior)
    rep = categorical_kl(posterior, prior.detach())
    floor = torch.tensor(free, device=dyn.device, dtype=dyn.dtype)
    return torch.maximum(dyn, floor), torch.maximum(rep, floor)
