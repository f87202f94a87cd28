"""Models of stable-worldmodel (0.1.1) behind craik's interface. Nothing of that library is imported.

There, a model embeds pictures and predicts embeddings from a short history: `LeWM` and `PLDM` one vector a picture
(`FromLeWM`), `PreJEPA`, which is DINO-WM, one vector a patch with the action beside it (`FromPreJEPA`). Its TD-MPC2
is in `craik.eval.foreign.tdmpc2`.

What such a model does not have: a decoder (so its latent is probed), samples (it is deterministic), a reward (so it
plans by the squared distance of latents, as its `get_cost` does), and half a step: one that was trained on blocks of
several actions (`frameskip`) cannot say what follows a single one, and cannot be asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from craik.core.spec import Spec
from craik.eval.foreign.windowed import Prepare, Windowed


def imagenet(pictures: Tensor) -> Tensor:
    """Colours less ImageNet's mean, by its spread, as that library's scripts train: [N, h, w, C] -> [N, C, h, w]."""
    mean, std = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], device=pictures.device)
    return ((pictures.float() / 255 - mean) / std).movedim(-1, 1)


class OneVector(Protocol):
    """What is used of `LeWM` and `PLDM` (stable_worldmodel/wm/lewm/lewm.py, wm/pldm/pldm.py)."""

    action_encoder: Callable[[Tensor], Tensor]
    encode: Callable[[dict[str, Tensor]], dict[str, Tensor]]
    """`pixels` [B, T, C, h, w] -> with `emb` [B, T, D]."""
    predict: Callable[[Tensor, Tensor], Tensor]
    """Embeddings [B, T, D], embedded actions that leave each [B, T, A'] -> those that come next, [B, T, D]."""


class Patches(Protocol):
    """What is used of `PreJEPA` (stable_worldmodel/wm/prejepa/prejepa.py)."""

    extra_encoders: Mapping[str, Any]
    """By name, "action" among them; each has `emb_dim`. Embeddings end with theirs, in this order."""
    encode: Callable[[dict[str, Tensor]], dict[str, Tensor]]
    """`pixels` [B, T, C, h, w] and all that is in `extra_encoders`, [B, T, ...] -> with `emb` [B, T, P, D]."""
    replace_action_in_embedding: Callable[[Tensor, Tensor], Tensor]
    """Embeddings [B, N, T, P, D], actions [B, N, T, A] -> embeddings with these actions."""
    predict: Callable[[Tensor], Tensor]
    """[B, T, P, D] -> what comes next, [B, T, P, D]."""


class FromLeWM(Windowed):
    """A `LeWM` or `PLDM`. Its embedding is the latent, so distances are its own cost.

    Args:
        model, spec, history, action: see `Windowed`; that library's scripts divide actions by their spread in the
            data: pass `action` for that.
        prepare: of pictures [N, h, w, C] in [0, 255] -> [N, C, h, w].
    """

    foreign: OneVector

    def __init__(
        self, model: nn.Module, spec: Spec, history: int = 3, prepare: Prepare = imagenet, action: Prepare | None = None
    ):
        super().__init__(model, spec, history, {"pixels": prepare}, action)

    def embed(self, obs: dict[str, Tensor], null: Tensor) -> Tensor:  # noqa: D102
        return self.foreign.encode({"pixels": obs["pixels"][:, None]})["emb"][:, 0]

    def ahead(self, embedded: Tensor, done: Tensor) -> Tensor:  # noqa: D102
        return self.foreign.predict(embedded, self.foreign.action_encoder(done))[:, -1]

    def latent(self, embedded: Tensor) -> Tensor:  # noqa: D102
        return embedded


class FromPreJEPA(Windowed):
    """A `PreJEPA`. What it sees beside pictures has, in the world, the names of its `extra_encoders`.

    Its latent is the embedding without the action, patches averaged in `grid` x `grid` parts of the picture: all of
    a ViT's are too many numbers for a probe. With as many parts as patches, distances are its own cost.

    Args:
        model, spec, history, prepare, action: see `FromLeWM`.
        grid: parts of a side.
    """

    foreign: Patches

    def __init__(
        self,
        model: nn.Module,
        spec: Spec,
        history: int = 3,
        prepare: Prepare = imagenet,
        action: Prepare | None = None,
        grid: int = 2,
    ):
        super().__init__(model, spec, history, {"pixels": prepare}, action)
        self.grid = grid

    def embed(self, obs: dict[str, Tensor], null: Tensor) -> Tensor:  # noqa: D102
        seen = {k: v[:, None] for k, v in obs.items() if k == "pixels" or k in self.foreign.extra_encoders}
        return self.foreign.encode({**seen, "action": null[:, None]})["emb"][:, 0]

    def ahead(self, embedded: Tensor, done: Tensor) -> Tensor:  # noqa: D102
        told = self.foreign.replace_action_in_embedding(embedded[:, None], done[:, None])[:, 0]
        return self.foreign.predict(told)[:, -1]

    def latent(self, embedded: Tensor) -> Tensor:  # noqa: D102
        sizes = {name: encoder.emb_dim for name, encoder in self.foreign.extra_encoders.items()}
        parts = embedded.split([embedded.shape[-1] - sum(sizes.values()), *sizes.values()], -1)
        kept = torch.cat([part for name, part in zip(("pixels", *sizes), parts, strict=True) if name != "action"], -1)
        side = int(kept.shape[1] ** 0.5)
        picture = kept.movedim(-1, 1).unflatten(2, (side, side))  # [B, D, side, side]
        return F.adaptive_avg_pool2d(picture, min(self.grid, side)).flatten(1)
