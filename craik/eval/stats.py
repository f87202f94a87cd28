"""How sure a number is: intervals, robust means and comparisons, in numpy."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from statistics import NormalDist

import numpy as np

Statistic = Callable[[np.ndarray], np.ndarray]
"""From resamples [R, n] to one number each, [R]."""

LOT, ENOUGH = 10_000, 20
"""Resamples drawn at once for a p-value, and how many of them as far from 0 as what was seen are enough."""


@dataclasses.dataclass(frozen=True)
class Interval:
    """An estimate and the interval around it.

    Attributes:
        value: the estimate.
        low, high: the interval's ends.
        n: how many independent things it rests on.
        level: the share of such intervals that hold the truth.
    """

    value: float
    low: float
    high: float
    n: int
    level: float = 0.95


def wilson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Wilson's score interval for a share (Wilson 1927; Brown, Cai and DasGupta 2001, eq. 4), in [0, 1].

    Args:
        successes: how often it went well.
        n: how often it was tried, at least 1.
        level: of the interval.

    Raises:
        ValueError: unless 0 <= successes <= n and n >= 1.
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n} trials is not a share; count 0 <= successes <= n, n >= 1")
    z, p = _quantile(level), successes / n
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    low = 0.0 if successes == 0 else middle - reach
    high = 1.0 if successes == n else middle + reach
    return Interval(p, float(low), float(high), n, level)


def bootstrap_mean(values: np.ndarray, seed: int = 0, level: float = 0.95, resamples: int = 5_000) -> Interval:
    """The mean of independent values [n] and its percentile bootstrap interval.

    See `bootstrap`. Below about 10 values the interval is too narrow: say `n` beside it.
    """
    return bootstrap(values, lambda x: x.mean(1), seed, level, resamples)


def bootstrap(
    values: np.ndarray, statistic: Statistic, seed: int = 0, level: float = 0.95, resamples: int = 5_000
) -> Interval:
    """A statistic of independent values [n] and its percentile bootstrap interval (Efron 1979).

    Args:
        values: [n], at least 1, all finite.
        statistic: from resamples [R, n] to one number each.
        seed: of the resampling.
        level: of the interval.
        resamples: how many.

    Raises:
        ValueError: if there is no value, or one is not finite.
    """
    values = _sample(values)
    rng, n = np.random.default_rng(seed), len(values)
    drawn, most = [], max(1, 4_000_000 // n)  # resamples at once: about 32 MB
    for start in range(0, resamples, most):
        picks = rng.integers(n, size=(min(most, resamples - start), n))
        drawn.append(statistic(values[picks]))
    low, high = np.quantile(np.concatenate(drawn), [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(statistic(values[None])[0]), float(low), float(high), n, level)


def iqm(values: np.ndarray, axis: int | None = None) -> np.ndarray | float:
    """The interquartile mean: the mean of the middle half (Agarwal et al. 2021, section 4.3).

    A quarter of the values, rounded down, is left out at either end, as scipy's `trim_mean(x, 0.25)` does.

    Args:
        values: at least one number.
        axis: along which; None for all of them together, which gives a float.
    """
    x = np.sort(np.asarray(values, np.float64), axis=axis)  # with None: flattened
    n = x.shape[axis or 0] if axis is not None else len(x)
    middle = np.take(x, range(n // 4, n - n // 4), axis=axis or 0)
    return float(middle.mean()) if axis is None else middle.mean(axis)


def probability_of_improvement(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The chance that a run of ours beats one of theirs, ties counted half (Agarwal et al. 2021, section 4.3).

    mean over worlds w of (1 / nm) sum_ij [x_wi > y_wj] + [x_wi = y_wj] / 2.

    Args:
        ours: [n] scores, or [W, n] over W worlds.
        theirs: [m] or [W, m].
    """
    x, y = np.atleast_2d(np.asarray(ours, float)), np.atleast_2d(np.asarray(theirs, float))
    wins = (x[:, :, None] > y[:, None, :]) + 0.5 * (x[:, :, None] == y[:, None, :])
    return float(wins.mean((1, 2)).mean())


