"""One number of a score card, with all that is needed to trust it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from craik.eval.stats import Interval

AXES = {
    "F": "fidelity: what it looks like",
    "S": "state: where things are, and for how long",
    "A": "action: what follows from what is done",
    "P": "laws: what cannot happen does not",
    "M": "memory and space: what was seen is still there",
    "D": "decisions: what planning with it brings in the true world",
    "C": "calibration and surprise: it knows what it does not know",
    "L": "language: what it says is the case",
    "E": "cost: time, memory, energy",
}
"""What the axes are about."""

MODES = {
    "tf": "one step ahead, with the true history",
    "ar": "open loop, from its own predictions and the true actions",
    "cl": "closed loop, actions come from a policy that looks at what the model says",
    "": "neither: a property of the model itself",
}
"""How a number came about; it stands in the metric's name, as in `state.err@8:ar`."""


@dataclasses.dataclass(frozen=True)
class Score:
    """One metric of one model in one world.

    Attributes:
        id: the metric's name, `family.name@number:mode`.
        axis: one of `AXES`.
        values: [E] one number an episode (or another independent unit); NaN where it does not apply.
        more: whether more is better.
        says: what it is, with its unit.
        instrument: what it was read by: "told", "text", "parsed", "probed", "native", "world".
        floor: [E'] the same of the true simulator through the same instrument; empty if there is none.
        nulls: name -> [E'] the same of models that know nothing; empty if there is none.
        weights: [E] how much each value counts; empty for all alike.
        drawn: [R] the estimate on R resamples, where resampling the values would not do (a correlation, say).
    """

    id: str
    axis: str
    values: np.ndarray
    more: bool
    says: str
    instrument: str = "native"
    floor: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0))
    nulls: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    weights: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0))
    drawn: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        assert self.axis in AXES, self.axis
        assert (self.id.partition(":")[2]) in MODES, self.id

    @property
    def n(self) -> int:
        """Independent values behind it."""
        return int(np.isfinite(self.values).sum())

    @property
    def mean(self) -> float:
        """The estimate: the (weighted) mean over episodes; NaN if there is none."""
        return average(self.values, self.weights)

    def interval(self, seed: int = 0, resamples: int = 2_000) -> Interval:
        """The estimate and its 95 % percentile bootstrap interval over episodes, or that of `drawn`."""
        if len(self.drawn):
            low, high = np.quantile(self.drawn, [0.025, 0.975])
            return Interval(self.mean, float(low), float(high), self.n)
        keep = np.isfinite(self.values)
        values = self.values[keep]
        weights = self.weights[keep] if len(self.weights) else np.ones(len(values))
        if not len(values) or not weights.sum():
            return Interval(np.nan, np.nan, np.nan, 0)
        picks = np.random.default_rng(seed).integers(len(values), size=(resamples, len(values)))
        total = np.maximum(weights[picks].sum(1), 1e-300)
        low, high = np.quantile((values[picks] * weights[picks]).sum(1) / total, [0.025, 0.975])
        return Interval(self.mean, float(low), float(high), len(values))

    @property
    def null(self) -> float:
        """What the best of the models that know nothing gets; NaN without any."""
        found = [average(v) for v in self.nulls.values()]
        found = [v for v in found if np.isfinite(v)]
        return (max if self.more else min)(found) if found else np.nan

    @property
    def normalised(self) -> float:
        """0 for no better than knowing nothing, 1 for as good as the truth through this instrument; see `scaled`."""
        return float(self.scaled(np.array(self.mean)))

    def scaled(self, estimates: np.ndarray) -> np.ndarray:
        """Estimates of this metric, of any shape, as scores: (null - x) / (null - floor); not clipped.

        NaN where floor or null is missing or they are equal. 0 where the instrument reads the truth worse than who
        knows nothing is told: what is read through it cannot be shown to be better.
        """
        floor, null = average(self.floor), self.null
        if not np.isfinite(floor - null) or abs(floor - null) <= 1e-12:
            return np.full_like(estimates, np.nan, dtype=float)
        if (floor < null) == self.more:
            return np.where(np.isfinite(estimates), 0.0, np.nan)
        return (null - estimates) / (null - floor)


def average(values: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The (weighted) mean of the finite values; NaN if there is none."""
    keep = np.isfinite(values)
    if not keep.any():
        return float("nan")
    if weights is None or not len(weights):
        return float(values[keep].mean())
    total = weights[keep].sum()
    return float((values[keep] * weights[keep]).sum() / total) if total else float("nan")
