"""`craik verify`: run a recipe's CHECK and write its evidence."""

from __future__ import annotations

from typing import Any

import tyro
from rich.console import Console

from craik.core.errors import CraikError
from craik.core.registry import recipe, where
from craik.eval.check import DEVELOPMENT_SEEDS
from craik.eval.verify import Step, verify


def run(argv: list[str]) -> None:
    """Parses the command line, runs the CHECK and exits 1 if a claim fails."""
    tyro.cli(verify_recipes, args=argv, prog="craik verify")


def verify_recipes(
    name: tyro.conf.Positional[str | None] = None,
    trials: tuple[str, ...] = (),
    development: bool = False,
    jobs: int = 1,
    all: bool = False,
) -> None:
    """Runs a recipe's CHECK on its test seeds and writes `evidence/NAME.json`. What is finished is not run again.

    Args:
        name: the recipe.
        trials: only these of its trials.
        development: on the development seeds instead; writes `runs/verify/NAME.json`, which is no evidence.
        jobs: runs at once, one thread each.
        all: every recipe that has a CHECK.
    """
    if (name is None) != all:
        raise CraikError("which recipe is to be verified?", "craik verify NAME, or craik verify --all")
    names = [n for n in where() if "CHECK" in vars(recipe(n))] if name is None else [name]
    held = True
    for each in names:
        seeds = DEVELOPMENT_SEEDS if development else None
        data = verify(each, seeds, trials or None, jobs, tell)
        held &= report(each, data)
    raise SystemExit(0 if held else 1)


def tell(step: Step) -> None:
    """One line for each thing that happens."""
    minutes = f"  {step.record['cpu_minutes']:.1f} CPU minutes" if step.outcome == "finished" else ""
    why = f"  {step.record['error'].strip().splitlines()[-1]}" if step.outcome == "failed" else ""
    Console().print(f"{step.trial}  seed {step.seed}  {step.outcome}{minutes}{why}", highlight=False)


def report(name: str, data: dict[str, Any]) -> bool:
    """Prints each claim with its figure; says whether all hold."""
    held = True
    for trial, result in data["trials"].items():
        for claim in result["claims"]:
            held &= claim["holds"]
            mark = "[green]holds[/green]" if claim["holds"] else "[red]fails[/red]"
            value = "-" if claim["value"] is None else f"{claim['value']:.4g}"
            bound = "-" if claim["bound"] is None else f"{claim['bound']:.4g}"
            Console().print(f"{name} · {trial}  {mark}  {claim['figure']} {value} ({claim['must be']} {bound})")
    return held
