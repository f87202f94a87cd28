"""A gated recurrent cell whose memory is cut into blocks (DreamerV3, arXiv 2301.04104v2, "Model sizes")."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from craik.nets.init import fan_in_normal


class BlockLinear(nn.Module):
    """G linear maps side by side: a linear map whose matrix is block-diagonal.

    Args:
        inputs: features into each block.
        outputs: features out of all blocks together.
        blocks: how many, G.
    """

    def __init__(self, inputs: int, outputs: int, blocks: int):
        super().__init__()
        if outputs % blocks:
            raise ValueError(f"cannot split {outputs} features into {blocks} blocks")
        self.weight = nn.Parameter(torch.empty(blocks, outputs // blocks, inputs))
        self.bias = nn.Parameter(torch.zeros(blocks, outputs // blocks))
        fan_in_normal(self.weight, inputs)

    def forward(self, x: Tensor) -> Tensor:
        """[M, G, inputs] -> [M, G, outputs / G]."""
        if x.shape[1] == 1:
            return F.linear(x, self.weight[0], self.bias[0])
        return torch.einsum("mgi,goi->mgo", x, self.weight) + self.bias


class BlockGRU(nn.Module):
    """A GRU cell with a hidden layer before its gates, both block-diagonal; inputs reach every block.

    Args:
        memory: features remembered, a multiple of `blocks`.
        inputs: features in.
        blocks: how many.
        norm: makes the norm of a width.
    """

    def __init__(self, memory: int, inputs: int, blocks: int, norm: Callable[[int], nn.Module]):
        super().__init__()
        if memory % blocks:
            raise ValueError(f"cannot split a memory of {memory} into {blocks} blocks")
        self.blocks = blocks
        self.mix = BlockLinear(memory // blocks + inputs, memory, blocks)
        self.norm = norm(memory)
        self.gates = BlockLinear(memory // blocks, 3 * memory, blocks)

    def forward(self, memory: Tensor, x: Tensor) -> Tensor:
        """memory [M, memory], x [M, inputs] -> the next memory [M, memory]."""
        parts = memory.unflatten(-1, (self.blocks, -1))
        told = x[:, None].expand(-1, self.blocks, -1)
        mixed = F.silu(self.norm(self.mix(torch.cat([parts, told], -1)).flatten(1)))
        gates = self.gates(mixed.unflatten(-1, (self.blocks, -1))).to(memory.dtype)
        reset, candidate, update = (g.flatten(1) for g in gates.chunk(3, -1))
        candidate = torch.tanh(reset.sigmoid() * candidate)
        return torch.lerp(memory, candidate, torch.sigmoid(update - 1))  # -1: at first it remembers
