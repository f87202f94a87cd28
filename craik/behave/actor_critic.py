"""Learning to act inside a world model: DreamerV3's imagination actor-critic."""

from __future__ import annotations

import copy

import torch
from jaxtyping import Float
from torch import Tensor

from craik.behave.agent import Agent
from craik.core import tree
from craik.core.data import Batch, masked_mean
from craik.core.model import WorldModel
from craik.core.state import State
from craik.ops.returns import lambda_returns, percentiles
from craik.parts.actions.vector import ActionVector
from craik.parts.heads.actors import Actor
from craik.parts.heads.numbers import TwoHot


class ActorCritic(Agent):
    """An actor and a critic that learn from imagined futures (DreamerV3, arXiv 2301.04104, eq. 6 to 8).

    From beliefs of replayed experience the model imagines what the actor would do, over `horizon` steps and without
    gradients. The critic learns the distribution of lambda-returns, the actor by REINFORCE with returns scaled by their
    spread. Of the model it knows the readings `latent`, `reward` and `proceed` alone.

    Args:
        vector: between action vectors and actions.
        actor: proposes action vectors from latents.
        critic: values from latents.
        horizon: imagined steps.
        rows: how many rows of a batch to imagine from, every moment of them; None for all.
        discount: gamma; 1 - 1/333 is the paper's.
        lam: of the lambda-returns.
        entropy: weight of the actor's entropy.
        slow_rate: how fast the averaged critic follows the critic, an update.
        scale_rate: how fast the averaged spread of returns follows theirs, an update.
        quantiles: between which the spread is measured.
    """

    spread: Float[Tensor, " 2"]

    def __init__(
        self,
        vector: ActionVector,
        actor: Actor,
        critic: TwoHot,
        *,
        horizon: int = 15,
        rows: int | None = None,
        discount: float = 1 - 1 / 333,
        lam: float = 0.95,
        entropy: float = 3e-4,
        slow_rate: float = 0.02,
        scale_rate: float = 0.01,
        quantiles: tuple[float, float] = (0.05, 0.95),
    ):
        super().__init__()
        self.vector, self.actor, self.critic = vector, actor, critic
        self.slow = copy.deepcopy(critic).requires_grad_(False)
        self.horizon, self.rows, self.discount, self.lam, self.entropy = horizon, rows, discount, lam, entropy
        self.slow_rate, self.scale_rate = slow_rate, scale_rate
        self.quantiles = quantiles
        self.register_buffer("spread", torch.zeros(2))
        self._measured: Tensor | None = None

    def act(self, model, state, memory, *, generator=None, explore=False):  # noqa: ANN001, ANN201
        """A draw from the actor to explore, its mode to do well."""
        vector = self.actor.act(model.read(state)["latent"], generator if explore else None)
        return self.vector.invert(vector), memory

    def loss(self, model, batch, *, generator=None):  # noqa: ANN001, ANN201
        """`actor`, `critic` (on imagined futures) and `replay_critic` (on the experience itself), all []."""
        some = batch if self.rows is None else batch.rows(slice(0, self.rows))
        with torch.no_grad():
            beliefs = model.follow(some, generator=generator)
            dream = self.imagine(model, tree.merge(beliefs), generator)
            returns, weight = self.judge(dream)
            self._measured = percentiles(returns, *self.quantiles)
            spread = torch.lerp(self.spread, self._measured, self.scale_rate)
            scale = (spread[1] - spread[0]).clamp(min=1.0)
            advantage = (returns - dream["value"][:, :-1]) / scale
            seen = dream["latent"][:, 0].unflatten(0, some.first.shape)
        latent = dream["latent"][:, :-1]
        likelihood, entropy = self.actor.score(latent, dream["vector"])
        return {
            "actor": -(weight * (likelihood * advantage + self.entropy * entropy)).mean(),
            "critic": (weight * self.value_loss(latent, returns)).mean(),
            "replay_critic": self.replay_loss(seen, returns, some),
        }

    def imagine(
        self, model: WorldModel, state: State, generator: torch.Generator | None
    ) -> dict[str, Float[Tensor, "N _ ..."]]:
        """What the actor would do from N beliefs: tensors [N, H+1, ...] and the H action vectors between them."""
        states, vectors = [state], []
        for _ in range(self.horizon):
            vector = self.actor.act(model.read(state)["latent"], generator)
            state = model.step(state, self.vector.invert(vector), generator=generator)
            states.append(state)
            vectors.append(vector)
        rows, path = states[0].batch, tree.merge(tree.stack(states, 1))
        readings = model.read(path)
        found = {k: readings[k] for k in ("latent", "reward", "proceed")}
        found["value"] = self.critic.mean(found["latent"])
        return {**{k: v.unflatten(0, (rows, -1)) for k, v in found.items()}, "vector": torch.stack(vectors, 1)}

    def judge(self, dream: dict[str, Float[Tensor, "N _ ..."]]) -> tuple[Float[Tensor, "N H"], Float[Tensor, "N H"]]:
        """Lambda-returns of the H states acted from, and how likely the dream still goes on there."""
        discount = self.discount * dream["proceed"]
        returns = lambda_returns(dream["reward"][:, 1:], discount[:, 1:], dream["value"][:, 1:], self.lam)
        return returns, discount[:, :-1].cumprod(1) / self.discount

    def value_loss(self, latent: Float[Tensor, "*B D"], target: Float[Tensor, "*B"]) -> Float[Tensor, "*B"]:
        """Cross-entropy of the critic with returns, and with the averaged critic's values."""
        logits = self.critic(latent)
        with torch.no_grad():
            slow = self.slow.mean(latent)
        return self.critic.loss_of(logits, target) + self.critic.loss_of(logits, slow)

    def replay_loss(
        self, latent: Float[Tensor, "B L D"], returns: Float[Tensor, "B*L H"], batch: Batch
    ) -> Float[Tensor, ""]:
        """The critic on the experience itself, bootstrapped with imagined returns from each of its states."""
        with torch.no_grad():
            ahead = returns[:, 0].unflatten(0, (batch.shape[0], -1))
            go_on = self.discount * (~batch.terminated).float()
            # An episode's last state is followed by another episode: there only the imagined return counts.
            followed = torch.cat([batch.valid[:, 1:], torch.ones_like(batch.valid[:, :1])], 1).float()
            target = lambda_returns(batch.reward, go_on, ahead[:, 1:], self.lam * followed)
        return masked_mean(self.value_loss(latent[:, :-1], target), batch)

    def after_step(self) -> None:
        """Moves the averaged critic and the averaged spread."""
        with torch.no_grad():
            torch._foreach_lerp_(list(self.slow.parameters()), list(self.critic.parameters()), self.slow_rate)
            if self._measured is not None:
                self.spread.lerp_(self._measured, self.scale_rate)
                self._measured = None
