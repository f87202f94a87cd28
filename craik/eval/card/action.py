"""Axis A: whether what is imagined follows from what is done. The axis that everybody has."""

from __future__ import annotations

import dataclasses
from itertools import combinations

import numpy as np

from craik.core import tree
from craik.core.state import State
from craik.eval.card.exam import Exam
from craik.eval.card.instrument import Instrument, reading
from craik.eval.card.score import Score
from craik.eval.card.subject import Subject

STEPS = (4, 8, 16)
"""Steps after which futures are told apart."""

SOON = 2
"""Steps after which numbers that are controlled directly differ."""

AT_ONCE = 0.02
"""By how much, in the instrument's units."""


@dataclasses.dataclass(frozen=True)
class Forks:
    """What a subject imagines of all K futures of E moments.

    Attributes:
        subject: who.
        exam: of what.
        states: beliefs, axes [E * K, H]; row e * K + k is future k of moment e.
    """

    subject: Subject
    exam: Exam
    states: State


def fork(subject: Subject, exam: Exam) -> Forks:
    """Imagines every future of every moment from one belief."""
    _, k, _ = exam.shape
    belief = tree.repeat(subject.believe(exam), k)
    return Forks(subject, exam, subject.dream(belief, exam.actions.flatten(0, 1)))


def retrieval(forks: Forks, step: int, instrument: Instrument | None = None) -> np.ndarray:
    """[E] how often what was imagined of an action is nearest to what truly follows it, among the K that could.

    mean_i 1[argmin_j d(x_hat(s, a_i), x(s, a_j)) = i] with ties split, d being the distance in the model's own space
    (`native`). 1 / K is chance.
    """
    return told_apart(*native(forks, step, instrument))


def retrieval_floor(forks: Forks, step: int, instrument: Instrument | None) -> np.ndarray:
    """[E] `retrieval` of the truth itself, through the same instrument; 1 where nothing stands between."""
    if "latent" in forks.subject.model.spec.reads or instrument is None:
        return np.ones(len(forks.exam.states))
    futures = range(forks.exam.shape[1])
    read = np.stack([instrument.floor(forks.subject, forks.exam, i)[:, step - 1] for i in futures], 1)
    true = np.stack([instrument.truth(forks.exam, i)[:, step - 1] for i in futures], 1)
    return told_apart(np.nan_to_num(read, nan=-instrument.lost), np.nan_to_num(true, nan=-instrument.lost))


def told_apart(ours: np.ndarray, true: np.ndarray) -> np.ndarray:
    """[E] the share of K rows whose nearest is the one of the same number: [E, K, F] each."""
    far = np.sqrt(np.square(ours[:, :, None] - true[:, None, :]).sum(-1))  # [E, imagined, true]
    best = far <= far.min(-1, keepdims=True) * (1 + 1e-6) + 1e-9
    share = np.diagonal(best, axis1=1, axis2=2) / best.sum(-1)
    return share.mean(1)


def native(forks: Forks, step: int, instrument: Instrument | None) -> tuple[np.ndarray, np.ndarray]:
    """What is imagined and what comes true at a step, in the model's own space: [E, K, F] each.

    Its latent, where it has one, and that of the belief that has seen the truth. Else what an instrument reads of what
    it draws (how things are drawn is not the question here), and what is the case. Else what it draws itself.
    """
    subject, exam = forks.subject, forks.exam
    e, k, _ = exam.shape
    at = forks.states[:, step - 1 : step]
    if "latent" in subject.model.spec.reads:
        ours = reading(subject, at, "latent").reshape(e, k, -1)
        watched = [reading(subject, subject.watch(exam, i)[:, step - 1 : step], "latent") for i in range(k)]
        return ours, np.stack(watched, 1).reshape(e, k, -1)
    if instrument is not None:
        ours = instrument.read(subject, at).reshape(e, k, -1)
        true = np.stack([instrument.truth(exam, i)[:, step - 1] for i in range(k)], 1)
        return np.nan_to_num(ours, nan=-instrument.lost), np.nan_to_num(true, nan=-instrument.lost)
    drawn = [reading(subject, at, name).reshape(e, k, -1) / 255 for name in subject.views]
    seen = [exam.look(name, exam.states[:, :, step - 1]).reshape(e, k, -1) / 255 for name in subject.views]
    return np.concatenate(drawn, -1), np.concatenate(seen, -1)


