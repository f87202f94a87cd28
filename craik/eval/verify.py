"""Runs a recipe's CHECK and writes its evidence, run by run, so that what was interrupted goes on where it was."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, Literal

from craik.core.errors import CraikError, UnknownName
from craik.core.registry import where
from craik.eval import evidence
from craik.eval.alone import run_alone
from craik.eval.check import Check, Trial
from craik.eval.evidence import Record
from craik.eval.reach import fingerprint

DEVELOPMENT = Path("runs") / "verify"
"""Where the results of seeds go that a CHECK does not judge on."""


@dataclasses.dataclass(frozen=True)
class Step:
    """One run of a trial on a seed, told while it happens.

    Attributes:
        trial: the trial's name.
        seed: its seed.
        outcome: "begins", "finished", "failed", or "kept" (there was a run of the same code already).
        record: what it brought; empty when it begins.
    """

    trial: str
    seed: int
    outcome: Literal["begins", "finished", "failed", "kept"]
    record: Record


def verify(
    name: str,
    seeds: Sequence[int] | None = None,
    trials: Sequence[str] | None = None,
    jobs: int = 1,
    progress: Callable[[Step], None] | None = None,
    home: Path | None = None,
) -> dict[str, Any]:
    """Runs a recipe's CHECK, each trial on each seed in its own process with one thread, and judges its claims.

    The file is written after every run, atomically. A run that failed is run again the next time; one that finished is
    kept if the code is the same (`evidence.RULE`).

    Args:
        name: the recipe's name.
        seeds: which; by default the CHECK's. Others than those go to `runs/verify/NAME.json` and are no evidence.
        trials: which; by default all.
        jobs: runs at once.
        progress: is told of every run.
        home: where evidence lies; `evidence/` of the checkout by default.

    Returns:
        What the file holds (`evidence.assemble`).

    Raises:
        UnknownName: if there is no such recipe or trial.
        CraikError: if the recipe has no CHECK.
        DataError: if the file there is no evidence.
    """
    module, system, check = check_of(name)
    chosen = _choose(check, name, trials)
    asked = tuple(check.seeds if seeds is None else seeds)
    official = set(asked) <= set(check.seeds)
    judged = check.seeds if official else asked
    path = (home or evidence.HOME if official else DEVELOPMENT) / f"{name.replace('-', '_')}.json"
    runs = evidence.runs_of(evidence.read(path))
    tell = progress or (lambda step: None)

    def file() -> dict[str, Any]:
        return evidence.assemble(name, system, check, runs, judged)

    wanted = []
    for trial in chosen:
        code = fingerprint(module, trial.world)
        for seed in asked:
            old = runs.get(trial.name, {}).get(seed)
            if old is not None and old["code"] == code and not old["error"]:
                tell(Step(trial.name, seed, "kept", old))
            else:
                wanted.append((trial, seed))

    def one(trial: Trial, seed: int) -> Record:
        tell(Step(trial.name, seed, "begins", {}))
        return run_alone(module, trial, seed)

    with ThreadPoolExecutor(jobs) as pool:
        going = {pool.submit(one, trial, seed): (trial.name, seed) for trial, seed in wanted}
        try:
            for done in as_completed(going):
                trial_name, seed = going[done]
                record = done.result()
                runs.setdefault(trial_name, {})[seed] = record
                evidence.save(path, file())
                tell(Step(trial_name, seed, "failed" if record["error"] else "finished", record))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    evidence.save(path, file())
    return file()


def check_of(name: str) -> tuple[str, str, Check]:
    """A recipe's module, its system's id, and its CHECK.

    Raises:
        UnknownName: if there is no such recipe.
        CraikError: if it has no CHECK.
    """
    known, key = where(), name.replace("-", "_")
    if key not in known:
        raise UnknownName("recipe", name, known, "see them all: craik list")
    module = importlib.import_module(known[key])
    if "CHECK" not in vars(module):
        raise CraikError(f"the recipe {name} has no CHECK", f"give {module.__file__} one (craik.eval.check)")
    return known[key], module.CARD.system, module.CHECK


def _choose(check: Check, name: str, trials: Sequence[str] | None) -> list[Trial]:
    known = {t.name: t for t in check.trials}
    for each in trials or ():
        if each not in known:
            raise UnknownName(f"trial of {name}", each, known)
    return [known[each] for each in trials] if trials is not None else list(check.trials)
