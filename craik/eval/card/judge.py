"""What a model says its imagination is worth: by its own reward, or by the world's of what is read off it."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from craik.core.state import State
from craik.eval.card.exam import Exam
from craik.eval.card.instrument import Instrument, reading
from craik.eval.card.subject import Subject, knows


def blind(subject: Subject, exam: Exam) -> bool:
    """Whether a model cannot know the goal: no view of an exact world shows it, and only the oracle is told."""
    return exam.world.HAS_GOAL and knows(subject.model) is None


def judges(subject: Subject, exam: Exam, instrument: Instrument | None) -> bool:
    """Whether `worth` can say anything."""
    own = "reward" in subject.model.spec.reads and not blind(subject, exam)
    return own or (instrument is not None and instrument.whole)


def worth(subject: Subject, exam: Exam, instrument: Instrument | None, states: State, actions: Tensor) -> np.ndarray:
    """[N, H] the rewards of imagined steps, 0 once the episode is thought to be over.

    Args:
        subject: who imagined. Its own reward counts, unless it cannot know the goal.
        exam: the moments; N is a multiple of E, all of a moment's rows together.
        instrument: else, what reads the state off it, which the world's own reward then judges.
        states: beliefs, axes [N, H].
        actions: [N, H, ...] that led to them.
    """
    if "reward" in subject.model.spec.reads and not blind(subject, exam):
        paid = reading(subject, states, "reward").astype(float)
        if "proceed" not in subject.model.spec.reads:
            return paid
        alive = reading(subject, states, "proceed").astype(float).cumprod(1)
        return paid * np.concatenate([np.ones_like(alive[:, :1]), alive[:, :-1]], 1)
    found = physics(subject, exam, instrument, states)
    (n, h), world = found.shape[:2], exam.world
    k = n // len(exam.states)
    before = np.concatenate([np.repeat(world.state, k, 0)[:, None], found[:, :-1]], 1)
    goal, factors = np.repeat(world.goal, k * h, 0), exam.factors(k * h)
    flat = [x.reshape(n * h, -1) for x in (before, found)]
    effort = world.effort(actions.flatten(0, 1).cpu().numpy())
    paid = world.reward(flat[0], effort, flat[1], goal, factors).reshape(n, h)
    going = world.proceed(flat[1]).reshape(n, h).cumprod(1)
    return paid * np.concatenate([np.ones_like(going[:, :1]), going[:, :-1]], 1)


def physics(subject: Subject, exam: Exam, instrument: Instrument | None, states: State) -> np.ndarray:
    """[N, H, D] the physical states that an instrument reads off beliefs with axes [N, H]; see `as_states`."""
    assert instrument is not None
    return as_states(exam, instrument, instrument.read(subject, states))


def as_states(exam: Exam, instrument: Instrument, read: np.ndarray, moments: np.ndarray | None = None) -> np.ndarray:
    """Physical states [N, H, D] that show numbers [N, H, S] read by an instrument that is whole.

    Numbers that never vary in an exam have no scale to be read on; they, and what is not said, are taken from the
    moments. Numbers that are always whole are rounded, and kept within their bounds: there is no room two and a half.

    Args:
        exam: the moments.
        instrument: what read them.
        read: the numbers.
        moments: [N] which moment each row is of; by default N is a multiple of E, all of a moment's rows together.
    """
    assert instrument.whole, "places in a picture are no full state"
    n, h = read.shape[:2]
    fixed = ~np.isfinite(instrument.scale) | ~np.isfinite(read)
    rows = np.repeat(np.arange(len(exam.states)), n // len(exam.states)) if moments is None else moments
    usual = exam.world.numbers(exam.world.state)[rows]
    numbers = np.where(fixed, usual[:, None], np.where(fixed, 0.0, read) * np.where(fixed, 0.0, instrument.scale))
    bounds = exam.world.space
    numbers = np.where(exam.whole, np.clip(np.round(numbers), bounds.low, bounds.high), numbers)
    return exam.world.invert(numbers.reshape(n * h, -1)).reshape(n, h, -1)