def paired_difference(
    ours: np.ndarray, theirs: np.ndarray, seed: int = 0, level: float = 0.95, resamples: int = 5_000
) -> Interval:
    """The mean of `ours - theirs` over the same n starts, with its bootstrap interval.

    Pairing takes the difficulty of each start out of the comparison.

    Raises:
        ValueError: if the two are not of one length.
    """
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    if ours.shape != theirs.shape:
        raise ValueError(f"{ours.shape} and {theirs.shape} values are no pairs; evaluate both on the same starts")
    return bootstrap_mean(ours - theirs, seed, level, resamples)


def unpaired_difference(
    ours: np.ndarray, theirs: np.ndarray, seed: int = 0, level: float = 0.95, resamples: int = 5_000
) -> Interval:
    """The mean of `ours` [n] minus that of `theirs` [m], of other starts, with its bootstrap interval; n is the fewer.

    Either side is resampled by itself.
    """
    ours, theirs, rng = _sample(ours), _sample(theirs), np.random.default_rng(seed)
    one, two = (x[rng.integers(len(x), size=(resamples, len(x)))].mean(1) for x in (ours, theirs))
    low, high = np.quantile(one - two, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(ours.mean() - theirs.mean()), float(low), float(high), min(len(ours), len(theirs)), level)


def sign_flip(differences: np.ndarray, seed: int = 0, resamples: int = 100_000) -> float:
    """The two-sided p-value of paired differences [n], if each had been as likely the other way round (Fisher 1935).

    The share of sign patterns whose mean is at least as far from 0: of all patterns where there are at most `LOT`, else
    of those drawn and the one there is (`_sequential`).
    """
    x = _sample(differences)
    if 2 ** len(x) <= LOT:
        turned = np.arange(2 ** len(x))[:, None] >> np.arange(len(x)) & 1
        return float(_as_far(x.sum() - 2 * turned @ x, x.sum()).mean())
    rng = np.random.default_rng(seed)

    def lot(size: int) -> np.ndarray:
        turned = np.unpackbits(rng.integers(256, size=(size, -(-len(x) // 8)), dtype=np.uint8), axis=1, count=len(x))
        return _as_far(x.sum() - 2 * turned @ x, x.sum())

    return _sequential(lot, resamples)


def permutation(ours: np.ndarray, theirs: np.ndarray, seed: int = 0, resamples: int = 100_000) -> float:
    """The two-sided p-value of the difference of means of [n] and [m] values, if all had come from one source.

    The share of ways to deal them out whose difference is as large, of those drawn and the one there is
    (`_sequential`).
    """
    x, y = _sample(ours), _sample(theirs)
    both, rng = np.concatenate([x, y]), np.random.default_rng(seed)

    def lot(size: int) -> np.ndarray:
        dealt = rng.permuted(np.repeat(both[None], size, 0), axis=1)
        return _as_far(dealt[:, : len(x)].mean(1) - dealt[:, len(x) :].mean(1), x.mean() - y.mean())

    return _sequential(lot, resamples)


def holm(p_values: np.ndarray) -> np.ndarray:
    """p-values [m] adjusted for their number (Holm 1979): those below a level hold together at that level.

    The k-th smallest of m, counted from 0, times m - k; none smaller than one before it, and none above 1.
    """
    p = np.asarray(p_values, float)
    order = np.argsort(p, kind="stable")
    adjusted = np.minimum(np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p)))), 1.0)
    return adjusted[np.argsort(order, kind="stable")]


def _sequential(lot: Callable[[int], np.ndarray], most: int) -> float:
    """The p-value from lots of resamples, each of which says which are as far from 0 as what was seen.

    (1 + those as far) / (1 + all drawn), until `ENOUGH` are as far or `most` are drawn: a p-value that is not small
    needs no more (Besag and Clifford 1991).
    """
    far = drawn = 0
    while drawn < most and far < ENOUGH:
        size = min(LOT, most - drawn)
        far, drawn = far + int(lot(size).sum()), drawn + size
    return (1 + far) / (1 + drawn)


def _as_far(drawn: np.ndarray, seen: float) -> np.ndarray:
    """Which statistics [R] are as far from 0 as the one seen, up to rounding."""
    return np.abs(drawn) >= np.abs(seen) * (1 - 1e-9) - 1e-12


def _quantile(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)


def _sample(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, np.float64).reshape(-1)
    if not len(values) or not np.isfinite(values).all():
        raise ValueError(f"an interval needs finite values, at least one; got {values[:4]} (of {len(values)})")
    return values
