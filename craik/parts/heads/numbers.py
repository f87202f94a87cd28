"""Single numbers read from features: of any scale by two-hot classes, and chances."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from craik.nets.init import fan_in_linears
from craik.nets.mlp import MLP
from craik.ops.two_hot import REACH, expectation, symexp_bins, two_hot_loss


class TwoHot(nn.Module):
    """A number of any scale, as the expectation over bins that are spaced exponentially. Begins by predicting 0.

    Args:
        inputs: features in.
        units: width of each hidden layer.
        depth: hidden layers.
        bins: number of bins, odd.
        reach: the outermost bins are at plus and minus symexp(reach).
        norm: makes the norm of a width.
    """

    bins: Float[Tensor, " K"]

    def __init__(
        self,
        inputs: int,
        *,
        units: int,
        depth: int,
        bins: int = 255,
        reach: float = REACH,
        norm: Callable[[int], nn.Module] = nn.RMSNorm,
    ):
        super().__init__()
        self.net = MLP(inputs, [units] * depth, bins, norm)
        fan_in_linears(self.net, self.net.out, 0.0)
        self.register_buffer("bins", symexp_bins(bins, reach), persistent=False)

    def forward(self, features: Float[Tensor, "*B inputs"]) -> Float[Tensor, "*B K"]:
        """Logits over the bins."""
        return self.net(features).float()

    def mean(self, features: Float[Tensor, "*B inputs"]) -> Float[Tensor, "*B"]:
        """The number predicted."""
        return expectation(self(features), self.bins)

    def mean_of(self, logits: Float[Tensor, "*B K"]) -> Float[Tensor, "*B"]:
        """The number that logits mean."""
        return expectation(logits, self.bins)

    def loss_of(self, logits: Float[Tensor, "*B K"], target: Float[Tensor, "*B"]) -> Float[Tensor, "*B"]:
        """Cross-entropy of logits with numbers."""
        return two_hot_loss(logits, target, self.bins)

    def loss(self, features: Float[Tensor, "*B inputs"], target: Float[Tensor, "*B"]) -> Float[Tensor, "*B"]:
        """Cross-entropy of what is predicted with numbers."""
        return self.loss_of(self(features), target)


class Chance(nn.Module):
    """A probability.

    Args:
        inputs: features in.
        units: width of each hidden layer.
        depth: hidden layers.
        norm: makes the norm of a width.
    """

    def __init__(self, inputs: int, *, units: int, depth: int, norm: Callable[[int], nn.Module] = nn.RMSNorm):
        super().__init__()
        self.net = MLP(inputs, [units] * depth, 1, norm)
        fan_in_linears(self.net)

    def forward(self, features: Float[Tensor, "*B inputs"]) -> Float[Tensor, "*B"]:
        """In [0, 1]."""
        return self.net(features).float().squeeze(-1).sigmoid()

    def loss(self, features: Float[Tensor, "*B inputs"], target: Shaped[Tensor, "*B"]) -> Float[Tensor, "*B"]:
        """Cross-entropy of what is predicted with chances, or with what happened (bool)."""
        logit = self.net(features).float().squeeze(-1)
        return F.binary_cross_entropy_with_logits(logit, target.float(), reduction="none")
