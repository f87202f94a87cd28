"""`craik list`: the recipes."""

from __future__ import annotations

import tyro
from rich.console import Console
from rich.table import Table

from craik.core.registry import family, recipe, where

HEADINGS = ("recipe", "family", "source", "predicts in", "sizes")


def run(argv: list[str]) -> None:
    """Parses the command line and prints the table."""
    tyro.cli(list_recipes, args=argv, prog="craik list")


def list_recipes(markdown: bool = False) -> None:
    """Lists every recipe: family, source, sizes.

    Args:
        markdown: print the table as Markdown, as it stands in the README.
    """
    if markdown:
        print(as_markdown())
        return
    table = Table(*HEADINGS)
    for row in rows():
        table.add_row(*row)
    Console().print(table)
    print("more: craik show NAME    train one: craik train NAME --world CartPole-v1")


def rows() -> list[tuple[str, ...]]:
    """One row a recipe, from its card."""
    found: list[tuple[str, ...]] = []
    for name in where():
        module = recipe(name)
        card = module.CARD
        found.append((name, family(name), f"{card.title} ({card.year})", card.space, ", ".join(module.SIZES)))
    return found


def as_markdown() -> str:
    """The table as Markdown."""
    lines = ["| " + " | ".join(HEADINGS) + " |", "|" + " --- |" * len(HEADINGS)]
    for name, *rest in rows():
        lines.append(f"| `{name}` | " + " | ".join(rest) + " |")
    return "\n".join(lines)
