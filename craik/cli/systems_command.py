"""`craik systems`: the surveys' systems and where each stands."""

from __future__ import annotations

from collections import Counter

import tyro
from rich.console import Console
from rich.table import Table

from craik.eval.systems import STATUSES, as_markdown, standings


def run(argv: list[str]) -> None:
    """Parses the command line and prints the table."""
    tyro.cli(systems, args=argv, prog="craik systems")


def systems(markdown: bool = False, status: str | None = None) -> None:
    """Says where every published system stands, told from recipes and evidence.

    Args:
        markdown: print the page `docs/systems.md`.
        status: only these: verified, "fails its check", "built, not verified", planned or "not applicable".
    """
    found = standings()
    if markdown:
        print(as_markdown(found), end="")
        return
    table = Table("system", "year", "family", "status", "recipe", "figures")
    for s in found:
        if status in (None, s.status):
            table.add_row(s.system.name, str(s.system.year), s.system.house, s.status, s.recipe, s.words)
    Console().print(table)
    count = Counter(s.status for s in found)
    print(", ".join(f"{count[s]} {s}" for s in STATUSES))
