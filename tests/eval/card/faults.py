"""Exams of models wrong in one known way, for tests of the axes."""

from __future__ import annotations

from collections.abc import Callable

from craik.core.model import WorldModel
from craik.eval.card.exam import Exam
from craik.eval.card.instrument import Instrument, instrument_for
from craik.eval.card.score import Score
from craik.eval.card.subject import Subject
from craik.eval.pretend import Frozen, IgnoredActions
from craik.worlds.oracle import Oracle

Make = Callable[[Oracle], WorldModel]
Nulls = list[tuple[Subject, Instrument]]


def candidate(exam: Exam, make: Make) -> tuple[Subject, Instrument, Nulls]:
    """A pretender over the oracle, its instrument, and the two that know nothing."""
    oracle = Oracle.of(exam.id)
    subject = Subject(make(oracle), "tested")
    instrument = instrument_for(subject, exam, exam)
    assert instrument is not None
    nulls = [(Subject(Frozen(oracle), "frozen"), instrument), (Subject(IgnoredActions(oracle), "ignored"), instrument)]
    return subject, instrument, nulls


def named(scores: list[Score]) -> dict[str, Score]:
    """Scores by id without the mode."""
    return {s.id.partition(":")[0]: s for s in scores}
