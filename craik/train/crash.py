"""The report of a run that diverged: what it learned from last, and what that did."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from safetensors.torch import save_file

from craik.core import tree
from craik.core.data import Batch
from craik.train.guard import Diverged
from craik.train.run import Run


def write(run: Run, error: Diverged, drawn: Iterable[Any], batches: Iterable[Batch]) -> None:
    """Writes `crash/update-N/`: `report.json` and the last batches, the newest last. Nothing for a run in memory.

    Args:
        run: the run.
        error: why it stopped.
        drawn: how each of the last batches was drawn: the state of the sampler's generator, and which episodes there
            were (how many, and the newest).
        batches: the last batches.
    """
    if run.path is None:
        return
    folder = run.path / "crash" / f"update-{run.updates:08d}"
    folder.mkdir(parents=True, exist_ok=True)
    about = {"what": error.what, "seed": run.config.seed, "updates": run.updates, "steps": run.steps}
    report = {**about, **error.bundle, "draws": list(drawn)}
    (folder / "report.json").write_text(json.dumps(report, indent=1))
    for number, batch in enumerate(batches):
        save_file(dict(tree.flatten(batch)), folder / f"batch-{number}.safetensors")
