"""The `craik` command: finds the command's module, runs it, and says errors in words."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from typing import NoReturn

COMMANDS = {
    "demo": "five minutes: collect, train, plan, dream on film, and a report",
    "train": "train a recipe in a world, or go on with a run",
    "eval": "score a run in the real world and against baselines",
    "score": "a score card in an exact world: every axis, beside the truth and those who know nothing",
    "bench": "score cards of a model in several worlds, within a time",
    "compare": "models on the same moments, from their score cards",
    "report": "score cards on one page: profiles, drift, costs",
    "dream": "film what a run's model imagines beside what happens",
    "collect": "record episodes into a data set",
    "data": "inspect, verify, repair or import data sets",
    "list": "the recipes, by family, with what their evidence says",
    "show": "a recipe: its card, sizes and source (--flat: one file)",
    "cite": "the BibTeX entry of a recipe's source",
    "worlds": "the worlds that come with craik",
    "verify": "run a recipe's CHECK and write its evidence",
    "systems": "the surveys' systems and where each stands",
    "doctor": "what this machine has, and what is missing",
}
"""Command -> what it does. The module is `craik.cli.<command>_command`, with `run(argv)`."""


def main(argv: list[str] | None = None) -> None:
    """Runs one command and leaves with its exit code."""
    args = list(sys.argv[1:] if argv is None else argv)
    try:
        dispatch(args)
    except BrokenPipeError:  # the reader left (`craik list | head`): not an error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def dispatch(args: list[str]) -> None:
    """Runs the command the first word names."""
    if not args or args[0] in ("-h", "--help", "help"):
        print(usage())
        return
    if args[0] in ("-V", "--version"):
        from craik import __version__

        print(f"craik {__version__}")
        return
    name = args[0]
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=2)
        leave(
            f"there is no command {name!r}" + (f"; did you mean {' or '.join(near)}?" if near else ""), "craik --help"
        )
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    from craik.core.errors import CraikError

    try:
        importlib.import_module(f"craik.cli.{name}_command").run(args[1:])
    except CraikError as error:
        leave(error.what, error.fix)


def usage() -> str:
    """The first page of help."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {what}" for name, what in COMMANDS.items()]
    return "\n".join(
        [
            "craik: one library for every family of world model",
            "",
            "usage: craik COMMAND [...]    craik COMMAND --help says more",
            "",
            *lines,
        ]
    )


def leave(what: str, fix: str, code: int = 2) -> NoReturn:
    """Says what happened and how to mend it, on standard error, and exits."""
    print(f"craik: {what}\n  fix: {fix}", file=sys.stderr)
    raise SystemExit(code)
