"""Score cards on one page: a self-contained HTML file, without a script."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

from craik.core.errors import DataError
from craik.data.durable import write
from craik.eval.bench.compare import SHOWN, draws, entries, shared, summed
from craik.eval.bench.deck import Deck, Exercise
from craik.eval.bench.reels import reels
from craik.eval.bench.whiskers import HIGH, LOW, Row, whiskers
from craik.eval.bench.worlds import short_name
from craik.eval.card.card import Card
from craik.eval.card.grade import AXES
from craik.eval.card.ledger import EQUALITY
from craik.eval.card.score import AXES as ABOUT
from craik.eval.card.score import Score, average
from craik.eval.card.table import short
from craik.eval.chart import Line, chart
from craik.eval.report import STYLE, note, page, section
from craik.eval.stats import Interval

COLOURS = 8
"""Models that can be told apart on one page."""

OPEN = 2
"""Worlds that are shown unfolded, where there are no more."""

SPEED = "cost.steps@64"
"""What stands for the cost in the fronts."""


def render(decks: Sequence[Deck], title: str = "Score cards") -> str:
    """The page.

    Raises:
        DataError: if there are more models than colours.
    """
    if len(decks) > COLOURS:
        raise DataError(f"{len(decks)} models do not fit on one page", f"pass the cards of {COLOURS} at most")
    exercises = sorted({key for deck in decks for key in deck.cards})
    worlds = sorted({short_name(world) for world, *_ in exercises})
    sentence = f"{', '.join(d.name for d in decks)}; in {', '.join(worlds)}. {_level(decks)}"
    films = reels(decks, _styles(decks), exercises, len(exercises) <= OPEN)
    sections = [_axes(decks), films, _drift(decks, exercises), _fronts(decks), _worlds(decks, exercises)]
    sections.append(_ledger(decks))
    return page(title, sentence, sections, STYLE.with_name("cards.css").read_text())


def save(decks: Sequence[Deck], path: Path, title: str = "Score cards") -> None:
    """Writes the page, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, render(decks, title).encode())


def _level(decks: Sequence[Deck]) -> str:
    """At which level the models are said to be equal."""
    named = sorted({str(card.facts["equality"]) for deck in decks for card in deck.cards.values()})
    if len(named) == 1:
        return f"Equal between the models ({named[0]}): {EQUALITY[named[0]]}."
    return f"The cards name different levels of equality: {', '.join(named)}; at the weakest, no more is claimed."


def _styles(decks: Sequence[Deck]) -> list[str]:
    return [f"m{i}" for i in range(len(decks))]


def _legend(decks: Sequence[Deck]) -> str:
    keys = "".join(
        f'<span class="key"><i class="{style}"></i>{escape(deck.name)}</span>'
        for deck, style in zip(decks, _styles(decks))
    )
    return f'<div class="legend">{keys}</div>'


def _axes(decks: Sequence[Deck]) -> str:
    rows = []
    for axis in AXES:
        keys = shared(decks, axis)
        if axis == "E" or not any(_has(deck, axis) for deck in decks):  # a cost has neither truth nor null
            continue
        marks = [summed(d, axis, keys) or _lacks(d, axis) for d in decks]
        rows.append(Row(f"{axis}  {ABOUT[axis].partition(':')[0]} ({len(keys)})", marks))
    if not rows:
        return ""
    words = (
        "Interquartile means of normalised scores over the worlds, exams and headline metrics (their number in "
        "brackets) that all models have which have the axis. 0 is what the best of those gets that know nothing, 1 "
        "what the true simulator gets through the same instrument; an arrow head lies beyond the edge. 95 % intervals "
        "over moments, not over trainings. Axes are not added up."
    )
    chart = whiskers(rows, _styles(decks), [d.name for d in decks])
    return section("Axis by axis", _legend(decks), chart, note(words))


def _lacks(deck: Deck, axis: str) -> str:
    """Why there is nothing to draw of an axis."""
    if entries(deck, axis):
        return "nothing that all have done"
    return "no score between null and truth" if _has(deck, axis) else "no such axis"


def _has(deck: Deck, axis: str) -> bool:
    return any(s.axis == axis for card in deck.cards.values() for s in card.scores)


