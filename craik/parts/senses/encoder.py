"""The eye for anything a spec may show: pictures through convolutions, numbers through an MLP, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from gymnasium import spaces
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from craik.core.errors import SpecError
from craik.core.spec import is_image
from craik.nets.conv import Halve
from craik.nets.init import fan_in_linears
from craik.nets.mlp import layers
from craik.ops.symlog import symlog


class Encoder(nn.Module):
    """Observations to one vector of features (DreamerV3, arXiv 2301.04104).

    Numbers are squeezed by symlog, Discrete observations become one-hots, and all of them go through one MLP. Pictures
    are stacked along their channels and halved by convolutions until the smallest map is flattened.

    Args:
        space: the observation space, `Dict` of `Box` and `Discrete`; pictures are all of one height and width.
        units: width of each MLP layer.
        depth: layers of the MLP.
        channels: channels after each convolution.
        kernel: side of the convolutions.
        norm: makes the norm of a width.
        ones: constant ones beside the numbers. Layers before a norm have no bias, so that without a constant among
            the numbers the first one sees their direction and not their size.

    Attributes:
        size: features out.

    Raises:
        SpecError: if the pictures differ in size, or cannot be halved `len(channels)` times.
    """

    def __init__(
        self,
        space: spaces.Dict,
        *,
        units: int,
        depth: int,
        channels: Sequence[int],
        kernel: int,
        norm: Callable[[int], nn.Module] = nn.RMSNorm,
        ones: int = 0,
    ):
        super().__init__()
        self.numbers = Numbers(space, ones)
        self.images = tuple(k for k, s in space.spaces.items() if is_image(s))
        self.size = 0
        if self.numbers.size:
            self.feel = layers(self.numbers.size, [units] * depth, norm)
            fan_in_linears(self.feel)
            # Under a norm without a bias only the direction of the numbers would count, and not their size.
            nn.init.normal_(self.feel[0].bias)  # type: ignore[arg-type]
            self.size += units
        if self.images:
            h, w, stacked = picture_shape(space, len(channels))
            self.look = Halve(stacked, channels, kernel, norm)
            self.size += channels[-1] * (h >> len(channels)) * (w >> len(channels))

    def forward(self, obs: dict[str, Shaped[Tensor, "M ..."]]) -> Float[Tensor, "M size"]:
        """The features of observations, by name."""
        seen = []
        if self.numbers.size:
            seen.append(self.feel(self.numbers(obs)))
        if self.images:
            stacked = torch.cat([obs[k] for k in self.images], -1) if len(self.images) > 1 else obs[self.images[0]]
            picture = stacked.float().permute(0, 3, 1, 2) / 255 - 0.5  # channels-last in memory, as it came
            seen.append(self.look(picture).flatten(1))
        return torch.cat(seen, -1) if len(seen) > 1 else seen[0]


class Numbers(nn.Module):
    """All observations that are no pictures as one vector of tame numbers.

    Args:
        space: the observation space.
        ones: constant ones beside them, if there are any.

    Attributes:
        parts: name -> numbers it takes up, in order.
        size: numbers in all.
    """

    def __init__(self, space: spaces.Dict, ones: int = 0):
        super().__init__()
        plain = {k: s for k, s in space.spaces.items() if not is_image(s)}
        self.parts = {k: spaces.flatdim(s) for k, s in plain.items()}
        self.choices = {k: int(s.start) for k, s in plain.items() if isinstance(s, spaces.Discrete)}
        self.size = sum(self.parts.values())

    def forward(self, obs: dict[str, Shaped[Tensor, "M ..."]]) -> Float[Tensor, "M size"]:
        """Of observations by name: symlogs of numbers, one-hots of Discrete."""
        return torch.cat([self.one(k, obs[k]) for k in self.parts], -1)

    def one(self, name: str, value: Shaped[Tensor, "M ..."]) -> Float[Tensor, "M n"]:
        """One of them."""
        if name in self.choices:
            return F.one_hot(value.long() - self.choices[name], self.parts[name]).float()
        return symlog(value.float().flatten(1))


def picture_shape(space: spaces.Dict, halvings: int) -> tuple[int, int, int]:
    """(h, w, channels of all) of a space's pictures.

    Raises:
        SpecError: if they differ in size, or cannot be halved so often.
    """
    shapes = [s.shape or () for s in space.spaces.values() if is_image(s)]
    h, w = shapes[0][:2]
    if any(s[:2] != (h, w) for s in shapes):
        raise SpecError(f"the pictures have different sizes: {[s[:2] for s in shapes]}", "resize them to one size")
    if h % 2**halvings or w % 2**halvings:
        raise SpecError(
            f"a picture of {h} x {w} pixels cannot be halved {halvings} times",
            f"resize it to multiples of {2**halvings}, e.g. 64 x 64",
        )
    return h, w, sum(s[2] for s in shapes)
