"""Where rigid balls and boxes touch, many scenes at once: with planes, and one another."""

from __future__ import annotations

import dataclasses
from itertools import combinations

import numpy as np

NUM = 6
BALLS, BOXES = (0, 1, 2), (3, 4, 5)
"""Numbers of the bodies; 0 is the pusher."""

RADII = np.array([0.16, 0.16, 0.16])
HALVES = np.array([[0.15, 0.15, 0.15], [0.15, 0.15, 0.15], [0.07, 0.07, 0.3]])
WALL = 1.45
"""Glass walls stand at this distance from the middle, units."""

PUSHER = 4.0
"""Mass of the pusher; the bodies weigh 1, but for body 3."""

SLOP = 0.002
"""Overlap that is left alone, units."""

_CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
_MIDDLES = np.array([p for p in np.ndindex(3, 3, 3) if sum(c == 1 for c in p) == 1], float) - 1
_SPOTS = np.concatenate([_CORNERS, _MIDDLES])
"""Corners and middles of edges of a box, in half sizes."""

_PLANES = np.array([[0, 0, 1], [1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]], float)
_OFFSETS = np.array([0, WALL, WALL, WALL, WALL])


@dataclasses.dataclass(frozen=True)
class Scene:
    """What moves, in N scenes of `NUM` bodies.

    Attributes:
        at: [N, B, 3], units.
        turn: [N, B, 4], unit quaternions, w first.
        speed: [N, B, 3], units/s.
        spin: [N, B, 3], rad/s, about the axes of the world.
    """

    at: np.ndarray
    turn: np.ndarray
    speed: np.ndarray
    spin: np.ndarray


@dataclasses.dataclass(frozen=True)
class Matter:
    """What does not, [N] each.

    Attributes:
        size: of all bodies but the pusher, in parts of the usual.
        mass: of body 3; the other bodies weigh 1.
        friction, restitution: between bodies and with the planes; the pusher has no friction.
        gravity: units/s^2.
    """

    size: np.ndarray
    mass: np.ndarray
    friction: np.ndarray
    restitution: np.ndarray
    gravity: np.ndarray

    def radii(self) -> np.ndarray:
        """Of the balls, [N, 3]."""
        scale = np.repeat(self.size[:, None], 3, 1)
        scale[:, 0] = 1
        return RADII * scale

    def halves(self) -> np.ndarray:
        """Half the sizes of the boxes, [N, 3, 3]."""
        return HALVES * self.size[:, None, None]

    def masses(self) -> np.ndarray:
        """[N, B]."""
        mass = np.ones((len(self.size), NUM))
        mass[:, 0], mass[:, 3] = PUSHER, self.mass
        return mass

    def inertia(self) -> np.ndarray:
        """About the bodies' own axes, [N, B, 3]; the pusher's is infinite."""
        square = self.halves() ** 2
        mass = self.masses()[:, :, None]
        balls = np.repeat(0.4 * self.radii()[:, :, None] ** 2, 3, 2) * mass[:, :3]
        balls[:, 0] = np.inf
        return np.concatenate([balls, (square.sum(2, keepdims=True) - square) / 3 * mass[:, 3:]], 1)


@dataclasses.dataclass(frozen=True)
class Contacts:
    """Where bodies touch, in one list of K for all scenes.

    Attributes:
        first, second: [K], body `row * B + body`; N * B stands for what never moves.
        point: [K, 3].
        normal: [K, 3], from the second to the first.
        depth: [K], units.
        slippery: [K] bool.
    """

    first: np.ndarray
    second: np.ndarray
    point: np.ndarray
    normal: np.ndarray
    depth: np.ndarray
    slippery: np.ndarray


def matrices(turn: np.ndarray) -> np.ndarray:
    """Rotations [..., 3, 3] of quaternions [..., 4]."""
    w, x, y, z = np.moveaxis(turn, -1, 0)
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return np.stack([np.stack(r, -1) for r in rows], -2)