def _drift(decks: Sequence[Deck], exercises: Sequence[Exercise]) -> str:
    charts = []
    for exercise in exercises:
        cards = [(d, s) for d, s in zip(decks, _styles(decks)) if exercise in d.cards]
        for instrument in dict.fromkeys(d.cards[exercise].instrument for d, _ in cards):
            same = [(d.cards[exercise], s) for d, s in cards if d.cards[exercise].instrument == instrument]
            drawn = _curves(same)
            if drawn:
                title = f"{exercise}: {instrument}"
                charts.append(f"<div><h3>{escape(title)}</h3>{drawn}</div>")
    if not charts:
        return ""
    words = (
        "Error of the state after so many steps imagined with the true actions, by what the state was read by; bands "
        "are 95 % intervals over moments. Grey is the best of those that know nothing, dashed the truth through the "
        "model's own instrument where that errs."
    )
    return section("Drift", _legend(decks), f'<div class="pairs">{"".join(charts)}</div>', note(words))


def _curves(cards: Sequence[tuple[Card, str]]) -> str:
    """Error against the horizon, one line a card, of cards with one instrument; "" if none has it."""
    lines: list[Line] = []
    for card, style in cards:
        found = {_horizon(s): s for s in card.scores if s.id.startswith("state.err@") and s.id.endswith(":ar")}
        if not found:
            continue
        steps = sorted(found)
        inside = [found[h].interval() for h in steps]
        if not lines:
            lines.append(Line("", steps, [found[h].null for h in steps], "quiet"))
        floor = [average(found[h].floor) for h in steps]
        if max(floor) > 1e-6:
            lines.append(Line("", steps, floor, f"{style} front"))
        lines.append(
            Line(
                "",
                steps,
                [i.value for i in inside],
                style,
                [i.low for i in inside],
                [i.high for i in inside],
                dots=True,
            )
        )
    if not lines:
        return ""
    return chart(lines, "steps ahead", "error of the state", log_x=True, ticks=[float(x) for x in lines[0].x])


def _horizon(score: Score) -> int:
    return int(score.id.partition("@")[2].partition(":")[0])


def _fronts(decks: Sequence[Deck]) -> str:
    speeds = [_speed(deck) for deck in decks]
    if not any(math.isfinite(x) for x in speeds):
        return ""
    parts = []
    for axis in ("D", "S"):
        keys = shared(decks, axis)
        found = [(x, summed(d, axis, keys), s) for x, d, s in zip(speeds, decks, _styles(decks))]
        known = [(x, y, s) for x, y, s in found if y is not None and math.isfinite(x)]
        if known:
            parts.append(f"<div>{_front(known, axis)}</div>")
    words = (
        "Steps imagined a second at batch 64 (geometric mean over cards) against the interquartile mean of an axis, "
        f"cut off at {LOW:g}. Up and to the right is better; the dashed line joins those that no other beats in both. "
        "Speeds compare only on one machine, and where it had nothing else to do."
    )
    return section("What it costs", _legend(decks), f'<div class="pairs costs">{"".join(parts)}</div>', note(words))


def _speed(deck: Deck) -> float:
    """Steps a second, geometric mean over cards; NaN if none was timed."""
    found = [s.mean for card in deck.cards.values() for s in card.scores if s.id == SPEED]
    return float(np.exp(np.mean(np.log(found)))) if found else math.nan


def _front(points: Sequence[tuple[float, Interval, str]], axis: str) -> str:
    best = [(x, y) for x, y, _ in points if not any(a >= x and b.value > y.value for a, b, _ in points)]
    best = sorted((x, _cut(y.value)) for x, y in best)
    lines = [Line("", [x for x, _ in best], [y for _, y in best], "quiet front")]
    for x, y, style in points:
        lines.append(Line("", [x, x], [_cut(y.low), _cut(y.high)], style))
        lines.append(Line("", [x], [_cut(y.value)], style, dots=True))
    name = f"{axis}: score of {ABOUT[axis].partition(':')[0]}"
    return chart(lines, "steps a second", name, log_x=True)


def _cut(score: float) -> float:
    return min(max(score, LOW), HIGH)


