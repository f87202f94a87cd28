"""Turned rectangles on the ground: which overlap, what rays meet, which cells of a map they cover or hide.

A set of boxes is [N, B, 6]: x and y of the middle, half the length, half the width, cosine and sine of the heading.
"""

from __future__ import annotations

import numpy as np


def local(point: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points [..., 2] along and across boxes [..., 6], from their middles."""
    x, y = point[..., 0] - box[..., 0], point[..., 1] - box[..., 1]
    return x * box[..., 4] + y * box[..., 5], y * box[..., 4] - x * box[..., 5]


def corners(box: np.ndarray) -> np.ndarray:
    """Corners of boxes [..., 6], counter-clockwise: [..., 4, 2]."""
    way = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)
    along, across = way[:, 0] * box[..., 2:3], way[:, 1] * box[..., 3:4]
    c, s = box[..., 4:5], box[..., 5:6]
    return np.stack([box[..., 0:1] + along * c - across * s, box[..., 1:2] + along * s + across * c], -1)


def apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """[...] metres: the widest gap between boxes [..., 6] along any of their sides; below 0 if they overlap."""
    dx, dy = b[..., 0] - a[..., 0], b[..., 1] - a[..., 1]
    c = np.abs(a[..., 4] * b[..., 4] + a[..., 5] * b[..., 5])
    s = np.abs(a[..., 4] * b[..., 5] - a[..., 5] * b[..., 4])
    gaps = []
    for one, two in ((a, b), (b, a)):
        along = np.abs(dx * one[..., 4] + dy * one[..., 5]) - one[..., 2] - two[..., 2] * c - two[..., 3] * s
        across = np.abs(dy * one[..., 4] - dx * one[..., 5]) - one[..., 3] - two[..., 2] * s - two[..., 3] * c
        gaps += [along, across]
    return np.maximum.reduce(gaps)


def entry(start: np.ndarray, way: np.ndarray, box: np.ndarray) -> np.ndarray:
    """How far rays go, in parts of `way`, before they enter a box; infinite if they never do, 0 from inside it.

    Args:
        start: [..., 2].
        way: [..., 2], any length.
        box: [..., 6].
    """
    from_along, from_across = local(start, box)
    go_along = way[..., 0] * box[..., 4] + way[..., 1] * box[..., 5]
    go_across = way[..., 1] * box[..., 4] - way[..., 0] * box[..., 5]
    enter, leave = np.zeros_like(go_along), np.full_like(go_along, np.inf)
    for at, go, half in ((from_along, go_along, box[..., 2]), (from_across, go_across, box[..., 3])):
        go = np.where(np.abs(go) < 1e-12, 1e-12, go)
        one, two = (-half - at) / go, (half - at) / go
        enter, leave = np.maximum(enter, np.minimum(one, two)), np.minimum(leave, np.maximum(one, two))
    return np.where(enter <= leave, enter, np.inf)


def meet_disc(start: np.ndarray, way: np.ndarray, middle: np.ndarray, radius: float) -> np.ndarray:
    """How far rays of unit `way` [..., 2] go before they enter a disc; infinite if they never do."""
    to = middle - start
    along = (to * way).sum(-1)
    within = radius**2 - ((to * to).sum(-1) - along**2)
    far = along - np.sqrt(np.maximum(within, 0))
    return np.where((within >= 0) & (far >= 0), far, np.inf)


def cover(grid: np.ndarray, box: np.ndarray, corner: np.ndarray, cell: float, value: int) -> None:
    """Writes `value` into the cells whose middles lie in boxes.

    Args:
        grid: [N, h, w], changed in place; rows go with x downwards (the furthest first), columns with y to the right
            (the leftmost first), as in a picture of a road that leads up.
        box: [N, B, 6].
        corner: [N, 2]: x and y of the top left corner of the map.
        cell: side of a cell, metres.
        value: what to write.
    """
    n, h, w = grid.shape
    reach = np.sqrt(box[..., 2] ** 2 + box[..., 3] ** 2).max(initial=0)
    size = 2 * int(np.ceil(reach / cell)) + 1
    middle = np.floor((corner[:, None] - box[..., :2]) / cell).astype(np.int64)
    step = np.arange(size) - size // 2
    row, column = middle[..., 0, None, None] + step[:, None], middle[..., 1, None, None] + step[None]
    point = corner[:, None, None, None] - cell * (np.stack(np.broadcast_arrays(row, column), -1) + 0.5)
    along, across = local(point, box[:, :, None, None])
    inside = (np.abs(along) <= box[..., 2, None, None]) & (np.abs(across) <= box[..., 3, None, None])
    inside &= (row >= 0) & (row < h) & (column >= 0) & (column < w)
    flat = (np.arange(n)[:, None, None, None] * h + row) * w + column
    grid.reshape(-1)[flat[inside]] = value


def seen(eye: np.ndarray, box: np.ndarray, corner: np.ndarray, cell: float, size: int) -> np.ndarray:
    """[N, size, size] bool: whether the straight way from eyes [N, 2] to a cell's middle is free of boxes [N, B, 6].

    A box does not hide its own cells. Eyes have to be on the map: then no box off it hides any. For `corner` and
    `cell` see `cover`.
    """
    steps, free = cell * (np.arange(size) + 0.5), np.ones((len(eye), size * size), bool)
    # Row by row, so that all of it stays in the cache, and near boxes only.
    for row, (here, top, things) in enumerate(zip(eye, corner, box)):
        x, y = np.broadcast_arrays((top[0] - steps)[:, None], top[1] - steps)
        point = np.stack([x.ravel(), y.ravel()], -1)
        middle, half = top - cell * size / 2, cell * size / 2
        near = (np.abs(things[:, :2] - middle) - things[:, 2:3] - things[:, 3:4] < half).all(1)
        for one in things[near]:
            along, across = local(point, one)
            own = (np.abs(along) <= one[2]) & (np.abs(across) <= one[3])
            free[row] &= own | (entry(here, point - here, one) >= 1)
    return free.reshape(len(eye), size, size)
