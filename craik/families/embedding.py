"""The embedding family: predicts what it will have in mind, never what it will see (joint-embedding prediction)."""

from __future__ import annotations

import dataclasses

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from craik.core import tree
from craik.core.data import Batch
from craik.core.model import WorldModel
from craik.core.spec import Spec
from craik.core.state import State
from craik.parts.actions.vector import ActionVector


@dataclasses.dataclass(frozen=True)
class Recent(State):
    """The last embeddings and the actions between them, in a ring of fixed length, oldest first.

    Attributes:
        latents: the first `count` of a row are real, the others zero.
        actions: vectors; `actions[:, i]` leaves `latents[:, i]`. The newest embedding was not left yet.
        count: between 0 and L.
    """

    latents: Float[Tensor, "*B L D"]
    actions: Float[Tensor, "*B L A"]
    count: Int[Tensor, "*B"]

    @property
    def newest(self) -> Int[Tensor, "*B"]:
        """Where the newest embedding lies; 0 before anything was seen, where an embedding of zeros lies."""
        return (self.count - 1).clamp(min=0)

    @property
    def latent(self) -> Float[Tensor, "*B D"]:
        """The newest embedding."""
        return pick(self.latents, self.newest)

    def leaving(self, action: Float[Tensor, "B A"]) -> Recent:
        """With action vectors as what leaves the newest embedding."""
        return dataclasses.replace(self, actions=put(self.actions, self.newest, action))

    def arriving(self, latent: Float[Tensor, "B D"]) -> Recent:
        """With a new newest embedding; a full ring forgets its oldest."""
        full = self.count == self.latents.shape[1]
        latents = tree.where(full, self.latents.roll(-1, 1), self.latents)
        actions = tree.where(full, self.actions.roll(-1, 1), self.actions)
        slot = self.count - full.long()
        # What is not yet done must not linger in the ring, nor an action before the first sight.
        actions = put(actions, slot, torch.zeros_like(actions[:, 0]))
        return Recent(put(latents, slot, latent), actions, slot + 1)


class Embedding(WorldModel[Recent]):
    """A joint-embedding predictive world model, trained end to end (LeWM, Maes et al., arXiv 2603.19312).

    An encoder turns each observation into an embedding; a predictor says which embedding comes next under an action;
    a regulariser keeps embeddings from all becoming one. Nothing is decoded and no gradient is stopped.

    Args:
        spec: the world.
        encoder: observations name -> [N, ...] to embeddings [N, D].
        predictor: embeddings [N, L, D] and action vectors [N, L, A] to the next embeddings [N, L, D].
        regulariser: embeddings [B, T, D] to a penalty [].
        latent: D.
        history: L, how many embeddings a belief holds.
    """

    def __init__(
        self, spec: Spec, encoder: nn.Module, predictor: nn.Module, regulariser: nn.Module, latent: int, history: int
    ):
        super().__init__(spec.offering("latent"))
        self.vector = ActionVector(spec.action)
        self.encoder, self.predictor, self.regulariser = encoder, predictor, regulariser
        self.latent, self.history = latent, history

    def start(self, batch: int) -> Recent:
        """No embedding yet; read as one of zeros, the middle of all embeddings."""
        return Recent(
            torch.zeros(batch, self.history, self.latent, device=self.device),
            torch.zeros(batch, self.history, self.vector.size, device=self.device),
            torch.zeros(batch, dtype=torch.int64, device=self.device),
        )

    def observe(self, state, action, obs, *, generator=None):  # noqa: ANN001, ANN201
        """Encodes what is seen and appends it."""
        return state.leaving(self.vector(action)).arriving(self.encoder(obs))

    def step(self, state, action, *, generator=None):  # noqa: ANN001, ANN201
        """Predicts the next embedding and appends it. Deterministic."""
        left = state.leaving(self.vector(action))
        return left.arriving(self.predict(left))

    def predict(self, left: Recent, generator: torch.Generator | None = None) -> Float[Tensor, "B D"]:
        """The embedding after the newest one, once its action is set. The generator drives dropout."""
        # Causal attention from the left: empty slots on the right are never looked at.
        return pick(self.predictor(left.latents, left.actions, generator), left.newest)

    def read(self, state, query=None):  # noqa: ANN001, ANN201
        """`latent` [B, D]: the newest embedding."""
        return {"latent": state.latent}

    def loss(self, batch, *, generator=None):  # noqa: ANN001, ANN201
        """Eq. 1 and 3 of the paper.

        `prediction` [B, T]: squared error of the predicted next embedding, mean over its numbers; gradients flow into
        both sides. `regularity` []: the regulariser on all embeddings, taken step by step.
        """
        b, t = batch.shape
        latents = self.embed(batch)
        recent = self.recall(batch, latents)
        left = tree.merge(recent[:, :-1]).leaving(self.vector(batch.action).flatten(0, 1))
        predicted = self.predict(left, generator).unflatten(0, (b, t))
        return {
            "prediction": (predicted - latents[:, 1:]).square().mean(-1),
            "regularity": self.regulariser(latents, generator),
        }

    def follow(self, batch, *, generator=None):  # noqa: ANN001, ANN201
        """Encodes the whole stretch at once."""
        return self.recall(batch, self.embed(batch))

    def embed(self, batch: Batch) -> Float[Tensor, "B times D"]:
        """All T + 1 embeddings of a batch."""
        b, t = batch.shape
        return self.encoder({k: v.flatten(0, 1) for k, v in batch.obs.items()}).unflatten(0, (b, t + 1))

    def recall(self, batch: Batch, latents: Float[Tensor, "B times D"]) -> Recent:
        """The beliefs that T + 1 embeddings make, axes [B, T+1]: each holds up to L of its own episode."""
        b, times = latents.shape[:2]
        clock = torch.arange(times, device=latents.device)
        opens = batch.first.clone()
        opens[:, 0] = True
        opened = torch.where(opens, clock, 0).cummax(1).values  # [B, T+1], when the episode in progress opened
        count = (clock - opened + 1).clamp(max=self.history)
        slots = torch.arange(self.history, device=latents.device)
        source = (clock - count + 1)[..., None] + slots  # [B, T+1, L], the time that each slot holds
        rows = torch.arange(b, device=latents.device)[:, None, None]
        left = torch.cat([self.vector(batch.action), latents.new_zeros(b, 1, self.vector.size)], 1)
        held, left_behind = slots < count[..., None], slots < (count - 1)[..., None]
        return Recent(
            latents[rows, source.clamp(max=times - 1)] * held[..., None],
            left[rows, source.clamp(max=times - 1)] * left_behind[..., None],
            count,
        )


def pick(x: Float[Tensor, "*B L D"], at: Int[Tensor, "*B"]) -> Float[Tensor, "*B D"]:
    """The one of L at `at`."""
    return x.gather(-2, at[..., None, None].expand(*at.shape, 1, x.shape[-1])).squeeze(-2)


def put(x: Float[Tensor, "*B L D"], at: Int[Tensor, "*B"], value: Float[Tensor, "*B D"]) -> Float[Tensor, "*B L D"]:
    """With `value` at `at` of L."""
    here = torch.arange(x.shape[-2], device=x.device) == at[..., None]
    return torch.where(here[..., None], value[..., None, :].to(x.dtype), x)
