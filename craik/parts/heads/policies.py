"""Policies that propose action vectors: a squashed Gaussian for numbers, categories for choices."""

from __future__ import annotations

import dataclasses
import itertools
import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


@dataclasses.dataclass(frozen=True)
class Proposal:
    """What a policy would do, in a form that an expectation over it can be taken from: sum_k chance_k f(action_k).

    Attributes:
        actions: action vectors; gradients reach the policy through a sample (K = 1).
        chances: summing to 1 over K; gradients reach the policy through them where K covers all choices.
        entropy: in nats, of the squashed density or of the choices.
    """

    actions: Float[Tensor, "K M A"]
    chances: Float[Tensor, "K M"]
    entropy: Float[Tensor, " M"]


class SquashedGaussian(nn.Module):
    """tanh of a Gaussian whose mean and spread a network gives: numbers in [-1, 1].

    log std = low + (high - low) * (tanh(s) + 1) / 2 (Hansen et al. 2024, appendix H; SAC, appendix C for the density).

    Args:
        net: [M, D] -> [M, 2 A].
        low, high: bounds of log std.
    """

    def __init__(self, net: nn.Module, low: float = -10.0, high: float = 2.0):
        super().__init__()
        self.net, self.low, self.high = net, low, high

    def propose(self, latent: Float[Tensor, "M D"], generator: torch.Generator | None) -> Proposal:
        """One reparametrised sample a row; the mode without a generator."""
        mean, log_std = self.net(latent).chunk(2, -1)
        log_std = self.low + (self.high - self.low) * (log_std.tanh() + 1) / 2
        if generator is None:
            noise = torch.zeros_like(mean)
        else:
            noise = torch.randn(mean.shape, generator=generator, device=mean.device)
        action = (mean + log_std.exp() * noise).tanh()
        density = -0.5 * noise.square() - log_std - 0.5 * math.log(2 * math.pi)
        density = density - (1 - action.square() + 1e-6).log()
        return Proposal(action[None], torch.ones_like(action[None, :, 0]), -density.sum(-1))

    def mode(self, latent: Float[Tensor, "M D"]) -> Float[Tensor, "M A"]:
        """The squashed mean."""
        return self.net(latent).chunk(2, -1)[0].tanh()


class Choices(nn.Module):
    """Independent categorical choices, as one-hots side by side; all joint choices are proposed, with their chances.

    Args:
        net: [M, D] -> [M, sum of sizes], logits.
        sizes: options of each choice.
    """

    every: Float[Tensor, "K A"]

    def __init__(self, net: nn.Module, sizes: tuple[int, ...]):
        super().__init__()
        self.net, self.sizes = net, sizes
        options = [F.one_hot(torch.arange(n), n).float() for n in sizes]
        joint = torch.stack([torch.cat(each) for each in itertools.product(*options)])
        self.register_buffer("every", joint, persistent=False)

    def propose(self, latent: Float[Tensor, "M D"], generator: torch.Generator | None) -> Proposal:
        """Every joint choice for each row; nothing is drawn."""
        logs = torch.cat([part.log_softmax(-1) for part in self.net(latent).split(self.sizes, -1)], -1)
        chances = (logs @ self.every.T).exp()  # independent: the logs of a joint choice add up
        actions = self.every[:, None].expand(-1, len(latent), -1)
        return Proposal(actions, chances.T, -(logs.exp() * logs).sum(-1))

    def mode(self, latent: Float[Tensor, "M D"]) -> Float[Tensor, "M A"]:
        """One-hots of the likeliest."""
        parts = self.net(latent).split(self.sizes, -1)
        return torch.cat([F.one_hot(p.argmax(-1), p.shape[-1]).float() for p in parts], -1)
