"""Film strips of one moment: what truly follows from several actions, and what a model imagines of each."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class Strips:
    """K futures of one moment in pictures: at the moment itself, and after each of T numbers of steps.

    Attributes:
        moment: which of the exam.
        steps: after how many steps, T.
        says: how the model's pictures came about; why there is none, where there is none.
        actions: [K, H, A] what is done, as action vectors.
        true: [K, 1 + T, h, w, 3] uint8.
        ours: like `true`, what the model believes and imagines; [0, 1 + T, h, w, 3] of one without pictures.
    """

    moment: int
    steps: tuple[int, ...]
    says: str
    actions: np.ndarray
    true: np.ndarray
    ours: np.ndarray

    @property
    def difference(self) -> np.ndarray:
        """[K, 1 + T, h, w] in [0, 1]: how far the two are apart, by the colour that differs most; like `ours`."""
        true, ours = (x.astype(np.int16) for x in (self.true[: len(self.ours)], self.ours))
        return np.abs(true - ours).max(-1) / 255

    def told(self) -> dict[str, Any]:
        """What is no picture, ready for JSON."""
        return {"moment": self.moment, "steps": list(self.steps), "says": self.says}

    def arrays(self) -> dict[str, np.ndarray]:
        """The rest, by names of their own."""
        return {f"film/{name}": getattr(self, name) for name in ("actions", "true", "ours")}

    @staticmethod
    def of(told: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Strips:
        """What `told` and `arrays` said."""
        held = (arrays[f"film/{name}"] for name in ("actions", "true", "ours"))
        return Strips(told["moment"], tuple(told["steps"]), told["says"], *held)
