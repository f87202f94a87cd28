"""The vision transformer."""

from __future__ import annotations

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from craik.nets.attention import Block


class ViT(nn.Module):
    """Square patches as tokens, learned positions, and a class token that says what was seen (arXiv 2010.11929).

    Args:
        shape: (h, w, C) of the image; h and w are multiples of `patch`.
        patch: side of a patch, in pixels.
        width: features of a token.
        depth: number of blocks.
        heads: heads of each.
        hidden: features inside each block's MLP; None for `4 * width`.

    Attributes:
        size: features out, `width`.

    Raises:
        ValueError: if the image does not divide into patches.
    """

    def __init__(
        self, shape: tuple[int, int, int], patch: int, width: int, depth: int, heads: int, hidden: int | None = None
    ):
        super().__init__()
        h, w, channels = shape
        if h % patch or w % patch:
            raise ValueError(f"an image of {h} x {w} pixels does not divide into patches of {patch} x {patch}")
        self.patch, self.size = patch, width
        self.embed = nn.Linear(patch * patch * channels, width)
        self.token = nn.Parameter(torch.randn(width) * 0.02)
        self.position = nn.Parameter(torch.randn(1 + (h // patch) * (w // patch), width) * 0.02)
        self.blocks = nn.Sequential(*[Block(width, heads, hidden or 4 * width) for _ in range(depth)])
        self.norm = nn.LayerNorm(width, eps=1e-6)

    def forward(self, image: Float[Tensor, "B h w C"]) -> Float[Tensor, "B width"]:
        """Of images of about unit size."""
        patches = rearrange(image, "b (h p) (w q) c -> b (h w) (p q c)", p=self.patch, q=self.patch)
        tokens = torch.cat([self.token.expand(image.shape[0], 1, -1), self.embed(patches)], 1) + self.position
        return self.norm(self.blocks(tokens)[:, 0])
