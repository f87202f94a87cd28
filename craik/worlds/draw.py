"""Anti-aliased discs, capsules and convex polygons, for N small pictures at once, in plain numpy.

Every shape is a signed distance d in pixels; a pixel is covered by `clip(1/2 - d / edge, 0, 1)` of it. Only a patch
around each shape is touched, so the cost goes with what is drawn and not with the picture.
"""

from __future__ import annotations

from functools import cache

import numpy as np

Color = tuple[int, int, int]

PAPER: Color = (246, 243, 236)
INK: Color = (52, 58, 70)
SLATE: Color = (138, 146, 160)
STONE: Color = (196, 193, 184)
RED: Color = (214, 84, 74)
BLUE: Color = (66, 116, 176)
GREEN: Color = (98, 156, 116)
GOLD: Color = (230, 172, 78)
PLUM: Color = (142, 106, 160)
"""A calm palette on warm paper."""


class Canvas:
    """N pictures of `size` x `size` looking at the same square of the plane, y up.

    Args:
        num: how many pictures, N.
        size: height and width in pixels.
        reach: the square is [-reach, reach] both ways, in world units.
        background: a colour, or one picture `[size, size, 3]` of uint8 to begin with.
    """

    def __init__(self, num: int, size: int, reach: float, background: Color | np.ndarray):
        self.num, self.size, self.reach = num, size, reach
        self.scale = size / (2 * reach)
        self.margin = size // 4
        wide = size + 2 * self.margin
        self.sheet = np.empty((num, wide, wide, 3), np.uint8)
        self.sheet[:, self.margin : -self.margin, self.margin : -self.margin] = background

    def image(self) -> np.ndarray:
        """The pictures, [N, size, size, 3] uint8."""
        m = self.margin
        return self.sheet[:, m:-m, m:-m].copy()

    def disc(
        self,
        centre: np.ndarray,
        radius: float | np.ndarray,
        color: Color,
        *,
        alpha: float = 1.0,
        edge: float = 1.0,
        hollow: float = 0.0,
    ) -> None:
        """A disc: centre [N, 2], radius a number or [N].

        Args:
            centre: in world units.
            radius: in world units.
            color: RGB.
            alpha: opacity in [0, 1].
            edge: width in pixels over which it fades out.
            hollow: thickness of the line in world units, for a ring; 0 for a full disc.
        """
        self.capsule(centre, centre, radius, color, alpha=alpha, edge=edge, hollow=hollow)

    def capsule(
        self,
        a: np.ndarray,
        b: np.ndarray,
        radius: float | np.ndarray,
        color: Color,
        *,
        alpha: float = 1.0,
        edge: float = 1.0,
        hollow: float = 0.0,
    ) -> None:
        """Everything within `radius` of the segment from a [N, 2] to b [N, 2]."""
        p, q = self._pixels(a), self._pixels(b)
        r = np.broadcast_to(np.asarray(radius, np.float32) * np.float32(self.scale), (self.num,))
        x, y, flat = self._patch(np.minimum(p, q) - r[:, None], np.maximum(p, q) + r[:, None], edge)
        dx, dy = x - p[:, 0, None, None], y - p[:, 1, None, None]
        along = (q - p)[:, :, None, None]
        if np.any(along):
            length = np.maximum(along[:, 0] ** 2 + along[:, 1] ** 2, np.float32(1e-9))
            t = np.clip((dx * along[:, 0] + dy * along[:, 1]) / length, 0, 1)
            dx, dy = dx - t * along[:, 0], dy - t * along[:, 1]
        distance = np.sqrt(dx * dx + dy * dy) - r[:, None, None]
        if hollow:
            thick = np.float32(hollow * self.scale)
            distance = np.abs(distance + thick / 2) - thick / 2
        self._blend(flat, distance, color, alpha, edge)

    def polygon(
        self,
        corners: np.ndarray,
        color: Color,
        *,
        alpha: float = 1.0,
        edge: float = 1.0,
        rows: np.ndarray | None = None,
    ) -> None:
        """A convex polygon in each picture: corners [N, V, 2], counter-clockwise.

        With `rows` [M], M of them, each in the picture it names: many in one picture must not lie on one another.
        """
        p = self._pixels(corners)
        if not len(p):
            return
        x, y, flat = self._patch(p.min(1), p.max(1), edge, rows)
        side = np.roll(p, -1, 1) - p
        side = side / np.maximum(np.linalg.norm(side, axis=-1, keepdims=True), np.float32(1e-9))
        # Rows grow downwards, which turns the polygon round: outwards is to the left of each side.
        normal = np.stack([side[..., 1], -side[..., 0]], -1) * np.float32(-1)
        offset = (normal * p).sum(-1)
        distance = np.full(flat.shape, -np.inf, np.float32)
        for v in range(p.shape[1]):
            n, c = normal[:, v, :, None, None], offset[:, v, None, None]
            np.maximum(distance, n[:, 0] * x + n[:, 1] * y - c, out=distance)
        self._blend(flat, distance, color, alpha, edge)

    def _pixels(self, points: np.ndarray) -> np.ndarray:
        """World units -> pixels on the sheet, x right and y down; far outside is kept just outside."""
        flipped = points * np.array([1.0, -1.0])
        inside = (flipped + self.reach) * self.scale
        return (np.clip(inside, -self.margin / 2, self.size + self.margin / 2) + self.margin).astype(np.float32)

    def _patch(
        self, low: np.ndarray, high: np.ndarray, edge: float, rows: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pixel centres x [N, 1, w] and y [N, h, 1] around each shape, and where they lie on the sheet [N, h, w]."""
        wide = self.size + 2 * self.margin
        start = np.floor(low - edge).astype(np.int64)
        span = np.ceil((high - low).max(0) + 2 * edge).astype(np.int64) + 1
        w, h = (int(s) for s in np.minimum(span, wide))
        start = np.clip(start, 0, wide - np.array([w, h]))
        across, down = start[:, :1] + np.arange(w), start[:, 1:] + np.arange(h)
        x = (across + 0.5).astype(np.float32)[:, None, :]
        y = (down + 0.5).astype(np.float32)[:, :, None]
        sheet = ((np.arange(self.num) if rows is None else rows) * wide)[:, None, None]
        return x, y, (sheet + down[:, :, None]) * wide + across[:, None, :]

    def _blend(self, flat: np.ndarray, distance: np.ndarray, color: Color, alpha: float, edge: float) -> None:
        cover = np.clip(np.float32(0.5) - distance / np.float32(edge), 0, 1) * np.float32(alpha)
        pixels = self.sheet.reshape(-1, 3)
        touched = np.flatnonzero(cover > 1 / 512)
        where, amount = flat.reshape(-1)[touched], cover.reshape(-1)[touched][:, None]
        below = pixels[where].astype(np.float32)
        pixels[where] = (below + amount * (np.asarray(color, np.float32) - below) + np.float32(0.5)).astype(np.uint8)


def across(points: np.ndarray, reach: float) -> np.ndarray:
    """World units [..., 2] -> across and down in [0, 1] of a picture of [-reach, reach] both ways; NaN outside."""
    parts = (points * np.array([1.0, -1.0]) + reach) / (2 * reach)
    return np.where(((parts >= 0) & (parts <= 1)).all(-1, keepdims=True), parts, np.nan)


@cache
def table(size: int, reach: float) -> np.ndarray:
    """A sheet of paper over [-1, 1] both ways with a stone rim: [size, size, 3] uint8, to begin a picture with."""
    canvas = Canvas(1, size, reach, STONE)
    canvas.polygon(np.array([[[-1, -1], [1, -1], [1, 1], [-1, 1]]], float), PAPER)
    return canvas.image()[0]