def _worlds(decks: Sequence[Deck], exercises: Sequence[Exercise]) -> str:
    parts = []
    for exercise in exercises:
        here = [(d, s) for d, s in zip(decks, _styles(decks)) if exercise in d.cards]
        cards = [d.cards[exercise] for d, _ in here]
        rows = [
            Row(id.partition(":")[0], [_interval(card, id) for card in cards])
            for id in SHOWN
            if any(isinstance(_interval(card, id), Interval) for card in cards)
        ]
        drawn = whiskers(rows, [s for _, s in here], [c.name for c in cards]) if rows else ""
        shown = "open" if len(exercises) <= OPEN else ""
        parts.append(f"<details {shown}><summary>{escape(str(exercise))}</summary>{drawn}{_figures(cards)}</details>")
    words = (
        "Dots: normalised scores of the headline metrics that have both a truth and a null. Tables: the metrics "
        "themselves, their 95 % intervals and number of values, and what the truth and the best that knows nothing "
        "get. A cell is empty where a model has no such metric."
    )
    return section("World by world", _legend(decks), note(words), *parts)


def _interval(card: Card, id: str) -> Interval | str:
    """The normalised score of a metric and its interval over moments; why not, else; "" if there is no such metric."""
    found = [s for s in card.scores if s.id == id]
    if not found:
        return ""
    score = found[0]
    if not math.isfinite(score.normalised):
        return "no score between null and truth"
    low, high = np.quantile(draws(Exercise.of(card), score), [0.025, 0.975])
    return Interval(score.normalised, float(low), float(high), score.n)


def _figures(cards: Sequence[Card]) -> str:
    head = "".join(f"<th>{escape(c.name)}<small> {escape(c.instrument)}</small></th>" for c in cards)
    rows = []
    for id in SHOWN:
        found = [[s for s in card.scores if s.id == id and s.n] for card in cards]
        if any(found):
            cells = "".join(f'<td class="number">{_figure(s[0]) if s else ""}</td>' for s in found)
            rows.append(f"<tr><td>{escape(id)}</td>{cells}</tr>")
    return f'<div class="scroll"><table><tr><th>metric</th>{head}</tr>{"".join(rows)}</table></div>'


def _figure(score: Score) -> str:
    interval, floor = score.interval(), short(float(np.mean(score.floor))) if len(score.floor) else ""
    sides = [f"truth {floor}" if floor else "", f"null {short(score.null)}" if math.isfinite(score.null) else ""]
    ends = f"{short(interval.low)} to {short(interval.high)}, n {score.n}" if score.n > 1 else "one value"
    more = "".join(f"<small>{escape(x)}</small>" for x in (ends, ", ".join(x for x in sides if x)) if x)
    return f"{short(score.mean)}{more}"


def _ledger(decks: Sequence[Deck]) -> str:
    cards = [card for deck in decks for card in deck.cards.values()]
    plain = [{k: v for k, v in c.facts.items() if isinstance(v, str | int | float)} for c in cards]
    names = list(dict.fromkeys(k for facts in plain for k in facts))
    head = "".join(f"<th>{escape(n)}</th>" for n in ("model", "world", "exam", "asked", *names))
    rows = []
    for card, facts in zip(cards, plain):
        cells = [card.name, short_name(card.world), str(card.seed), _done(card)]
        cells += [_fact(facts[n]) if n in facts else "" for n in names]
        rows.append("<tr>" + "".join(f"<td>{escape(x)}</td>" for x in cells) + "</tr>")
    words = "What each card rests on. Seconds are of grading, floors and nulls included, on the machine that graded."
    return section(
        "What it took", f'<div class="scroll"><table><tr>{head}</tr>{"".join(rows)}</table></div>', note(words)
    )


def _done(card: Card) -> str:
    """Which axes were asked, and of which less than was meant."""
    asked, done = card.facts.get("asked", {}), card.facts.get("done", {})
    less = [f"{axis} {done[axis]} of {asked[axis]}" for axis in asked if done[axis] < asked[axis]]
    return ", ".join(less) or "all"


def _fact(value: str | int | float) -> str:
    if isinstance(value, str):
        return value[:12] if len(value) == 40 else value
    return f"{value:,}"
