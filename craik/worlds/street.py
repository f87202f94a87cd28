"""How the road of `craik.worlds.lane` looks from above, and how it is told."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from craik.worlds.boxes import corners, seen
from craik.worlds.draw import BLUE, GOLD, INK, PAPER, PLUM, RED, Canvas
from craik.worlds.traffic import LENGTH

REACH, AHEAD = 16.0, 8.0
"""Pictures and maps show [-REACH, REACH] m across the road, and along it around AHEAD m before one's own rear axle."""

LANES = 3
STRIP, WALKWAY = 2.4, 1.6
"""Widths: of the parking strip at the right of the road, and of the walkways beyond, m."""

WAITS, BEYOND = 1.8, 1.0
"""How far from the road's edges a pedestrian waits, and comes to a stop on the other side, m."""

VAN = 1.05
"""Half the width of the van, m."""

GRASS, STONES, PARKING, ASPHALT = (201, 211, 184), (224, 220, 210), (188, 189, 190), (172, 175, 180)
LEAF = (150, 178, 140)
NIGHT = np.array([0.30, 0.33, 0.42], np.float32)
"""What is left of the light at night."""

LEVELS = 4
"""Shades between none and all of a dash or a hedge."""

NAMES = ("right", "middle", "left")


def paint(
    size: int, state: np.ndarray, boxes: np.ndarray, own: np.ndarray, person: np.ndarray, factors: Mapping
) -> np.ndarray:
    """Pictures [N, size, size, 3] uint8 of the road, leading up.

    Args:
        size: height and width.
        state: [N, D].
        boxes: cars and, last, the van, see `boxes`.
        own: one's own car's box [N, 6].
        person: [N, 2].
        factors: name -> [N].
    """
    n, x = len(state), state[:, 0]
    canvas = Canvas(n, size, REACH, _ground(size, x, factors))
    near = np.abs(boxes[:, :-1, 0] - (x + AHEAD)[:, None]) < REACH + LENGTH
    rows, which = np.nonzero(near)
    cars, where = boxes[rows, which], x[rows]
    canvas.polygon(_seat(corners(cars), where), BLUE, rows=rows)
    canvas.polygon(_seat(corners(own), x), RED)
    panes, rows = np.concatenate([_glass(cars), _glass(own)]), np.concatenate([rows, np.arange(n)])
    canvas.polygon(_seat(corners(panes), x[rows]), INK, alpha=0.55, rows=rows)
    van = boxes[:, -1]
    canvas.polygon(_seat(corners(van), x), PLUM)
    canvas.polygon(_seat(corners(van * [1, 1, 0.8, 0.6, 1, 1]), x), PAPER, alpha=0.2)
    canvas.disc(_seat(person, x) - [0, 0.2], 0.95, INK, alpha=0.3, edge=2)
    canvas.disc(_seat(person, x), 0.8, GOLD)
    image = canvas.image()
    if (factors["dusk"] > 0).any():
        light = 1 - factors["dusk"][:, None].astype(np.float32) * (1 - NIGHT)
        image = (image * light[:, None, None] + np.float32(0.5)).astype(np.uint8)
    if (factors["shade"] > 0).any():
        cell = 2 * REACH / size
        free = seen(own[:, :2], boxes, top_left(x), cell, size)
        part = np.where(free, 0, factors["shade"][:, None, None])[..., None].astype(np.float32)
        image = (image + part * (np.array(INK, np.float32) - image) + np.float32(0.5)).astype(np.uint8)
    return image


def top_left(x: np.ndarray) -> np.ndarray:
    """The upper left corner of the map around a car at x [N]: [N, 2]."""
    return np.stack([x + AHEAD + REACH, np.full_like(x, REACH)], 1)


