"""What knows nothing, and what every model is measured against beside the truth."""

from __future__ import annotations

import torch

from craik.core import tree
from craik.core.model import WorldModel
from craik.eval.card.exam import Exam
from craik.eval.card.instrument import Instrument, Parsed, Spoken, Told
from craik.eval.card.subject import Subject
from craik.eval.pretend import Frozen, IgnoredActions, Pretender
from craik.eval.pretenders.memory import Straight
from craik.worlds.oracle import Oracle

Null = tuple[Subject, Instrument]
"""A model that knows nothing, and what reads it in the same numbers as the model that is judged."""


class Once(Pretender):
    """Imagines once what would be imagined several times: rows that follow rows with equal beliefs and actions.

    A planner tries many actions from every belief; to who hears none of them they are all the same. Chance is drawn row
    by row, so that with a generator every row is imagined by itself where there is chance.

    Args:
        oracle: whose rows do not depend on one another.
    """

    def __init__(self, oracle: Oracle):
        super().__init__(oracle)
        self.lucky = oracle.laws.LUCKY

    def rollout(self, state, actions, *, generator=None):  # noqa: ANN001, ANN201, D102
        if generator is not None and self.lucky:
            return self.model.rollout(state, actions, generator=generator)
        new = torch.ones(len(actions), dtype=torch.bool)
        new[1:] = torch.stack([_differ(x) for x in (*tree.leaves(state), actions)]).any(0)
        states = self.model.rollout(tree.index(state, new), actions[new], generator=generator)
        return tree.index(states, new.cumsum(0) - 1)


def _differ(x: torch.Tensor) -> torch.Tensor:
    """[B - 1] bool: whether rows of x [B, ...] differ from those before."""
    return (x[1:] != x[:-1]).flatten(1).any(1) if x.dim() > 1 else x[1:] != x[:-1]


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
        "ignored": IgnoredActions(Once(oracle)),
        "straight": Straight(oracle),
    }
    return [(Subject(model, name), reader) for name, model in models.items()]
