"""What a car on the road of `craik.worlds.lane` senses: ranges, maps, and what of them it can see."""

from __future__ import annotations

import numpy as np

from craik.worlds import boxes, luck
from craik.worlds.street import LANES, REACH, top_left

BEAMS, RANGE = 64, 40.0
"""Of the lidar: how many, all around, and how far they reach, m."""

CELLS = 64
"""Maps are so many cells high and wide."""

CELL = 2 * REACH / CELLS
"""Side of a cell, m."""

BODY = 0.35
"""Radius of a pedestrian, m; on maps she is a square."""

HEIGHTS = ((1.5, 1), (2.2, 1), (1.8, 2))
"""Of cars, the van and the pedestrian, m, and the voxels' class for them. The voxels' layers are 0.5 m high."""


def lidar(
    own: np.ndarray,
    heading: np.ndarray,
    solids: np.ndarray,
    person: np.ndarray,
    dropout: np.ndarray,
    chance: np.ndarray,
) -> np.ndarray:
    """Ranges [N, BEAMS] float32 m from the middle of one's own car, counter-clockwise from straight ahead.

    Args:
        own: its box [N, 6].
        heading: [N] rad.
        solids: boxes [N, B, 6].
        person: [N, 2].
        dropout: [N], the part of beams that are lost: they tell `RANGE`, as those that meet nothing do.
        chance: [N], the luck by which they are.
    """
    angle = heading[:, None] + 2 * np.pi * np.arange(BEAMS) / BEAMS
    way, eye = np.stack([np.cos(angle), np.sin(angle)], -1), own[:, None, :2]
    far = boxes.meet_disc(eye, way, person[:, None], BODY)
    for one in np.moveaxis(solids, 1, 0):
        far = np.minimum(far, boxes.entry(eye, way, one[:, None]))
    # Drawn from other luck than what will happen, so that lost beams tell nothing of the future.
    lost = luck.throw((chance + luck.LIMIT // 2) % luck.LIMIT, BEAMS)[0] < dropout[:, None]
    return np.where(lost, RANGE, np.minimum(far, RANGE)).astype(np.float32)


def visible(x: np.ndarray, own: np.ndarray, solids: np.ndarray) -> np.ndarray:
    """[N, CELLS, CELLS] uint8: 1 where a map's cells can be seen from the middle of one's own car, at x [N]."""
    return boxes.seen(own[:, :2], solids, top_left(x), CELL, CELLS).astype(np.uint8)


def maps(x: np.ndarray, solids: np.ndarray, person: np.ndarray) -> np.ndarray:
    """Where cars, the van and the pedestrian are: [3, N, CELLS, CELLS] uint8."""
    square = np.broadcast_to([BODY, BODY, 1, 0], (len(x), 4))
    planes = np.zeros((3, len(x), CELLS, CELLS), np.uint8)
    for plane, box in zip(planes, (solids[:, :-1], solids[:, -1:], np.concatenate([person, square], 1)[:, None])):
        boxes.cover(plane, box, top_left(x), CELL, 1)
    return planes


def bev(planes: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Road, vehicles and people, from `maps` and the lanes' width [N]: [N, CELLS, CELLS, 3] uint8."""
    y = REACH - CELL * (np.arange(CELLS) + 0.5)
    road = (np.abs(y) <= LANES * width[:, None] / 2).astype(np.uint8)
    return np.stack([np.broadcast_to(road[:, None], planes[0].shape), planes[0] | planes[1], planes[2]], -1)


def voxels(planes: np.ndarray) -> np.ndarray:
    """What fills each layer over each cell, from `maps`: [N, CELLS, CELLS, 4] uint8."""
    layers = np.zeros((*planes[0].shape, 4), np.uint8)
    for plane, (height, kind) in zip(planes, HEIGHTS):
        column = np.where(np.arange(4) * 0.5 + 0.25 < height, kind, 0).astype(np.uint8)
        layers[plane > 0] = np.maximum(layers[plane > 0], column)
    return layers
