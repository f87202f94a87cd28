"""Sight for models that draw nothing: a decoder learned afterwards, on latents that it cannot change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from craik.core import tree
from craik.core.data import Batch
from craik.core.model import WorldModel
from craik.core.readings import Readings
from craik.core.spec import Spec
from craik.core.state import State
from craik.data.episode import Episode
from craik.parts.heads.painter import Painter


class Drawn(WorldModel[State]):
    """A model that plans without drawing, with a decoder beside it that shows what its latent holds.

    It believes, steps and values exactly as the model does; only `obs` is added to what can be read. What is drawn is
    what a small network finds in the latent: a blurred thing may be blurred in the model, or merely hard to find.

    Args:
        model: any model that reads `latent`. Its parameters stay as they are.
        spec: what to draw; it contains what the model sees.
        decoder: latents [M, D] to those observations.
    """

    def __init__(self, model: WorldModel, spec: Spec, decoder: Painter):
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
        return {"obs": self.decoder.loss(flat, obs).unflatten(0, (rows, times))}

    def _its(self, obs: dict) -> dict:
        return {name: obs[name] for name in self.model.spec.obs.spaces}


def learn_to_draw(
    model: WorldModel,
    episodes: Sequence[Episode],
    spec: Spec,
    *,
    updates: int = 1000,
    batch: int = 48,
    channels: tuple[int, ...] = (12, 24, 48),
    lr: float = 2e-3,
    seed: int = 0,
) -> Drawn:
    """Learns a decoder for a model's latent from episodes that show both what it sees and what is to be drawn.

    Args:
        model: any model that reads `latent`.
        episodes: the experience.
        spec: what they show.
        updates: steps of Adam.
        batch: moments a step.
        channels: of the decoder's convolutions, the biggest picture first.
        lr: learning rate, falling to a tenth.
        seed: of the first weights and of the batches.
    """
    latents, obs = believed(model, episodes, spec)
    with torch.random.fork_rng(devices=[]):  # layers draw their first weights from the global source
        torch.manual_seed(seed)
        decoder = Painter(latents.shape[-1], obs, spec.obs, channels=channels).to(model.device)
    optimizer = torch.optim.Adam(decoder.parameters(), lr)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, updates)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(updates):
        picked = torch.randint(len(latents), (batch,), generator=generator)
        seen = {k: v[picked].to(model.device) for k, v in obs.items()}
        optimizer.zero_grad(set_to_none=True)
        decoder.loss(latents[picked], seen).mean().backward()
        optimizer.step()
        schedule.step()
    return Drawn(model, spec, decoder).eval()


@torch.no_grad()
def believed(model: WorldModel, episodes: Sequence[Episode], spec: Spec) -> tuple[Tensor, dict[str, Tensor]]:
    """What a model's latent was at every moment it watched, [M, D], and what was seen then, name -> [M, ...]."""
    latents, seen = [], []
    names = list(model.spec.obs.spaces)
    for episode in episodes:
        shown = {k: torch.as_tensor(episode.obs[k]) for k in spec.obs.spaces}
        action = torch.as_tensor(episode.action)[None].to(model.device)
        first = torch.zeros(1, episode.num_steps + 1, dtype=torch.bool, device=model.device)
        first[:, 0] = True
        nothing = torch.zeros(1, episode.num_steps, device=model.device)
        known = {k: shown[k][None].to(model.device) for k in names}
        beliefs = model.follow(Batch(known, action, nothing, nothing.bool(), first))
        latents.append(model.read(beliefs[0])["latent"])
        seen.append(shown)
    return torch.cat(latents), {k: torch.cat([s[k] for s in seen]) for k in spec.obs.spaces}
