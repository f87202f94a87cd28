"""Axis A: whether what was done can be told from what is imagined, by an inverse dynamics model of real frames."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from craik.eval.card.action import fork
from craik.eval.card.exam import Exam
from craik.eval.card.instrument import Instrument
from craik.eval.card.nulls import Null
from craik.eval.card.probe import Ridge, fit_ridge
from craik.eval.card.score import Score, average
from craik.eval.card.subject import Subject
from craik.parts.actions.vector import ActionVector

SOON = 12
"""Steps of a future that are looked at."""

AROUND = 2
"""Frames on either side of the one that an action leads to."""

JOLT = 6.0
"""Second differences so many times as large as the upper quartile are contacts: what is done does not show in them."""

TELLS = 0.1
"""By how much real frames have to tell more of what is done than those of models that know nothing."""

ENOUGH = 0.25
"""Windows that have to be left; with fewer, contacts are not left out."""


def inverse_scores(subject: Subject, exam: Exam, instrument: Instrument, nulls: list[Null]) -> list[Score]:
    """`act.idm_r2:ar` of continuous actions, or `act.idm_accuracy:ar` of choices (balanced over them).

    A ridge regression tells the action that led to a frame from this frame and `AROUND` more on either side, as the
    instrument reads them. It is learned on the truth of one half of the moments and judged on the other half, and the
    other way round. It sees whether actions have their effect and when, not whether other laws are right (EVALUATION,
    section 2.3). Contacts hide what is done: windows in which real frames are jolted are left out, for everybody.
    There is no score where real frames themselves do not tell (one line over all cells of a grid cannot).

    The null tells everybody the mean action, or chooses at random.
    """
    if exam.shape[2] <= 2 * AROUND:
        return []
    exam = _soon(exam)
    true = np.stack([instrument.floor(subject, exam, i) for i in range(exam.shape[1])], 1)
    done, keep = _asked(exam)
    keep &= _smooth(true)
    limits = done.min((0, 1, 2)), done.max((0, 1, 2))  # no action that nobody could take is ever told
    halves = [np.arange(len(done)) % 2 == i for i in (0, 1)]
    solvers = [_learn(_windows(true)[half], done[half], keep[half]) for half in halves]
    continuous = ActionVector(exam.world.single_action_space).continuous

    def rated(read: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        windows, guess = _windows(read), np.zeros(done.shape)
        for half, solver in zip(halves, reversed(solvers)):
            guess[half] = np.clip(solver(windows[half]), *limits)
        return _explained(guess, done, keep) if continuous else _right(guess, done, keep)

    values, weights = rated(true)
    floor, null = average(values, weights), 0.0 if continuous else 1 / done.shape[-1]
    if floor < null + TELLS:
        return []
    values, weights = rated(instrument.read(subject, fork(subject, exam).states).reshape(*exam.shape, -1))
    name, says = ("idm_r2", "share of actions explained") if continuous else ("idm_accuracy", "choices told")
    return [
        Score(
            f"act.{name}:ar",
            "A",
            values,
            more=True,
            says=f"{says} by an inverse dynamics model of real frames, from {2 * AROUND + 1} imagined ones",
            instrument=instrument.name,
            floor=np.array([floor]),
            nulls={"mean" if continuous else "chance": np.array([null])},
            weights=weights,
        )
    ]


def _soon(exam: Exam) -> Exam:
    """The first `SOON` steps of all futures: further ones tell no more, and are long to draw."""
    part = slice(0, SOON)
    return dataclasses.replace(
        exam,
        actions=exam.actions[:, :, part],
        states=exam.states[:, :, part],
        rewards=exam.rewards[:, :, part],
        over=exam.over[:, :, part],
        usual=None,
    )


def _asked(exam: Exam) -> tuple[np.ndarray, np.ndarray]:
    """Action vectors [E, K, W, A] of frames with `AROUND` more on either side, and whether all these exist."""
    vectors = ActionVector(exam.world.single_action_space)(torch.as_tensor(exam.actions)).numpy()
    over = exam.over[:, :, 2 * AROUND :]
    return vectors[:, :, AROUND:-AROUND].astype(np.float64), ~over


def _smooth(true: np.ndarray) -> np.ndarray:
    """[E, K, W] bool: windows of real frames [E, K, H, S] without a jolt."""
    bent = np.abs(np.diff(np.nan_to_num(true.astype(np.float64)), 2, axis=2))  # [E, K, H - 2, S]
    usual = np.quantile(bent.reshape(-1, bent.shape[-1]), 0.75, axis=0)
    jolted = (bent > JOLT * usual + 1e-9).any(-1)
    wide = np.lib.stride_tricks.sliding_window_view(jolted, 2 * AROUND - 1, axis=2)
    smooth = np.logical_not(wide.any(-1))
    return smooth if smooth.mean() >= ENOUGH else np.ones_like(smooth)


def _windows(read: np.ndarray) -> np.ndarray:
    """Frames and their neighbours, [E, K, H, S] -> [E, K, W, (2 AROUND + 1) S]; what is lost is 0."""
    seen = np.nan_to_num(read.astype(np.float64))
    wide = np.lib.stride_tricks.sliding_window_view(seen, 2 * AROUND + 1, axis=2)  # [E, K, W, S, frames]
    return wide.reshape(*wide.shape[:3], -1)


def _learn(windows: np.ndarray, done: np.ndarray, keep: np.ndarray) -> Ridge:
    """The inverse model, its penalty chosen on every fourth moment."""
    held = np.arange(len(done)) % 4 == 3
    some, rest = ((windows[rows][keep[rows]], done[rows][keep[rows]]) for rows in (~held, held))
    return fit_ridge(*some, *rest)


def _explained(guess: np.ndarray, done: np.ndarray, keep: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """1 - sum |guess - done|^2 / sum |done - mean|^2 as values [E] and weights [E] (the latter sums)."""
    wrong = (np.square(guess - done).sum(-1) * keep).sum((1, 2))
    size = (np.square(done - done[keep].mean(0)).sum(-1) * keep).sum((1, 2))
    return 1 - wrong / np.maximum(size, 1e-12), size


def _right(guess: np.ndarray, done: np.ndarray, keep: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How often the choice is told, every choice counting as much in all: values [E] and weights [E]."""
    choice = done.argmax(-1)
    rare = 1 / np.maximum(np.bincount(choice[keep], minlength=done.shape[-1]), 1)
    counts = rare[choice] * keep
    right = ((guess.argmax(-1) == choice) * counts).sum((1, 2))
    weights = counts.sum((1, 2))
    return right / np.maximum(weights, 1e-12), weights
