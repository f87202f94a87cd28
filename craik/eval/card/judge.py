"""What a model says its imagination is worth: by its own reward, or by the world's of what is read off it."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from craik.core.state import State
from craik.eval.card.exam import Exam
from craik.eval.card.instrument import Instrument, Probed, Told, reading
from craik.eval.card.subject import Subject, knows


def blind(subject: Subject, exam: Exam) -> bool:
    """Whether a model cannot know the goal: no view of an exact world shows it, and only the oracle is told."""
    return exam.world.HAS_GOAL and knows(subject.model) is None


def judges(subject: Subject, exam: Exam, instrument: Instrument | None) -> bool:
    """Whether `worth` can say anything."""
    own = "reward" in subject.model.spec.reads and not blind(subject, exam)
    return own or isinstance(instrument, Told | Probed)


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
    assert isinstance(instrument, Told | Probed), "places in a picture are no full state"
    return as_states(exam, instrument, instrument.read(subject, states))


def as_states(exam: Exam, instrument: Told | Probed, read: np.ndarray) -> np.ndarray:
    """Physical states [N, H, D] that show numbers [N, H, S] read by an instrument.

    Numbers that never vary in an exam have no scale to be read on; they are taken from the moments.
    """
    n, h = read.shape[:2]
    fixed = ~np.isfinite(instrument.scale)
    usual = np.repeat(exam.world.numbers(exam.world.state), n // len(exam.states), 0)
    numbers = np.where(fixed, usual[:, None], read * np.where(fixed, 0.0, instrument.scale))
    return exam.world.invert(numbers.reshape(n * h, -1)).reshape(n, h, -1)
