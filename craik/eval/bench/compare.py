"""Two models on the same moments: metric by metric, and axis by axis over worlds."""

from __future__ import annotations

import dataclasses
import math
import zlib
from collections.abc import Sequence
from typing import Literal

import numpy as np

from craik.eval.bench.deck import Deck, Exercise
from craik.eval.card.score import Score, average
from craik.eval.card.table import HEADLINES
from craik.eval.stats import Interval, holm, iqm, paired_difference, permutation, sign_flip, unpaired_difference

PRIMARY = (
    "fid.psnr@8:ar",
    "fid.rkd:ar",
    "state.err@8:ar",
    "state.err@1:tf",
    "state.valid_horizon:ar",
    "act.retrieval@4,8:ar",
    "act.effect_r2@8:ar",
    "act.idm_r2:ar",
    "phys.residual:ar",
    "cal.crps@8:ar",
    "voe.delta50.action:tf",
    "dec.regret:cl",
)
"""What was said beforehand to be looked at (EVALUATION, section 3.8): its candidates, and its target last."""

SHOWN = ("fid.rkd:ar", *HEADLINES)
"""What is shown of a card. The kernel distance has a null for every model that draws."""

SUMMED = tuple(id for id in SHOWN if id != "dec.return:cl")
"""What an axis is summed up from over worlds. The return is the regret once more."""

DRAWS = 1_000
"""Resamples of a score."""

How = Literal["paired", "unpaired", "resampled", "single"]
"""Paired: by moments. Unpaired: on unequally many. Resampled: by the draws of correlations. Single: one number each."""

Key = tuple[Exercise, str]
"""What was asked, and the metric."""


@dataclasses.dataclass(frozen=True)
class Difference:
    """One metric of two models on the same moments.

    Attributes:
        exercise: what was asked.
        id: the metric.
        axis: its.
        ours, theirs: the two estimates.
        scores: the two normalised scores.
        gap: ours minus theirs: of the values, if they were read by the same instrument, else of the scores.
        of: "values" or "scores".
        how: the gap's interval came about.
        p: of the gap, were there none; NaN of axis E, where repeats of a clock are no sample of anything else, and of
            single numbers.
        adjusted: p among all that was not said beforehand (Holm); that itself where it was.
        primary: whether it was.
        better: whether ours is, by its estimate; None if alike.
    """

    exercise: Exercise
    id: str
    axis: str
    ours: float
    theirs: float
    scores: tuple[float, float]
    gap: Interval
    of: Literal["values", "scores"]
    how: How
    p: float
    adjusted: float
    primary: bool
    better: bool | None


def compare(ours: Deck, theirs: Deck) -> list[Difference]:
    """Every metric that both have, of every exercise that both did."""
    found = []
    for exercise, card in ours.cards.items():
        if exercise not in theirs.cards:
            continue
        others = {s.id: s for s in theirs.cards[exercise].scores}
        both = [(s, others[s.id]) for s in card.scores if s.id in others]
        found += [_differ(exercise, one, two) for one, two in both if _comparable(one, two)]
    rest = [i for i, d in enumerate(found) if not d.primary and math.isfinite(d.p)]
    adjusted = dict(zip(rest, holm(np.array([found[i].p for i in rest]))))
    return [dataclasses.replace(d, adjusted=float(adjusted.get(i, d.p))) for i, d in enumerate(found)]


def unmatched(ours: Deck, theirs: Deck) -> list[Exercise]:
    """What only one of them did."""
    return sorted(set(ours.cards) ^ set(theirs.cards))


def difference(ours: Score, theirs: Score) -> tuple[Interval, How, float]:
    """Ours minus theirs with its interval, how that came about, and the p-value.

    Values of equally many moments are paired, and signs of differences flipped for p. Unequally many are compared
    unpaired, and dealt out anew for p. Correlations are compared by their resamples (for p: the share of resampled
    differences on the other side of 0, twice); of two cards of the same moments these are the same resamples.
    """
    value = ours.mean - theirs.mean
    if len(ours.drawn) and len(theirs.drawn):
        gaps = ours.drawn[: len(theirs.drawn)] - theirs.drawn[: len(ours.drawn)]
        low, high = np.quantile(gaps, [0.025, 0.975])
        side = min((gaps <= 0).sum(), (gaps >= 0).sum())
        p = min(1.0, 2 * (side + 1) / (len(gaps) + 1))
        return Interval(value, float(low), float(high), min(ours.n, theirs.n)), "resampled", float(p)
    if len(ours.values) != len(theirs.values):
        one, two = (_terms(s, np.isfinite(s.values)) for s in (ours, theirs))
        return unpaired_difference(one, two), "unpaired", permutation(one, two)
    both = np.isfinite(ours.values) & np.isfinite(theirs.values)
    if both.sum() < 2:
        return Interval(value, math.nan, math.nan, int(both.sum())), "single", math.nan
    one, two = _terms(ours, both), _terms(theirs, both)
    return paired_difference(one, two), "paired", sign_flip(one - two)


