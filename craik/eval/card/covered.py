"""How near an exam is to what was trained on: a covariate of every error."""

from __future__ import annotations

import numpy as np

from craik.data.coverage import Coverage
from craik.eval.card.exam import Exam
from craik.eval.card.ranking import spearman


def distances(exam: Exam, known: Coverage, k: int = 5) -> np.ndarray:
    """Distance of what is asked to what data holds: [E, K, H], the k-th nearest pair of state and action.

    Number t of a future is of the state before its action t, so that the first is the moment's own. Units are those
    of `Coverage`.
    """
    e, futures, _ = exam.shape
    here = np.broadcast_to(exam.world.state[:, None, None], (e, futures, 1, exam.states.shape[-1]))
    states = np.concatenate([here, exam.states[:, :, :-1]], 2)
    return known.distance(exam.look("state", states), exam.actions.numpy(), k)


def explained(errors: np.ndarray, far: np.ndarray) -> float:
    """Rank correlation (Spearman) of errors [E] with distances [E]: how much of an error is being far from the data."""
    keep = np.isfinite(errors) & np.isfinite(far)
    return float(spearman(guess=far[keep], true=errors[keep]).mean()) if keep.sum() > 2 else 0.0
