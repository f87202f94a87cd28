"""Ray casting: what N walkers see in halls of walls, posts and balls, exact to the column, in plain numpy.

The camera is a pinhole at half the height of the walls, looking level along its heading. With `f` pixels of focal
length, pixel (row i, column j) of a picture of S x S looks along `forward + u right + v up`, where
`u = (j + 1/2 - S/2) / f` and `v = (S/2 - i - 1/2) / f`. Depth is measured along `forward`, so that a pixel's place is
`eye + depth (forward + u right + v up)`.
"""

from __future__ import annotations

import dataclasses

import numpy as np

LIGHT = (0.36, 0.48)
"""How much brighter a face is that looks east, or north."""

DADO = 0.55
"""Where the walls' lower, darker part begins: at this part of the way from the floor to the eye."""

FOOT = 0.84
"""How bright that part is, in parts of the wall's."""

FLOOR, GROUT = np.array([191.0, 180.5, 162.5]), np.array([8.0, 8.5, 8.5])
"""Colour of the floor, and by how much its light tiles are brighter and its dark ones darker."""

CEILING = np.array([233.0, 232.0, 226.0])
TILES = 4.0
"""Tiles of the floor to a unit."""


@dataclasses.dataclass(frozen=True)
class Scene:
    """What N halls contain. The hall itself is [-1, 1] both ways.

    Attributes:
        sides: [N, 4, 3], colours of its outer walls, seen east, north, west, south.
        centre, half: [N, K, 2], upright rectangular walls inside it; they have the colours of the outer walls that
            look the same way.
        posts: [N, M, 2], middles of round posts as high as the walls.
        girth: [M], their radii.
        paint: [N, M, 3], their colours.
        balls: [N, B, 3], middles of balls in the air, the third number above the eye.
        swell: [N, B], their radii; 0 for none.
        doors: [N, P], where along the north wall coloured doors are.
        door: half their width.
        panel: [N, P, 3], their colours.
        height: [N], of the walls.
        panels: [N], painted panels of the walls to a unit.
        light: [N], brightness, 1 as usual.
        haze: [N], how much of the picture is washed out, in [0, 1].
    """

    sides: np.ndarray
    centre: np.ndarray
    half: np.ndarray
    posts: np.ndarray
    girth: np.ndarray
    paint: np.ndarray
    balls: np.ndarray
    swell: np.ndarray
    doors: np.ndarray
    door: float
    panel: np.ndarray
    height: np.ndarray
    panels: np.ndarray
    light: np.ndarray
    haze: np.ndarray


@dataclasses.dataclass(frozen=True)
class Sight:
    """What each column of N pictures meets first.

    Attributes:
        depth: [N, W], along the heading.
        what: [N, W], 0 the hall's own wall, 1 .. K its rectangles, K + 1 .. K + M its posts.
        color: [N, W, 3] float32, of what is met, lit.
    """

    depth: np.ndarray
    what: np.ndarray
    color: np.ndarray


def slopes(size: int, view: np.ndarray) -> np.ndarray:
    """[N, S]: `u` of each column (and minus `v` of each row) for fields of view `view` [N] (rad)."""
    return (np.arange(size) + 0.5 - size / 2) * (2 * np.tan(view / 2) / size)[:, None]


def cast(scene: Scene, pose: np.ndarray, slope: np.ndarray) -> Sight:
    """Sends a level ray through each column.

    Args:
        scene: the halls.
        pose: [N, 3], x, y, heading (rad, counter-clockwise from east).
        slope: [N, W], see `slopes`.
    """
    x, y = pose[:, :1], pose[:, 1:2]
    c, s = np.cos(pose[:, 2:]), np.sin(pose[:, 2:])
    way_x, way_y = c + slope * s, s - slope * c
    way_x, way_y = (np.where(np.abs(w) < 1e-9, 1e-9, w) for w in (way_x, way_y))
    over_x, over_y = 1 / way_x, 1 / way_y
    out_x, out_y = (np.copysign(1, way_x) - x) * over_x, (np.copysign(1, way_y) - y) * over_y
    depth, upright = np.minimum(out_x, out_y), out_x < out_y  # upright: the face looks east or west
    what = np.zeros(depth.shape, np.int64)
    for k in range(scene.centre.shape[1]):
        mid_x, mid_y = ((scene.centre[:, k, i : i + 1] - p) * o for i, p, o in ((0, x, over_x), (1, y, over_y)))
        wide_x, wide_y = (scene.half[:, k, i : i + 1] * np.abs(o) for i, o in ((0, over_x), (1, over_y)))
        in_x, in_y = mid_x - wide_x, mid_y - wide_y
        near = np.maximum(in_x, in_y)
        hit = (near <= np.minimum(mid_x + wide_x, mid_y + wide_y)) & (near > 0) & (near < depth)
        depth, upright = np.where(hit, near, depth), np.where(hit, in_x > in_y, upright)
        what[hit] = k + 1
    at_x, at_y = x + depth * way_x, y + depth * way_y
    color = _walls(scene, depth, upright, at_x, at_y, way_x, way_y, what)
    square = 1 + slope * slope
    for m in range(scene.posts.shape[1]):
        to_x, to_y = scene.posts[:, m, :1] - x, scene.posts[:, m, 1:] - y
        radius = scene.girth[m]
        along = to_x * way_x + to_y * way_y
        spread = along * along - square * (to_x * to_x + to_y * to_y - radius**2)
        near = (along - np.sqrt(np.maximum(spread, 0))) / square
        hit = (spread > 0) & (near > 0) & (near < depth)
        n, w = np.nonzero(hit)
        depth = np.where(hit, near, depth)
        what[n, w] = scene.centre.shape[1] + 1 + m
        face_x, face_y = ((near * g - t)[n, w] / radius for g, t in ((way_x, to_x), (way_y, to_y)))
        shade = 0.92 + 0.36 * (LIGHT[0] * face_x + LIGHT[1] * face_y)
        color[n, w] = scene.paint[n, m] * (shade * scene.light[n])[:, None]
    haze = scene.haze.astype(np.float32)[:, None, None]
    return Sight(depth, what, np.minimum(color, 255) * (1 - haze) + 225 * haze)


