"""`craik data`: look after data sets."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console
from rich.table import Table

from craik.data import repair as keeping


@dataclasses.dataclass(frozen=True)
class Inspect:
    """Says what a data set holds, from its index."""

    path: tyro.conf.Positional[Path]


@dataclasses.dataclass(frozen=True)
class Verify:
    """Reads every file and checks it. Changes nothing; exits 1 if anything is wrong."""

    path: tyro.conf.Positional[Path]


@dataclasses.dataclass(frozen=True)
class Repair:
    """Rebuilds the index from the files that are sound; moves the others aside. Deletes nothing."""

    path: tyro.conf.Positional[Path]


@dataclasses.dataclass(frozen=True)
class Import:
    """Makes a data set of another kind of file: Minari (.hdf5), LeRobot v3 (a folder) or a folder of videos."""

    source: tyro.conf.Positional[Path]
    path: tyro.conf.Positional[Path]
    kind: Literal["minari", "lerobot", "video"] | None = None
    """What it is; by default told from what it looks like."""
    size: int | None = None
    """Height and width to which pictures are scaled; as they are without."""


Command = (
    Annotated[Inspect, tyro.conf.subcommand("inspect")]
    | Annotated[Verify, tyro.conf.subcommand("verify")]
    | Annotated[Repair, tyro.conf.subcommand("repair")]
    | Annotated[Import, tyro.conf.subcommand("import")]
)


def run(argv: list[str]) -> None:
    """Parses the command line and does it."""
    command = tyro.cli(Command, args=argv, prog="craik data")  # type: ignore[call-overload]
    match command:
        case Inspect(path):
            inspect(path)
        case Verify(path):
            said = keeping.verify(path)
            tell(said, "problems")
            raise SystemExit(1 if said.problems else 0)
        case Repair(path):
            tell(keeping.repair(path), "changes")
        case Import():
            bring(command)


def inspect(path: Path) -> None:
    """Prints a data set's summary."""
    summary = keeping.inspect(path)
    table = Table(show_header=False, title=summary.path, title_justify="left")
    per = f"{summary.shortest} to {summary.longest} steps each"
    table.add_row("episodes", f"{summary.num_episodes}, {per}")
    table.add_row("steps", f"{summary.num_steps}")
    table.add_row("size", f"{summary.num_bytes / 2**20:.1f} MiB")
    for name, space in summary.obs.items():
        table.add_row(f"sees {name}", words(space))
    table.add_row("does", words(summary.action))
    table.add_row("written by", f"craik {summary.craik}, format {summary.format}")
    Console().print(table)


def words(space: dict) -> str:
    """A described space in words."""
    match space["kind"]:
        case "box":
            return f"box of {'x'.join(map(str, space['shape'])) or 'one'} {space['dtype']}"
        case "discrete":
            return f"one of {space['n']}"
        case _:
            return f"choices of {', '.join(map(str, space['nvec']))}"


def tell(report: keeping.Report, kind: str) -> None:
    """Prints what a check or a repair found."""
    print(f"{report.path}: {report.num_sound} sound episodes, {len(report.problems)} {kind}")
    for problem in report.problems:
        print(f"  {problem.file}\n    {problem.cause}\n    fix: {problem.fix}")


def bring(command: Import) -> None:
    """Imports a foreign data set, and says what of it could not be taken."""
    from craik.data.foreign import bring_in

    done = bring_in(command.source, command.path, kind=command.kind, size=command.size)
    for problem in done.problems:
        print(f"left out: {problem.file}\n    {problem.cause}\n    fix: {problem.fix}")
    print(f"{command.path}: {done.num_episodes} episodes, {done.num_steps} steps")
    print(f"  look: craik data inspect {command.path}")
