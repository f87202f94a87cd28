"""Convolutions that halve a picture, and those that double it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from craik.nets.init import fan_in_normal


class ChannelNorm(nn.Module):
    """A norm over the channels of each pixel.

    Args:
        norm: a norm over the last axis.
    """

    def __init__(self, norm: nn.Module):
        super().__init__()
        self.norm = norm

    def forward(self, x: Float[Tensor, "M C h w"]) -> Float[Tensor, "M C h w"]:
        """Free of copies where the memory is channels-last."""
        return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Halve(nn.Module):
    """Convolutions of stride 2, each with norm and SiLU: [M, C, h, w] -> [M, channels[-1], h / 2^n, w / 2^n].

    Args:
        inputs: channels in.
        channels: channels after each convolution.
        kernel: its side; 4 and 5 halve exactly.
        norm: makes the norm of a width.
    """

    def __init__(self, inputs: int, channels: Sequence[int], kernel: int, norm: Callable[[int], nn.Module]):
        super().__init__()
        layers: list[nn.Module] = []
        for width in channels:
            conv = nn.Conv2d(inputs, width, kernel, stride=2, padding=(kernel - 1) // 2)
            start(conv, inputs * kernel**2)
            layers += [conv, ChannelNorm(norm(width)), nn.SiLU()]
            inputs = width
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Float[Tensor, "M inputs h w"]) -> Float[Tensor, "M _ _ _"]:
        """See the class."""
        return self.layers(x)


class Double(nn.Module):
    """Transposed convolutions of stride 2, with norm and SiLU between: undoes the shapes of `Halve`.

    Args:
        inputs: channels in.
        channels: channels after each; the last one is left as it comes.
        kernel: its side; 4 and 5 double exactly.
        norm: makes the norm of a width.
    """

    def __init__(self, inputs: int, channels: Sequence[int], kernel: int, norm: Callable[[int], nn.Module]):
        super().__init__()
        self.convs, self.norms = nn.ModuleList(), nn.ModuleList()
        for i, width in enumerate(channels):
            conv = nn.ConvTranspose2d(
                inputs, width, kernel, stride=2, padding=(kernel - 1) // 2, output_padding=kernel % 2
            )
            start(conv, inputs * kernel**2 / 4)  # with stride 2, a quarter of the kernel meets each pixel
            self.convs.append(conv)
            if i < len(channels) - 1:
                self.norms.append(ChannelNorm(norm(width)))
            inputs = width

    def forward(self, x: Float[Tensor, "M inputs h w"]) -> Float[Tensor, "M _ _ _"]:
        """[M, inputs, h, w] -> [M, channels[-1], h 2^n, w 2^n]."""
        for conv, norm in zip(self.convs, self.norms):  # the last convolution has no norm
            x = F.silu(norm(conv(x)))
        return self.convs[-1](x)


def start(conv: nn.Conv2d | nn.ConvTranspose2d, fan_in: float) -> None:
    """Unit output variance and zero bias."""
    fan_in_normal(conv.weight, fan_in)
    nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
