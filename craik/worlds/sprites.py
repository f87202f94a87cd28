"""Pictures of tiles: each kind of tile is drawn once for a size, and pictures are put together from those."""

from __future__ import annotations

from functools import cache

import numpy as np

from craik.worlds.draw import BLUE, GOLD, GREEN, INK, PAPER, PLUM, RED, Color

KINDS = (
    *("unseen", "floor", "wall", "red closed", "red open", "blue closed", "blue open", "lock closed", "lock open"),
    *("one", "two", "key", "gem", "mover", "caught"),
    *("walker east", "walker south", "walker west", "walker north"),
    *("key east", "key south", "key west", "key north", "gem east", "gem south", "gem west", "gem north"),
)
"""Kinds of tiles; the last eight are the walker with the key or the gem in hand."""

CODE = {name: i for i, name in enumerate(KINDS)}
"""Kind -> its number."""

POINTS: dict[str, Color] = {"mover": PLUM, "key": GOLD, "gem": GREEN, "red": RED, "blue": BLUE}
"""What can be found by its colour."""

SHOWS = {
    "mover": ("mover", "caught"),
    "key": tuple(k for k in KINDS if k.startswith("key")),
    "gem": tuple(k for k in KINDS if k.startswith("gem")),
    "red": ("red closed", "red open"),
    "blue": ("blue closed", "blue open"),
}
"""What can be found -> the kinds of tiles that show it."""

THEMES: tuple[tuple[Color, Color, Color, Color], ...] = (
    (PAPER, (233, 228, 217), (176, 172, 162), (112, 117, 130)),
    ((206, 211, 222), (190, 196, 210), (128, 136, 156), (78, 84, 102)),
    ((226, 233, 214), (211, 220, 197), (156, 170, 148), (92, 108, 100)),
)
"""Theme -> colours of floor, joints, wall and what is not seen."""

WOOD: Color = (134, 104, 82)
LIGHT: Color = (252, 250, 244)


