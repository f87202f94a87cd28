"""Self-attention, and the transformer blocks made of it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from craik.nets.dropout import Dropout


class Attention(nn.Module):
    """Multi-head self-attention (Vaswani et al., arXiv 1706.03762).

    Args:
        width: features in and out.
        heads: number of heads.
        head_width: features of each head; None for `width / heads`.
        causal: whether a token sees only itself and those before it.
        bias: whether queries, keys and values have one.
    """

    def __init__(self, width: int, heads: int, head_width: int | None = None, causal: bool = False, bias: bool = True):
        super().__init__()
        inner = heads * (head_width or width // heads)
        self.heads, self.causal = heads, causal
        self.enter = nn.Linear(width, 3 * inner, bias=bias)
        self.leave = nn.Linear(inner, width)

    def forward(self, x: Float[Tensor, "B L width"]) -> Float[Tensor, "B L width"]:
        """What each token gathers from those it sees."""
        query, key, value = rearrange(self.enter(x), "b l (three n d) -> three b n l d", three=3, n=self.heads)
        seen = F.scaled_dot_product_attention(query, key, value, is_causal=self.causal)
        return self.leave(rearrange(seen, "b n l d -> b l (n d)"))


class Block(nn.Module):
    """A pre-norm transformer block: attention, then two linear maps with a GELU between.

    Args:
        width: features.
        heads: number of heads.
        hidden: features between the two linear maps.
        causal: whether a token sees only itself and those before it.
    """

    def __init__(self, width: int, heads: int, hidden: int, causal: bool = False):
        super().__init__()
        self.before_attention = nn.LayerNorm(width, eps=1e-6)
        self.attention = Attention(width, heads, causal=causal)
        self.before_mlp = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, x: Float[Tensor, "B L width"]) -> Float[Tensor, "B L width"]:
        """The tokens, changed."""
        x = x + self.attention(self.before_attention(x))
        return x + self.mlp(self.before_mlp(x))


class ConditionedBlock(nn.Module):
    """A causal transformer block steered token by token through its norms: AdaLN-zero (DiT, arXiv 2212.09748, 3.2).

    The condition gives each norm a shift and a scale and each branch a gate. All are zero at first, so that the
    block begins as the identity.

    Args:
        width: features, and features of the condition.
        heads: number of heads.
        head_width: features of each head.
        hidden: features between the two linear maps.
        dropout: rate at each branch's end, when a generator is given.
    """

    def __init__(self, width: int, heads: int, head_width: int, hidden: int, dropout: float = 0.0):
        super().__init__()
        self.norm = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)
        self.attention = Attention(width, heads, head_width, causal=True, bias=False)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))
        self.steer = nn.Linear(width, 6 * width)
        self.dropout = Dropout(dropout)
        nn.init.zeros_(self.steer.weight)
        nn.init.zeros_(self.steer.bias)

    def forward(
        self,
        x: Float[Tensor, "B L width"],
        condition: Float[Tensor, "B L width"],
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "B L width"]:
        """The tokens, changed."""
        shift, scale, gate, shift_mlp, scale_mlp, gate_mlp = self.steer(F.silu(condition)).chunk(6, -1)
        seen = self.attention(self.norm(x) * (1 + scale) + shift)
        x = x + gate * self.dropout(seen, generator)
        thought = self.mlp(self.norm(x) * (1 + scale_mlp) + shift_mlp)
        return x + gate_mlp * self.dropout(thought, generator)
