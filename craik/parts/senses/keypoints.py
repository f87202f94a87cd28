"""An eye that says where things are."""

from __future__ import annotations

import itertools

import torch
from jaxtyping import Float
from torch import Tensor, nn

SHARP = 4.0
"""How sharply maps are read at first."""

UNIT = 10.0
"""Untrained maps are nearly flat, so all places lie near the middle: this brings their differences to unit size."""


class Keypoints(nn.Module):
    """Convolutions, then the mean place of each channel's map (spatial soft-argmax; Finn et al., arXiv 1509.06113).

    The picture's mean colour is taken away first, so that a plain background says nothing. The first convolution
    halves the picture, the others keep its size: places are told to a fraction of two pixels. Beside each place stands
    how far its map spreads, along either axis.

    Args:
        shape: (h, w, C) of the image; h and w are even.
        channels: channels after each convolution; the last is the number of points.

    Attributes:
        size: features out, 4 a point.
    """

    grid: Float[Tensor, "places 2"]

    def __init__(self, shape: tuple[int, int, int], channels: tuple[int, ...]):
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(shape[2], channels[0], 4, stride=2, padding=1)]
        for before, after in itertools.pairwise(channels):
            layers += [nn.SiLU(), nn.Conv2d(before, after, 3, padding=1)]
        self.layers = nn.Sequential(*layers)
        rows, columns = (torch.linspace(-1, 1, side // 2) for side in shape[:2])
        self.register_buffer("grid", torch.stack(torch.meshgrid(rows, columns, indexing="ij"), -1).flatten(0, 1))
        self.sharp = nn.Parameter(torch.full((channels[-1], 1), SHARP))
        self.size = 4 * channels[-1]

    def forward(self, image: Float[Tensor, "B h w C"]) -> Float[Tensor, "B size"]:
        """Images of about unit size to features of about unit size."""
        image = image - image.mean((1, 2), keepdim=True)
        maps = self.layers(torch.movedim(image, -1, 1)).flatten(2)  # [B, points, places]
        share = (self.sharp * maps).softmax(-1)
        place = share @ self.grid  # [B, points, 2]
        spread = share @ self.grid.square() - place.square()
        return UNIT * torch.cat([place, spread], -1).flatten(1)
