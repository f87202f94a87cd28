"""The panel of `Levers`: what is lit, pressed or left is laid over one picture, drawn once for a size."""

from __future__ import annotations

from functools import cache

import numpy as np

from craik.worlds.draw import BLUE, GOLD, GREEN, INK, PLUM, RED, SLATE, Canvas, Color

NAMES = ("red", "blue", "green", "gold", "plum", "teal")
TEAL: Color = (70, 160, 164)
COLORS: tuple[Color, ...] = (RED, BLUE, GREEN, GOLD, PLUM, TEAL)
"""Of the lights, when lit."""

THEMES: tuple[tuple[Color, Color, Color], ...] = (
    ((246, 243, 236), (226, 221, 210), (196, 190, 178)),
    ((206, 211, 222), (180, 187, 203), (148, 156, 176)),
    ((226, 233, 214), (202, 212, 188), (168, 182, 156)),
)
"""Theme -> colours of table, panel and rims."""

REACH, DOTS = 1.06, 12
HIGH, LOW = 0.4, -0.3


def lights(n: int) -> np.ndarray:
    """[n, 2]: where the lights are, units."""
    return np.stack([_across(n), np.full(n, HIGH)], 1)


def picture(
    light: np.ndarray, pressed: np.ndarray, left: np.ndarray, size: int, theme: np.ndarray, glow: np.ndarray
) -> np.ndarray:
    """Pictures [N, size, size, 3] uint8 of lights [N, n], levers just pressed [N, n], presses left [N]."""
    n = light.shape[1]
    shine = np.round(256 * glow)[:, None] * light
    weight = np.concatenate([shine, 256 * pressed, 256.0 * (left[:, None] > np.arange(DOTS))], 1).astype(np.float32)
    out = np.empty((len(light), size * size * 3), np.uint8)
    for i in np.unique(theme.astype(np.int64)):
        rows = theme.astype(np.int64) == i
        base, layers = _sheets(n, size, int(i))
        # Whole numbers below 2^24: the sums are exact in float32, in whatever order they are taken.
        out[rows] = np.clip((weight[rows] @ layers + base) * np.float32(1 / 256) + np.float32(0.5), 0, 255)
    return out.reshape(-1, size, size, 3)


def _across(n: int) -> np.ndarray:
    return np.linspace(-0.74, 0.74, n)


@cache
def _sheets(n: int, size: int, theme: int) -> tuple[np.ndarray, np.ndarray]:
    """256 times the panel with all dark and up, [P], and what each light, press and dot adds to it, [2 n + DOTS, P]."""
    plain = _draw(n, size, theme, None)
    layers = [_draw(n, size, theme, i) - plain for i in range(2 * n + DOTS)]
    return 256 * plain, np.stack(layers)


def _draw(n: int, size: int, theme: int, change: int | None) -> np.ndarray:
    """The panel, with at most one thing lit, pressed or there: [size * size * 3] float32."""
    table, board, rim = THEMES[theme]
    canvas = Canvas(1, size, REACH, table)

    def at(x: float, y: float) -> np.ndarray:
        return np.array([[x, y]])

    for grow, color in ((0.0, rim), (-0.03, board)):
        r = 0.14 + grow
        corners = np.array([[[-1, -1], [1, -1], [1, 1], [-1, 1]]]) * [0.84 + r, 0.62 + r] + [0, 0.1]
        canvas.polygon(corners, color)
    radius = min(0.38 * (_across(n)[1] - _across(n)[0]), 0.155)
    for i, x in enumerate(_across(n)):
        canvas.disc(at(x, HIGH), radius + 0.04, rim)
        if change == i:
            canvas.disc(at(x, HIGH), radius + 0.08, COLORS[i], alpha=0.35, edge=size / 12)
            canvas.disc(at(x, HIGH), radius, COLORS[i])
            canvas.disc(at(x - 0.3 * radius, HIGH + 0.3 * radius), 0.045, (255, 255, 255), alpha=0.45, edge=1.5)
        else:
            red, green, blue = (int(0.16 * c + 0.74 * b) for c, b in zip(COLORS[i], board))
            canvas.disc(at(x, HIGH), radius, (red, green, blue))
        canvas.capsule(at(x, LOW - 0.14), at(x, LOW + 0.14), 0.07, rim)
        down = change == n + i
        canvas.disc(at(x, LOW + (-0.14 if down else 0.14)), 0.11, INK if down else SLATE)
    for i, x in enumerate(np.linspace(-0.88, 0.88, DOTS)):
        if change == 2 * n + i:
            canvas.disc(at(x, -0.9), 0.05, SLATE)
    return canvas.image()[0].reshape(-1).astype(np.float32)
