"""How weights begin."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

CUT = 2.0
"""Normal weights beyond so many standard deviations are drawn again."""

SHRINK = 0.87962566103423978
"""The standard deviation of a unit normal so cut."""


@torch.no_grad()
def fan_in_normal(weight: Float[Tensor, "*_"], fan_in: float, scale: float = 1.0) -> None:
    """Fills a weight with a truncated normal of variance `scale^2 / fan_in`."""
    nn.init.trunc_normal_(weight, std=1.0, a=-CUT, b=CUT)
    weight.mul_(scale / math.sqrt(fan_in) / SHRINK)


def fan_in_linears(module: nn.Module, out: nn.Linear | None = None, scale: float = 1.0) -> None:
    """Starts every linear map in a module at unit output variance with zero biases, `out` at `scale` of that."""
    for each in module.modules():
        if isinstance(each, nn.Linear):
            fan_in_normal(each.weight, each.in_features, scale if each is out else 1.0)
            if each.bias is not None:
                nn.init.zeros_(each.bias)
