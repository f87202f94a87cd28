"""One embedding for all that is seen at one moment."""

from __future__ import annotations

from collections.abc import Callable

import torch
from gymnasium import spaces
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from craik.core.spec import is_image
from craik.nets.mlp import MLP
from craik.parts.senses.encoder import Numbers


class Glance(nn.Module):
    """Pictures through an eye each, numbers through an MLP, side by side into one embedding (LeWM's projector).

    The last layer is a plain linear map: a norm there would hold embeddings on a sphere, where no regulariser could
    make them normal.

    Args:
        space: the observation space, `Dict` of `Box` and `Discrete`.
        eye: makes what looks at a picture of shape (h, w, C): [M, h, w, C] in [-1, 1] -> [M, its `size`].
        units: features made of the numbers.
        latent: numbers of the embedding.
        project: hidden features of the projector; none for a linear map.
    """

    def __init__(
        self,
        space: spaces.Dict,
        eye: Callable[[tuple[int, int, int]], nn.Module],
        *,
        units: int,
        latent: int,
        project: tuple[int, ...],
    ):
        super().__init__()
        self.images = tuple(k for k, s in space.spaces.items() if is_image(s))
        self.eyes = nn.ModuleList([eye(space[k].shape) for k in self.images])  # type: ignore[arg-type]
        self.numbers = Numbers(space)
        size = sum(int(eye.size) for eye in self.eyes)  # type: ignore[arg-type,misc]
        if self.numbers.size:
            self.feel = MLP(self.numbers.size, (units,), units, norm=nn.LayerNorm)
            size += units
        self.project = MLP(size, project, latent, norm=nn.LayerNorm, act=nn.GELU)

    def forward(self, obs: dict[str, Shaped[Tensor, "M ..."]]) -> Float[Tensor, "M latent"]:
        """The embeddings of observations, by name."""
        seen = [eye(obs[k].float() / 127.5 - 1) for k, eye in zip(self.images, self.eyes)]
        if self.numbers.size:
            seen.append(self.feel(self.numbers(obs)))
        return self.project(torch.cat(seen, -1))
