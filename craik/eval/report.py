"""A run told on one page: a self-contained HTML file that needs no network, no script and no other file."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np

import craik
from craik.data.durable import write
from craik.eval.chart import Level, Line, chart
from craik.eval.film import Film, gif, png, strip
from craik.eval.horizon import HorizonError
from craik.eval.stats import Interval
from craik.eval.thinking import Thinking

STYLE = Path(__file__).parent / "assets" / "report.css"


@dataclasses.dataclass(frozen=True)
class Mark:
    """Something to compare a result with.

    Attributes:
        name: "random", "the same planner in the exact simulator" ...
        value: its mean return.
        says: how it came about, in a few words.
        ceiling: whether it is the most that can be hoped for.
    """

    name: str
    value: float
    says: str = ""
    ceiling: bool = False


@dataclasses.dataclass(frozen=True)
class Curve:
    """Something that changed while learning.

    Attributes:
        name: what it is: "return in the real world", "loss of the picture" ...
        x: [n] environment steps or updates.
        y: [n].
        x_name: which of them.
        low, high: [n] the interval, or None.
        levels: name -> value of horizontal lines to compare with.
        log: whether the axis is logarithmic.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    x_name: str = "environment steps"
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None
    levels: Mapping[str, float] = dataclasses.field(default_factory=dict)
    log: bool = False


@dataclasses.dataclass(frozen=True)
class ReportInput:
    """All that a report may tell; what is None or empty is left out.

    Attributes:
        title: the page's title.
        sentence: what this is, in one sentence.
        score: the mean return in the real world with its interval.
        score_says: what earned it, and how it was counted.
        marks: what to compare it with.
        curves: learning curves.
        horizon: errors against the horizon, one chart a reading.
        film: the dream beside the truth.
        thinking: one search of the planner.
        action_name: what the first number of an action is.
        commands: exact commands that make this again.
        facts: name -> value: versions, seed, machine, minutes, sizes.
        next: (command, what it does): what to try now.
    """

    title: str
    sentence: str
    score: Interval | None = None
    score_says: str = ""
    marks: Sequence[Mark] = ()
    curves: Sequence[Curve] = ()
    horizon: Sequence[HorizonError] = ()
    film: Film | None = None
    thinking: Thinking | None = None
    action_name: str = "action"
    commands: Sequence[str] = ()
    facts: Mapping[str, str] = dataclasses.field(default_factory=dict)
    next: Sequence[tuple[str, str]] = ()


def render(report: ReportInput) -> str:
    """The page, as HTML."""
    sections = [
        _result(report),
        _film(report.film),
        _horizon(report.horizon),
        _thinking(report),
        _curves(report.curves),
        _again(report),
        _next(report.next),
    ]
    return page(report.title, report.sentence, sections)


def page(title: str, sentence: str, sections: Sequence[str], style: str = "") -> str:
    """A page of sections (those that are not empty), with craik's style and what else is passed of it."""
    body = "\n".join(s for s in sections if s)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{STYLE.read_text()}{style}</style>\n</head>\n<body>\n"
        f'<h1>{escape(title)}</h1>\n<p class="lead">{escape(sentence)}</p>\n{body}\n'
        f"<footer>made by craik {escape(craik.__version__)}</footer>\n</body>\n</html>\n"
    )


