"""`craik cite`: the source of a recipe."""

from __future__ import annotations

import tyro

from craik.core.registry import recipe


def run(argv: list[str]) -> None:
    """Parses the command line and prints the entry."""
    tyro.cli(cite, args=argv, prog="craik cite")


def cite(name: tyro.conf.Positional[str]) -> None:
    """Prints the BibTeX entry of a recipe's source.

    Args:
        name: the recipe, e.g. dreamer_v3.
    """
    print(recipe(name).CARD.bibtex())
