"""The court of `craik.worlds.paddle`: how it looks, and how it is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

import numpy as np

from craik.worlds.draw import BLUE, GOLD, GREEN, PAPER, RED, SLATE, STONE, Canvas

FACE = 0.88
"""The paddles' fronts are at x = -FACE and FACE."""

THICK = 0.12
"""Of a paddle, behind its front."""

REACH = 1.16
"""The picture shows [-REACH, REACH] both ways."""

GAME = 5
"""Points that win."""

LETTERS = 176
"""Bytes of the text."""

NIGHT = np.array([46, 52, 66], np.float32)
"""Paper when the court is dark."""

TELL = (
    ("", "ball at", (0, 1), 3),
    (" ", "going", (2, 3), 3),
    ("; ", "my paddle at", (4,), 3),
    (", ", "theirs at", (5,), 3),
    ("; ", "won", (6,), 0),
    (", ", "lost", (7,), 0),
    ("; ", "serve in", (8,), 0),
    ("; ", "they aim", (9,), 1),
)
"""What stands before a phrase, its words, which of the numbers shown follow them, and to how many places."""

NUMBER = r" (-?\d+\.?\d*)"
PHRASES = tuple(re.compile(words + NUMBER * len(which)) for _, words, which, _ in TELL)


def paint(size: int, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
    """Draws states [N, D]: [N, size, size, 3] uint8."""
    n = len(state)
    canvas = Canvas(n, size, REACH, _dimmed(_ground(size), factors["dusk"]))
    for points, side in ((state[:, 7], -1), (state[:, 6], 1)):
        for k in range(GAME):
            if (points > k).any():
                spot = np.where(points > k, side * (0.14 + 0.19 * k), 9.0)
                canvas.disc(np.stack([spot, np.full(n, 1.085)], 1), 0.065, GOLD)
    for side, height, half, color in (
        (-1, state[:, 5], factors["opponent"], BLUE),
        (1, state[:, 4], factors["paddle"], GREEN),
    ):
        middle = np.stack([np.full(n, side * (FACE + THICK / 2)), height], 1)
        canvas.polygon(_box(middle, THICK / 2, half), color)
    canvas.polygon(_box(state[:, :2], factors["ball"], factors["ball"]), RED)
    veil = factors["veil"]
    if (veil > 0).any():
        middle = np.stack([np.where(veil > 0, 0.0, 9.0), np.zeros(n)], 1)
        canvas.polygon(_box(middle, veil, 1.0), SLATE)
    return canvas.image()


def _box(middle: np.ndarray, wide: float | np.ndarray, high: float | np.ndarray) -> np.ndarray:
    """Corners [N, 4, 2] of upright rectangles with these half sizes, counter-clockwise."""
    half = np.stack(np.broadcast_arrays(np.asarray(wide), np.asarray(high), middle[:, 0])[:2], -1)
    return middle[:, None] + half[:, None] * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)


@cache
def _ground(size: int) -> np.ndarray:
    """The empty court: sides and net."""
    canvas = Canvas(1, size, REACH, STONE)
    canvas.polygon(_box(np.zeros((1, 2)), 2.0, 1.0), PAPER)
    for y in np.linspace(-0.875, 0.875, 8):
        canvas.polygon(_box(np.array([[0.0, y]]), 0.018, 0.06), STONE)
    return canvas.image()[0]


def _dimmed(ground: np.ndarray, dusk: np.ndarray) -> np.ndarray:
    """The ground by day, or in parts by night: [N, size, size, 3]."""
    if not (dusk > 0).any():
        return ground
    dark = ground * (NIGHT / np.array(PAPER, np.float32))
    part = dusk[:, None, None, None].astype(np.float32)
    return (ground + part * (dark - ground) + np.float32(0.5)).astype(np.uint8)


def write(numbers: np.ndarray) -> np.ndarray:
    """The shown numbers [N, 10] in words: [N, LETTERS] uint8, UTF-8 padded with zeros; what is NaN is left out."""
    page = np.zeros((len(numbers), LETTERS), np.uint8)
    for row, line in zip(page, numbers + 0.0):
        said = ""
        for before, words, which, places in TELL:
            values = [line[i] for i in which]
            if np.isfinite(values).all():
                said += (before if said else "") + " ".join([words, *(f"{x:.{places}f}" for x in values)])
        letters = np.frombuffer(said.encode(), np.uint8)
        row[: len(letters)] = letters
    return page


def told(line: str) -> np.ndarray:
    """The numbers [10] that such a line tells, to three places; NaN for what it does not."""
    numbers = np.full(10, np.nan)
    for (_, _, which, _), phrase in zip(TELL, PHRASES):
        found = phrase.search(line)
        if found:
            numbers[list(which)] = [float(x) for x in found.groups()]
    return numbers


def captions(state: np.ndarray, factors: Mapping[str, np.ndarray]) -> list[str]:
    """A sentence for each state [N, D]."""
    lines = []
    for row, long in zip(state, factors["paddle"]):
        y, fast, rise, mine = row[1:5]
        won, lost, wait = row[6:9]
        score = f"the score is {won:.0f} to {lost:.0f}"
        if max(won, lost) >= GAME:
            lines.append(f"The game is over and green has {'won' if won > lost else 'lost'}: {score}.")
        elif wait:
            steps = f"{wait:.0f} step{'s' if wait > 1 else ''}"
            lines.append(f"The red ball rests in the middle and will be served in {steps}; {score}.")
        else:
            way = (
                f"{'right' if fast > 0 else 'left'}{_slope(rise)}, towards the {'green' if fast > 0 else 'blue'} paddle"
            )
            where = "level with" if abs(y - mine) <= long else "above" if y > mine else "below"
            lines.append(f"The red ball flies {way}, {where} the green one; {score}.")
    return lines


def _slope(rise: float) -> str:
    return " and up" if rise > 0.1 else " and down" if rise < -0.1 else ""
