"""A batch of experience, and the one time convention.

Axes, everywhere in craik: `B` batch, `T` time (arrivals), `H` planning horizon, `L` sequence, `N` candidates,
`D` features, `A` action numbers, `C` channels or classes, `h w` image height and width; `M` rows of any kind,
`S` choices, `K` bins or the best of `N`, `E` members of an ensemble. `*B` and `...` stand for any axes.

Time, everywhere in craik (the convention of Minari): an episode is `T + 1` observations and `T` actions.
`action[t]` leaves `obs[t]`; `reward[t]` and `terminated[t]` belong to the arrival at `obs[t + 1]`.
"""

from __future__ import annotations

import dataclasses

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor

from craik.core import tree


@dataclasses.dataclass(frozen=True)
class Batch:
    """B stretches of experience, each of T + 1 observations.

    A stretch may run over the end of an episode into the next one: then `first[:, t + 1]` is true, and the
    transition t between the two (null action, zero reward) never happened; `valid` says so.

    Attributes:
        obs: by name; images are uint8 `[h, w, C]` in [0, 255].
        action: [B, T, A] float, [B, T] int64 or [B, T, A] int64; in the environment's own units.
        reward: of the arrival at `obs[:, t + 1]`.
        terminated: whether that arrival ended the episode for good (a time limit does not).
        first: whether `obs[:, t]` opens an episode.
    """

    obs: dict[str, Shaped[Tensor, "B T+1 ..."]]
    action: Shaped[Tensor, "B T ..."]
    reward: Float[Tensor, "B T"]
    terminated: Bool[Tensor, "B T"]
    first: Bool[Tensor, "B T+1"]

    @property
    def valid(self) -> Bool[Tensor, "B T"]:
        """Whether transition t happened (it does not cross from one episode into the next)."""
        return ~self.first[:, 1:]

    @property
    def shape(self) -> tuple[int, int]:
        """(B, T): rows and arrivals."""
        return self.action.shape[0], self.action.shape[1]

    @property
    def device(self) -> torch.device:
        """Where the tensors live."""
        return self.reward.device

    def at(self, t: int) -> dict[str, Shaped[Tensor, "B ..."]]:
        """The observations at time t, by name."""
        return {k: v[:, t] for k, v in self.obs.items()}

    def rows(self, key: slice | Tensor) -> Batch:
        """Some of the rows."""
        return tree.index(self, key)

    def stretch(self, start: int, stop: int) -> Batch:
        """Arrivals start .. stop - 1 with the observations around them: T becomes `stop - start`."""
        return Batch(
            {k: v[:, start : stop + 1] for k, v in self.obs.items()},
            self.action[:, start:stop],
            self.reward[:, start:stop],
            self.terminated[:, start:stop],
            self.first[:, start : stop + 1],
        )

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device."""
        return tree.to(self, device)


def arriving(batch: Batch, null: Shaped[Tensor, "B ..."]) -> Shaped[Tensor, "B L ..."]:
    """The action that led to each of the L = T + 1 observations, the null action where an episode opens.

    Args:
        batch: the experience.
        null: one null action a row (`Spec.null_action`).
    """
    before = torch.cat([null[:, None].to(batch.action.dtype), batch.action], 1)
    opens = batch.first.reshape(batch.first.shape + (1,) * (before.dim() - 2))
    return torch.where(opens, null[:, None].to(before.dtype), before)


def masked_mean(term: Float[Tensor, "*_"], batch: Batch) -> Float[Tensor, ""]:
    """The mean of a loss term over what happened.

    Args:
        term: [B, T] (per arrival: transitions between episodes are left out), [B, T+1] (per observation), or [].
        batch: the batch it was computed on.
    """
    if term.dim() == 2 and term.shape[1] == batch.action.shape[1]:
        keep = batch.valid.to(term.dtype)
        return (term * keep).sum() / keep.sum().clamp(min=1)
    return term.mean()
