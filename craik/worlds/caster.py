"""Balls and boxes on a plane as a pinhole camera sees them: rays, depth, names, shade and shadow, in plain numpy.

Only the pixels around each body, and around its shadow, are looked at. Camera axes: right, down, ahead. A pixel whose
middle is (x, y) looks along `ahead + right (x - c) / focal + down (y - c) / focal`, `c` the middle of the picture.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from craik.worlds.draw import Color

FOCAL = 1.35
"""Focal length, in widths of the picture."""

FAR = 20.0
"""Depth where nothing is hit, units."""


@dataclasses.dataclass(frozen=True)
class Camera:
    """Where N pictures are taken from.

    Attributes:
        place: [N, 3], units.
        axes: [N, 3, 3]: right, down and ahead, as rows.
    """

    place: np.ndarray
    axes: np.ndarray


@dataclasses.dataclass(frozen=True)
class Body:
    """One body in each of N pictures: a ball or a box.

    Attributes:
        at: [N, 3], units.
        color: of it.
        radius: [N] of a ball, or of the ball around a box.
        turn: [N, 3, 3], rotation of a box; None for a ball.
        half: [N, 3], half sizes of a box; None for a ball.
    """

    at: np.ndarray
    color: Color
    radius: np.ndarray
    turn: np.ndarray | None = None
    half: np.ndarray | None = None


def orbit(azimuth: np.ndarray, height: np.ndarray, far: np.ndarray) -> Camera:
    """Cameras that look at (0, 0, 0.12) from `far` units away, `height` rad above it, from the side of `azimuth`."""
    ca, sa, ch, sh = np.cos(azimuth), np.sin(azimuth), np.cos(height), np.sin(height)
    out = np.stack([ca * ch, sa * ch, sh], -1)
    right = np.stack([-sa, ca, np.zeros_like(sa)], -1)
    down = np.stack([ca * sh, sa * sh, -ch], -1)
    return Camera(out * far[:, None] + [0, 0, 0.12], np.stack([right, down, -out], 1))


def project(camera: Camera, point: np.ndarray) -> np.ndarray:
    """Points [N, P, 3] in the picture: across and down in parts of its size, and depth ahead in units, [N, P, 3]."""
    seen = _into(camera, point)
    ahead = np.maximum(seen[..., 2:], 1e-3)
    return np.concatenate([0.5 + FOCAL * seen[..., :2] / ahead, seen[..., 2:]], -1)


def cast(
    camera: Camera, bodies: list[Body], light: np.ndarray, size: int, paper: tuple[Color, Color]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What is seen.

    Args:
        camera, bodies: see there; nothing else is there but the plane z = 0 with a square of paper, 1.45 each way.
        light: [N, 3], unit vectors towards the light.
        size: height and width in pixels.
        paper: colours of the square and of the ground around it.

    Returns:
        colours [N, size, size, 3] in [0, 255]; depth ahead [N, size, size] in units; which body is seen, from 1, or
        0 for the plane.
    """
    n = len(camera.place)
    grid = ((np.arange(size) + 0.5) / size - 0.5) / FOCAL
    gx, gy = np.meshgrid(grid.astype(np.float32), grid.astype(np.float32))
    rays = np.stack([gx, gy, np.ones_like(gx)], -1).reshape(-1, 3)
    axes, place = camera.axes.astype(np.float32), camera.place.astype(np.float32)
    fall = rays[:, 0] * axes[:, 0, 2:] + rays[:, 1] * axes[:, 1, 2:] + rays[:, 2] * axes[:, 2, 2:]
    depth = np.where(fall < -0.02, place[:, 2:] / np.maximum(-fall, 0.02), np.float32(FAR))
    ground = [
        place[:, k, None]
        + depth * (rays[:, 0] * axes[:, 0, k, None] + rays[:, 1] * axes[:, 1, k, None] + axes[:, 2, k, None])
        for k in (0, 1)
    ]
    edge = np.maximum(np.abs(ground[0]), np.abs(ground[1]))
    blend = np.clip((1.45 - edge) / (depth * np.float32(2 / (size * FOCAL))) + 0.5, 0, 1)[..., None]
    color = np.array(paper[1], np.float32) + blend * (np.array(paper[0], np.float32) - np.array(paper[1], np.float32))
    shade = np.ones((n, size * size), np.float32)
    for body in bodies:
        _shadow(camera, body, light, size, rays, depth, shade)
    color = color * (0.62 + 0.38 * shade)[..., None]
    named = np.zeros((n, size * size), np.uint8)
    for name, body in enumerate(bodies, 1):
        _show(camera, body, light, size, rays, depth, color, named, name)
    shape = (n, size, size)
    return color.reshape(*shape, 3), depth.reshape(shape), named.reshape(shape)


def _into(camera: Camera, point: np.ndarray) -> np.ndarray:
    """Points [N, P, 3] in the camera's axes."""
    off = point - camera.place[:, None]
    return sum(off[..., k, None] * camera.axes[:, None, :, k] for k in range(3))  # type: ignore[return-value]


