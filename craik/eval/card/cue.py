"""Axis M: whether what was shown once decides, long after, what is expected: the code of the ray-cast hall."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping

import numpy as np

from craik.core.data import Batch
from craik.eval.card.action import fork
from craik.eval.card.claims import Idle
from craik.eval.card.exam import Exam
from craik.eval.card.instrument import Instrument, reading
from craik.eval.card.perform import Player, perform
from craik.eval.card.score import Score
from craik.eval.card.subject import Subject
from craik.worlds.exact import ExactWorld
from craik.worlds.policies import Script
from craik.worlds.raycode import DOORS, SHOWN, RayCode

STEPS = 48
"""Within which a door has to be entered."""


class ThroughDoor(Script):
    """Goes through one of the doors, as the pilot would if the code were that door's.

    Args:
        world: of `RayCode`; see `Script`.
        door: its number from the west.
    """

    def __init__(self, world: ExactWorld, door: int):
        super().__init__(world, 0)
        self.door = door

    def decide(self, first: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """See the class."""
        wished = copy.copy(self.world)
        wished.state = self.world.state.copy()
        wished.state[:, 6] = wished.state[:, 8 + self.door]
        return wished.guide()


def doors() -> Mapping[str, Player]:
    """One player for each door."""
    return {f"door {i}": lambda world, i=i: ThroughDoor(world, i) for i in range(len(DOORS))}  # type: ignore[misc]


def waited(exam: Exam, steps: int) -> Exam:
    """The same episodes so many steps of doing nothing later; what was seen meanwhile belongs to the context."""
    later = perform(exam, {"idle": lambda world: Idle(world, 0)}, steps)
    seen: Batch = later.lived(tuple(exam.context.obs))
    world = exam.world.select(np.arange(len(exam.states)))
    world.state = later.states[:, 0, -1].copy()
    return dataclasses.replace(later, world=world, context=seen)


def cue_scores(
    subject: Subject,
    exam: Exam,
    instrument: Instrument | None,
    nulls: list[tuple[Subject, Instrument]],
    tasks: int = 32,
) -> list[Score]:
    """`mem.recall@D:ar`: which of four doors pays, told by the code that was shown D steps before they opened.

    The model watches the code, D steps of grey doors and distractors, and the doors as they open. Of going through each
    of them it then says the reward: the share of moments at which the right one is said to pay most, ties split. What
    is seen is no help, as the doors' colours do not depend on the code; 1/4 is chance. None in other worlds, without a
    reward, or where moments have to wait unequally long. Those whose way does not reach a door do not count.
    """
    if not isinstance(exam.world, RayCode) or "reward" not in subject.model.spec.reads:
        return []
    exam = exam.part(slice(tasks))
    delta = exam.world.factors["delta"]
    left = np.ceil(SHOWN + delta) - exam.world.state[:, 5]
    if np.ptp(left) or left[0] < 1:
        return []
    tour = perform(waited(exam, int(left[0])), doors(), STEPS)
    paid, arrived = tour.rewards.sum(2), tour.over[..., -1].all(1)
    chosen = picked(paid_by(subject, tour), paid)
    return [
        Score(
            f"mem.recall@{round(float(delta[0]))}:ar",
            "M",
            np.where(arrived, chosen, np.nan),
            more=True,
            says=f"which of {len(DOORS)} doors pays, by a code seen {round(float(delta[0]))} steps before they opened",
            floor=np.where(arrived, picked(paid, paid), np.nan),
            nulls={"chance": np.full(len(paid), 1 / len(DOORS))},
        )
    ]


def paid_by(subject: Subject, tour: Exam) -> np.ndarray:
    """[E, K] the reward that a model says of each future, in all."""
    paid = reading(subject, fork(subject, tour).states, "reward").astype(float)
    return paid.reshape(tour.shape).sum(2)


def picked(said: np.ndarray, true: np.ndarray) -> np.ndarray:
    """[E] the chance to choose the future that truly pays most, by what is said of K: [E, K] each. Ties are split."""
    best = said >= said.max(1, keepdims=True) - 1e-9
    right = true >= true.max(1, keepdims=True) - 1e-9
    return (best & right).sum(1) / best.sum(1)