def find(scene: Scene, matter: Matter) -> Contacts:
    """All contacts: with planes, between balls, balls and boxes, boxes."""
    n, turn = len(scene.at), matrices(scene.turn)
    radii, halves = matter.radii(), matter.halves()
    parts = [_on_planes(scene.at, turn, radii, halves)]
    for i, j in combinations(BALLS, 2):
        apart = scene.at[:, j] - scene.at[:, i]
        far = np.sqrt((apart * apart).sum(1))
        rows = np.flatnonzero(far < radii[:, i] + radii[:, j])
        normal = apart[rows] / np.maximum(far[rows], 1e-9)[:, None]
        point = scene.at[rows, i] + radii[rows, i, None] * normal
        parts.append((rows * NUM + j, rows * NUM + i, point, normal, (radii[:, i] + radii[:, j] - far)[rows]))
    reach = np.sqrt((halves**2).sum(2))
    for i in BALLS:
        for k, j in enumerate(BOXES):
            apart = scene.at[:, i] - scene.at[:, j]
            rows = np.flatnonzero((apart * apart).sum(1) < (radii[:, i] + reach[:, k]) ** 2)
            parts.append(_ball_on_box(rows, i, j, apart[rows], turn[rows, j], halves[rows, k], radii[rows, i], scene))
    for (a, i), (b, j) in combinations(enumerate(BOXES), 2):
        apart = scene.at[:, j] - scene.at[:, i]
        rows = np.flatnonzero((apart * apart).sum(1) < (reach[:, a] + reach[:, b]) ** 2)
        parts.append(_boxes(rows, i, j, scene.at[rows], turn[rows, i], turn[rows, j], halves[rows, a], halves[rows, b]))
    first, second, point, normal, depth = (np.concatenate(x) for x in zip(*parts, strict=True))
    second = np.where(second < 0, n * NUM, second)
    slippery = (first % NUM == 0) | ((second % NUM == 0) & (second < n * NUM))
    return Contacts(first, second, point, normal, depth, slippery)


_Part = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _on_planes(at: np.ndarray, turn: np.ndarray, radii: np.ndarray, halves: np.ndarray) -> _Part:
    n = len(at)
    corners = at[:, 3:, None] + (_CORNERS * halves[:, :, None]) @ turn[:, 3:].swapaxes(2, 3)
    spots = np.concatenate([at[:, :3], corners.reshape(n, -1, 3)], 1)
    body = np.array([*BALLS, *np.repeat(BOXES, 8)])
    bulk = np.concatenate([radii, np.zeros((n, 24))], 1)
    gap = np.stack([spots[..., 2], *(WALL + s * spots[..., k] for k in (0, 1) for s in (1, -1))], 2) - bulk[..., None]
    gap[:, 0, 0] = 1  # the pusher is held at its height
    row, spot, plane = np.nonzero(gap < 0)
    normal, depth = _PLANES[plane], -gap[row, spot, plane]
    point = spots[row, spot] - normal * bulk[row, spot, None]
    return row * NUM + body[spot], np.full(len(row), -1), point, normal, depth


def _ball_on_box(
    rows: np.ndarray,
    i: int,
    j: int,
    apart: np.ndarray,
    turn: np.ndarray,
    half: np.ndarray,
    radius: np.ndarray,
    scene: Scene,
) -> _Part:
    local = times(turn.swapaxes(1, 2), apart)
    near = np.clip(local, -half, half)
    out = local - near
    far = np.sqrt((out * out).sum(1))
    inside = far < 1e-9
    face = np.argmin(half - np.abs(local), 1)
    row = np.arange(len(rows))
    exit_ = np.zeros_like(local)
    exit_[row, face] = np.where(local[row, face] < 0, -1.0, 1.0)
    normal = np.where(inside[:, None], exit_, out / np.maximum(far, 1e-9)[:, None])
    depth = radius - np.where(inside, (np.abs(local) - half)[row, face], far)
    met = depth > 0
    rows, normal, near = rows[met], times(turn, normal)[met], times(turn, near)[met]
    return rows * NUM + i, rows * NUM + j, scene.at[rows, j] + near, normal, depth[met]


