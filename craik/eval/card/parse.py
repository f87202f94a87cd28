"""Finding things in pictures by their colour."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from craik.worlds.draw import Color

SHARP = 60.0
"""Distance in RGB (0 to 255) at which a pixel counts e^-1/2 as much as one of the very colour."""

LEAST = 1.5
"""Pixels' worth of a colour below which a thing counts as lost, in a picture of 64 x 64."""


def parse(pictures: np.ndarray, points: Mapping[str, Color]) -> np.ndarray:
    """Where things are: pictures [N, h, w, 3] uint8 -> [N, P, 2], across and down in [0, 1]; NaN if not found.

    A pixel belongs to the thing whose colour is nearest, by how near it is; a thing is at its pixels' centre of mass.
    """
    return weigh(pictures, points)[0]


def weigh(pictures: np.ndarray, points: Mapping[str, Color]) -> tuple[np.ndarray, np.ndarray]:
    """`parse`, and beside it how many pixels each thing covers, [N, P]."""
    n, h, w = pictures.shape[:3]
    colors = np.array(list(points.values()), np.float32)
    across, down = (np.arange(w) + 0.5) / w, (np.arange(h) + 0.5) / h
    mass = np.empty((n, len(colors)), np.float32)
    places = np.full((n, len(colors), 2), np.nan)
    for start in range(0, n, 256):
        rows = slice(start, start + 256)
        pixels = pictures[rows].astype(np.float32)
        far = np.stack([np.square((pixels - color) / SHARP).sum(-1) for color in colors])  # [P, n, h, w]
        nearest = far.argmin(0)
        for p in range(len(colors)):
            weight = np.exp(-0.5 * far[p])
            weight[(weight < 0.3) | (nearest != p)] = 0
            total = weight.sum((1, 2))
            mass[rows, p] = total
            x = (weight.sum(1) * across).sum(1) / np.maximum(total, 1e-9)
            y = (weight.sum(2) * down).sum(1) / np.maximum(total, 1e-9)
            found = total >= LEAST * (h * w) / 64**2
            places[rows, p] = np.where(found[:, None], np.stack([x, y], 1), np.nan)
    return places, mass
