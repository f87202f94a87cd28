"""Filming: the strips of a model at the moment where what is done matters most."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import torch

from craik.core import tree
from craik.core.state import State
from craik.eval.card.exam import Exam
from craik.eval.card.fidelity import draws
from craik.eval.card.instrument import Instrument, reading
from craik.eval.card.judge import as_states
from craik.eval.card.strips import Strips
from craik.eval.card.subject import Subject
from craik.parts.actions.vector import ActionVector

STEPS = (1, 2, 4, 8, 16)
"""Steps after which there is a picture."""

FUTURES = 3
"""Futures that are shown."""

MOMENTS = 16
"""Moments of which one is shown, from the front of the exam: models that do unequally much share these."""

APART = 8
"""Steps after which the futures of a moment are told apart, to choose it."""


@torch.no_grad()
def film(subject: Subject, exam: Exam, instrument: Instrument | None) -> Strips:
    """The strips of one moment of an exam.

    A model that draws pictures shows its own. Of any other one the world draws the state that is read off it, if that
    can be read whole. What cannot be had is left out, and `Strips.says` tells why. The moment is chosen by the truth
    alone: every model that sits an exam with pictures as large is shown at the same one.

    Args:
        subject: whose.
        exam: what on.
        instrument: what reads the state; None if nothing can.
    """
    row, k = telling(exam), min(FUTURES, exam.shape[1])
    one, steps = exam.part(slice(row, row + 1)), tuple(h for h in STEPS if h <= exam.shape[2])
    path = np.concatenate([np.repeat(one.world.state[:, None, None], k, 1), one.states[:, :k]], 2)
    true = one.look("pixels", path[:, :, [0, *steps]])[0]
    actions = one.actions[0, :k]
    ours, says = true[:0], "no pictures: it draws none, and its state cannot be read whole"
    if draws(subject) or (instrument is not None and instrument.whole):
        belief = tree.repeat(subject.believe(one), k)
        dreamt = subject.dream(belief, actions[:, : steps[-1]])[:, [h - 1 for h in steps]]
        states = tree.cat([tree.map(lambda x: x[:, None], belief), dreamt], 1)
        ours, says = _pictures(subject, exam, instrument, row, states)
    vectors = ActionVector(one.world.single_action_space)(actions).numpy().astype(np.float32)
    return Strips(row, steps, says, vectors, true, ours)


def telling(exam: Exam) -> int:
    """The moment whose futures differ most in pictures: the two that are most alike after `APART` steps, at least.

    Moments after which no episode ends go before others: where it has ended, nothing moves.
    """
    k, step = min(FUTURES, exam.shape[1]), min(APART, exam.shape[2]) - 1
    front = exam.part(slice(MOMENTS))
    seen = front.look("pixels", front.states[:, :k, step]).astype(np.int16)
    gaps = [np.abs(seen[:, i] - seen[:, j]).mean((1, 2, 3)) for i, j in combinations(range(k), 2)]
    apart = np.min(gaps, 0) if gaps else np.zeros(len(seen))
    lasts = np.flatnonzero(~front.over[:, :k].any((1, 2)))
    return int(lasts[apart[lasts].argmax()] if len(lasts) else apart.argmax())


def _pictures(
    subject: Subject, exam: Exam, instrument: Instrument | None, row: int, states: State
) -> tuple[np.ndarray, str]:
    """Pictures [K, T, h, w, 3] of beliefs with axes [K, T] about one moment, and how they came about."""
    if draws(subject):
        return reading(subject, states, "pixels"), "drawn by the model"
    assert instrument is not None
    read = instrument.read(subject, states)
    physics = as_states(exam, instrument, read, np.full(len(read), row))
    return exam.part(slice(row, row + 1)).look("pixels", physics[None])[
        0
    ], f"drawn from what is read ({instrument.name})"
