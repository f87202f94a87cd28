"""What a model that was trained elsewhere has for a loss."""

from __future__ import annotations

import torch
from torch import Tensor

from craik.core import tree
from craik.core.data import Batch
from craik.core.model import WorldModel


def latent_error(model: WorldModel, batch: Batch, generator: torch.Generator | None = None) -> dict[str, Tensor]:
    """How far the latent of one imagined step is from that of the belief that has seen it: `latent` [B, T], squared.

    To measure with, not to train with: on its own it is least where all latents are the same.
    """
    watched = model.follow(batch, generator=generator)
    rows, length = batch.shape
    before = tree.merge(watched[:, :-1])
    ahead = model.read(model.step(before, batch.action.flatten(0, 1), generator=generator))["latent"]
    seen = model.read(tree.merge(watched[:, 1:]))["latent"].detach()
    return {"latent": (ahead - seen).square().mean(-1).unflatten(0, (rows, length)) * batch.valid}
