"""Line charts as inline SVG: no script, no fonts of their own, colours from the page's style."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from html import escape

import numpy as np

WIDTH, HEIGHT = 480, 280
LEFT, RIGHT, TOP, BOTTOM = 50, 14, 28, 42
"""Margins, in the chart's own units; the page scales the whole."""


@dataclasses.dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        name: what it is called in the legend; "" for none.
        x, y: [n] its points; those that are not finite are left out.
        style: a CSS class of the page: "one", "two", "three", "quiet", "faint" or "bold".
        low, high: [n] ends of a band around it, or None.
        steps: whether it goes in steps rather than straight from point to point.
        dots: whether its points are marked.
    """

    name: str
    x: Sequence[float] | np.ndarray
    y: Sequence[float] | np.ndarray
    style: str = "one"
    low: Sequence[float] | np.ndarray | None = None
    high: Sequence[float] | np.ndarray | None = None
    steps: bool = False
    dots: bool = False


@dataclasses.dataclass(frozen=True)
class Level:
    """A horizontal line across a chart, to compare with.

    Attributes:
        name: written on it.
        y: where.
    """

    name: str
    y: float


def chart(
    lines: Sequence[Line],
    x_name: str,
    y_name: str,
    *,
    levels: Sequence[Level] = (),
    log_x: bool = False,
    log_y: bool = False,
    ticks: Sequence[float] | None = None,
    height: int = HEIGHT,
    says: str = "",
) -> str:
    """A chart as an SVG element, with its legend above it.

    Args:
        lines: drawn in this order, the last on top.
        x_name, y_name: what the axes are.
        levels: horizontal lines.
        log_x, log_y: whether an axis is logarithmic; points that are not positive are left out then.
        ticks: where the x axis is marked; chosen if not given.
        height: of the chart; its width is `WIDTH`.
        says: a sentence for those who cannot see it.
    """
    points = [_clean(line, log_x, log_y) for line in lines]
    xs = np.concatenate([p[0] for p in points] or [np.zeros(0)])
    bands = [p[i] for p in points for i in (2, 3)]
    ys = np.concatenate([*(p[1] for p in points), *bands, [level.y for level in levels]])
    ys = ys[np.isfinite(ys) & ((ys > 0) | (not log_y))]
    if not len(xs) or not len(ys):
        return '<p class="none">nothing to draw</p>'
    x_axis = _Axis(float(xs.min()), float(xs.max()), log_x, LEFT, WIDTH - RIGHT, pad=0.0)
    y_axis = _Axis(float(ys.min()), float(ys.max()), log_y, height - BOTTOM, TOP, pad=0.06)
    parts = [*_grid(x_axis, y_axis, ticks, height), *_names(x_name, y_name, height)]
    for line, (x, y, low, high) in zip(lines, points):
        parts += _draw(line, x_axis.at(x), y_axis.at(y), y_axis.at(low), y_axis.at(high))
    parts += [part for level in levels for part in _level(level, y_axis)]
    body = "".join(parts)
    title = escape(says or f"{y_name} against {x_name}")
    svg = f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{title}">{body}</svg>'
    return _legend(lines) + svg


class _Axis:
    """Where values lie, in the chart's units."""

    def __init__(self, low: float, high: float, log: bool, begin: float, end: float, pad: float):
        self.log, self.begin, self.end = log, begin, end
        a, b = (math.log10(low), math.log10(high)) if log else (low, high)
        room = (b - a) * pad or (0.0 if b > a else 0.5)
        self.low, self.high = a - room, b + room

    def at(self, value: np.ndarray) -> np.ndarray:
        x = np.log10(value) if self.log else np.asarray(value, float)
        return self.begin + (x - self.low) / (self.high - self.low) * (self.end - self.begin)

    def marks(self, most: int = 5) -> list[float]:
        """Round values within the axis, at most about `most` of them."""
        if self.log:
            return self._decades(most)
        span = self.high - self.low
        step = 10 ** math.floor(math.log10(span / most))
        step *= next(k for k in (1, 2, 5, 10) if span / (step * k) <= most)
        first = math.ceil(self.low / step - 1e-9)
        return [i * step for i in range(first, math.floor(self.high / step + 1e-9) + 1)]

    def _decades(self, most: int) -> list[float]:
        low, high = math.floor(self.low), math.ceil(self.high)
        for digits in ((1, 2, 5), (1, 3), (1,)):
            found = [d * 10.0**e for e in range(low, high + 1) for d in digits]
            found = [v for v in found if self.low - 1e-9 <= math.log10(v) <= self.high + 1e-9]
            if len(found) <= most + 1:
                return found
        return found[:: math.ceil(len(found) / most)]


