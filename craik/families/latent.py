"""Decoder-free latent models: predict the latent, the reward and the value, and nothing that can be seen."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from craik.core.data import Batch
from craik.core.model import WorldModel
from craik.core.readings import Readings
from craik.core.spec import Spec
from craik.core.state import State
from craik.ops.returns import percentiles
from craik.ops.simnorm import simnorm
from craik.ops.symlog import symexp, symlog
from craik.ops.two_hot import expectation, two_hot_loss
from craik.parts.actions.vector import ActionVector
from craik.parts.heads.policies import Choices, Proposal, SquashedGaussian
from craik.parts.heads.q_ensemble import QEnsemble

FAINT = 1e-6
"""A feature of a simplex counts as at least this large where its logarithm is taken."""


@dataclasses.dataclass(frozen=True)
class Here(State):
    """Where the model believes to be.

    Attributes:
        latent: D / simplex points on simplices.
        reward: expected of the arrival here.
    """

    latent: Float[Tensor, "*B D"]
    reward: Float[Tensor, "*B"]


@dataclasses.dataclass(frozen=True)
class Goals:
    """What learning aims at.

    Attributes:
        horizon: steps predicted from one encoded observation, after which the prediction starts over.
        rho: weight of a step of prediction relative to the one before it.
        discount: of value, per step.
        slow_rate: how fast the slow value networks follow.
        entropy: weight of the policy's entropy, beside the scaled value.
        read_members: value networks that `read` averages (all cost more and change little).
    """

    horizon: int = 3
    rho: float = 0.5
    discount: float = 0.99
    slow_rate: float = 0.01
    entropy: float = 1e-4
    read_members: int = 2


class Latent(WorldModel[Here]):
    """An implicit world model trained by consistency, reward and value prediction (TD-MPC2, Hansen et al. 2024).

    z = simnorm(encoder(obs)); z' = simnorm(log z + dynamics(z, a)); r, q = two-hot heads of (z, a); a = policy(z).
    Networks see `simplex z - 1`: the middle of every simplex is 0 to them. Of z itself, its constant part would be
    most of what a norm behind the first layer lets through.

    Args:
        spec: the world; the model offers reward, proceed, value, latent and action.
        size: features D of the latent.
        simplex: features of one simplex.
        encoder: observations name -> [N, ...] to [N, D].
        dynamics: [N, D + A] -> [N, D], the change of the simplices' logits.
        reward: [N, D + A] -> [N, bins].
        values: the action values.
        policy: proposes action vectors.
        proceed: [N, D] -> [N, 1], logit of the episode going on.
        bins: [K] centres, in symlog space, of the classes in which rewards and values are learned; symmetric.
        goals: what learning aims at.
    """

    bins: Tensor
    scale: Tensor
    spread: Tensor

    def __init__(
        self,
        spec: Spec,
        *,
        size: int,
        simplex: int,
        encoder: Callable[[dict[str, Tensor]], Tensor],
        dynamics: nn.Module,
        reward: nn.Module,
        values: QEnsemble,
        policy: SquashedGaussian | Choices,
        proceed: nn.Module,
        bins: Tensor,
        goals: Goals,
    ):
        super().__init__(spec.offering("reward", "proceed", "value", "latent", "action"))
        self.size, self.simplex, self.goals = size, simplex, goals
        self.vector = ActionVector(spec.action)
        self.encoder, self.dynamics, self.reward, self.values = encoder, dynamics, reward, values
        self.policy, self.proceed = policy, proceed
        self.register_buffer("bins", bins, persistent=False)
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("spread", torch.ones(()), persistent=False)  # from `loss` to the `after_step` behind it

    def encode(self, obs: dict[str, Shaped[Tensor, "N ..."]]) -> Float[Tensor, "N D"]:
        """Observations to latents."""
        return simnorm(self.encoder(obs), self.simplex)

    def advance(self, latent: Float[Tensor, "N D"], action: Float[Tensor, "N A"]) -> Float[Tensor, "N D"]:
        """The next latent, from action vectors. Dynamics of zero leave it as it is."""
        return simnorm(latent.clamp(min=FAINT).log() + self.dynamics(self.pair(latent, action)), self.simplex)

    def centred(self, latent: Float[Tensor, "*N D"]) -> Float[Tensor, "*N D"]:
        """What networks see of a latent: 0 in the middle of every simplex, at most `simplex - 1`."""
        return self.simplex * latent - 1

    def pair(self, latent: Float[Tensor, "*N D"], action: Float[Tensor, "*N A"]) -> Float[Tensor, "*N D+A"]:
        """What networks see of a latent and an action vector."""
        return torch.cat([self.centred(latent), action], -1)

    def number(self, logits: Float[Tensor, "*N K"]) -> Float[Tensor, "*N"]:
        """What logits over the bins mean."""
        return symexp(expectation(logits, self.bins))

    def rewards(self, latent: Float[Tensor, "*N D"], action: Float[Tensor, "*N A"]) -> Float[Tensor, "*N"]:
        """The expected reward of acting."""
        return self.number(self.reward(self.pair(latent, action)))

    def start(self, batch: int) -> Here:
        """No direction is preferred: the middle of every simplex."""
        latent = torch.full((batch, self.size), 1 / self.simplex, device=self.device)
        return Here(latent, latent[:, 0] * 0)

    def observe(self, state: Here, action: Tensor, obs: dict[str, Tensor], *, generator=None) -> Here:  # noqa: ANN001
        """What is seen says it all; only the reward is still a guess from the belief before."""
        return Here(self.encode(obs), self.rewards(state.latent, self.vector(action)))

    def step(self, state: Here, action: Tensor, *, generator: torch.Generator | None = None) -> Here:
        """Deterministic."""
        vector = self.vector(action)
        return Here(self.advance(state.latent, vector), self.rewards(state.latent, vector))

    def rollout(self, state: Here, actions: Tensor, *, generator: torch.Generator | None = None) -> Here:
        """`step` in a loop, with the rewards of all steps in one product."""
        vectors = self.vector(actions)
        latents = [state.latent]
        for vector in vectors.unbind(1):
            latents.append(self.advance(latents[-1], vector))
        path = torch.stack(latents, 1)  # [B, H+1, D]
        return Here(path[:, 1:], self.rewards(path[:, :-1], vectors))

    def read(self, state: Here, query: dict[str, Tensor] | None = None) -> Readings:
        """Reward, proceed, value (of the policy's mode), latent and action (that mode)."""
        ways = {
            "reward": lambda: state.reward,
            "proceed": lambda: self.proceed(self.centred(state.latent))[..., 0].sigmoid(),
            "value": lambda: self.value(state.latent),
            "latent": lambda: state.latent,
            "action": lambda: self.vector.invert(self.policy.mode(self.centred(state.latent))),
        }
        return Readings(ways, self.spec.reads)

    def value(self, latent: Float[Tensor, "N D"]) -> Float[Tensor, " N"]:
        """The value of following the policy's mode."""
        seen = self.centred(latent)
        logits = self.values(seen, self.policy.mode(seen), slice(0, self.goals.read_members))
        return self.number(logits).mean(0)

    def loss(self, batch: Batch, *, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """Equations 3 and 4 of the paper: consistency, reward, value, proceed, and policy; all [B, T].

        The policy's loss reaches the policy alone, the others everything else.
        """
        rows, steps = batch.shape
        action = self.vector(batch.action)
        with torch.no_grad():
            seen = self.encode({k: v[:, 1:].flatten(0, 1) for k, v in batch.obs.items()}).unflatten(0, (rows, steps))
        before, after, weight = self.unroll(batch, action)
        values = self.values(self.centred(before).flatten(0, 1), action.flatten(0, 1), generator=generator)
        target = (
            symlog(self.target(self.centred(seen).flatten(0, 1), batch, generator)).flatten().expand(len(values), -1)
        )
        going = self.proceed(self.centred(after))[..., 0]
        return {
            "consistency": weight * (after - seen).square().mean(-1),
            "reward": weight * two_hot_loss(self.reward(self.pair(before, action)), symlog(batch.reward), self.bins),
            "value": weight * two_hot_loss(values, target, self.bins).mean(0).view(rows, steps),
            "proceed": weight
            * F.binary_cross_entropy_with_logits(going, (~batch.terminated).to(going.dtype), reduction="none"),
            "policy": weight * self.improve(self.centred(before).detach().flatten(0, 1), batch, generator),
        }

    def unroll(
        self, batch: Batch, action: Float[Tensor, "B T A"]
    ) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B T D"], Float[Tensor, "B T"]]:
        """Predictions from encoded observations: every `horizon` steps, and wherever an episode opens.

        Returns:
            The latents acted in, those predicted for the arrivals, and rho^steps since encoding.
        """
        rows, steps = batch.shape
        anew = batch.first[:, :steps].clone()
        anew[:, :: self.goals.horizon] = True
        encoded = self.encode({k: v[:, :steps][anew] for k, v in batch.obs.items()})
        fresh = encoded.new_zeros(rows, steps, self.size).masked_scatter(anew[..., None], encoded)
        latent, depth = fresh[:, 0], torch.zeros(rows, device=batch.device)
        before, after, depths = [], [], []
        for t in range(steps):
            depth = torch.where(anew[:, t], 0.0, depth)
            latent = torch.where(anew[:, t, None], fresh[:, t], latent)
            before.append(latent)
            depths.append(depth)
            latent, depth = self.advance(latent, action[:, t]), depth + 1
            after.append(latent)
        return torch.stack(before, 1), torch.stack(after, 1), self.goals.rho ** torch.stack(depths, 1)

    @torch.no_grad()
    def target(
        self, seen: Float[Tensor, "M D"], batch: Batch, generator: torch.Generator | None
    ) -> Float[Tensor, "B T"]:
        """Temporal-difference targets: the smaller of two slow values at the policy's action.

        Args:
            seen: the centred latents of the arrivals, M = B * T.
            batch: what happened.
            generator: source of randomness.
        """
        some = self.values.two(generator)

        def least(latent: Tensor, action: Tensor) -> Tensor:
            return self.number(self.values.averaged(latent, action, some)).amin(0)

        ahead = expected(least, seen, self.policy.propose(seen, generator)).view(batch.shape)
        return batch.reward + self.goals.discount * (~batch.terminated) * ahead

    def improve(
        self, latent: Float[Tensor, "M D"], batch: Batch, generator: torch.Generator | None
    ) -> Float[Tensor, "B T"]:
        """The policy's loss: minus scaled value and entropy, at centred latents without gradient, M = B * T."""
        some = self.values.two(generator)

        def average(latent: Tensor, action: Tensor) -> Tensor:
            return self.number(self.values.frozen(latent, action, some)).mean(0)

        proposal = self.policy.propose(latent, generator)
        value = expected(average, latent, proposal)
        low, high = percentiles(value.detach())
        self.spread.copy_(high - low)
        return -(value / self.scale + self.goals.entropy * proposal.entropy).view(batch.shape)

    @torch.no_grad()
    def after_step(self) -> None:
        """The slow values and the scale of values (their 5 % to 95 % range, at least 1) follow."""
        self.values.follow(self.goals.slow_rate)
        self.scale.lerp_(self.spread.clamp(min=1.0), self.goals.slow_rate)


def expected(
    value: Callable[[Tensor, Tensor], Tensor], latent: Float[Tensor, "M D"], proposal: Proposal
) -> Float[Tensor, " M"]:
    """The expectation over a proposal of a value (latents [M, D], action vectors [M, A]) -> [M]."""
    num = len(proposal.actions)
    each = value(latent.repeat(num, 1), proposal.actions.flatten(0, 1)).view(num, -1)
    return (proposal.chances * each).sum(0)