def _walls(
    scene: Scene,
    depth: np.ndarray,
    upright: np.ndarray,
    at_x: np.ndarray,
    at_y: np.ndarray,
    way_x: np.ndarray,
    way_y: np.ndarray,
    what: np.ndarray,
) -> np.ndarray:
    """Colours of walls [N, W, 3]: by where they look, in panels, with doors in the north."""
    side = np.where(upright, np.where(way_x > 0, 0, 2), np.where(way_y > 0, 1, 3))
    color = np.take_along_axis(scene.sides, side[..., None], 1).astype(np.float32)
    if scene.doors.size:
        n, w = np.nonzero((what == 0) & (side == 1))
        gap = np.abs(at_x[n, w][:, None] - scene.doors[n])
        p, hit = gap.argmin(1), gap.min(1) < scene.door
        n, w, p = n[hit], w[hit], p[hit]
        color[n, w] = scene.panel[n, p]
    count = scene.panels[:, None]
    place = np.where(upright, at_y, at_x) * count
    off = np.abs(place - np.rint(place))  # 0 in the middle of a seam, 1/2 in the middle of a panel
    # A seam fades where it is narrower than a column: no flicker far away.
    column = depth * count * (2 / depth.shape[1])
    seam = np.clip((0.1 - off) / np.maximum(column, 0.04) + 0.5, 0, 1) * np.minimum(0.2 / np.maximum(column, 0.2), 1)
    bright = np.array([0.93, 0.86, 0.93 + 0.1, 0.86 + 0.24])[side]
    lit = (bright * (1 - 0.16 * seam) * scene.light[:, None]).astype(np.float32)
    return color * lit[..., None]


def picture(scene: Scene, pose: np.ndarray, sight: Sight, slope: np.ndarray) -> np.ndarray:
    """Colours a picture: [N, S, S, 3] uint8, from what its columns meet."""
    n, size = slope.shape
    lower, upper = size // 2, size - size // 2
    focal = 1 / (slope[:, 1] - slope[:, 0])
    tall = (scene.height[:, None] / 2 * focal[:, None] / sight.depth).astype(np.float32)[:, None]  # pixels
    row = (np.arange(upper) + 0.5 - 0.5 * (size % 2)).astype(np.float32)[:, None]  # from the horizon on
    cover = np.clip(tall - row + np.float32(0.5), 0, 1)
    below = cover[:, -lower:]
    dado = np.clip(tall * np.float32(1 - DADO) - row[-lower:] + np.float32(0.5), 0, 1)
    dark = np.where(sight.what > scene.centre.shape[1], 1, FOOT).astype(np.float32)[:, None]
    near = below * dark + dado * (1 - dark)
    bare, clear = 1 - below, 1 - cover
    wave = bare * _wave(scene, pose, slope[:, -lower:], slope)
    haze = scene.haze[:, None]
    top, ground = (np.minimum(c * scene.light[:, None], 255) * (1 - haze) + 225 * haze for c in (CEILING, FLOOR))
    odd = np.broadcast_to(GROUT, (n, 3)) * scene.light[:, None] * (1 - haze)
    out = np.empty((n, size, size, 3), np.uint8)
    # Halves are added for rounding; the weights of what is mixed sum to 1. Channel by channel it stays in the cache.
    for c in range(3):
        color = np.ascontiguousarray(sight.color[:, None, :, c]) + np.float32(0.5)
        sky, land, other = (x[:, c, None, None].astype(np.float32) for x in (top + 0.5, ground + 0.5, odd))
        out[:, :upper, :, c] = (color * cover + sky * clear)[:, ::-1]
        out[:, upper:, :, c] = color * near + (land * bare + other * wave + np.float32(0.5) * (below - near))
    _balls(out, scene, pose, sight, slope)
    return out


