"""The TD-MPC2 of stable-worldmodel (0.1.1) behind craik's interface. Nothing of that library is imported."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor, nn

from craik.core.data import Batch
from craik.core.model import WorldModel
from craik.core.spec import Spec
from craik.core.state import State
from craik.eval.foreign.latent_error import latent_error
from craik.eval.foreign.windowed import Prepare
from craik.parts.actions.vector import ActionVector


@dataclasses.dataclass(frozen=True)
class Paid(State):
    """A latent [B, D] and the reward of arriving there [B]."""

    latent: Tensor
    reward: Tensor


class FromTDMPC2(WorldModel[Paid]):
    """A `TDMPC2` (stable_worldmodel/wm/tdmpc2/tdmpc2.py): `encode(obs) -> z`, and `model(z, a) -> (z', logits)`.

    Args:
        model: the model.
        spec: of the world.
        size: D, its `latent_dim`.
        reward: what turns logits [B, bins] into rewards [B, 1]: `lambda x: two_hot_inv(x, model.cfg)`, of its module.
        prepare: see `Windowed`; pictures have to become [N, C, h, w].
    """

    def __init__(self, model: nn.Module, spec: Spec, size: int, reward: Prepare, prepare: dict[str, Prepare]):
        super().__init__(spec.offering("latent", "reward"))
        self.foreign: Any = model
        self.size, self.reward, self.prepare = size, reward, prepare
        self.vector = ActionVector(spec.action)

    def start(self, batch: int) -> Paid:  # noqa: D102
        blank = torch.zeros(batch, self.size + 1, device=self.device)
        return Paid(blank[:, :-1].clone(), blank[:, -1].clone())

    def observe(self, state, action, obs, *, generator=None):  # noqa: ANN001, ANN201, D102
        seen = {k: self.prepare[k](v) if k in self.prepare else v.float() for k, v in obs.items()}
        return Paid(self.foreign.encode(seen), self.step(state, action).reward)

    def step(self, state, action, *, generator=None):  # noqa: ANN001, ANN201, D102
        ahead, logits = self.foreign(state.latent, self.vector(action))
        return Paid(ahead, self.reward(logits)[..., 0])

    def read(self, state, query=None):  # noqa: ANN001, ANN201, D102
        return {"latent": state.latent, "reward": state.reward}

    def loss(self, batch: Batch, *, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """See `latent_error`; such a model is trained by its own library."""
        return latent_error(self, batch, generator)
