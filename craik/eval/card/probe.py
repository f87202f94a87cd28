"""Linear probes: what can be read off a latent by a line."""

from __future__ import annotations

import dataclasses

import numpy as np

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Ridge penalties tried, relative to the mean variance of a feature."""

PRINCIPAL = 256
"""Principal components kept of a wider latent, so that every model is probed with as many numbers at most."""


@dataclasses.dataclass(frozen=True)
class Ridge:
    """An affine map of features, and how well it did on what it was not fitted to.

    Attributes:
        mean: [D] of the features.
        weight: [D, S].
        bias: [S].
        r2: [S] the share of variance explained on the validation part; 0 for numbers that never vary there.
        penalty: the one chosen.
    """

    mean: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    r2: np.ndarray
    penalty: float

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """[..., D] -> [..., S]."""
        return (features.astype(np.float64) - self.mean) @ self.weight + self.bias


def fit_ridge(x: np.ndarray, y: np.ndarray, x_held: np.ndarray, y_held: np.ndarray) -> Ridge:
    """Ridge regression on at most `PRINCIPAL` principal components; the penalty that does best on the held-out part.

    Args:
        x: [N, D] features.
        y: [N, S] numbers.
        x_held, y_held: of other episodes.
    """
    x, y, x_held = x.astype(np.float64), y.astype(np.float64), x_held.astype(np.float64)
    mean, bias = x.mean(0), y.mean(0)
    values, axes = np.linalg.eigh(np.cov((x - mean).T).reshape(x.shape[1], x.shape[1]))
    values, axes = values[::-1][:PRINCIPAL], axes[:, ::-1][:, :PRINCIPAL]
    kept = values > 1e-9 * max(values[0], 1e-12)
    values, axes = values[kept], axes[:, kept]
    z = (x - mean) @ axes
    cross, size = z.T @ (y - bias), len(z)
    best: Ridge | None = None
    for penalty in PENALTIES:
        lam = penalty * values.mean() if len(values) else 1.0
        weight = axes @ (cross / (size * (values + lam))[:, None])
        ridge = Ridge(mean, weight, bias, np.zeros(y.shape[1]), penalty)
        ridge = dataclasses.replace(ridge, r2=r2(ridge(x_held), y_held))
        if best is None or ridge.r2.mean() > best.r2.mean():
            best = ridge
    assert best is not None
    return best


def r2(guess: np.ndarray, true: np.ndarray) -> np.ndarray:
    """[S] the share of each number's variance explained, [N, S] each; 0 where it never varies."""
    spread = np.square(true - true.mean(0)).sum(0)
    wrong = np.square(guess - true).sum(0)
    return np.where(spread > 1e-12 * len(true), 1 - wrong / np.maximum(spread, 1e-300), 0.0)
