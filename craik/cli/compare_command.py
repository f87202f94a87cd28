"""`craik compare`: two models or more on the same moments, from their score cards."""

from __future__ import annotations

import math
from pathlib import Path

import tyro
from rich.console import Console
from rich.table import Table

from craik.core.errors import CraikError
from craik.eval.bench.compare import Difference, compare, improvement, shared, summed, unmatched
from craik.eval.bench.deck import Deck, deck
from craik.eval.card.grade import AXES
from craik.eval.card.score import AXES as ABOUT
from craik.eval.card.table import short
from craik.eval.stats import Interval

LEVEL = 0.05
"""Below this, an adjusted p-value is worth a line."""


def run(argv: list[str]) -> None:
    """Parses the command line and compares."""
    tyro.cli(compare_cards, args=argv, prog="craik compare")


def compare_cards(cards: tyro.conf.Positional[tuple[Path, ...]], all: bool = False) -> None:
    """Compares models on the moments that they share; the first with each of the others.

    What was said beforehand to be looked at stands with its own p-value; of the rest only what differs when their
    number is allowed for (Holm). Intervals are over moments: they say nothing of another training run.

    Args:
        cards: for each model, a card's file or a folder of its cards.
        all: whether to show every metric.
    """
    if len(cards) < 2:
        raise CraikError("there is nothing to compare", "pass two cards or more: craik compare A B")
    decks, out = [deck(path) for path in cards], Console()
    if len({d.name for d in decks}) < len(decks):
        names = [f"{d.name} ({path})" for d, path in zip(decks, cards)]
        decks = [Deck(name, d.cards) for name, d in zip(names, decks)]
    first, *others = decks
    for other in others:
        found = compare(first, other)
        if not found:
            raise CraikError(
                f"{first.name} and {other.name} share no world, size, seed and split", "grade them alike: craik bench"
            )
        lone = [str(exercise) for exercise in unmatched(first, other)]
        if lone:
            out.print(f"left out, done by one of the two only: {'; '.join(lone)}", highlight=False)
        for exercise in dict.fromkeys(d.exercise for d in found):
            rows = [d for d in found if d.exercise == exercise]
            shown = [d for d in rows if all or d.primary or d.adjusted < LEVEL]
            out.print(differences(shown, f"{first.name} - {other.name} in {exercise}"))
            if len(shown) < len(rows):
                out.print(
                    f"  {len(rows) - len(shown)} more metrics, none of them shown to differ: --all", highlight=False
                )
    out.print(axes_table(decks))
    out.print("* named beforehand, p as it is; the others' p are Holm's. Intervals are over moments, not trainings.")


def differences(found: list[Difference], title: str) -> Table:
    """One row a metric."""
    shown = Table(title=title, box=None, padding=(0, 1), title_justify="left")
    shown.add_column("metric", no_wrap=True)
    for name in ("ours", "theirs", "difference", "95 %", "scores", "p", "n", "how"):
        shown.add_column(name, justify="right")
    for d in found:
        mark = "*" if d.primary else ""
        verdict = "" if d.better is None else "better" if d.better else "worse"
        gap = short(d.gap.value) if d.of == "values" else f"{short(d.gap.value)} of score"
        shown.add_row(
            d.id + mark,
            short(d.ours),
            short(d.theirs),
            f"{gap} {verdict}".strip(),
            between(d.gap),
            " / ".join(short(s) or "-" for s in d.scores),
            p_value(d.adjusted),
            str(d.gap.n),
            d.how,
        )
    return shown


def axes_table(decks: list[Deck]) -> Table:
    """One row an axis: every model's interquartile mean, and the chance that the first one beats each other."""
    first, *others = decks
    shown = Table(title="interquartile means of scores", box=None, padding=(0, 1), title_justify="left")
    shown.add_column("axis", no_wrap=True)
    for name in (*(d.name for d in decks), *(f"P({first.name} > {d.name})" for d in others), "over"):
        shown.add_column(name, justify="right")
    for axis in AXES:
        keys = shared(decks, axis)
        if not keys:
            continue
        cells = [whole(summed(d, axis, keys)) for d in decks] + [whole(improvement(first, d, axis)) for d in others]
        shown.add_row(f"{axis}  {ABOUT[axis].partition(':')[0]}", *cells, f"{len(keys)}")
    return shown


def whole(interval: Interval | None) -> str:
    """An estimate and its interval; nothing where there is none."""
    return "" if interval is None else f"{short(interval.value)} ({between(interval)})"


def between(interval: Interval) -> str:
    """The ends of an interval."""
    return f"{short(interval.low)} to {short(interval.high)}" if math.isfinite(interval.low) else ""


def p_value(p: float) -> str:
    """Two digits; nothing where there is none."""
    return "" if not math.isfinite(p) else "<.001" if p < 1e-3 else f"{p:.2g}"
