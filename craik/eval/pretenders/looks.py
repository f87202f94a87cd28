"""Pretenders that imagine rightly and draw badly."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from craik.core.model import WorldModel
from craik.core.spec import is_image
from craik.eval.pretend import Pretender


class Painter(Pretender):
    """Draws what another model draws, altered by `retouch`; beliefs and everything else are unharmed."""

    def read(self, state, query=None):  # noqa: ANN001, ANN201, D102
        readings = dict(self.model.read(state, query))
        if "obs" in readings:
            seen, spaces = readings["obs"], self.spec.obs.spaces
            readings["obs"] = {k: self.retouch(v) if is_image(spaces[k]) else v for k, v in seen.items()}
        return readings

    def retouch(self, pictures: Tensor) -> Tensor:
        """[N, h, w, 3] uint8 -> the same."""
        raise NotImplementedError


class Blurred(Painter):
    """Draws everything out of focus.

    Args:
        model: the model that is pretended to be.
        sigma: pixels.
    """

    def __init__(self, model: WorldModel, sigma: float = 1.5):
        super().__init__(model)
        self.sigma = sigma

    def retouch(self, pictures: Tensor) -> Tensor:  # noqa: D102
        reach = max(1, round(3 * self.sigma))
        at = torch.arange(-reach, reach + 1).float()
        kernel = torch.exp(-0.5 * (at / self.sigma).square())
        kernel = (kernel / kernel.sum()).to(pictures.device)
        x = pictures.movedim(-1, 1).float()
        n, c, h, w = x.shape
        x = F.pad(x.reshape(n * c, 1, h, w), (reach,) * 4, mode="replicate")
        x = F.conv2d(F.conv2d(x, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))
        return x.reshape(n, c, h, w).movedim(1, -1).round().to(pictures.dtype)


class Noisy(Painter):
    """Draws with grain, the same in every picture of a call.

    Args:
        model: the model that is pretended to be.
        sigma: standard deviation, in parts of the range.
    """

    def __init__(self, model: WorldModel, sigma: float = 0.06):
        super().__init__(model)
        self.sigma = sigma

    def retouch(self, pictures: Tensor) -> Tensor:  # noqa: D102
        grain = torch.randn(pictures.shape, generator=torch.Generator().manual_seed(0))
        return (pictures + 255 * self.sigma * grain.to(pictures.device)).round().clamp(0, 255).to(pictures.dtype)
