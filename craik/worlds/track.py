"""A closed road round the origin, drawn from a few waves: where one is on it, how it bends, what it looks like.

In polar coordinates the middle of the road is `R(t) = RADIUS (1 + sum of a_k cos(k t) + b_k sin(k t))`, k = 2, 3, 4.
How far off the middle a place is, is told to first order: `(r - R) / sqrt(1 + (R'/R)^2)`; the road is where this is
less than half its width, for wheels as for eyes.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

RADIUS = 40.0
"""Mean distance of the road from the origin, m."""

WAVES = np.array([0.14, 0.14, 0.09, 0.09, 0.06, 0.06])
"""The strongest bends: cosine and sine of twice, three and four times the angle, in parts of the radius."""

KERB = 1.0
"""Width of the red and white kerbs beside the road, m."""

FINE = 48
"""Larger pictures than this work out the road at every second pixel: it is smooth, and they are three times as fast."""

GRASS, SAND, ROAD = (152, 182, 124), (214, 194, 150), (112, 114, 122)
WHITE, RED = (240, 238, 232), (206, 84, 74)


def bends(fields: np.ndarray, curvature: np.ndarray) -> np.ndarray:
    """The waves' coefficients [N, 6] of a track's fields [N, 6] in [-1, 1]."""
    return fields * WAVES * curvature[:, None]


def middle(angle: np.ndarray, bend: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`R`, `R'` and `R''` at angles [N, ...]; bend [N, 6]."""
    far, slope, sway = np.ones_like(angle), np.zeros_like(angle), np.zeros_like(angle)
    for i, k in enumerate((2, 3, 4)):
        a, b = (bend[:, 2 * i + j].reshape(-1, *(1,) * (angle.ndim - 1)) for j in (0, 1))
        c, s = np.cos(k * angle), np.sin(k * angle)
        far = far + a * c + b * s
        slope = slope + k * (b * c - a * s)
        sway = sway - k * k * (a * c + b * s)
    return RADIUS * far, RADIUS * slope, RADIUS * sway


def curvature(angle: np.ndarray, bend: np.ndarray) -> np.ndarray:
    """Of the middle of the road at angles [N, ...], 1/m; positive where it turns left when driven counter-clockwise."""
    r, d, dd = middle(angle, bend)
    return (r * r + 2 * d * d - r * dd) / (r * r + d * d) ** 1.5