def save(report: ReportInput, path: Path) -> None:
    """Writes the page, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, render(report).encode())


def section(title: str, *parts: str) -> str:
    """A section of a page: its heading and what is not empty of its parts (HTML)."""
    return f"<section>\n<h2>{escape(title)}</h2>\n" + "\n".join(p for p in parts if p) + "\n</section>"


def note(words: str) -> str:
    """A remark in small letters."""
    return f'<p class="note">{escape(words)}</p>' if words else ""


def _result(report: ReportInput) -> str:
    score = report.score
    if score is None:
        return ""
    figure = (
        f'<div class="figure"><b>{number(score.value)}</b><span>mean return over {score.n} real episodes; '
        f"{score.level:.0%} interval {number(score.low)} to {number(score.high)}</span></div>"
    )
    ends = [score.low, score.high, *(m.value for m in report.marks)]
    low, span = min(ends), (max(ends) - min(ends)) or 1.0

    def place(x: float) -> float:
        return 2 + 96 * (x - low) / span

    rows = []
    for mark in sorted(report.marks, key=lambda m: m.value):
        style = "top" if mark.ceiling else ""
        rows.append(
            (
                mark.value,
                _row(mark.name, mark.says, style, f'<i style="left:{place(mark.value):.1f}%"></i>', mark.value),
            )
        )
    left, right = place(score.low), place(score.high)
    bar = f'<u style="left:{left:.1f}%;width:{right - left:.1f}%"></u><i style="left:{place(score.value):.1f}%"></i>'
    rows.append((score.value, _row("this agent", "", "ours", bar, score.value)))
    ordered = "\n".join(row for _, row in sorted(rows, key=lambda pair: pair[0]))
    return section("What it earns", figure, f'<div class="rows">\n{ordered}\n</div>', note(report.score_says))


def _row(name: str, says: str, style: str, inside: str, value: float) -> str:
    small = f"<small>{escape(says)}</small>" if says else ""
    return (
        f'<div class="who {style}">{escape(name)}{small}</div><div class="track {style}">{inside}</div>'
        f'<div class="value">{number(value)}</div>'
    )


def _film(film: Film | None) -> str:
    if film is None:
        return ""
    ahead = len(film.real) - 1 - film.context
    caption = (
        f"It watches {film.context} steps. From then on (orange border) it sees nothing and is told only the actions; "
        f"it dreams {ahead} steps, {ahead / film.fps:.1f} seconds. Black in the difference: dream and truth agree."
    )
    moving, still = inline("gif", gif(film, _scale(film, 256))), inline("png", png(strip(film, 10, _scale(film, 128))))
    return section(
        "What it dreams",
        f'<figure><img alt="real, dreamed and difference, moving" src="{moving}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>",
        f'<figure class="wide"><img alt="the same at ten moments, side by side" src="{still}"></figure>',
    )


def _horizon(errors: Sequence[HorizonError]) -> str:
    charts = []
    for error in errors:
        style = {"model": "one", "copy last": "quiet", "constant velocity": "three"}
        names = {"model": "the model", "copy last": "nothing moves", "constant velocity": "it goes on as it was"}
        lines = [
            Line(names[k], error.horizons, error.mean(k), style[k], dots=k == "model")
            for k in ("copy last", "constant velocity", "model")
        ]
        says = f"error of {error.reading} against the horizon, beside copying the last and constant velocity"
        charts.append(
            chart(
                lines,
                "steps ahead",
                f"error of {error.reading}",
                log_x=True,
                log_y=True,
                ticks=error.horizons,
                says=says,
            )
        )
        counts = error.counts
        over = f"{counts[0]}" if (counts == counts[0]).all() else f"{counts[0]} (at the far end {counts[-1]})"
        charts.append(
            note(f"{error.unit}; on {over} held-out episodes, after {error.context} steps seen; both axes logarithmic.")
        )
    return section("How far ahead it sees", *charts) if charts else ""


def _thinking(report: ReportInput) -> str:
    thinking = report.thinking
    if thinking is None:
        return ""
    steps = np.arange(1, thinking.chosen.shape[0] + 1)

    def paths(values: np.ndarray, best: np.ndarray, stepped: bool = False) -> list[Line]:
        lines = [
            Line(name if i == 0 else "", steps, y, style, steps=stepped)
            for name, style, drawn in (("before thinking", "faint", values[0]), ("after it", "late", values[-1]))
            for i, y in enumerate(drawn)
        ]
        return [*lines, Line("the plan", steps, best, "bold", steps=stepped)]

    acts = thinking.tried[..., 0] if thinking.continuous else thinking.tried.argmax(-1)
    chosen = thinking.chosen[..., 0] if thinking.continuous else thinking.chosen.argmax(-1)
    what = f"{report.action_name} (share of its range)" if thinking.continuous else report.action_name
    parts = [
        chart(
            paths(acts, chosen, not thinking.continuous),
            "steps ahead",
            what,
            height=220,
            says="actions tried and chosen",
        )
    ]
    if thinking.expected is not None and thinking.hoped is not None:
        rewards = paths(thinking.expected, thinking.hoped)
        svg = chart(rewards, "steps ahead", "reward expected", height=220, says="reward expected of what was tried")
        parts.append(svg[svg.index("<svg") :])  # the legend above serves both
    rounds = len(thinking.best)
    words = (
        "One decision. The planner imagines candidates in the model, keeps the best and looks around them, "
        f"{rounds} rounds long; the best score went from {number(thinking.best[0])} to {number(thinking.best[-1])}. "
        "Grey is what it began with, blue what it was left with, orange the plan."
    )
    return section("What it plans", note(words), *parts)


def _curves(curves: Sequence[Curve]) -> str:
    parts = []
    for curve in curves:
        levels = [Level(k, v) for k, v in curve.levels.items()]
        line = Line(curve.name, curve.x, curve.y, "one", curve.low, curve.high, dots=len(curve.x) <= 40)
        parts.append(chart([line], curve.x_name, curve.name, levels=levels, log_y=curve.log, height=240))
    return section("How it learned", *parts) if parts else ""


def _again(report: ReportInput) -> str:
    if not report.commands and not report.facts:
        return ""
    commands = f"<pre>{escape(chr(10).join(report.commands))}</pre>" if report.commands else ""
    rows = "".join(f"<tr><td>{escape(k)}</td><td>{escape(v)}</td></tr>" for k, v in report.facts.items())
    return section("How to get this again", commands, f"<table>{rows}</table>" if rows else "")


def _next(steps: Sequence[tuple[str, str]]) -> str:
    items = "".join(f"<li>{escape(says)}<pre>{escape(command)}</pre></li>" for command, says in steps)
    return section("What to try next", f'<ul class="next">{items}</ul>') if items else ""


def _scale(film: Film, pixels: int) -> int:
    """How often a picture fits into so many pixels, at least once."""
    return max(1, pixels // film.real.shape[1])


def inline(kind: str, data: bytes) -> str:
    """A picture as an address that holds all of it."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def number(x: float) -> str:
    """A return as one reads it: with a true minus sign, thousands apart, three figures or more."""
    digits = 0 if abs(x) >= 100 else 1 if abs(x) >= 10 else 2
    return f"{x:,.{digits}f}".replace("-", "\u2212")
