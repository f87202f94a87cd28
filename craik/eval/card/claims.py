"""Axis A: whether a model claims success that does not come, under right and under wrong actions."""

from __future__ import annotations

import numpy as np
import torch

from craik.behave.agent import random_actions
from craik.eval.card.action import fork
from craik.eval.card.exam import Exam
from craik.eval.card.instrument import Instrument
from craik.eval.card.judge import as_states
from craik.eval.card.perform import Player, Reversed, perform
from craik.eval.card.score import Score
from craik.eval.card.subject import Subject
from craik.eval.pretend import idle
from craik.worlds.exact import ExactWorld
from craik.worlds.policies import Script, Seek


class Idle(Script):
    """Does nothing."""

    def decide(self, first: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """See the class."""
        return idle(self.world.single_action_space, len(first)).numpy()


class Drawn(Script):
    """Does anything, uniformly."""

    def __init__(self, world: ExactWorld, seed: int):
        super().__init__(world, seed)
        self.generator = torch.Generator().manual_seed(seed)

    def decide(self, first: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """See the class."""
        return random_actions(self.world.single_action_space, (len(first),), self.generator).numpy()


SOURCES: dict[str, Player] = {
    "expert": lambda w: Seek(w, 1, (1.0, 1.0)),
    "zero": lambda w: Idle(w, 2),
    "reversed": lambda w: Reversed(w, 3, Seek(w, 3, (1.0, 1.0))),
    "random": lambda w: Drawn(w, 4),
}
"""Where actions come from."""


def told(exam: Exam, states: np.ndarray) -> np.ndarray:
    """[E, K] bool: whether states [E, K, H, D] are ever at the goal."""
    e, k, h = states.shape[:3]
    flat = states.reshape(e * k * h, -1)
    there = exam.world.reached(flat, np.repeat(exam.world.goal, k * h, 0), exam.factors(k * h))
    return np.asarray(there.reshape(e, k, h).any(2))


def claimed(subject: Subject, tour: Exam, instrument: Instrument) -> np.ndarray:
    """[E, K] bool: whether what is imagined of each future is ever at the goal."""
    forks = fork(subject, tour)
    read = instrument.read(subject, forks.states)
    return told(tour, as_states(tour, instrument, read).reshape(*tour.shape, -1))


def claim_scores(
    subject: Subject,
    exam: Exam,
    instrument: Instrument | None,
    nulls: list[tuple[Subject, Instrument]],
    steps: int = 24,
) -> list[Score]:
    """`act.false_success:ar`, also by source of actions, and its mirror `act.false_failure:ar`.

    P(success claimed | true failure) and P(failure claimed | true success), under actions of `SOURCES`, from moments
    that are not at the goal already. A model that never claims anything has none of the first and all of the second:
    they are read together. None in worlds without a goal, and where the instrument does not read a full state.
    """
    if not exam.world.HAS_GOAL or instrument is None or not instrument.whole:
        return []
    tour = perform(exam, SOURCES, steps)
    true, ours = told(tour, tour.states), claimed(subject, tour, instrument)
    seen = np.stack([as_states(tour, instrument, instrument.floor(subject, tour, k)) for k in range(len(SOURCES))], 1)
    floor = told(tour, seen)
    there = exam.world.success()
    others = {s.name: claimed(s, tour, i) for s, i in nulls if i.whole}

    def score(name: str, wrong_if: bool, cols: slice, says: str) -> Score:
        def rate(said: np.ndarray) -> np.ndarray:
            wrong = np.where((true == wrong_if) | there[:, None], np.nan, said == wrong_if)
            return wrong[:, cols].reshape(-1)

        return Score(
            f"act.{name}@{steps}:ar",
            "A",
            rate(ours),
            more=False,
            says=says,
            instrument=instrument.name,
            floor=rate(floor),
            nulls={k: rate(v) for k, v in others.items()},
        )

    everything = slice(None)
    return [
        score("false_success", True, everything, "success claimed of true failures, under all sources of actions"),
        score("false_failure", False, everything, "failure claimed of true successes, under all sources of actions"),
        *(
            score(f"false_success.{name}", True, slice(i, i + 1), f"success claimed of true failures, {name} actions")
            for i, name in enumerate(SOURCES)
        ),
    ]
