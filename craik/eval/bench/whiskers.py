"""Dots and whiskers: scores from knowing nothing (0) to the truth (1), one row a question, as inline SVG."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from html import escape

from craik.eval.stats import Interval

LOW, HIGH = -0.25, 1.0
"""Where a score is drawn at most; in files it is not cut off."""

WIDTH, LEFT, RIGHT = 820, 220, 18
"""Of a chart, in its own units: all of it, the names' column, and the margin."""

LINE, GAP = 14, 12
"""Heights of one model's line, and between rows."""

TOP = 26
"""Height of the scale."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One question.

    Attributes:
        name: what is asked.
        marks: one a model, in the order of the models; where there is none, why, or "" for nothing to say.
    """

    name: str
    marks: Sequence[Interval | str]


def whiskers(rows: Sequence[Row], styles: Sequence[str], models: Sequence[str]) -> str:
    """The chart.

    Args:
        rows: from top to bottom.
        styles: CSS class of each model.
        models: their names, for those who cannot see it.
    """
    heights = [GAP + LINE * len(row.marks) for row in rows]
    bottom = TOP + sum(heights)
    parts = [_scale(bottom)]
    y = TOP
    for row, height in zip(rows, heights):
        middle = y + height / 2
        parts.append(f'<line class="grid" x1="0" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text class="name" x="0" y="{middle + 4:.1f}">{escape(row.name)}</text>')
        for i, (mark, style, model) in enumerate(zip(row.marks, styles, models)):
            at = y + GAP / 2 + LINE * (i + 0.5)
            parts.append(_mark(mark, style, model, at))
        y += height
    says = escape(f"scores of {', '.join(models)}")
    head = f'<svg class="chart whiskers" viewBox="0 0 {WIDTH} {bottom + 4:.0f}" role="img" aria-label="{says}">'
    return f'<div class="scroll">{head}{"".join(parts)}</svg></div>'


def place(score: float) -> float:
    """Where a score lies across the chart, cut off at its edges."""
    return LEFT + (min(max(score, LOW), HIGH) - LOW) / (HIGH - LOW) * (WIDTH - RIGHT - LEFT)


def _scale(bottom: float) -> str:
    named = {LOW: "", 0.0: "0 knows nothing", 0.5: "0.5", HIGH: "1 truth"}
    parts = []
    for score, name in named.items():
        x, side = place(score), "end" if score == HIGH else "middle"
        style = "axis" if score in (0.0, HIGH) else "grid"
        parts.append(f'<line class="{style}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" y2="{bottom:.1f}"/>')
        parts.append(f'<text x="{x:.1f}" y="12" text-anchor="{side}">{name}</text>')
    return "".join(parts)


def _mark(mark: Interval | str, style: str, model: str, y: float) -> str:
    """A dot and its whisker; an arrow head where the score lies beyond an edge."""
    if mark == "":
        return ""
    if isinstance(mark, str):
        return f'<text class="none" x="{LEFT + 4}" y="{y + 4:.1f}">{escape(model)}: {escape(mark)}</text>'
    x, ends = place(mark.value), [place(v) for v in (mark.low, mark.high) if math.isfinite(v)]
    told = f"<title>{escape(model)}: {mark.value:.3g} ({mark.low:.3g} to {mark.high:.3g})</title>"
    line = ""
    if ends and ends[-1] - ends[0] > 0.5:
        line = f'<line class="line {style}" x1="{ends[0]:.1f}" x2="{ends[-1]:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
    if LOW <= mark.value <= HIGH + 1e-9:
        return f'<g>{told}{line}<circle class="dot {style}" cx="{x:.1f}" cy="{y:.1f}" r="4"/></g>'
    way = 7 if mark.value > HIGH else -7
    head = f"{x:.1f},{y - 4.5:.1f} {x + way:.1f},{y:.1f} {x:.1f},{y + 4.5:.1f}"
    return f'<g>{told}{line}<polygon class="dot {style}" points="{head}"/></g>'