def _seat(point: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Places [M, ..., 2] on the road as places in the pictures around cars at x [M]."""
    along = point[..., 0] - (x + AHEAD).reshape(len(x), *(1,) * (point.ndim - 2))
    return np.stack([-point[..., 1], along], -1)


def _glass(box: np.ndarray) -> np.ndarray:
    """The windscreens of cars [M, 6]."""
    ahead = 0.25 * box[:, 2:3] * box[:, 4:6]
    return np.concatenate([box[:, :2] + ahead, box[:, 2:4] * [0.17, 0.78], box[:, 4:]], 1)


def _ground(size: int, x: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
    """Grass, walkways, asphalt and lines: [N, size, size, 3] uint8."""
    pixel = 2 * REACH / size
    y = (REACH - pixel * (np.arange(size) + 0.5)).astype(np.float32)
    width = factors["width"].astype(np.float32)[:, None]
    half = LANES * width / 2

    def band(low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """How much of each column [N, size] lies between two heights."""
        return np.clip((y - low) / pixel + 0.5, 0, 1) - np.clip((y - high) / pixel + 0.5, 0, 1)

    profile = np.broadcast_to(np.array(GRASS, np.float32), (len(x), size, 3))
    layers = [
        (-half - STRIP - WALKWAY, half + WALKWAY, STONES),
        (-half - STRIP, -half, PARKING),
        (-half, half, ASPHALT),
        (half - 0.45, half - 0.15, PAPER),
        (-half + 0.15, -half + 0.45, PAPER),
    ]
    for low, high, color in layers:
        profile = profile + band(low, high)[..., None] * (np.array(color, np.float32) - profile)
    middles = np.arange(LANES - 1) - (LANES - 2) / 2
    line = np.add.reduce([band(c * width - 0.2, c * width + 0.2) for c in middles])
    hedge = band(half + WALKWAY + 1, half + WALKWAY + 2.6)
    hedge = hedge + band(-half - STRIP - WALKWAY - 2.6, -half - STRIP - WALKWAY - 1)
    parts = np.linspace(0, 1, LEVELS, dtype=np.float32)[:, None, None]
    strips = np.empty((len(x), LEVELS, LEVELS, size, 3), np.uint8)  # how much of the line, how much of the hedge
    for k, part in enumerate(parts):
        lined = profile + part * line[..., None] * (np.array(PAPER, np.float32) - profile)
        green = lined[:, None] + parts * hedge[:, None, :, None] * (np.array(LEAF, np.float32) - lined[:, None])
        strips[:, k] = green + np.float32(0.5)
    ahead = x[:, None] + AHEAD + REACH - pixel * (np.arange(size) + 0.5)
    dashes, number = np.abs(ahead % 6 - 3), np.floor(ahead / 11)
    hedges = np.abs(ahead % 11 - 5.5) - 2 * np.sin(12.9898 * number) ** 2
    full = [np.clip(0.5 + (room - far) / pixel, 0, 1) for room, far in ((1.5, dashes), (2.5, hedges))]
    lined, green = (np.rint(part * (LEVELS - 1)).astype(np.int64) for part in full)
    return strips[np.arange(len(x))[:, None], lined, green]


def captions(state: np.ndarray, lane: np.ndarray, gap: np.ndarray, person: np.ndarray, hidden: np.ndarray) -> list[str]:
    """A sentence for each state.

    Args:
        state: [N, D].
        lane: [N], one's own lane, -1 off the road.
        gap: [N] m to the car before, infinite if there is none.
        person: [N], 0 waiting, 1 crossing, 2 gone across, 3 none.
        hidden: [N] bool, whether a car or the van hides the pedestrian from one's own.
    """
    lines = []
    for row, own, room, what, unseen in zip(state, lane, gap, person, hidden):
        where = f"in the {NAMES[own]} lane" if own >= 0 else "off the road"
        before = f"{room:.0f} m behind the next car" if room < 60 else "with no car close ahead"
        who = ("waits to cross", "is crossing", "has crossed", "")[what]
        walker = f"a pedestrian {who}{', out of sight' if unseen else ''}" if who else "nobody is on foot"
        lines.append(f"The red car drives {where} at {row[3]:.0f} m/s, {before}; {walker}.")
    return lines
