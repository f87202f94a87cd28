"""Who is graded by the commands: a run, or a model that is wrong in a known way; and what it is asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from craik.core.errors import CraikError
from craik.core.model import WorldModel
from craik.data.coverage import coverage
from craik.data.store import EpisodeStore
from craik.eval.bench.rounds import grade_within
from craik.eval.card.card import Card
from craik.eval.pretenders.known import pretender
from craik.train.run import Run, load
from craik.worlds.splits import split_of
from craik.worlds.tiers import told

AT_USUAL = ("test-iid", "test-policy")
"""Splits that make sense where training left out neither constants nor actions."""


@dataclasses.dataclass(frozen=True)
class Candidate:
    """Who is graded.

    Attributes:
        name: for cards and their folder.
        model: the model for a world.
        run: where it comes from; None for a pretender.
    """

    name: str
    model: Callable[[str], WorldModel]
    run: Run | None = None

    @property
    def home(self) -> str:
        """The world it was trained in; "" if none."""
        return world_of(self.run) if self.run is not None else ""

    def asked(self, world: str, split: str) -> dict[str, Any]:
        """What it is asked in a world, for `grade`; "" for the usual split."""
        return questions(world, split, self.run)

    def grade(self, world: str, seconds: float, **how: Any) -> Card:
        """Its card; see `grade_within`."""
        return grade_within(self.model(world), world, seconds, name=self.name, **how)


def candidate(who: str) -> Candidate:
    """The run in a folder, or a pretender of that name in each world."""
    if not Path(who).is_dir():
        return Candidate(who, lambda world: pretender(who, world))
    trained = load(Path(who))
    return Candidate(Path(who).resolve().name, lambda world: trained.model, trained)


def questions(world: str, split: str, run: Run | None) -> dict[str, Any]:
    """What a model is asked: the split, at the constants it was trained at; and what it knows, and comes from.

    Models that learned from a tier of data are asked by the splits of that data. Others were trained at the usual
    constants, with any action.

    Raises:
        CraikError: if the split is about what training left out, and this run's training left out nothing.
    """
    if run is None:
        return {"split": split_of(world, split) if split else None}
    about = told(run.config.data) if run.config.data else None
    if about is None or about["split"]["world"] != world:  # what data left out in another world says nothing of this
        found = split_of(world, split or "test-iid")
        if found.name not in AT_USUAL:
            raise CraikError(
                f"{found.name} asks for what training left out, and this run left out nothing",
                "train it on a tier of data (craik collect --tier), or ask for --shifts",
            )
        return {"split": found.usual() if split else None, "run": run}
    return {"run": run, **of_tier(world, split, run.config.data, about)}


def of_tier(world: str, split: str, data: str, about: Mapping[str, Any]) -> dict[str, Any]:
    """What those are asked who learned from a tier of data of this world: by its splits, and what they know.

    Args:
        world: the world's id.
        split: which; `test-iid` by default.
        data: the tier's folder.
        about: what it says of itself.
    """
    store = EpisodeStore.open(data, read_only=True)
    known = coverage(map(store.read, store.ids), store.spec.action) if "state" in store.spec.obs.spaces else None
    return {"split": split_of(world, split or "test-iid", about["split"]["rule"]), "known": known}


def world_of(run: Run) -> str:
    """The world that a run was trained in, or that its tier of data is from; "" if nothing says."""
    about = told(run.config.data) if run.config.data else None
    return run.world or (about["split"]["world"] if about else "")
