"""`craik worlds`: the worlds that come with craik."""

from __future__ import annotations

from pathlib import Path

import tyro
from rich.console import Console
from rich.table import Column, Table

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
    table = Table(Column("world", no_wrap=True), "what it is", "numbers", "does", "steps", "goal")
    for line in describe():
        row = (line.id, line.says, str(line.numbers), line.action, str(line.steps or "-"), "yes" if line.goal else "")
        table.add_row(*row)
    Console().print(table)
    if all:
        print("\n".join(name for name in known() if not name.startswith("craik/")))
    if film_to is not None:
        film(film_to)
        print(f"drawn: {film_to}")
