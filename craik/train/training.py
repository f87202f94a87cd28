"""The numbers of a training run: one table, the same fields for every recipe."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Training:
    """How a model and its agent are trained. Counts are exact; a rate is per second of nothing, ever.

    Attributes:
        weights: loss name -> weight in the total; the names of the model's and the agent's losses, all of them.
        steps: environment steps to gather online (ignored offline), pre-fill included.
        updates: optimiser steps, offline (online it follows from `ratio`).
        prefill: steps taken at random before the first update.
        hold: steps for which each of these random actions is kept, on average.
        num_envs: worlds stepped at once while gathering.
        ratio: optimiser steps per environment step.
        batch: rows B of a batch.
        length: arrivals T of a row.
        capacity: environment steps the replay ring holds.
        optimizer: "adamw" or "laprop".
        lr: learning rate.
        lr_scale: parameter-name prefix -> factor on the learning rate (e.g. {"model.encoder": 0.3}).
        betas: moments' decays.
        eps: the optimiser's epsilon.
        weight_decay: decoupled, on matrices only.
        warmup: updates over which the learning rate rises linearly.
        cosine: whether it falls after the warm-up, along half a cosine, to zero at the last update of the run; one that
            is made longer afterwards goes on with the rate of the longer run.
        clip_norm: largest global gradient norm; None for no clipping.
        clip_ratio: adaptive gradient clipping: largest gradient norm relative to the parameter's; None for none.
    """

    weights: Mapping[str, float]
    steps: int = 10_000
    updates: int = 5_000
    prefill: int = 1_000
    hold: float = 1
    num_envs: int = 4
    ratio: float = 0.5
    batch: int = 16
    length: int = 32
    capacity: int = 1_000_000
    optimizer: str = "adamw"
    lr: float = 3e-4
    lr_scale: Mapping[str, float] = dataclasses.field(default_factory=dict)
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    warmup: int = 0
    cosine: bool = False
    clip_norm: float | None = None
    clip_ratio: float | None = None

    def num_updates(self, online: bool, prefilled: int | None = None) -> int:
        """Updates of a whole run.

        Args:
            online: whether it gathers.
            prefilled: steps gathered before the first update, where that is known already.
        """
        if not online:
            return self.updates
        before = min(self.prefill, self.steps) if prefilled is None else prefilled
        return max(0, int((self.steps - before) * self.ratio + 1e-9))
