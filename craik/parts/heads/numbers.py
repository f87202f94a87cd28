"""Single numbers read from features: of any scale by two-hot classes, and chances."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from craik.nets.init import fan_in_linears
from craik.nets.mlp import MLP
from craik.ops.two_hot import expectation, symexp_bins, two_hot_loss


class TwoHot(nn.Module):
    """A number of any scale, as the expectation over bins that are spaced exponentially. Begins by predicting 0.

    Args:
        inputs: features in.
        units: width of each hidden layer.
        depth: hidden layers.
        bins: number of bins, odd.
        norm: makes the norm of a width.
    """

    bins: Tensor

    def __init__(
        self, inputs: int, *, units: int, depth: int, bins: int = 255, norm: Callable[[int], nn.Module] = nn.RMSNorm
    ):
        super().__init__()
        self.net = MLP(inputs, [units] * depth, bins, norm)
        fan_in_linears(self.net, self.net.out, 0.0)
        self.register_buffer("bins", symexp_bins(bins), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """[..., inputs] -> logits [..., bins]."""
        return self.net(features).float()

    def mean(self, features: Tensor) -> Tensor:
        """[..., inputs] -> the number predicted [...]."""
        return expectation(self(features), self.bins)

    def mean_of(self, logits: Tensor) -> Tensor:
        """The number that logits [..., bins] mean: [...]."""
        return expectation(logits, self.bins)

    def loss_of(self, logits: Tensor, target: Tensor) -> Tensor:
        """Cross-entropy of logits [..., bins] with numbers [...]: [...]."""
        return two_hot_loss(logits, target, self.bins)

    def loss(self, features: Tensor, target: Tensor) -> Tensor:
        """Cross-entropy of [..., inputs] with numbers [...]: [...]."""
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

    def forward(self, features: Tensor) -> Tensor:
        """[..., inputs] -> [...] in [0, 1]."""
        return self.net(features).float().squeeze(-1).sigmoid()

    def loss(self, features: Tensor, target: Tensor) -> Tensor:
        """Cross-entropy of [..., inputs] with chances [...]: [...]."""
        logit = self.net(features).float().squeeze(-1)
        return F.binary_cross_entropy_with_logits(logit, target.float(), reduction="none")