@dataclasses.dataclass(frozen=True)
class Effects:
    """Differences between futures of one moment, read by an instrument; pairs i < j of the K.

    Attributes:
        ours, true: [E, pairs, S].
    """

    ours: np.ndarray
    true: np.ndarray

    @property
    def wrong(self) -> np.ndarray:
        """[E] squared error."""
        return np.square(self.ours - self.true).sum((1, 2))

    @property
    def size(self) -> np.ndarray:
        """[E] squared size of the true effects."""
        return np.square(self.true).sum((1, 2))


def controllable(exam: Exam, instrument: Instrument) -> np.ndarray:
    """[S] bool: numbers that differ between the futures at `SOON` already, at half of the moments or more.

    They are moved by what is done itself; the others by what that leads to, such as a collision, after which a little
    error is a large one.
    """
    soon = min(SOON, exam.shape[2]) - 1
    true = np.stack([instrument.truth(exam, i)[:, soon] for i in range(exam.shape[1])], 1)
    share = (np.nan_to_num(np.ptp(true, axis=1)) > AT_ONCE).mean(0)
    return share >= 0.5 if (share >= 0.5).any() else share >= share.max()


def effects(forks: Forks, instrument: Instrument, step: int) -> Effects:
    """Differences in controllable numbers between what follows from different actions; what is lost counts as none."""
    e, k, _ = forks.exam.shape
    keep = controllable(forks.exam, instrument)
    ours = instrument.read(forks.subject, forks.states[:, step - 1 : step]).reshape(e, k, -1)[..., keep]
    true = np.stack([instrument.truth(forks.exam, i)[:, step - 1][..., keep] for i in range(k)], 1)
    pairs = list(combinations(range(k), 2))
    gaps = [np.stack([x[:, i] - x[:, j] for i, j in pairs], 1) for x in (ours, true)]
    return Effects(np.nan_to_num(gaps[0]), np.nan_to_num(gaps[1]))


def effect_r2(found: Effects) -> tuple[np.ndarray, np.ndarray]:
    """1 - sum |d_hat - d|^2 / sum |d|^2 as values [E] and their weights [E] (the true sizes).

    1 is the truth, 0 is ignoring actions; 1 - (1 - g)^2 is a gain of g; below 0, effects go the wrong way.
    """
    return 1 - found.wrong / np.maximum(found.size, 1e-12), found.size


def gain(found: Effects) -> tuple[np.ndarray, np.ndarray]:
    """Slope of imagined on true effects, as values [E] and weights [E]: 1 the truth, 0 none, below 0 mirrored."""
    return (found.ours * found.true).sum((1, 2)) / np.maximum(found.size, 1e-12), found.size


def effect_cos(found: Effects) -> np.ndarray:
    """[E] cosine between imagined and true effects; 0 where nothing is imagined."""
    length = np.sqrt(np.square(found.ours).sum((1, 2)) * found.size)
    return np.where(length > 1e-12, (found.ours * found.true).sum((1, 2)) / np.maximum(length, 1e-12), 0.0)


def action_scores(
    subject: Subject, exam: Exam, instrument: Instrument | None, nulls: list[tuple[Subject, Instrument]]
) -> list[Score]:
    """`act.retrieval@K,h` at `STEPS`; `act.effect_r2@h`, `act.gain@h` and `act.effect_cos@h` at the second of them."""
    _, k, h = exam.shape
    ours = fork(subject, exam)
    chance = np.full(len(exam.states), 1 / k)
    scores = [
        Score(
            f"act.retrieval@{k},{step}:ar",
            "A",
            retrieval(ours, step, instrument),
            more=True,
            says=f"which of {k} futures follows, told after {step} steps in the model's own space; chance 1/{k}",
            floor=retrieval_floor(ours, step, instrument),
            nulls={"chance": chance},
        )
        for step in STEPS
        if step <= h
    ]
    if instrument is None:
        return scores
    step = max(s for s in STEPS[:2] if s <= h)
    found = effects(ours, instrument, step)
    rows = {
        "effect_r2": (*effect_r2(found), "differences between futures explained; 0 is ignoring actions"),
        "gain": (*gain(found), "slope of imagined on true differences; 1 is the truth"),
        "effect_cos": (effect_cos(found), np.zeros(0), "cosine of imagined and true differences"),
    }
    for name, (values, weights, says) in rows.items():
        scores.append(
            Score(
                f"act.{name}@{step}:ar",
                "A",
                values,
                more=True,
                says=says,
                instrument=instrument.name,
                floor=np.ones(1),
                nulls={"ignored": np.zeros(1)},
                weights=weights,
            )
        )
    return scores
