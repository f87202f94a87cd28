"""Axis L: captions of the world's own for what is imagined, told from those of what might have come instead."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from craik.eval.card.action import fork
from craik.eval.card.exam import Exam
from craik.eval.card.instrument import Instrument
from craik.eval.card.judge import as_states
from craik.eval.card.score import Score
from craik.eval.card.subject import Subject

STEP = 8
"""Steps after which what is imagined is put in words."""


def captions(exam: Exam, states: np.ndarray) -> list[list[list[str]]]:
    """The words of states [E, K, D] of these worlds, [E][K][words]."""
    e, k = states.shape[:2]
    told = exam.world.captions(states.reshape(e * k, -1), exam.factors(k))
    return [[told[i * k + j].split() for j in range(k)] for i in range(e)]


def edits(one: list[str], other: list[str]) -> int:
    """Words to be put in, left out or replaced to make one sentence the other (Levenshtein 1966)."""
    row = list(range(len(other) + 1))
    for i, word in enumerate(one):
        last, row[0] = row[0], i + 1
        for j, there in enumerate(other):
            last, row[j + 1] = row[j + 1], min(row[j + 1] + 1, row[j] + 1, last + (word != there))
    return row[-1]


def paired(ours: list[list[list[str]]], true: list[list[list[str]]]) -> np.ndarray:
    """[E] how often the true caption is nearer to ours than that of another future of the same moment.

    Of the K futures those two are asked about whose captions differ in the fewest words: a minimal pair. Both ways
    count, and ties for half, so that one who says the same of both gets exactly 1/2. NaN where no two differ.
    """
    found = np.full(len(true), np.nan)
    for e, (guess, told) in enumerate(zip(ours, true)):
        apart = {pair: edits(told[pair[0]], told[pair[1]]) for pair in combinations(range(len(told)), 2)}
        apart = {pair: far for pair, far in apart.items() if far}
        if apart:
            i, j = min(apart, key=lambda pair: apart[pair])
            nearer = [edits(guess[x], told[y]) - edits(guess[x], told[x]) for x, y in ((i, j), (j, i))]
            found[e] = np.mean([0.5 + 0.5 * np.sign(far) for far in nearer])
    return found


def caption_scores(
    subject: Subject, exam: Exam, instrument: Instrument, nulls: list[tuple[Subject, Instrument]]
) -> list[Score]:
    """`lang.pair@h:ar`: paired accuracy of captions in minimal pairs (`paired`), where the state is read whole."""
    (e, k, _), step = exam.shape, min(STEP, exam.shape[2])
    true = captions(exam, exam.states[:, :, step - 1])

    def judged(who: Subject, by: Instrument) -> np.ndarray:
        read = by.read(who, fork(who, exam).states[:, step - 1 : step])
        return paired(captions(exam, as_states(exam, by, read).reshape(e, k, -1)), true)

    seen = [as_states(exam, instrument, instrument.floor(subject, exam, i)[:, step - 1 : step])[:, 0] for i in range(k)]
    values = judged(subject, instrument)
    if not np.isfinite(values).any():
        return []
    return [
        Score(
            f"lang.pair@{step}:ar",
            "L",
            values,
            more=True,
            says=f"which of two captions is true of what is imagined, {step} steps ahead; 1/2 is chance",
            instrument=instrument.name,
            floor=paired(captions(exam, np.stack(seen, 1)), true),
            nulls={who.name: judged(who, by) for who, by in nulls} | {"chance": np.full(1, 0.5)},
        )
    ]
