"""Actions as vectors: what networks and planners see of any action space."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from gymnasium import spaces
from jaxtyping import Bool, Float, Shaped
from torch import Tensor, nn


class ActionVector(nn.Module):
    """Between actions in the environment's units and vectors of `size` numbers.

    Box: each number scaled linearly from [low, high] to [-1, 1]; unbounded numbers pass as they are.
    Discrete: a one-hot of n. MultiDiscrete: the one-hots side by side. An index of -1 (the null action) is all zeros.

    Args:
        space: the action space.
    """

    middle: Float[Tensor, " A"]
    reach: Float[Tensor, " A"]
    bounded: Bool[Tensor, " A"]

    def __init__(self, space: spaces.Space):
        super().__init__()
        self.continuous = isinstance(space, spaces.Box)
        self.start = int(space.start) if isinstance(space, spaces.Discrete) else 0
        if isinstance(space, spaces.Box):
            bounded = np.isfinite(space.low) & np.isfinite(space.high)
            low, high = np.where(bounded, space.low, -1.0), np.where(bounded, space.high, 1.0)
            self.sizes = (1,) * space.shape[0]
            self.register_buffer("middle", torch.as_tensor((high + low) / 2, dtype=torch.float32))
            self.register_buffer("reach", torch.as_tensor((high - low) / 2, dtype=torch.float32))
            self.register_buffer("bounded", torch.as_tensor(bounded))
        elif isinstance(space, spaces.Discrete):
            self.sizes = (int(space.n),)
        else:
            assert isinstance(space, spaces.MultiDiscrete)
            self.sizes = tuple(int(n) for n in space.nvec)
        self.single = isinstance(space, spaces.Discrete)
        self.size = sum(self.sizes)

    def forward(self, action: Shaped[Tensor, "*_"]) -> Float[Tensor, "... size"]:
        """Actions in the environment's units [..., (A)] -> vectors [..., size].

        Choices may also come as floats [..., size]: one-hots already, perhaps blurred ones that carry gradients.
        """
        if self.continuous:
            return (action - self.middle) / self.reach
        if action.is_floating_point():
            return action
        action = (action - self.start if self.start else action)[..., None] if self.single else action
        hots = [
            F.one_hot(action[..., i].clamp(min=0), n) * (action[..., i, None] >= 0) for i, n in enumerate(self.sizes)
        ]
        return torch.cat(hots, -1).float()

    def invert(self, vector: Float[Tensor, "... size"]) -> Shaped[Tensor, "*_"]:
        """Actions [..., (A)] of vectors: clipped to the bounds, or the largest entry of each one-hot."""
        if self.continuous:
            return torch.where(self.bounded, vector.clamp(-1, 1), vector) * self.reach + self.middle
        picks = [v.argmax(-1) for v in vector.split(self.sizes, -1)]
        return picks[0] + self.start if self.single else torch.stack(picks, -1)