def mosaic(tiles: np.ndarray, size: int, theme: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Pictures [N, size, size, 3] uint8 of codes [N, k, k], in the theme [N] (whole part) and light [N] of each."""
    n, k = tiles.shape[:2]
    sheets, of = _atlas(k, size), (np.arange(size) * 2 + 1) * k // (2 * size)
    kind = tiles.astype(np.int64) + theme.astype(np.int64)[:, None, None] * len(KINDS)
    spot = np.arange(size * size).reshape(size, size)
    index = np.repeat(kind[:, of], np.bincount(of), 2) * (size * size) + spot
    picture = sheets.take(index).view(np.uint8).reshape(n, size, size, 4)[..., :3]
    dim = light < 1
    if not dim.any():
        return np.ascontiguousarray(picture)
    return (picture * np.minimum(light, 1).astype(np.float32)[:, None, None, None] + np.float32(0.5)).astype(np.uint8)


def find(tiles: np.ndarray) -> np.ndarray:
    """Where `POINTS` are in pictures of codes [N, k, k]: [N, P, 2], across and down in [0, 1]; NaN if not in it."""
    n, k = tiles.shape[:2]
    places = np.full((n, len(POINTS), 2), np.nan)
    for i, name in enumerate(POINTS):
        shown = np.isin(tiles, [CODE[c] for c in SHOWS[name]]).reshape(n, -1)
        rows, where = np.flatnonzero(shown.any(1)), shown.argmax(1)
        places[rows, i] = (np.stack([where % k, where // k], 1)[rows] + 0.5) / k
    return places


@cache
def _atlas(k: int, size: int) -> np.ndarray:
    """Every kind of tile in every theme at every place of a k x k picture: [T * K * size * size] uint32, RGB and 0."""
    middle = (np.arange(size) + 0.5) * k / size
    local = (middle % 1 - 0.5).astype(np.float32)
    sheets = np.zeros((len(THEMES), len(KINDS), size, size, 4), np.uint8)
    for t, theme in enumerate(THEMES):
        for i, kind in enumerate(KINDS):
            sheets[t, i, ..., :3] = _Tile(local, size / k, theme).draw(kind)
    return sheets.view(np.uint32).reshape(-1)


class _Tile:
    """One kind of tile, from -1/2 to 1/2 across and down, repeated over a picture.

    Args:
        local: [size], where in its tile each pixel's middle lies.
        scale: pixels in a tile.
        theme: see `THEMES`.
    """

    def __init__(self, local: np.ndarray, scale: float, theme: tuple[Color, Color, Color, Color]):
        self.x, self.y = np.meshgrid(local, local)
        self.scale, self.theme = scale, theme
        self.paper = np.zeros((len(local), len(local), 3), np.float32)

    def draw(self, kind: str) -> np.ndarray:
        """[size, size, 3] uint8."""
        floor, joint, wall, unseen = self.theme
        base = {"unseen": unseen, "wall": wall, "one": wall, "two": wall}.get(kind, joint)
        self.paper[:] = base
        if base is joint:
            self._box(0, 0, 0.46, 0.46, 0.02, floor)
        first, _, second = kind.partition(" ")
        color = {"red": RED, "blue": BLUE, "lock": WOOD}.get(first)
        if kind in ("one", "two"):
            plate, button = (LIGHT, INK) if kind == "one" else (INK, LIGHT)
            self._box(0, 0, 0.22, 0.22, 0.12, plate)
            self._disc(0, 0, 0.15, button)
        elif color is not None and second == "closed":
            self._box(0, 0, 0.44, 0.44, 0.04, color)
            if first == "lock":
                self._disc(0, -0.08, 0.13, INK)
                self._box(0, 0.1, 0.035, 0.14, 0.03, INK)
            else:
                self._disc(0, 0, 0.09, LIGHT)
        elif color is not None:
            self._box(0, 0, 0.44, 0.44, 0.04, color, hollow=0.2)
        elif kind in ("key", "gem"):
            self._thing(kind, 0, 0, 1)
        elif kind == "mover":
            self._disc(0, 0, 0.4, PLUM)
            for side in (-1, 1):
                self._disc(0.15 * side, -0.05, 0.1, LIGHT)
                self._disc(0.15 * side, -0.03, 0.05, INK)
        elif kind == "caught":
            self._disc(0, 0, 0.47, PLUM)
            self._arrow(0, -1, 0.7)
        elif second:
            across, down = {"east": (1, 0), "south": (0, 1), "west": (-1, 0), "north": (0, -1)}[second]
            self._arrow(across, down, 1)
            if first != "walker":
                self._thing(first, -0.1 * across, -0.1 * down, 0.62)
        return (self.paper + 0.5).astype(np.uint8)

    def _thing(self, name: str, x: float, y: float, size: float) -> None:
        if name == "gem":
            for part, color in ((1.0, GREEN), (0.45, (176, 216, 184))):
                turned = (np.abs(self.x - x) + np.abs(self.y - y)) * np.float32(np.sqrt(0.5))
                self._cover(turned - 0.33 * size * part, color)
            return
        self._disc(x - 0.19 * size, y, 0.23 * size, GOLD, hollow=0.14 * size)
        self._box(x + 0.19 * size, y, 0.2 * size, 0.045 * size, 0.03 * size, GOLD)
        for tooth in (0.18, 0.33):
            self._box(x + tooth * size, y + 0.13 * size, 0.03 * size, 0.09 * size, 0.025 * size, GOLD)

    def _arrow(self, across: int, down: int, size: float) -> None:
        """A rounded triangle that points this way."""
        along, aside = self.x * across + self.y * down, np.abs(self.y * across - self.x * down)
        slope = np.float32(np.hypot(0.68, 0.32))
        side = (aside * 0.68 + (along - 0.36 * size) * 0.32) / slope
        self._cover(np.maximum(side, -along - 0.32 * size) - 0.05 * size, INK)

    def _disc(self, x: float, y: float, radius: float, color: Color, hollow: float = 0.0) -> None:
        self._cover(np.hypot(self.x - x, self.y - y) - radius, color, hollow)

    def _box(
        self, x: float, y: float, half: float, tall: float, round_: float, color: Color, hollow: float = 0
    ) -> None:
        dx, dy = np.abs(self.x - x) - half, np.abs(self.y - y) - tall
        outside = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) + np.minimum(np.maximum(dx, dy), 0)
        self._cover(outside - round_, color, hollow)

    def _cover(self, distance: np.ndarray, color: Color, hollow: float = 0.0) -> None:
        if hollow:
            distance = np.abs(distance + hollow / 2) - hollow / 2
        cover = np.clip(0.5 - distance * self.scale, 0, 1)[..., None].astype(np.float32)
        self.paper += cover * (np.asarray(color, np.float32) - self.paper)
