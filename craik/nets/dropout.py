"""Dropout that draws from the generator it is given."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Dropout(nn.Module):
    """Zeroes each number with probability `rate` and scales up the rest; does nothing without a generator.

    Args:
        rate: in [0, 1).
    """

    def __init__(self, rate: float):
        super().__init__()
        self.rate = rate

    def forward(self, x: Float[Tensor, "*B"], generator: torch.Generator | None = None) -> Float[Tensor, "*B"]:
        """See the class."""
        if generator is None or self.rate == 0:
            return x
        keep = torch.rand(x.shape, generator=generator, device=x.device) >= self.rate
        return x * keep / (1 - self.rate)
