"""A small convolutional eye."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class Strided(nn.Module):
    """Convolutions of stride 2 with a SiLU each, then one linear map of all that is left, places included.

    Args:
        shape: (h, w, C) of the image.
        channels: channels after each convolution.
        width: features out.
    """

    def __init__(self, shape: tuple[int, int, int], channels: tuple[int, ...], width: int):
        super().__init__()
        layers: list[nn.Module] = []
        before = shape[2]
        for after in channels:
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.SiLU()]
            before = after
        left = math.prod(side >> len(channels) for side in shape[:2])
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(before * left, width))

    def forward(self, image: Tensor) -> Tensor:
        """Images [B, h, w, C], about unit size -> [B, width]."""
        image = image - image.mean((1, 2), keepdim=True)
        return self.layers(torch.movedim(4*image, -1, 1))
