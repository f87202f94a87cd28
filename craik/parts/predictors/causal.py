"""The next embedding from the last few and the actions that left them."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from craik.nets.attention import ConditionedBlock
from craik.nets.mlp import MLP


class CausalPredictor(nn.Module):
    """A causal transformer over embeddings, steered by actions through AdaLN-zero (LeWM, arXiv 2603.19312, 3.1).

    It says by how much each embedding changes (LeWM's says outright what comes next).

    Args:
        latent: numbers of an embedding.
        action: numbers of an action.
        history: embeddings it looks at.
        width: features of a token.
        depth: number of blocks.
        heads: heads of each.
        head_width: features of each head.
        hidden: features inside each block's MLP.
        project: hidden features of the map from tokens to embeddings.
        dropout: rate, when a generator is given.
    """

    def __init__(
        self,
        latent: int,
        action: int,
        *,
        history: int = 3,
        width: int = 192,
        depth: int = 6,
        heads: int = 16,
        head_width: int = 64,
        hidden: int = 2048,
        project: int = 2048,
        dropout: float = 0.1,
    ):
        super().__init__()
        self.history = history
        self.action = MLP(action, (4 * width,), width, norm=None)
        self.enter = nn.Identity() if latent == width else nn.Linear(latent, width)
        self.position = nn.Parameter(torch.randn(history, width) * 0.02)
        blocks = [ConditionedBlock(width, heads, head_width, hidden, dropout) for _ in range(depth)]
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(width)
        self.leave = MLP(width, (project,), latent, norm=nn.LayerNorm, act=nn.GELU)

    def forward(
        self,
        latents: Float[Tensor, "B L latent"],
        actions: Float[Tensor, "B L action"],
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "B L latent"]:
        """What comes after each embedding.

        Args:
            latents: L at most `history`, oldest first.
            actions: `actions[:, i]` leaves `latents[:, i]`.
            generator: source of dropout; None for none.

        Returns:
            Entry i depends on no later latent or action.
        """
        tokens = self.enter(latents) + self.position[: latents.shape[1]]
        condition = self.action(actions)
        for block in self.blocks:
            tokens = block(tokens, condition, generator)
        return latents + self.leave(self.norm(tokens))
