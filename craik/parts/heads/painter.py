"""A quick painter: draws observations as what is usual plus what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import torch
from gymnasium import spaces
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from craik.core.spec import is_image, tensor_dtype
from craik.nets.mlp import MLP

SMALL = 8
"""Height and width of the smallest picture; each convolution doubles it."""


class Painter(nn.Module):
    """Features to observations, as deviations from their mean in units of their spread.

    Most of a picture is the same at every moment. A painter that begins with the mean picture, and may change a pixel
    by as much as it usually changes, learns in a tenth of the time of one that begins with grey.

    Args:
        inputs: features in.
        usual: observations to measure mean and spread from. Images are 8 * 2^n wide.
        obs: the observation space; `Discrete` observations are left out.
        channels: of the convolutions, the biggest picture first; n of them.
        least: the least spread of a pixel, as brightness in [0, 1].
    """

    def __init__(
        self,
        inputs: int,
        usual: Mapping[str, Shaped[Tensor, "M ..."]],
        obs: spaces.Dict,
        *,
        channels: Sequence[int] = (12, 24, 48),
        least: float = 0.05,
    ):
        super().__init__()
        self.obs = spaces.Dict({k: s for k, s in obs.spaces.items() if isinstance(s, spaces.Box)})
        self.nets = nn.ModuleDict()
        for name, space in self.obs.spaces.items():
            image = is_image(space)
            seen = usual[name].float() / (255 if image else 1)
            self.register_buffer(f"mean_{name}", seen.mean(0))
            self.register_buffer(f"spread_{name}", seen.std(0).clamp(min=least if image else 1e-3))
            if image:
                self.nets[name] = Strokes(inputs, channels, seen.shape[-1])
            else:
                self.nets[name] = nn.Sequential(MLP(inputs, (128,), seen[0].numel()), nn.Unflatten(-1, seen.shape[1:]))

    def paint(self, features: Float[Tensor, "M inputs"]) -> dict[str, Float[Tensor, "M ..."]]:
        """Observations by name, images as brightness; nothing is clipped."""
        return {k: net(features) * self.get_buffer(f"spread_{k}") + self.get_buffer(f"mean_{k}")
                for k, net in self.nets.items()}  # fmt: skip

    def loss(
        self, features: Float[Tensor, "M inputs"], obs: Mapping[str, Shaped[Tensor, "M ..."]]
    ) -> Float[Tensor, " M"]:
        """Squared error: summed over pixels as brightness, and over numbers in units of their spread."""
        error = features.new_zeros(len(features))
        for name, painted in self.paint(features).items():
            image = is_image(self.obs[name])
            scale = 255 if image else 1
            gap = painted - obs[name].float() / scale
            gap = gap if image else gap / self.get_buffer(f"spread_{name}")
            error = error + gap.square().flatten(1).sum(1)
        return error

    def forward(self, features: Float[Tensor, "M inputs"]) -> dict[str, Shaped[Tensor, "M ..."]]:
        """Observations in the environment's own units, inside its space."""
        return {name: self._fit(name, painted) for name, painted in self.paint(features).items()}

    def _fit(self, name: str, painted: Float[Tensor, "M ..."]) -> Shaped[Tensor, "M ..."]:
        space = self.obs[name]
        assert isinstance(space, spaces.Box)
        if is_image(space):
            return (painted * 255).round().clamp(0, 255).to(torch.uint8)
        low, high = (torch.as_tensor(x, dtype=torch.float32, device=painted.device) for x in (space.low, space.high))
        value = painted.clamp(low, high)
        return value if np.issubdtype(space.dtype, np.floating) else value.round().to(tensor_dtype(space))


class Strokes(nn.Module):
    """Features to one picture: a small one from a perceptron, doubled by convolutions.

    Args:
        inputs: features in.
        channels: the biggest picture's first.
        colours: channels out.
    """

    def __init__(self, inputs: int, channels: Sequence[int], colours: int):
        super().__init__()
        self.first = channels[-1]
        self.sketch = nn.Sequential(nn.Linear(inputs, 256), nn.SiLU(), nn.Linear(256, self.first * SMALL**2))
        widths = [*reversed(channels), colours]
        layers: list[nn.Module] = []
        for a, b in pairwise(widths):
            layers += [nn.SiLU(), nn.ConvTranspose2d(a, b, 4, 2, 1)]
        self.fill = nn.Sequential(*layers[1:])

    def forward(self, features: Float[Tensor, "M inputs"]) -> Float[Tensor, "M h w colours"]:
        """One picture a row."""
        small = self.sketch(features).unflatten(-1, (self.first, SMALL, SMALL))
        return self.fill(small.to(memory_format=torch.channels_last)).permute(0, 2, 3, 1)
