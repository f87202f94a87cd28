"""Score cards as tables of text: a table a world, a row a model, all trainings of one model in one row."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from craik.eval.bench.compare import SHOWN
from craik.eval.bench.deck import Deck, Exercise
from craik.eval.card.card import Card
from craik.eval.card.score import Score, average
from craik.eval.card.table import short
from craik.eval.stats import Interval

RESAMPLES = 2_000
"""Draws of trainings and moments behind an interval."""

NULLS = {"random": "random", "frozen": "copy-last", "straight": "goes straight on", "ignored": "ignores actions"}
"""Nulls that have rows of their own, and what these are called. No card is needed of them: every card holds them."""


@dataclasses.dataclass(frozen=True)
class Row:
    """The cards of all trainings of one model that were asked the same.

    Attributes:
        name: the model's, without the seed of its training.
        cards: one a training.
    """

    name: str
    cards: Sequence[Card]


def sheet(decks: Sequence[Deck], title: str = "Score cards") -> str:
    """All tables, in Markdown.

    Args:
        decks: the models; those whose name ends with the seed of their training, as `dreamer_v3-1`, share a row.
        title: over it.
    """
    exercises = sorted({key for deck in decks for key in deck.cards})
    parts = [_table(exercise, rows(decks, exercise)) for exercise in exercises]
    return "\n\n".join([f"# {title}", *parts]) + "\n"


def rows(decks: Sequence[Deck], exercise: Exercise) -> list[Row]:
    """Who was asked this, trainings of one model together, in the order they come."""
    found: dict[str, list[Card]] = {}
    for deck in decks:
        if exercise in deck.cards:
            card = deck.cards[exercise]
            found.setdefault(family(card), []).append(card)
    return [Row(name, cards) for name, cards in found.items()]


def family(card: Card) -> str:
    """The model's name without the seed of its training."""
    seed = card.facts.get("train_seed")
    return card.name.removesuffix(f"-{seed}") if seed is not None else card.name


def estimate(scores: Sequence[Score], seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """A metric over trainings: the mean of their estimates, and its 95 % interval.

    The interval is that of draws of two levels: of trainings, and within each of moments (the draws that a score brings
    itself where it is no mean). With one training it is one over moments only. n is the number of trainings.
    """
    known = [s for s in scores if np.isfinite(s.mean)]
    if not known:
        return Interval(np.nan, np.nan, np.nan, 0)
    rng = np.random.default_rng(seed)
    drawn = np.stack([_drawn(s, rng, resamples) for s in known])  # [trainings, resamples]
    chosen = rng.integers(len(known), size=(len(known), resamples))
    low, high = np.nanquantile(np.take_along_axis(drawn, chosen, 0).mean(0), [0.025, 0.975])
    return Interval(float(np.mean([s.mean for s in known])), float(low), float(high), len(known))


def _drawn(score: Score, rng: np.random.Generator, resamples: int) -> np.ndarray:
    """[resamples] estimates of one training on drawn moments."""
    if len(score.drawn):
        return rng.choice(score.drawn, resamples)
    keep = np.isfinite(score.values)
    values = score.values[keep]
    weights = score.weights[keep] if len(score.weights) else np.ones(len(values))
    picks = rng.integers(len(values), size=(resamples, len(values)))
    total = weights[picks].sum(1)
    return np.where(total > 0, (values[picks] * weights[picks]).sum(1) / np.maximum(total, 1e-300), np.nan)


def _table(exercise: Exercise, found: Sequence[Row]) -> str:
    """One row a model and one column a metric that any of them has."""
    shown = [id for id in SHOWN if any(s.id == id for row in found for card in row.cards for s in card.scores)]
    head = ["model", "trained", "read by", *(id.partition(":")[0] for id in shown)]
    lines = [head, ["---"] * len(head)]
    for row in found:
        cells = [_cell([s for card in row.cards for s in card.scores if s.id == id]) for id in shown]
        read = " or ".join(dict.fromkeys(card.instrument for card in row.cards))
        times = str(len(row.cards)) if any("train_seed" in card.facts for card in row.cards) else ""
        lines.append([row.name, times, read, *cells])
    lines += _yardsticks(found, shown)
    body = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return f"## {exercise}\n\n{body}"


def _cell(scores: Sequence[Score]) -> str:
    """An estimate and its interval; nothing where it does not apply."""
    found = estimate(scores)
    if not found.n:
        return ""
    ends = [short(found.low), short(found.high)]
    return short(found.value) + (f" ({ends[0]} to {ends[1]})" if all(ends) and found.low < found.high else "")


def _yardsticks(found: Sequence[Row], shown: Sequence[str]) -> list[list[str]]:
    """Rows of what models are measured by: those that know nothing, and the truth through every instrument."""
    cards = [card for row in found for card in row.cards]
    lines = []
    for null, name in NULLS.items():
        cells = [
            _first([s.nulls[null] for c in cards for s in c.scores if s.id == id and null in s.nulls]) for id in shown
        ]
        lines.append([name, "", "", *cells])
    readers: dict[tuple[str, str], list[Card]] = {}  # a probe is each model's own
    for row in found:
        for card in row.cards:
            if card.instrument != "none":
                whose = f" of {row.name}" if card.instrument == "probed" else ""
                readers.setdefault((card.instrument, whose), []).append(card)
    for (read, whose), known in readers.items():
        cells = [_first([s.floor for c in known for s in c.scores if s.id == id and len(s.floor)]) for id in shown]
        lines.append([f"the truth, {read}{whose}", "", "", *cells])
    return [line for line in lines if any(line[3:])]


def _first(values: Sequence[np.ndarray]) -> str:
    """The mean of the first; nothing if there is none. Nulls are the same for all in an exam, floors but for probes."""
    return short(average(values[0], np.zeros(0))) if values else ""
