"""The recurrent family: a memory updated moment by moment, sure and unsure parts, everything read from it."""

from __future__ import annotations

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from craik.core.data import Batch, arriving
from craik.core.model import WorldModel
from craik.core.readings import Readings
from craik.core.spec import Spec
from craik.ops.choice import mixed_log
from craik.ops.kl import balanced_kl
from craik.parts.actions.vector import ActionVector
from craik.parts.beliefs.rssm import RSSM, Belief
from craik.parts.heads.decoder import Decoder
from craik.parts.heads.numbers import Chance, TwoHot
from craik.parts.senses.encoder import Encoder

READS = ("obs", "reward", "proceed", "latent")


class Recurrent(WorldModel[Belief]):
    """A recurrent state-space world model (PlaNet, Dreamer 1 to 3; DreamerV3, arXiv 2301.04104, eq. 3 to 5).

    Args:
        spec: the world.
        encoder: observations to features.
        rssm: the belief and how it moves.
        decoder: latents [M, D] back to observations.
        reward: latents to the reward of the arrival there.
        proceed: latents to the chance that the episode goes on from there.
        free: nats of KL below which neither half pulls.
        glimpses: the share of a batch's pictures that are drawn for the loss, at random moments, scaled up to stand for
            all: drawing is most of the cost of learning from pixels. All are drawn without a generator.
    """

    def __init__(
        self,
        spec: Spec,
        encoder: Encoder,
        rssm: RSSM,
        decoder: Decoder,
        reward: TwoHot,
        proceed: Chance,
        *,
        free: float = 1.0,
        glimpses: float = 1.0,
    ):
        super().__init__(spec.offering(*READS))
        self.vector = ActionVector(spec.action)
        self.encoder, self.rssm, self.decoder, self.reward, self.proceed = encoder, rssm, decoder, reward, proceed
        self.free, self.glimpses = free, glimpses

    def start(self, batch: int) -> Belief:
        """Nothing remembered, nothing guessed."""
        return self.rssm.start(batch, self.device)

    def observe(self, state, action, obs, *, generator=None):  # noqa: ANN001, ANN201
        """Carries the memory on, and draws the choices from the posterior."""
        opens = torch.zeros(state.batch, 1, dtype=torch.bool, device=self.device)
        seen = self.encoder(obs)[:, None]
        return self.rssm.follow(state, self.vector(action)[:, None], seen, opens, generator)[0][:, 0]

    def step(self, state, action, *, generator=None):  # noqa: ANN001, ANN201
        """Carries the memory on, and draws the choices from the prior."""
        return self.rssm.step(state, self.vector(action), generator)

    def follow(self, batch, *, generator=None):  # noqa: ANN001, ANN201
        """All that is seen and done is embedded at once; only the memory goes step by step."""
        return self.filter(batch, generator)[0]

    def filter(self, batch: Batch, generator: torch.Generator | None) -> tuple[Belief, Float[Tensor, "B L S C"]]:
        """The beliefs while watching, axes [B, L], and the posterior's logits; L = T + 1."""
        rows, arrivals = batch.shape
        seen = self.encoder({k: v.flatten(0, 1) for k, v in batch.obs.items()}).unflatten(0, (rows, arrivals + 1))
        vectors = self.vector(arriving(batch, self.spec.null_action(rows, batch.device)))
        return self.rssm.follow(self.start(rows), vectors, seen, batch.first, generator)

    def read(self, state, query=None):  # noqa: ANN001, ANN201
        """`obs`, `reward`, `proceed` and `latent` [B, D + S * C], each computed when it is asked for."""
        latent = state.latent
        ways = {
            "obs": lambda: self.decoder(latent),
            "reward": lambda: self.reward.mean(latent),
            "proceed": lambda: self.proceed(latent),
            "latent": lambda: latent,
        }
        return Readings(ways, self.spec.reads)

    def loss(self, batch, *, generator=None):  # noqa: ANN001, ANN201
        """Equation 5 of the paper, in its parts.

        `obs` [B, T+1]: reconstruction, summed over numbers and pixels. `reward`, `proceed` [B, T]: of each arrival.
        `dyn`, `rep` [B, T+1]: the KL that trains the prior, and the one that trains the posterior.
        """
        beliefs, logits = self.filter(batch, generator)
        latent = beliefs.latent
        share = self.rssm.share
        dyn, rep = balanced_kl(mixed_log(logits, share), mixed_log(self.rssm.guess(beliefs.deter), share), self.free)
        return {
            "obs": self.reconstruction(latent, batch, generator),
            "reward": self.reward.loss(latent[:, 1:], batch.reward),
            "proceed": self.proceed.loss(latent[:, 1:], ~batch.terminated),
            "dyn": dyn,
            "rep": rep,
        }

    def reconstruction(
        self, latent: Float[Tensor, "B L D"], batch: Batch, generator: torch.Generator | None
    ) -> Float[Tensor, "B L"]:
        """Error of what the latents would see; L = T + 1."""
        rows, times = latent.shape[:2]
        flat, obs = latent.flatten(0, 1), {k: v.flatten(0, 1) for k, v in batch.obs.items()}
        error = self.decoder.numbers_loss(flat, obs)
        if self.decoder.images:
            error = error + self._glimpsed(flat, obs, generator)
        return error.unflatten(0, (rows, times))

    def _glimpsed(
        self, flat: Float[Tensor, "M D"], obs: dict[str, Shaped[Tensor, "M ..."]], generator: torch.Generator | None
    ) -> Float[Tensor, " M"]:
        count = max(1, round(self.glimpses * len(flat)))
        if generator is None or count == len(flat):
            return self.decoder.pictures_loss(flat, obs)
        picked = torch.randperm(len(flat), generator=generator, device=flat.device)[:count]
        error = self.decoder.pictures_loss(flat[picked], {k: obs[k][picked] for k in self.decoder.images})
        return torch.zeros(len(flat), device=flat.device).index_add(0, picked, error * (len(flat) / count))