def _window(camera: Camera, centre: np.ndarray, radius: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and pixels, flat, of the squares in the pictures around balls."""
    spot = project(camera, centre[:, None])[:, 0]
    ahead = spot[:, 2]
    wide = (
        FOCAL * radius / np.sqrt(np.maximum(ahead**2 - radius**2, 0.01)) * (1 + 0.5 * radius / np.maximum(ahead, 0.1))
    )
    low = np.clip(np.floor((spot[:, :2] - wide[:, None]) * size), 0, size).astype(int)
    high = np.clip(np.ceil((spot[:, :2] + wide[:, None]) * size), 0, size).astype(int)
    high = np.where((ahead > radius)[:, None], high, low)
    span = (high - low).max(0, initial=0)
    x = low[:, :1] + np.arange(span[0])
    y = low[:, 1:] + np.arange(span[1])
    fine = (x < high[:, :1])[:, None, :] & (y < high[:, 1:])[:, :, None]
    row, j, i = np.nonzero(fine)
    return row, y[row, j] * size + x[row, i]


def _hit(start: np.ndarray, way: np.ndarray, body: Body, row: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether rays [K, 3] from `start` [K, 3] (from the body's centre) enter it, how far off, and the normal there."""
    if body.half is None or body.turn is None:
        a, b = (way * way).sum(1), (way * start).sum(1)
        inside = b * b - a * ((start * start).sum(1) - body.radius[row].astype(np.float32) ** 2)
        far = (-b - np.sqrt(np.maximum(inside, 0))) / a
        return inside > 0, far, (start + far[:, None] * way) / body.radius[row, None].astype(np.float32)
    turn, half = body.turn.astype(np.float32)[row], body.half.astype(np.float32)[row]
    local = start[:, :1] * turn[:, 0] + start[:, 1:2] * turn[:, 1] + start[:, 2:] * turn[:, 2]
    along = way[:, :1] * turn[:, 0] + way[:, 1:2] * turn[:, 1] + way[:, 2:] * turn[:, 2]
    along = np.where(np.abs(along) < 1e-6, np.float32(1e-6), along)
    middle, reach = -local / along, half / np.abs(along)
    enter = middle - reach
    face = enter.argmax(1)
    pick = np.arange(len(face))
    far, leave = enter[pick, face], (middle + reach).min(1)
    normal = turn[pick, :, face] * -np.sign(along[pick, face])[:, None]
    return far < leave, far, normal


def _shadow(
    camera: Camera,
    body: Body,
    light: np.ndarray,
    size: int,
    rays: np.ndarray,
    depth: np.ndarray,
    shade: np.ndarray,
) -> None:
    """Darkens the plane where a body stands before the light."""
    drop = body.at[:, 2] / light[:, 2]
    foot = body.at - drop[:, None] * light
    row, pixel = _window(camera, foot, body.radius / light[:, 2], size)
    ground = _points(camera, rays, depth, row, pixel) - body.at[row].astype(np.float32)
    dark, far, _ = _hit(ground, light.astype(np.float32)[row], body, row)
    dark &= (far > 0) & (depth[row, pixel] < FAR)
    shade[row[dark], pixel[dark]] = 0


def _points(camera: Camera, rays: np.ndarray, depth: np.ndarray, row: np.ndarray, pixel: np.ndarray) -> np.ndarray:
    way = _ways(camera, rays, row, pixel)
    return camera.place.astype(np.float32)[row] + depth[row, pixel, None] * way


def _ways(camera: Camera, rays: np.ndarray, row: np.ndarray, pixel: np.ndarray) -> np.ndarray:
    axes, ray = camera.axes.astype(np.float32)[row], rays[pixel]
    return ray[:, :1] * axes[:, 0] + ray[:, 1:2] * axes[:, 1] + ray[:, 2:] * axes[:, 2]


def _show(
    camera: Camera,
    body: Body,
    light: np.ndarray,
    size: int,
    rays: np.ndarray,
    depth: np.ndarray,
    color: np.ndarray,
    named: np.ndarray,
    name: int,
) -> None:
    """Draws a body where nothing is before it."""
    row, pixel = _window(camera, body.at, body.radius, size)
    way = _ways(camera, rays, row, pixel)
    met, far, normal = _hit((camera.place - body.at).astype(np.float32)[row], way, body, row)
    met &= (far > 0) & (far < depth[row, pixel])
    row, pixel, far, normal = row[met], pixel[met], far[met], normal[met]
    sun = light.astype(np.float32)[row]
    lit = np.maximum((normal * sun).sum(1), 0)
    tone = 0.52 + 0.48 * lit + 0.06 * normal[:, 2]
    shown = np.array(body.color, np.float32) * tone[:, None]
    if body.half is None:
        shine = np.maximum(lit, 0) ** 24
        shown = shown + (255 - shown) * (0.45 * shine)[:, None]
    color[row, pixel], depth[row, pixel], named[row, pixel] = shown, far, name
