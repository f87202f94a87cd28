"""What a score loses when one constant of the world is another: factor by factor, never averaged over their kinds."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from craik.core.model import WorldModel
from craik.eval.card.card import Card
from craik.eval.card.grade import grade
from craik.eval.card.score import Score, average
from craik.eval.stats import Interval
from craik.worlds import make
from craik.worlds.exact import ExactWorld

WATCHED = ("state.err@8:ar", "act.retrieval@4,8:ar", "act.effect_r2@8:ar")
"""What is looked at by default: the axes that everybody has."""


@dataclasses.dataclass(frozen=True)
class Drop:
    """One metric under one shift.

    Attributes:
        factor: which constant.
        kind: what it changes ("visual", "geometric", "physical", "behavioural", "sensory").
        value: what it was set to.
        id: the metric.
        drop: normalised score at the usual value minus that at this one; its interval is over episodes of both.
    """

    factor: str
    kind: str
    value: float
    id: str
    drop: Interval


def drops(
    model: WorldModel,
    world: str,
    *,
    factors: tuple[str, ...] | None = None,
    ids: tuple[str, ...] = WATCHED,
    axes: str = "SA",
    seed: int = 1,
    size: str = "smoke",
) -> list[Drop]:
    """Grades a model where all is usual, and again with each constant at whichever end of its range is further off.

    Args:
        model: any world model of this world.
        world: the id of an exact world.
        factors: which constants; all by default.
        ids: which metrics.
        axes: the axes that they belong to.
        seed: of the exams.
        size: how much is asked (`card.SIZES`).

    Raises:
        SpecError, UnknownName: if it is no exact world, or has no such constant.
    """
    there = make(world)
    assert isinstance(there, ExactWorld)
    usual = grade(model, world, axes=axes, seed=seed, size=size)
    found = []
    for name in factors or tuple(there.FACTORS):
        factor = there.FACTORS[name]
        value = max((factor.low, factor.high), key=lambda x: abs(x - factor.default))
        shifted = grade(model, world, axes=axes, seed=seed, size=size, factors={name: value})
        both = [i for i in ids if all(any(s.id == i for s in card.scores) for card in (usual, shifted))]
        found += [Drop(name, factor.kind, value, i, _drop(usual, shifted, i)) for i in both]
    return found


def _drop(usual: Card, shifted: Card, id: str) -> Interval:
    rng = np.random.default_rng(0)
    one, two = (_resampled(card[id], rng) for card in (usual, shifted))
    drawn = (one - two)[np.isfinite(one - two)]
    low, high = np.quantile(drawn, [0.025, 0.975]) if len(drawn) else (math.nan, math.nan)
    value = usual[id].normalised - shifted[id].normalised
    return Interval(value, float(low), float(high), min(usual[id].n, shifted[id].n))


def _resampled(score: Score, rng: np.random.Generator, resamples: int = 1_000) -> np.ndarray:
    """[R] normalised scores of resampled episodes; floor and null stay what they are."""
    n = len(score.values)
    weights = score.weights if len(score.weights) else np.ones(n)
    picks = rng.integers(n, size=(resamples, n))
    means = np.array([average(score.values[p], weights[p]) for p in picks])
    return score.scaled(means)
