"""A gated recurrent cell whose memory is cut into blocks (DreamerV3, arXiv 2301.04104v2, "Model sizes")."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float
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

    def forward(self, x: Float[Tensor, "M _"]) -> Float[Tensor, "M outputs"]:
        """[M, G * inputs] -> [M, outputs]."""
        blocks = len(self.weight)
        if blocks == 1:
            return F.linear(x, self.weight[0], self.bias[0])
        apart = x.unflatten(-1, (blocks, -1)).transpose(0, 1)  # [G, M, inputs]
        return torch.baddbmm(self.bias[:, None], apart, self.weight.transpose(1, 2)).transpose(0, 1).flatten(1)


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

    def forward(self, memory: Float[Tensor, "M memory"], x: Float[Tensor, "M inputs"]) -> Float[Tensor, "M memory"]:
        """The next memory."""
        if self.blocks == 1:
            told = torch.cat([memory, x], -1)
        else:
            parts = memory.unflatten(-1, (self.blocks, -1))  # every block sees its own memory and all of x
            told = torch.cat([parts, x[:, None].expand(-1, self.blocks, -1)], -1).flatten(1)
        gates = self.gates(F.silu(self.norm(self.mix(told)))).to(memory.dtype)
        reset, candidate, update = gates.unflatten(-1, (self.blocks, 3, -1)).unbind(-2)
        reset, candidate, update = reset.flatten(1), candidate.flatten(1), update.flatten(1)
        candidate = torch.tanh(reset.sigmoid() * candidate)
        return torch.lerp(memory, candidate, torch.sigmoid(update - 1))  # -1: at first it remembers
