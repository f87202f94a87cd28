"""What a model has cost, and what is equal between models that are compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch.utils.flop_counter import FlopCounterMode

from craik.eval.card.cost import Machine, flops
from craik.eval.card.exam import Exam
from craik.eval.card.subject import Subject
from craik.eval.contract.experience import random_batch
from craik.train.learner import Learner
from craik.train.log import read
from craik.train.run import Run, assemble, commit

EQUALITY = {
    "E1": "the same data",
    "E2": "the same data, and operations of training equal to a tenth",
    "E3": "the same data, and the same time on the same machine",
    "E4": "the same data, and the same operations in all, those of deciding over N episodes included",
}
"""What a comparison holds equal. Every card names one; a table of several cards claims no more than the weakest."""


def ledger(subject: Subject, exam: Exam, run: Run | None = None) -> dict[str, Any]:
    """What a comparison at any of these levels needs to know of a model, ready for JSON.

    `flops_step` is of one imagined step at batch 1. Of a run, too: the recipe, the data, minutes, environment steps and
    updates of its training, `flops_update` of one update and `flops_train` of all. Operations are those of matrix
    products, convolutions and attention (`torch.utils.flop_counter`), a multiplication and an addition being two.
    """
    here = {"commit": commit(), "machine": str(Machine.here())}
    found: dict[str, Any] = {"flops_step": flops(subject, exam), **here}
    if run is None:
        return found
    each = update_flops(run)
    found |= {"recipe": run.config.recipe, "recipe_size": run.config.size, "train_seed": run.config.seed}
    found |= {"data": run.config.data or run.config.world, "train_steps": run.steps, "train_updates": run.updates}
    found |= {"flops_update": each, "flops_train": each * run.updates}
    if run.path is not None and (run.path / "log.jsonl").exists():
        found["train_minutes"] = round(minutes(run.path / "log.jsonl"), 2)
    return found


def update_flops(run: Run) -> int:
    """Operations of one update as the run makes them, forwards and backwards, of model and agent: counted on a copy."""
    again = assemble(run.config)
    learner = Learner(again.model.train(), again.agent.train(), again.training, 0)
    batch = random_batch(again.spec, again.training.batch, again.training.length, (0,))
    with FlopCounterMode(display=False) as counted:
        learner.update(batch)
    return int(counted.get_total_flops())


def minutes(log: Path) -> float:
    """Minutes of training that a run's log tells of, of all processes that went on with it."""
    total = last = 0.0
    for record in read(log):
        if record.get("event") == "resume":
            total, last = total + last, 0.0
        last = max(last, float(record.get("seconds", 0.0)))
    return (total + last) / 60
