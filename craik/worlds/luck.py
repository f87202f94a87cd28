"""Chance as part of the state: a number that says all that will happen, unknown to whoever looks."""

from __future__ import annotations

import numpy as np

LIMIT = 2**52
"""Luck is a whole number below this, so that float64 holds it exactly."""


def throw(luck: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Uniform numbers that this luck brings, and the luck after them.

    Args:
        luck: [N] float64, whole numbers in [0, LIMIT).
        count: numbers wanted of each.

    Returns:
        [N, count] in [0, 1), and the next luck [N]. Equal luck brings equal numbers.
    """
    words = luck.astype(np.uint64)[:, None] * np.uint64(64) + np.arange(count + 1, dtype=np.uint64)
    mixed = _mix(_mix(words)) >> np.uint64(12)
    return mixed[:, :count] / LIMIT, mixed[:, count].astype(np.float64)


def fresh(rng: np.random.Generator, num: int) -> np.ndarray:
    """[num] new luck."""
    return rng.integers(0, LIMIT, num).astype(np.float64)


def _mix(x: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection of 64-bit words that looks random."""
    with np.errstate(over="ignore"):
        x = x + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))
