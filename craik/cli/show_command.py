"""`craik show`: a recipe as it is, or as one file."""

from __future__ import annotations

import dataclasses
import inspect

import tyro
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table

from craik.cli.flat import flatten
from craik.core.registry import family, recipe


def run(argv: list[str]) -> None:
    """Parses the command line and prints the recipe."""
    tyro.cli(show, args=argv, prog="craik show")


def show(name: tyro.conf.Positional[str], flat: bool = False) -> None:
    """Shows a recipe: its card, its sizes and its source.

    Args:
        name: the recipe, e.g. dreamer_v3.
        flat: print it with every definition it reaches, in dependency order, as one Python file.
    """
    module = recipe(name)
    out = Console()
    if flat:
        text = flatten(module)
        if out.is_terminal:
            out.print(Syntax(text, "python"))
        else:
            print(text)
        return
    card = module.CARD
    out.print(f"[bold]{card.title}[/bold] ({card.authors}, {card.year}, {card.venue})\n{card.url}\n")
    out.print(f"family     {family(name)}, predicts in {card.space} space")
    out.print(f"mechanism  {card.mechanism}\nclaim      {card.claim}")
    out.print("differs    " + "\n           ".join(card.differs))
    out.print(sizes(module))
    out.print(Syntax(inspect.getsource(module), "python") if out.is_terminal else inspect.getsource(module))


def sizes(module) -> Table:  # noqa: ANN001 - a recipe module
    """The recipe's sizes side by side, only the rows in which they differ."""
    table = Table(title="sizes", title_justify="left")
    table.add_column("")
    for each in module.SIZES:
        table.add_column(each, justify="right")
    for field in dataclasses.fields(module.Config):
        values = [str(getattr(config, field.name)) for config in module.SIZES.values()]
        if len(set(values)) > 1:
            table.add_row(field.name, *values)
    return table
