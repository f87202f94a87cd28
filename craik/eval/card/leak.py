"""Whether what is asked was in the lessons: moments and stretches of an exam that training data holds."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from craik.core.errors import DataError
from craik.data.episode import Episode
from craik.eval.card.exam import Exam

STRETCH = 8
"""Arrivals in a row that are compared."""

DIGITS = 4
"""Decimals kept of numbers; pictures are compared as they are."""


def leaks(exam: Exam, lessons: Iterable[Episode]) -> np.ndarray:
    """[E] bool: whether a moment, or a stretch of `STRETCH` arrivals around or after it, is among the lessons.

    Args:
        exam: what is asked.
        lessons: what was learned from, with "state" or else "pixels" among its observations.

    Raises:
        DataError: if lessons and exam show nothing in common.
    """
    shown = [k for k in ("state", "pixels") if k in exam.context.obs]
    known: dict[str, set[bytes]] = {k: set() for k in shown}
    seen_any = False
    for episode in lessons:
        for name in shown:
            if name in episode.obs:
                seen_any = True
                known[name] |= set(_stretches(episode.obs[name]))
    if not seen_any:
        raise DataError(f"the lessons show none of {', '.join(shown)}", "compare data of the same world")
    found = np.zeros(len(exam.states), bool)
    for name in shown:
        path = np.concatenate([exam.context.obs[name].numpy(), exam.look(name, exam.states[:, 0])], 1)
        found |= np.array([any(s in known[name] for s in _stretches(row)) for row in path])
    return found


def refuse(exam: Exam, lessons: Iterable[Episode]) -> None:
    """Nothing, if the exam is fair.

    Raises:
        DataError: if some of it was in the lessons.
    """
    found = leaks(exam, lessons)
    if found.any():
        raise DataError(
            f"{found.sum()} of {len(found)} moments of this exam were in the training data",
            "draw the exam from another seed, or train on other data",
        )


def _stretches(path: np.ndarray) -> list[bytes]:
    """Every stretch of an episode [T + 1, ...], as bytes; and its beginning, however short it is."""
    whole = path.dtype == np.uint8
    flat = path.reshape(len(path), -1)
    flat = flat if whole else np.round(flat.astype(np.float64), DIGITS) + 0.0  # no -0
    if len(flat) <= STRETCH:
        return [flat.tobytes()]
    return [flat[i : i + STRETCH].tobytes() for i in range(len(flat) - STRETCH + 1)]
