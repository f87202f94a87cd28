"""An ensemble of action values, with its slow copy."""

from __future__ import annotations

import copy

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.func import functional_call

from craik.nets.ensemble import EnsembleMLP


class QEnsemble(nn.Module):
    """E action-value networks and their exponential moving average (Hansen et al. 2024, section 3.1).

    Args:
        net: maps [M, D + A] to [E, M, bins].
    """

    def __init__(self, net: EnsembleMLP):
        super().__init__()
        self.net = net
        self.slow = copy.deepcopy(net).requires_grad_(False)

    def forward(
        self,
        latent: Float[Tensor, "M D"],
        action: Float[Tensor, "M A"],
        some: slice | Int[Tensor, " E"] | None = None,
        *,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "E M K"]:
        """Logits of some members (None for all); dropout where a generator is given."""
        return self.net(torch.cat([latent, action], -1), some, generator=generator)

    def frozen(
        self, latent: Float[Tensor, "M D"], action: Float[Tensor, "M A"], some: slice | Int[Tensor, " E"]
    ) -> Float[Tensor, "E M K"]:
        """Logits of some members, through which gradients reach the action but no member."""
        held = {k: v.detach() for k, v in self.net.named_parameters()}
        return functional_call(self.net, held, (torch.cat([latent, action], -1), some))

    def averaged(
        self, latent: Float[Tensor, "M D"], action: Float[Tensor, "M A"], some: slice | Int[Tensor, " E"]
    ) -> Float[Tensor, "E M K"]:
        """Logits of some members of the slow copy."""
        return self.slow(torch.cat([latent, action], -1), some)

    def two(self, generator: torch.Generator | None) -> slice | Int[Tensor, " 2"]:
        """Two members at random, the first two without a generator."""
        if generator is None:
            return slice(0, 2)
        return torch.randperm(self.net.num, generator=generator, device=generator.device)[:2]

    @torch.no_grad()
    def follow(self, rate: float) -> None:
        """Moves the slow copy towards the members: slow <- slow + rate * (member - slow)."""
        torch._foreach_lerp_(list(self.slow.parameters()), list(self.net.parameters()), rate)
