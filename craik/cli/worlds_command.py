"""`craik worlds`: the worlds that come with craik."""

from __future__ import annotations

from pathlib import Path

import tyro
from rich.console import Console
from rich.table import Table

from craik.worlds import describe, film, known


def run(argv: list[str]) -> None:
    """Parses the command line and prints the table."""
    tyro.cli(worlds, args=argv, prog="craik worlds")


def worlds(film_to: Path | None = None, all: bool = False) -> None:
    """Lists craik's worlds; any Gymnasium id works as well.

    Args:
        film_to: also draw a contact sheet of them, as a PNG, to this file.
        all: list the ids of every world that Gymnasium knows here, too.
    """
    table = Table("world", "what it is", "sees", "does")
    for entry in describe():
        table.add_row(*entry)
    Console().print(table)
    if all:
        print("\n".join(name for name in known() if not name.startswith("craik/")))
    if film_to is not None:
        film(film_to)
        print(f"drawn: {film_to}")
