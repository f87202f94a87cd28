"""Numbers as soft classes: a regression learned by cross-entropy, whatever its scale.

DreamerV3, arXiv 2301.04104, section "Critic learning" and equations 8 to 10: bins at symexp(-20) .. symexp(20), a
target that lies between two bins puts its weight on both, and the prediction is the expectation over the bins.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from craik.ops.symlog import symexp

REACH = 20.0
"""The outermost bins are at plus and minus symexp(20), about 4.9e8."""


def symexp_bins(count: int, reach: float = REACH) -> Float[Tensor, " K"]:
    """Bin centres, rising, exactly symmetric about a bin at 0; `count` is odd."""
    if count % 2 == 0 or count < 3:
        raise ValueError(f"the number of bins must be odd and at least 3, not {count}")
    upper = symexp(torch.linspace(0, reach, count // 2 + 1))
    return torch.cat([-upper[1:].flip(0), upper])


def neighbours(x: Float[Tensor, "*B"], bins: Float[Tensor, " K"]) -> tuple[Int[Tensor, "*B"], Float[Tensor, "*B"]]:
    """Where a number lies among the bins.

    Args:
        x: numbers; beyond the outermost bins it counts as lying on them.
        bins: rising.

    Returns:
        The index of the upper of its two bins, in 1 .. K - 1, and that bin's share of the weight.
    """
    x = x.clamp(bins[0], bins[-1])
    upper = torch.bucketize(x, bins).clamp(1, len(bins) - 1)
    low, high = bins[upper - 1], bins[upper]
    return upper, (x - low) / (high - low)


def two_hot(x: Float[Tensor, "*B"], bins: Float[Tensor, " K"]) -> Float[Tensor, "*B K"]:
    """At most two neighbouring entries are not zero, and the expectation over the bins is x."""
    upper, share = neighbours(x, bins)
    hot = torch.zeros(*x.shape, len(bins), device=x.device)
    return hot.scatter(-1, upper[..., None] - 1, 1 - share[..., None]).scatter(-1, upper[..., None], share[..., None])


def two_hot_loss(
    logits: Float[Tensor, "*B K"], target: Float[Tensor, "*B"], bins: Float[Tensor, " K"]
) -> Float[Tensor, "*B"]:
    """Cross-entropy with the two-hot target, without building it."""
    upper, share = neighbours(target, bins)
    logs = logits.log_softmax(-1)
    at_low, at_high = (logs.gather(-1, i[..., None]).squeeze(-1) for i in (upper - 1, upper))
    return -(1 - share) * at_low - share * at_high


def expectation(logits: Float[Tensor, "*B K"], bins: Float[Tensor, " K"]) -> Float[Tensor, "*B"]:
    """The number that logits over symmetric bins mean.

    Bins of opposite sign are paired before they are summed, so that equal chances give exactly 0: summed from one end
    to the other, rounding of terms of 1e8 would drown everything.
    """
    middle = len(bins) // 2
    chance = logits.softmax(-1)
    return (chance[..., middle + 1 :] - chance[..., :middle].flip(-1)) @ bins[middle + 1 :]
