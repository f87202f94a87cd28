"""One embedding for all that is seen at one moment."""

from __future__ import annotations

from collections.abc import Callable

import torch
from gymnasium import spaces
from torch import Tensor, nn

from craik.core.spec import is_image
from craik.nets.mlp import MLP


class Glance(nn.Module):
    """Images through a network each, numbers through another, side by side into one embedding (LeWM's projector).

    The last layer is a plain linear map: a norm there would hold embeddings on a sphere, where no regulariser could
    make them normal.

    Args:
        space: the observation space, `Dict` of `Box` and `Discrete`.
        look: makes the network for an image of shape (h, w, C): [N, h, w, C] in [-1, 1] -> [N, width].
        width: features of each network.
        latent: numbers of the embedding.
        project: hidden features of the projector.
    """

    def __init__(
        self,
        space: spaces.Dict,
        look: Callable[[tuple[int, int, int]], nn.Module],
        *,
        width: int,
        latent: int,
        project: int,
    ):
        super().__init__()
        self.images = tuple(k for k, s in space.spaces.items() if is_image(s))
        self.numbers = {k: spaces.flatdim(s) for k, s in space.spaces.items() if k not in self.images}
        self.discrete = {k: (int(s.start), int(s.n)) for k, s in space.spaces.items() if isinstance(s, spaces.Discrete)}
        self.look = nn.ModuleList([look(space[k].shape) for k in self.images])  # type: ignore[arg-type]
        size = sum(self.numbers.values())
        self.feel = MLP(size, (width,), width, norm=nn.LayerNorm) if size else None
        joined = width * (len(self.images) + (size > 0))
        self.project = MLP(joined, (project,), latent, norm=nn.LayerNorm, act=nn.GELU)

    def forward(self, obs: dict[str, Tensor]) -> Tensor:
        """Observations name -> [N, ...] -> [N, latent]."""
        seen = [look(obs[k].float() / 127.5 - 1) for k, look in zip(self.images, self.look)]
        if self.feel is not None:
            seen.append(self.feel(torch.cat([self.number(k, obs[k]) for k in self.numbers], -1)))
        return self.project(torch.cat(seen, -1))

    def number(self, name: str, value: Tensor) -> Tensor:
        """[N, ...] -> [N, size]: a one-hot, or numbers squeezed by symlog."""
        if name in self.discrete:
            start, n = self.discrete[name]
            return nn.functional.one_hot(value.long() - start, n).float()
        flat = value.float().flatten(1)
        return flat.sign() * flat.abs().log1p()