def _clean(line: Line, log_x: bool, log_y: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    x, y = np.asarray(line.x, float), np.asarray(line.y, float)
    keep = np.isfinite(x) & np.isfinite(y) & ((x > 0) | (not log_x)) & ((y > 0) | (not log_y))
    none = np.zeros(0)
    low, high = (none if b is None else np.asarray(b, float)[keep] for b in (line.low, line.high))
    if log_y and len(low):
        low = np.maximum(low, y[keep].min() / 10)
    return x[keep], y[keep], low, high


def _grid(x_axis: _Axis, y_axis: _Axis, ticks: Sequence[float] | None, height: int) -> list[str]:
    parts = []
    for value in y_axis.marks():
        y = float(y_axis.at(np.asarray(value)))
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 7}" y="{y + 4:.1f}" text-anchor="end">{short(value)}</text>')
    for value in ticks if ticks is not None else x_axis.marks():
        x = float(x_axis.at(np.asarray(value)))
        parts.append(f'<text x="{x:.1f}" y="{height - BOTTOM + 17}" text-anchor="middle">{short(value)}</text>')
    y = height - BOTTOM
    return [*parts, f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>']


def _names(x_name: str, y_name: str, height: int) -> list[str]:
    return [
        f'<text class="name" x="{WIDTH - RIGHT}" y="{height - 6}" text-anchor="end">{escape(x_name)}</text>',
        f'<text class="name" x="{LEFT}" y="14">{escape(y_name)}</text>',
    ]


def _draw(line: Line, x: np.ndarray, y: np.ndarray, low: np.ndarray, high: np.ndarray) -> list[str]:
    parts = []
    if len(low):
        edge = [*zip(x, high), *zip(x[::-1], low[::-1])]
        parts.append(f'<polygon class="band {line.style}" points="{_points(edge)}"/>')
    if line.steps and len(x) > 1:
        width = x[1] - x[0]
        x, y = np.stack([x - width / 2, x + width / 2], 1).reshape(-1), np.repeat(y, 2)
        x = x.clip(LEFT, WIDTH - RIGHT)
    parts.append(f'<polyline class="line {line.style}" points="{_points(zip(x, y))}"/>')
    if line.dots:
        parts += [f'<circle class="dot {line.style}" cx="{a:.1f}" cy="{b:.1f}" r="3"/>' for a, b in zip(x, y)]
    return parts


def _level(level: Level, axis: _Axis) -> list[str]:
    y = float(axis.at(np.asarray(level.y)))
    return [
        f'<line class="level" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>',
        f'<text class="level" x="{WIDTH - RIGHT - 2}" y="{y - 5:.1f}" text-anchor="end">{escape(level.name)}</text>',
    ]


def _legend(lines: Sequence[Line]) -> str:
    named = [line for line in lines if line.name]
    if len(named) < 2:
        return ""
    keys = "".join(f'<span class="key"><i class="{line.style}"></i>{escape(line.name)}</span>' for line in named)
    return f'<div class="legend">{keys}</div>'


def _points(pairs: object) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in pairs)  # type: ignore[attr-defined]


def short(x: float) -> str:
    """A number as short as it can be read: 0.05, 12, 1.5k, 20k, 3M, with a true minus sign."""
    for unit, letter in ((1e6, "M"), (1e3, "k")):
        if abs(x) >= unit:
            return f"{x / unit:g}{letter}".replace("-", "\u2212")
    return "0" if abs(x) < 1e-12 else f"{x:.3g}".replace("-", "\u2212")
