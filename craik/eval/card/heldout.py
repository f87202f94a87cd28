"""Axis A, held-out actions: what a model loses where it is asked about actions that its training never had."""

from __future__ import annotations

import numpy as np

from craik.eval.card.action import STEPS, Forks, effect_r2, effects, fork, retrieval, retrieval_floor
from craik.eval.card.exam import Exam
from craik.eval.card.instrument import Instrument
from craik.eval.card.nulls import Null
from craik.eval.card.score import Score, average
from craik.eval.card.subject import Subject

RESAMPLES = 1_000
"""Of the episodes, for intervals of what is no mean."""

APART = 1e-3
"""Standard deviations of a number of the state by which futures differ that are not the same."""


def heldout_scores(subject: Subject, exam: Exam, instrument: Instrument | None, nulls: list[Null]) -> list[Score]:
    """`act.heldout.retrieval@K,h` and `act.heldout.effect_r2@h`: on held-out minus on matched actions.

    0 is losing nothing, as the truth does, and as who never hears of actions does; read it beside the metric itself.
    Moments count where all futures truly differ, of both kinds. There is nothing here unless the exam is of a defiant
    split (`craik.worlds.splits`).
    """
    if exam.usual is None:
        return []
    both = [fork(subject, each) for each in (exam, exam.usual)]
    steps = [s for s in STEPS[1:] if s <= exam.shape[2]] or STEPS[:1]
    return [score for step in steps for score in _scores(both, step, instrument)]


def _scores(both: list[Forks], step: int, instrument: Instrument | None) -> list[Score]:
    """Those at one step, from the forks of held-out and of matched actions."""
    futures = both[0].exam.shape[1]
    keep = distinct(both[0].exam, step) & distinct(both[1].exam, step)
    asked, usual = (retrieval(each, step, instrument) for each in both)
    floors = [retrieval_floor(each, step, instrument) for each in both]
    scores = [
        Score(
            f"act.heldout.retrieval@{futures},{step}:ar",
            "A",
            np.where(keep, asked - usual, np.nan),
            more=True,
            says=f"which of {futures} futures follows, on held-out actions minus on ones like them that training had",
            floor=floors[0] - floors[1],
        )
    ]
    if instrument is None:
        return scores
    parts = [effect_r2(effects(each, instrument, step)) for each in both]
    values, drawn = _between(*(np.where(keep, x, np.nan) for part in parts for x in part))
    effect = Score(
        f"act.heldout.effect_r2@{step}:ar",
        "A",
        values,
        more=True,
        says="differences between futures explained, on held-out actions minus on ones like them that training had",
        instrument=instrument.name,
        floor=np.zeros(1),
        drawn=drawn,
    )
    return [*scores, effect]


def distinct(exam: Exam, step: int) -> np.ndarray:
    """[E] bool: whether the futures of a moment all differ at a step."""
    numbers = exam.numbers()[:, :, step - 1] / exam.scale
    far = np.abs(numbers[:, :, None] - numbers[:, None]).max(-1) + np.eye(exam.shape[1])
    return far.min((1, 2)) > APART


def _between(
    asked: np.ndarray, heavy: np.ndarray, usual: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The difference of two weighted means: [E] values whose plain mean it is, and it on resamples of the episodes."""
    keep = np.flatnonzero(np.isfinite(asked))
    if not len(keep):
        return asked, np.zeros(0)
    shares = [w / max(w[keep].mean(), 1e-12) for w in (heavy, weights)]
    picks = np.random.default_rng(0).choice(keep, (RESAMPLES, len(keep)))
    drawn = np.array([average(asked[p], heavy[p]) - average(usual[p], weights[p]) for p in picks])
    return asked * shares[0] - usual * shares[1], drawn[np.isfinite(drawn)]