def offset(x: np.ndarray, y: np.ndarray, bend: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far outside the middle of the road places [N, ...] are, m, and a wave of 32 to a lap, in [-1, 1].

    Without an angle: cosines and sines of its multiples come from those of smaller ones, in the numbers' own width.
    """
    b = [bend[:, i].astype(x.dtype).reshape(-1, *(1,) * (x.ndim - 1)) for i in range(6)]
    far = np.sqrt(x * x + y * y)
    np.maximum(far, x.dtype.type(1e-3), out=far)
    c, s = x / far, y / far
    c2, s2 = c * c - s * s, 2 * (c * s)
    c3, s3 = c2 * c - s2 * s, s2 * c + c2 * s
    c4, s4 = c2 * c2 - s2 * s2, 2 * (c2 * s2)
    whole = 1 + b[0] * c2 + b[1] * s2 + b[2] * c3 + b[3] * s3 + b[4] * c4 + b[5] * s4
    slope = 2 * (b[1] * c2 - b[0] * s2) + 3 * (b[3] * c3 - b[2] * s3) + 4 * (b[5] * c4 - b[4] * s4)
    slope /= whole
    out = (far - x.dtype.type(RADIUS) * whole) / np.sqrt(1 + slope * slope)
    c8, s8 = c4 * c4 - s4 * s4, 2 * (c4 * s4)
    c16, s16 = c8 * c8 - s8 * s8, 2 * (c8 * s8)
    return out, 2 * (c16 * s16)


def ground(
    axis: np.ndarray, eye: np.ndarray, reach: np.ndarray, turn: np.ndarray, ahead: float
) -> tuple[np.ndarray, np.ndarray]:
    """Where points of square pictures lie: x and y, [N, K, K] float32, m.

    Args:
        axis: [K], the points across and down, the picture being [-1, 1].
        eye: [N, 2], the place that the picture is about.
        reach: [N] m, half the width of what is shown.
        turn: [N] rad, the direction that is up.
        ahead: how far below its middle the picture shows that place, in parts of `reach`.
    """
    axis = axis.astype(np.float32)
    r, c, s = (z.astype(np.float32)[:, None, None] for z in (reach, np.cos(turn), np.sin(turn)))
    right, up = r * axis, r * (np.float32(ahead) - axis)[:, None]
    x, y = (eye[:, i].astype(np.float32)[:, None, None] for i in (0, 1))
    return x + (up * c + right * s), y + (up * s - right * c)


def pixels(size: int) -> np.ndarray:
    """The middles of a picture's pixels along an axis [size], the picture being [-1, 1]."""
    return (np.arange(size) + 0.5) * 2 / size - 1


def land(
    size: int,
    eye: np.ndarray,
    reach: np.ndarray,
    turn: np.ndarray,
    ahead: float,
    bend: np.ndarray,
    factors: Mapping[str, np.ndarray],
) -> np.ndarray:
    """Paints road, kerbs, finish line and grass: [N, size, size, 3] uint8.

    Args:
        size: height and width in pixels.
        eye, reach, turn, ahead: see `ground`.
        bend: [N, 6].
        factors: `width`, `season`, `light` and `haze`.
    """
    x, y = ground(pixels(size), eye, reach, turn, ahead)
    if size < FINE:
        out, wave = offset(x, y, bend)
    else:
        corners = np.arange(0, size + 2, 2) * 2 / size - 1
        out, wave = (_doubled(z, size) for z in offset(*ground(corners, eye, reach, turn, ahead), bend))
    pixel = reach * 2 / size
    off = np.abs(out)
    fine = (1 / pixel).astype(np.float32)[:, None, None]
    width = factors["width"].astype(np.float32)[:, None, None]
    half = np.float32(0.5)
    road = np.clip((width - off) * fine + half, 0, 1)
    kerb = np.clip((width + np.float32(KERB) - off) * fine + half, 0, 1)
    stripe = np.clip(wave * (np.float32(1.2) * fine) + half, 0, 1)
    paint = np.clip((np.float32(0.3) - off) * fine + half, 0, 1) * stripe * np.float32(0.7)
    np.maximum(paint, np.clip((np.float32(0.9) - np.abs(y)) * fine + half, 0, 1) * (x > 0), out=paint)
    paint *= road
    kerb -= road
    red = kerb * stripe
    kerb -= red
    tiles = 1 - road - kerb - red
    road -= paint
    kerb += paint
    check = tiles * _checks(x, y, fine)
    light, haze = factors["light"][:, None], factors["haze"][:, None]
    season = factors["season"][:, None]
    grass = np.array(GRASS) * (1 - season) + np.array(SAND) * season
    colors = [np.minimum(z * light, 255) * (1 - haze) + 225 * haze for z in (grass, ROAD, WHITE, RED)]
    apart = light * (1 - haze) * 7
    picture = np.empty((*x.shape, 3), np.uint8)
    for c in range(3):
        g, r, w, d = (((z if z.ndim == 2 else z[None])[:, c] + 0.5).astype(np.float32)[:, None, None] for z in colors)
        mixed = g * tiles
        mixed += r * road
        mixed += w * kerb
        mixed += d * red
        mixed += apart.astype(np.float32)[:, :, None] * check
        picture[..., c] = mixed
    return picture


def _doubled(coarse: np.ndarray, size: int) -> np.ndarray:
    """Numbers at every second corner of pixels -> at their middles, along straight lines: [N, size, size]."""
    for axis in (1, 2):
        a, b = (np.moveaxis(coarse, axis, 0)[s] for s in (slice(None, -1), slice(1, None)))
        step = (b - a) * np.float32(0.25)
        fine = np.stack([a + step, b - step], 1)
        coarse = np.moveaxis(fine.reshape(-1, *fine.shape[2:])[:size], 0, axis)
    return np.ascontiguousarray(coarse)


def _checks(x: np.ndarray, y: np.ndarray, fine: np.ndarray) -> np.ndarray:
    """Squares of 8 m in the grass: 1 and -1, softer where pixels are wide."""
    waves = []
    for z in (x, y):
        place = z * np.float32(1 / 16)
        place -= np.rint(place)
        waves.append(np.clip((np.float32(0.25) - np.abs(place)) * (np.float32(16) * fine), -1, 1))
    return waves[0] * waves[1]
