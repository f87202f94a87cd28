"""Divergence between categorical beliefs, balanced and with free nats."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def categorical_kl(p: Float[Tensor, "*B S C"], q: Float[Tensor, "*B S C"]) -> Float[Tensor, "*B"]:
    """KL(p || q) of independent categoricals, given as log-chances, summed over S."""
    return (p.exp() * (p - q)).sum((-2, -1))


def balanced_kl(
    posterior: Float[Tensor, "*B S C"], prior: Float[Tensor, "*B S C"], free: float
) -> tuple[Float[Tensor, "*B"], Float[Tensor, "*B"]]:
    """The two halves of DreamerV3's KL loss (arXiv 2301.04104, eq. 5), each cut off below `free` nats.

    Args:
        posterior: log-chances.
        prior: log-chances.
        free: nats below which neither pulls.

    Returns:
        `dyn`, which moves the prior to the posterior, and `rep`, which moves the posterior to the prior.
    """
    dyn = categorical_kl(posterior.detach(), prior)
    rep = categorical_kl(posterior, prior.detach())
    floor = torch.tensor(free, device=dyn.device, dtype=dyn.dtype)
    return torch.maximum(dyn, floor), torch.maximum(rep, floor)
