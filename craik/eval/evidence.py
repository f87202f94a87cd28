"""The file that says how a recipe's CHECK went: figures of every seed, means, claims and the verdict."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import craik
from craik.core.errors import DataError
from craik.data.durable import write
from craik.eval.check import Check, Claim, Trial

Verdict = Literal["verified", "fails its check", "incomplete", "development seeds"]

FORMAT = 1
"""The version of the file this craik writes."""

HOME = Path(craik.__file__).parents[1] / "evidence"
"""Where evidence lies in a checkout."""

RULE = (
    "A run of a trial on a seed is used again only if its `code` is that of now: a hash of every craik module that the "
    "recipe and the trial's world reach (without comments, docstrings and layout) and of the versions of torch, numpy "
    "and gymnasium. A trial is judged on runs of one code, that of the newest: a mean over two models is the mean of "
    "neither. Claims are judged anew from the figures each time. Runs of trials that were not asked for stay as they "
    "are, with the code and commit they were made with. A run that failed fails every claim of its trial."
)
"""How a file comes about; it says so itself."""

Record = dict[str, Any]
"""One run of a trial on one seed, as it stands in the file."""


def assemble(
    name: str, system: str, check: Check, runs: Mapping[str, Mapping[int, Record]], seeds: Sequence[int]
) -> dict:
    """The whole file, from the runs there are.

    Args:
        name: the recipe.
        system: its system's id.
        check: what is judged.
        runs: trial -> seed -> record.
        seeds: which seeds are judged on.
    """
    trials = {t.name: _trial(t, runs.get(t.name, {}), seeds) for t in check.trials}
    return {
        "format": FORMAT,
        "recipe": name,
        "system": system,
        "verdict": _verdict(list(trials.values()), tuple(seeds) == check.seeds),
        "seeds": list(seeds),
        "command": f"craik verify {name}",
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "rule": RULE,
        "trials": trials,
    }


def judge(claim: Claim, means: Mapping[str, float]) -> dict[str, Any]:
    """A claim, judged on figures: what it says, the figure, the bound, and whether it holds.

    A figure that is missing or no number fails the claim.
    """
    value = means.get(claim.figure, math.nan)
    over = means.get(claim.over, math.nan) if isinstance(claim.over, str) else claim.over
    bound = claim.factor * over + claim.margin
    holds = value <= bound if claim.below else value >= bound
    return {
        "says": claim.says,
        "figure": claim.figure,
        "value": _finite(value),
        "must be": "at most" if claim.below else "at least",
        "bound": _finite(bound),
        "over": claim.over,
        "factor": claim.factor,
        "margin": claim.margin,
        "source": claim.source,
        "holds": bool(holds),
    }


def read(path: Path) -> dict[str, Any] | None:
    """A file of evidence; None if there is none.

    Raises:
        DataError: if it is no evidence, or a newer craik wrote it.
    """
    try:
        data = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise DataError(f"{path} is not JSON: {error}", "restore it from git, or delete it and verify again") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise DataError(
            f"{path} is not evidence in format {FORMAT}", "pip install -U craik, or delete it and verify again"
        )
    return data


def runs_of(data: Mapping[str, Any] | None) -> dict[str, dict[int, Record]]:
    """The runs in a file: trial -> seed -> record."""
    trials = data["trials"] if data else {}
    return {name: {int(seed): dict(r) for seed, r in t["runs"].items()} for name, t in trials.items()}


def save(path: Path, data: Mapping[str, Any]) -> None:
    """Writes a file of evidence, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, (json.dumps(data, indent=1, allow_nan=False) + "\n").encode())


def _trial(trial: Trial, runs: Mapping[int, Record], seeds: Sequence[int]) -> dict[str, Any]:
    """A trial's part of the file."""
    kept = {seed: runs[seed] for seed in seeds if seed in runs}
    newest = max(kept.values(), key=lambda run: run["started"])["code"] if kept else None
    there = {seed: run for seed, run in kept.items() if run["code"] == newest}
    failed = [seed for seed, run in there.items() if run["error"]]
    done = [run["figures"] for run in there.values() if not run["error"]]
    names = [k for k in done[0] if all(k in f for f in done)] if done else []
    means = {k: _mean([f[k] for f in done]) for k in names}
    cost = [run["cpu_minutes"] for run in there.values() if run["cpu_minutes"] is not None]
    within = Claim(
        "most_cpu_minutes", trial.minutes, f"each seed takes at most {trial.minutes:g} CPU minutes", below=True
    )
    judged = [judge(claim, means) for claim in trial.claims]
    judged.append(judge(within, {"most_cpu_minutes": max(cost, default=math.nan)}))
    for each in judged:
        each["holds"] = each["holds"] and not failed and bool(there)
    return {
        "world": trial.world,
        "complete": len(there) == len(seeds),
        "failed_seeds": failed,
        "means": {k: _finite(v) for k, v in means.items()},
        "claims": judged,
        "runs": {str(seed): run for seed, run in kept.items()},
    }


def _verdict(trials: Sequence[Mapping[str, Any]], official: bool) -> Verdict:
    if not official:
        return "development seeds"
    for trial in trials:
        if trial["failed_seeds"] or (trial["complete"] and not all(c["holds"] for c in trial["claims"])):
            return "fails its check"
    return "verified" if trials and all(trial["complete"] for trial in trials) else "incomplete"


def _mean(values: Sequence[float | None]) -> float:
    return math.nan if any(v is None for v in values) else sum(values) / len(values)  # type: ignore[arg-type]


def _finite(x: float) -> float | None:
    """A number as JSON can hold it: null for what is none."""
    return float(x) if math.isfinite(x) else None
