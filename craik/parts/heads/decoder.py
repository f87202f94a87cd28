"""From features back to what would be seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from gymnasium import spaces
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from craik.core.spec import is_image, tensor_dtype
from craik.nets.conv import Double
from craik.nets.gru import BlockLinear
from craik.nets.init import fan_in_linears
from craik.nets.mlp import MLP, layers
from craik.ops.symlog import symexp
from craik.parts.senses.encoder import Numbers, picture_shape


class Decoder(nn.Module):
    """Features to observations: the mirror of `Encoder` (DreamerV3, arXiv 2301.04104).

    Numbers are predicted as symlogs under squared error, Discrete observations as classes, pictures as brightness in
    [0, 1] under squared error; every error is a sum over the numbers or pixels of an observation.

    Args:
        space: the observation space.
        inputs: features in.
        units: width of each MLP layer.
        depth: layers of the MLP.
        channels: channels of the encoder's convolutions, which are mirrored.
        kernel: side of the convolutions.
        stem: makes the map from features [M, inputs] to n numbers, which become the smallest picture.
        precision: what the squared errors of numbers are multiplied by; 1 stands for numbers of about unit size whose
            tenths do not matter, as the errors are weighed against nats of information.
        norm: makes the norm of a width.

    Raises:
        SpecError: if the pictures differ in size, or cannot be halved `len(channels)` times.
    """

    def __init__(
        self,
        space: spaces.Dict,
        inputs: int,
        *,
        units: int,
        depth: int,
        channels: Sequence[int],
        kernel: int,
        stem: Callable[[int], nn.Module],
        precision: float = 1.0,
        norm: Callable[[int], nn.Module] = nn.RMSNorm,
    ):
        super().__init__()
        self.space, self.precision = space, precision
        self.numbers = Numbers(space)
        self.images = {k: s.shape[2] for k, s in space.spaces.items() if is_image(s)}  # type: ignore[index]
        if self.numbers.size:
            self.tell = MLP(inputs, [units] * depth, self.numbers.size, norm)
            fan_in_linears(self.tell)
        if self.images:
            h, w, stacked = picture_shape(space, len(channels))
            self.small = (channels[-1], h >> len(channels), w >> len(channels))
            self.stem = stem(int(np.prod(self.small)))
            self.norm = norm(self.small[0])
            self.draw = Double(channels[-1], [*reversed(channels[:-1]), stacked], kernel, norm)

    def numbers_of(self, features: Float[Tensor, "M inputs"]) -> dict[str, Float[Tensor, "M _"]]:
        """Raw predictions of what is no picture, by name: symlogs, or logits of classes."""
        if not self.numbers.size:
            return {}
        told = self.tell(features).float().split(list(self.numbers.parts.values()), -1)
        return dict(zip(self.numbers.parts, told))

    def pictures_of(self, features: Float[Tensor, "M inputs"]) -> dict[str, Float[Tensor, "M h w _"]]:
        """Pictures by name, in [0, 1]."""
        if not self.images:
            return {}
        channels, h, w = self.small
        small = F.silu(self.norm(self.stem(features).unflatten(-1, (h, w, channels)))).permute(0, 3, 1, 2)
        drawn = self.draw(small).float().sigmoid().permute(0, 2, 3, 1)
        return dict(zip(self.images, drawn.split(list(self.images.values()), -1)))

    def numbers_loss(
        self, features: Float[Tensor, "M inputs"], obs: dict[str, Shaped[Tensor, "M ..."]]
    ) -> Float[Tensor, " M"]:
        """Error of all that is no picture."""
        error = features.new_zeros(len(features), dtype=torch.float32)
        for name, told in self.numbers_of(features).items():
            target = self.numbers.one(name, obs[name])
            if name in self.numbers.choices:
                error = error - (told.log_softmax(-1) * target).sum(-1)
            else:
                error = error + self.precision * (told - target).square().sum(-1)
        return error

    def pictures_loss(
        self, features: Float[Tensor, "M inputs"], obs: dict[str, Shaped[Tensor, "M ..."]]
    ) -> Float[Tensor, " M"]:
        """Error of all pictures."""
        error = features.new_zeros(len(features), dtype=torch.float32)
        for name, drawn in self.pictures_of(features).items():
            error = error + (drawn - obs[name].float() / 255).square().sum((-3, -2, -1))
        return error

    def forward(self, features: Float[Tensor, "M inputs"]) -> dict[str, Shaped[Tensor, "M ..."]]:
        """Observations in the environment's own units, inside its space."""
        pictures = {k: (x * 255).round().to(torch.uint8) for k, x in self.pictures_of(features).items()}
        told = {k: self._number(k, x) for k, x in self.numbers_of(features).items()}
        return {k: told[k] if k in told else pictures[k] for k in self.space.spaces}

    def _number(self, name: str, told: Float[Tensor, "M n"]) -> Shaped[Tensor, "M ..."]:
        space = self.space[name]
        if isinstance(space, spaces.Discrete):
            return told.argmax(-1) + int(space.start)
        assert isinstance(space, spaces.Box)
        low, high = (torch.as_tensor(x, dtype=torch.float32, device=told.device) for x in (space.low, space.high))
        value = symexp(told).unflatten(-1, space.shape).clamp(low, high)
        return value if np.issubdtype(space.dtype, np.floating) else value.round().to(tensor_dtype(space))


class BlockStem(nn.Module):
    """From a recurrent belief to a small picture: memory by blocks, choices densely, added (DreamerV3's decoder).

    Args:
        memory: the first features, cut into blocks.
        rest: the other features.
        outputs: numbers out.
        hidden: width between the two maps of the rest.
        blocks: how many.
        norm: makes the norm of a width.
    """

    def __init__(
        self, memory: int, rest: int, outputs: int, hidden: int, blocks: int, norm: Callable[[int], nn.Module]
    ):
        super().__init__()
        self.memory = memory
        self.recall = BlockLinear(memory // blocks, outputs, blocks)
        self.other = nn.Sequential(*layers(rest, [hidden], norm), nn.Linear(hidden, outputs))
        fan_in_linears(self.other)

    def forward(self, features: Float[Tensor, "M _"]) -> Float[Tensor, "M outputs"]:
        """[M, memory + rest] -> [M, outputs]."""
        memory, rest = features[:, : self.memory], features[:, self.memory :]
        return self.recall(memory) + self.other(rest)