def _wave(scene: Scene, pose: np.ndarray, down: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """A tiled floor: [N, rows, W] float32, 1 on light tiles, -1 on dark ones, towards 0 where they are too small."""
    far = scene.height[:, None] / 2 / down  # [N, rows]
    c, s = np.cos(pose[:, 2:]), np.sin(pose[:, 2:])
    sharp = (0.5 / np.maximum(far * TILES * (slope[:, 1:2] - slope[:, :1]), 0.02)).astype(np.float32)[:, :, None]
    reach, steep = (far * TILES / 2).astype(np.float32)[:, :, None], sharp * 4
    waves = []
    for at, way in ((pose[:, :1], c + slope * s), (pose[:, 1:2], s - slope * c)):
        place = reach * way.astype(np.float32)[:, None]
        place += (at * TILES / 2 + 0.25).astype(np.float32)[:, :, None]
        place -= np.rint(place)
        np.abs(place, out=place)
        np.subtract(np.float32(0.25), place, out=place)
        place *= steep
        waves.append(np.clip(place, -1, 1, out=place))
    return waves[0] * waves[1] * np.minimum(sharp, 1)


def _touched(scene: Scene, pose: np.ndarray, slope: np.ndarray, limit: np.ndarray) -> tuple[np.ndarray, ...]:
    """Where balls are in front: picture, row, column, ball and its depth there, each [P]; far ones first."""
    c, s = np.cos(pose[:, 2:]), np.sin(pose[:, 2:])
    found: list[tuple[np.ndarray, ...]] = []
    to_x, to_y = scene.balls[..., 0] - pose[:, :1], scene.balls[..., 1] - pose[:, 1:2]
    ahead, aside, above = to_x * c + to_y * s, to_x * s - to_y * c, scene.balls[..., 2]
    radius = scene.swell
    level = 1 + slope * slope
    for b in range(radius.shape[1]):
        f, r, h, big = (z[:, b : b + 1] for z in (ahead, aside, above, radius))
        along = f + slope * r
        who, column = np.nonzero((along * along > level * (f * f + r * r - big * big)) & (along > 0) & (big > 0))
        u, v = slope[who, column][:, None], -slope[who]  # [P, 1], [P, S]
        f, r, h, big = (z[who] for z in (f, r, h, big))
        whole = 1 + u * u + v * v
        along = f + u * r + v * h
        spread = along * along - whole * (f * f + r * r + h * h - big * big)
        near = (along - np.sqrt(np.maximum(spread, 0))) / whole
        p, i = np.nonzero((spread > 0) & (near > 0) & (near < limit[who, :, column]))
        found.append((who[p], i, column[p], np.full(len(p), b), near[p, i]))
    seen = [np.concatenate(z) for z in zip(*found, strict=True)]
    order = np.argsort(-seen[-1], kind="stable")
    return tuple(z[order] for z in seen)


def _balls(out: np.ndarray, scene: Scene, pose: np.ndarray, sight: Sight, slope: np.ndarray) -> None:
    """Paints glowing balls into pictures: gold in the middle, red at the rim."""
    if not scene.swell.size or not scene.swell.any():
        return
    n, size = slope.shape
    shown = np.broadcast_to(sight.depth[:, None], (n, size, size))
    who, i, j, b, near = _touched(scene, pose, slope, shown)
    c, s = np.cos(pose[who, 2]), np.sin(pose[who, 2])
    u, v = slope[who, j], -slope[who, i]
    at = np.stack([pose[who, 0] + near * (c + u * s), pose[who, 1] + near * (s - u * c), near * v], 1)
    middle = scene.balls[who, b]
    ray = np.sqrt((near * near) * (1 + u * u + v * v))
    eye = np.stack([pose[who, 0], pose[who, 1], np.zeros(len(who))], 1)
    facing = -((at - middle) * (at - eye)).sum(1) / (ray * scene.swell[who, b])
    glow = np.clip(facing, 0, 1)[:, None] ** 2
    out[who, i, j] = np.array([206, 72, 52]) * (1 - glow) + np.array([255, 208, 96]) * glow


def depth(scene: Scene, pose: np.ndarray, sight: Sight, slope: np.ndarray) -> np.ndarray:
    """[N, S, S] float64: how far along the heading what each pixel's middle shows is."""
    flat = scene.height[:, None] / 2 / np.maximum(np.abs(slope), 1e-9)
    whole = np.minimum(sight.depth[:, None], flat[:, :, None])
    if scene.swell.size and scene.swell.any():
        who, i, j, _, near = _touched(scene, pose, slope, whole)
        whole[who, i, j] = near
    return whole
