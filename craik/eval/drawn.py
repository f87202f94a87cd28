"""Sight for models that draw nothing: a decoder learned afterwards, on latents that it cannot change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from craik.core import tree
from craik.core.data import Batch
from craik.core.model import WorldModel
from craik.core.readings import Readings
from craik.core.spec import Spec
from craik.core.state import State
from craik.data.episode import Episode
from craik.data.replay import Replay
from craik.parts.heads.decoder import Decoder


class Drawn(WorldModel[State]):
    """A model that plans without drawing, with a decoder beside it that shows what its latent holds.

    It believes, steps and values exactly as the model does; only `obs` is added to what can be read. What is drawn is
    what a small network finds in the latent: a blurred thing may be blurred in the model, or merely hard to find.

    Args:
        model: any model that reads `latent`. Its parameters stay as they are.
        spec: what to draw; it contains what the model sees.
        decoder: latents [M, D] to those observations.
    """

    def __init__(self, model: WorldModel, spec: Spec, decoder: Decoder):
        super().__init__(spec.offering(*dict.fromkeys(("obs", *model.spec.reads))))
        self.model, self.decoder = model.requires_grad_(False), decoder

    def start(self, batch: int) -> State:
        """The model's."""
        return self.model.start(batch)

    def observe(self, state, action, obs, *, generator=None):  # noqa: ANN001, ANN201
        """The model's, which sees what it always saw."""
        return self.model.observe(state, action, self._its(obs), generator=generator)

    def step(self, state, action, *, generator=None):  # noqa: ANN001, ANN201
        """The model's."""
        return self.model.step(state, action, generator=generator)

    def rollout(self, state, actions, *, generator=None):  # noqa: ANN001, ANN201
        """The model's."""
        return self.model.rollout(state, actions, generator=generator)

    def follow(self, batch: Batch, *, generator: torch.Generator | None = None) -> State:
        """The model's."""
        seen = Batch(self._its(batch.obs), batch.action, batch.reward, batch.terminated, batch.first)
        return self.model.follow(seen, generator=generator)

    def read(self, state, query=None):  # noqa: ANN001, ANN201
        """The model's, and `obs` as the decoder draws it."""
        told = self.model.read(state, query)
        ways: dict[str, Callable[[], Any]] = {name: partial(told.__getitem__, name) for name in self.model.spec.reads}
        ways["obs"] = lambda: self.decoder(told["latent"])
        return Readings(ways, self.spec.reads)

    def loss(self, batch, *, generator=None):  # noqa: ANN001, ANN201
        """`obs` [B, T+1]: the decoder's error, summed over numbers and pixels; the model is not touched."""
        with torch.no_grad():
            beliefs = self.follow(batch, generator=generator)
            flat = self.model.read(tree.merge(beliefs))["latent"]
        rows, times = batch.first.shape
        obs = {k: v.flatten(0, 1) for k, v in batch.obs.items()}
        error = self.decoder.numbers_loss(flat, obs) + self.decoder.pictures_loss(flat, obs)
        return {"obs": error.unflatten(0, (rows, times))}

    def _its(self, obs: dict) -> dict:
        return {name: obs[name] for name in self.model.spec.obs.spaces}


def learn_to_draw(
    model: WorldModel,
    episodes: Sequence[Episode],
    spec: Spec,
    *,
    updates: int = 1000,
    seed: int = 0,
    channels: tuple[int, ...] = (16, 24, 32, 32),
    lr: float = 1e-3,
) -> Drawn:
    """Learns a decoder for a model's latent from episodes that show both what it sees and what is to be drawn.

    Args:
        model: any model that reads `latent`.
        episodes: the experience.
        spec: what they show.
        updates: of 128 moments each.
        seed: of the first weights and of the batches.
        channels: of the decoder's convolutions, the biggest picture first.
        lr: learning rate, falling to a tenth.
    """
    replay, rng = Replay(None, spec, 10**9), np.random.default_rng(seed)
    for episode in episodes:
        replay.add(episode)
    with torch.random.fork_rng(devices=[]):  # layers draw their first weights from the global source
        torch.manual_seed(seed)
        width = model.read(model.start(1))["latent"].shape[-1]
        decoder = Decoder(
            spec.obs, width, units=128, depth=2, channels=channels, kernel=4, stem=lambda n: nn.Linear(width, n)
        ).to(model.device)
    drawn = Drawn(model, spec, decoder)
    optimizer = torch.optim.Adam(decoder.parameters(), lr)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, updates)
    for _ in range(updates):
        batch = replay.sample(16, 7, rng).to(model.device)
        optimizer.zero_grad(set_to_none=True)
        drawn.loss(batch)["obs"].mean().backward()
        optimizer.step()
        schedule.step()
    return drawn.eval()
