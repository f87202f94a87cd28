"""A player without a model who learns on the spot from a tier of data, to be graded as models are."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from rich.progress import Progress

from craik.cli.candidate import of_tier
from craik.core.errors import CraikError, UnknownName
from craik.eval.card.card import Card
from craik.eval.players.grade import Pupil, grade_player
from craik.eval.players.learn import PLAYERS, learn
from craik.eval.players.lessons import about, gather


@dataclasses.dataclass(frozen=True)
class Learner:
    """Who is graded; beside `craik.cli.candidate.Candidate`.

    Attributes:
        pupil: the player.
        data: the tier that it learned from.
    """

    pupil: Pupil
    data: Path

    @property
    def name(self) -> str:
        """For cards and their folder."""
        return self.pupil.name

    @property
    def home(self) -> str:
        """The world that its data is of."""
        return self.pupil.world

    def asked(self, world: str, split: str) -> dict[str, Any]:
        """What it is asked in a world, for `grade`: a split of its data; nothing in another world."""
        return of_tier(world, split, str(self.data), about(self.data)) if world == self.home else {}

    def grade(self, world: str, seconds: float, **how: Any) -> Card:
        """Its card; see `grade_player`."""
        return grade_player(self.pupil, world, seconds, **how)


def learner(name: str, data: Path | None, seed: int, updates: int, bars: Progress) -> Learner:
    """A player of this name that learns from this data, with a bar.

    Raises:
        CraikError: if there is no such player, or no data to learn from.
    """
    if name not in PLAYERS:
        raise UnknownName("player without a model", name, PLAYERS)
    if data is None:
        raise CraikError(
            f"{name} learns from data, and none was named",
            f"craik collect craik/Bounce-v0 DATA --tier S, then: --player {name} --data DATA",
        )
    told, lessons = about(data), gather(data)
    bar = bars.add_task(f"{name} learns", total=updates, says=f"{len(lessons):,} steps")
    player, facts = learn(name, lessons, seed, updates, lambda done: bars.update(bar, completed=done))
    facts = {"player": name, "data": str(data), "tier": told.get("tier", ""), **facts}
    return Learner(Pupil(f"{name}-{seed}", player, told["split"]["world"], facts), data)
