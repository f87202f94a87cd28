"""`craik report`: score cards on one page, or in tables of text."""

from __future__ import annotations

from pathlib import Path

import tyro

from craik.core.errors import CraikError
from craik.data.durable import write
from craik.eval.bench.deck import decks
from craik.eval.bench.page import save
from craik.eval.bench.sheet import sheet


def run(argv: list[str]) -> None:
    """Parses the command line and writes the page."""
    tyro.cli(report, args=argv, prog="craik report")


def report(
    cards: tyro.conf.Positional[tuple[Path, ...]], out: Path = Path("report.html"), title: str = "Score cards"
) -> None:
    """Writes score cards on one self-contained HTML page: profiles, films, drift, costs, every headline number.

    With an --out that ends in .md it writes tables in Markdown instead: a row a model, all its trainings together.

    Args:
        cards: files, or folders of them; of 8 models at most, in tables of any number.
        out: where to.
        title: of the page.
    """
    if not cards:
        raise CraikError("there are no cards to show", "pass files or folders: craik report runs/cards")
    found = decks(cards)
    if out.suffix == ".md":
        write(out, sheet(found, title).encode())
    else:
        save(found, out, title)
    print(f"written: {out} ({len(found)} models, {sum(len(d.cards) for d in found)} cards)")
