"""Solid things as rounded rectangles, with the distance to them and the way out."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

Solid = tuple[np.ndarray, np.ndarray, float]
"""A rounded rectangle: centre [..., 2], half sizes of its core [..., 2], and the radius around the core.

A disc has a core of size 0; a plain rectangle a radius of 0."""


def depth(point: np.ndarray, solids: Iterable[Solid]) -> np.ndarray:
    """Signed distance from points [..., 2] to the nearest of several solids, [...], below 0 inside one of them."""
    best = np.full(point.shape[:-1], np.inf)
    for centre, half, radius in solids:
        x, y = (np.abs(point[..., i] - centre[..., i]) - half[..., i] for i in (0, 1))
        out_x, out_y = np.maximum(x, 0), np.maximum(y, 0)
        np.minimum(best, np.sqrt(out_x**2 + out_y**2) + np.minimum(np.maximum(x, y), 0) - radius, out=best)
    return best


def distance(point: np.ndarray, solid: Solid) -> tuple[np.ndarray, np.ndarray]:
    """Signed distance from points [N, 2] to a solid, [N], below 0 inside; and its gradient [N, 2], the way out."""
    centre, half, radius = solid
    from_x, from_y = point[:, 0] - centre[..., 0], point[:, 1] - centre[..., 1]
    x, y = np.abs(from_x) - half[..., 0], np.abs(from_y) - half[..., 1]
    out_x, out_y = np.maximum(x, 0), np.maximum(y, 0)
    length = np.sqrt(out_x**2 + out_y**2)
    outside = length > 0
    whole = np.where(outside, length, 1)
    way_x = np.copysign(np.where(outside, out_x / whole, x > y), from_x)
    way_y = np.copysign(np.where(outside, out_y / whole, x <= y), from_y)
    return np.where(outside, length, np.maximum(x, y)) - radius, np.stack([way_x, way_y], -1)


def nearest(point: np.ndarray, solids: Iterable[Solid]) -> tuple[np.ndarray, np.ndarray]:
    """`distance` to the nearest of several solids: exact outside them all."""
    best: tuple[np.ndarray, np.ndarray] | None = None
    for solid in solids:
        far, way = distance(point, solid)
        if best is not None:
            closer = far < best[0]
            far, way = np.where(closer, far, best[0]), np.where(closer[:, None], way, best[1])
        best = far, way
    assert best is not None
    return best


def turned(vector: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Vectors [..., 2] turned counter-clockwise by angles [...] (rad)."""
    c, s = np.cos(angle), np.sin(angle)
    x, y = vector[..., 0], vector[..., 1]
    return np.stack([c * x - s * y, s * x + c * y], -1)


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The turn from a to b: `a_x b_y - a_y b_x`, [...]."""
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def wrapped(angle: np.ndarray, period: float = 2 * np.pi) -> np.ndarray:
    """Angles brought to [-period/2, period/2)."""
    return (angle + period / 2) % period - period / 2
