"""What knows nothing, and what every model is measured against beside the truth."""

from __future__ import annotations

from craik.core.model import WorldModel
from craik.eval.card.exam import Exam
from craik.eval.card.instrument import Instrument, Parsed, Spoken, Told
from craik.eval.card.subject import Subject
from craik.eval.pretend import Frozen, IgnoredActions
from craik.eval.pretenders.memory import Straight
from craik.worlds.oracle import Oracle

Null = tuple[Subject, Instrument]
"""A model that knows nothing, and what reads it in the same numbers as the model that is judged."""


def oracle_for(exam: Exam, views: tuple[str, ...] = ("state",)) -> Oracle:
    """The oracle of an exam's world, which says the state and these views."""
    shown = "+".join(dict.fromkeys(("state", *views)))
    return Oracle.of(exam.id, obs=shown, size=exam.world.size)


def nulls_for(exam: Exam, instrument: Instrument) -> list[Null]:
    """A frozen world, one that ignores actions, and one in which everything goes straight on."""
    view = {Parsed: "pixels", Spoken: "text"}.get(type(instrument))
    oracle = oracle_for(exam, (view,) if view else ())
    reader = instrument if view else Told(exam)
    models: dict[str, WorldModel] = {
        "frozen": Frozen(oracle),
        "ignored": IgnoredActions(oracle),
        "straight": Straight(oracle),
    }
    return [(Subject(model, name), reader) for name, model in models.items()]