def draws(exercise: Exercise, score: Score) -> np.ndarray:
    """[DRAWS] the normalised score on resamples of its moments; floor and null stay what they are.

    Scores on equally many moments of one exercise are resampled alike, so that differences of two models are paired.
    """
    if len(score.drawn):
        means = np.resize(score.drawn, DRAWS)
    else:
        rng = np.random.default_rng([zlib.crc32(exercise[0].encode()), exercise[2]])
        n = len(score.values)
        picks = rng.integers(n, size=(DRAWS, n))
        weights = np.where(np.isfinite(score.values), score.weights if len(score.weights) else 1.0, 0.0)
        total = weights[picks].sum(1)
        summed = (np.nan_to_num(score.values) * weights)[picks].sum(1)
        means = np.where(total > 0, summed / np.maximum(total, 1e-300), score.mean)
    return score.scaled(means)


def entries(deck: Deck, axis: str) -> dict[Key, Score]:
    """What sums up an axis: its scores of `SUMMED` that have both a floor and a null."""
    return {
        (exercise, s.id): s
        for exercise, card in deck.cards.items()
        for s in card.scores
        if s.axis == axis and s.id in SUMMED and math.isfinite(s.normalised)
    }


def shared(decks: Sequence[Deck], axis: str) -> list[Key]:
    """What all models have of an axis that have any of it: they are summed up over the same."""
    found = [set(entries(d, axis)) for d in decks]
    found = [keys for keys in found if keys]
    return sorted(set.intersection(*found)) if found else []


def summed(deck: Deck, axis: str, keys: Sequence[Key]) -> Interval | None:
    """The interquartile mean of normalised scores over worlds, exams and metrics (`iqm`); None without any.

    The interval is a stratified bootstrap: moments are resampled within each exam, worlds are not. It says nothing of
    another training run: for that, grade several.
    """
    mine = entries(deck, axis)
    if not keys or not set(keys) <= set(mine):
        return None
    found = np.stack([draws(key[0], mine[key]) for key in keys])
    low, high = np.quantile(iqm(found, axis=0), [0.025, 0.975])
    value = iqm(np.array([mine[key].normalised for key in keys]))
    return Interval(float(value), float(low), float(high), len(keys))


def improvement(ours: Deck, theirs: Deck, axis: str) -> Interval | None:
    """The chance that ours has the better score in a world and metric of an axis that both have; None without any.

    Agarwal et al. (2021), section 4.3, with one run of each: mean over what both have of [x > y] + [x = y] / 2. The
    interval is that of `summed`.
    """
    one, two = entries(ours, axis), entries(theirs, axis)
    keys = sorted(set(one) & set(two))
    if not keys:
        return None

    def wins(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        alike = np.abs(x - y) <= 1e-9
        return np.where(alike, 0.5, x > y)

    value = wins(*(np.array([side[k].normalised for k in keys]) for side in (one, two))).mean()
    drawn = wins(*(np.stack([draws(k[0], side[k]) for k in keys]) for side in (one, two))).mean(0)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(float(value), float(low), float(high), len(keys))


def _comparable(ours: Score, theirs: Score) -> bool:
    if ours.instrument == theirs.instrument:
        return bool(ours.n and theirs.n)
    return math.isfinite(ours.normalised) and math.isfinite(theirs.normalised)


def _differ(exercise: Exercise, ours: Score, theirs: Score) -> Difference:
    alike = ours.instrument == theirs.instrument
    scores = ours.normalised, theirs.normalised
    gap, how, p = difference(ours, theirs) if alike else difference(_normal(ours), _normal(theirs))
    apart = ours.mean - theirs.mean if alike else scores[0] - scores[1]
    return Difference(
        exercise,
        ours.id,
        ours.axis,
        ours.mean,
        theirs.mean,
        scores,
        gap,
        "values" if alike else "scores",
        how,
        math.nan if ours.axis == "E" else p,
        math.nan,
        ours.id in PRIMARY,
        None if not math.isfinite(apart) or abs(apart) < 1e-12 else (apart > 0) == (ours.more or not alike),
    )


def _normal(score: Score) -> Score:
    """A score in parts of the way from null to floor, whatever its unit."""
    gap = score.null - average(score.floor)
    values, drawn = ((score.null - x) / gap for x in (score.values, score.drawn))
    return dataclasses.replace(score, values=values, drawn=drawn)


def _terms(score: Score, keep: np.ndarray) -> np.ndarray:
    """Terms of the values kept whose plain mean is the estimate: of a weighted mean, its linearisation.

    m + w (v - m) / mean(w), whose spread is that of the ratio of sums (the delta method).
    """
    values = score.values[keep]
    if not len(score.weights):
        return values
    weights = score.weights[keep]
    if not weights.sum():
        return values
    m = float((values * weights).sum() / weights.sum())
    return m + weights * (values - m) / weights.mean()