def _boxes(
    rows: np.ndarray,
    i: int,
    j: int,
    at: np.ndarray,
    ti: np.ndarray,
    tj: np.ndarray,
    hi: np.ndarray,
    hj: np.ndarray,
) -> _Part:
    """The face axis along which two boxes overlap least, and their points beyond that face."""
    apart = at[:, j] - at[:, i]
    between = ti.swapaxes(1, 2) @ tj
    gap_i = np.abs(times(ti.swapaxes(1, 2), apart)) - hi - times(np.abs(between), hj)
    gap_j = np.abs(times(tj.swapaxes(1, 2), apart)) - hj - times(np.abs(between.swapaxes(1, 2)), hi)
    gap_j = gap_j - 1e-4  # of two that are alike, always the same
    gaps = np.concatenate([gap_i, gap_j], 1)
    best = gaps.argmax(1)
    met = gaps[np.arange(len(rows)), best] < 0
    parts = []
    for own, other, t1, t2, h1, h2, mine in ((i, j, ti, tj, hi, hj, best < 3), (j, i, tj, ti, hj, hi, best >= 3)):
        k = np.flatnonzero(met & mine)
        parts.append(_beyond(rows[k], own, other, at[k], t1[k], t2[k], h1[k], h2[k], best[k] % 3))
    return tuple(np.concatenate(x) for x in zip(*parts, strict=True))  # type: ignore[return-value]


def _beyond(
    rows: np.ndarray,
    own: int,
    other: int,
    at: np.ndarray,
    t1: np.ndarray,
    t2: np.ndarray,
    h1: np.ndarray,
    h2: np.ndarray,
    axis: np.ndarray,
) -> _Part:
    """Points of the other box behind a face of the own one, and points of that face inside the other."""
    row = np.arange(len(rows))
    apart = at[:, other] - at[:, own]
    sign = np.where((apart * t1[row, :, axis]).sum(1) < 0, -1.0, 1.0)
    normal = t1[row, :, axis] * sign[:, None]
    theirs = apart[:, None] + (_SPOTS * h2[:, None]) @ t2.swapaxes(1, 2)
    local = theirs @ t1
    along = local[row, :, axis] * sign[:, None]
    beside = np.abs(local) <= h1[:, None] + SLOP
    depth_theirs = np.where(beside.all(2), h1[row, axis, None] - along, -1)
    mine = (_SPOTS * h1[:, None]) @ t1.swapaxes(1, 2)
    on_face = _SPOTS[:, axis].T * sign[:, None] == 1
    local = (mine - apart[:, None]) @ t2
    way = -times(t2.swapaxes(1, 2), normal)[:, None]
    steep = np.abs(way) > 1e-6
    leave = np.where(steep, (h2[:, None] - np.sign(way) * local) / np.where(steep, np.abs(way), 1), np.inf).min(2)
    within = (np.abs(local) < h2[:, None] - 1e-9).all(2)
    depth_mine = np.where(within & on_face, leave, -1)
    for found in (depth_theirs, depth_mine):  # where three corners bear, the middles of edges add nothing
        found[:, 8:] = np.where((found[:, :8] > 0).sum(1, keepdims=True) >= 3, -1, found[:, 8:])
    depth = np.concatenate([depth_theirs, depth_mine], 1)
    points = np.concatenate([theirs, mine], 1) + at[:, own, None]
    k, spot = np.nonzero(depth > 0)
    return rows[k] * NUM + other, rows[k] * NUM + own, points[k, spot], normal[k], depth[k, spot]


def times(matrix: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Matrices [..., 3, 3] by vectors [..., 3], term by term: the same for one row as for many."""
    return matrix[..., 0] * x[..., :1] + matrix[..., 1] * x[..., 1:2] + matrix[..., 2] * x[..., 2:]


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cross products [..., 3]."""
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], -1)
