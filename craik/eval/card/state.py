"""Axis S: how far what is imagined is from what comes true, and for how long it is near."""

from __future__ import annotations

import numpy as np

from craik.core import tree
from craik.eval.card.exam import Exam
from craik.eval.card.instrument import Instrument
from craik.eval.card.score import Score
from craik.eval.card.subject import Subject

HORIZONS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""The grid of horizons, in steps."""

EPSILON = 0.2
"""Error beyond which a prediction no longer helps: a fifth of a standard deviation (or of the picture)."""


def errors(subject: Subject, exam: Exam, instrument: Instrument) -> np.ndarray:
    """[E, H] error of what is imagined of the lived future."""
    states = subject.dream(subject.believe(exam), exam.actions[:, 0])
    return instrument.error(instrument.read(subject, states), instrument.truth(exam))


def stepwise(subject: Subject, exam: Exam, instrument: Instrument) -> np.ndarray:
    """[E, H - 1] error of single steps from beliefs that have seen all before."""
    watched = subject.watch(exam)
    e, _, h = exam.shape
    before = tree.merge(tree.index(watched, (slice(None), slice(0, h - 1))))
    actions = exam.actions[:, 0, 1:].flatten(0, 1)
    after = tree.split(subject.dream(before, actions[:, None])[:, 0], e)
    return instrument.error(instrument.read(subject, after), instrument.truth(exam)[:, 1:])


def floors(subject: Subject, exam: Exam, instrument: Instrument) -> np.ndarray:
    """[E, H] error of the instrument on the truth itself."""
    return instrument.error(instrument.floor(subject, exam), instrument.truth(exam))


def state_scores(
    subject: Subject, exam: Exam, instrument: Instrument, nulls: list[tuple[Subject, Instrument]]
) -> list[Score]:
    """`state.err@h:ar`, `state.err@1:tf`, `state.valid_horizon:ar` and `drift.growth:ar`.

    Args:
        subject: who is judged.
        exam: what on.
        instrument: what reads it.
        nulls: models that know nothing, with what reads them in the same numbers.
    """
    floor, ours = floors(subject, exam, instrument), errors(subject, exam, instrument)
    others = {s.name: errors(s, exam, i) for s, i in nulls}
    scores = [
        Score(
            f"state.err@{h}:ar",
            "S",
            ours[:, h - 1],
            more=False,
            says=f"error after {h} imagined steps, {instrument.unit}",
            instrument=instrument.name,
            floor=floor[:, h - 1],
            nulls={k: v[:, h - 1] for k, v in others.items()},
        )
        for h in HORIZONS
        if h <= exam.shape[2]
    ]
    scores.append(
        Score(
            "state.err@1:tf",
            "S",
            stepwise(subject, exam, instrument).mean(1),
            more=False,
            says=f"error of single steps after the true history, {instrument.unit}",
            instrument=instrument.name,
            floor=floor[:, 1:].mean(1),
            nulls={s.name: stepwise(s, exam, i).mean(1) for s, i in nulls},
        )
    )
    scores.append(
        Score(
            "state.valid_horizon:ar",
            "S",
            valid_horizon(ours),
            more=True,
            says=f"steps before the error first exceeds {EPSILON} {instrument.unit} (at most {exam.shape[2]})",
            instrument=instrument.name,
            floor=valid_horizon(floor),
            nulls={k: valid_horizon(v) for k, v in others.items()},
        )
    )
    return scores


def valid_horizon(error: np.ndarray, epsilon: float = EPSILON) -> np.ndarray:
    """[E] steps before an error curve [E, H] first exceeds `epsilon`; H, cut off, where it never does."""
    beyond = error > epsilon
    return np.where(beyond.any(1), beyond.argmax(1), error.shape[1]).astype(float)


def survival_median(horizon: np.ndarray, most: int) -> float:
    """The Kaplan-Meier median of horizons [E] that are cut off at `most`: infinite if more than half outlive it."""
    alive, rest = 1.0, len(horizon)
    for h in np.unique(horizon[horizon < most]):
        gone = (horizon == h).sum()
        alive *= 1 - gone / rest
        rest -= gone
        if alive <= 0.5:
            return float(h)
    return float("inf")
