"""Axis M: whether ways that lead to one state are one to a model, and ways that lead to two are two.

After Vafa et al. 2024, "Evaluating the World Model Implicit in a Generative Model" (arXiv 2406.03689). There, a
generative model continues strings, and a state is known by what may follow it (Myhill and Nerode). Two strings that
lead to one state have to allow the same continuations (sequence compression); two that lead to different ones are
told apart by their boundary, the shortest continuations that one allows and the other does not (sequence distinction:
how many of the true boundary the model tells apart, its recall, and how many of its own boundary are true, its
precision).

Here, a string is what is done, `LENGTH` actions from one moment with eyes closed, and a continuation is an experiment:
more actions, and a number that is read off at their end. One state allows it and another does not if the number
differs. For that, two ways have to lead to exactly one state, luck and all: worlds of choices have such ways. It is the
sibling of the round trip in worlds without inertia, and stands on the same axis: a place is the same place, however one
came there.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from gymnasium import spaces

from craik.eval.card.action import fork
from craik.eval.card.exam import Exam, follow_laws
from craik.eval.card.instrument import Instrument
from craik.eval.card.score import Score
from craik.eval.card.state import EPSILON
from craik.eval.card.subject import Subject

LENGTH = 6
"""Actions of a way."""

BEYOND = 8
"""Actions of an experiment, at most."""

TRIED = 128
"""Ways tried from each moment, the same from all: drawn evenly, and half of them doing nothing from the middle on."""

FEW = 16
"""A number that takes so many values at most is one of places, choices or counts: half a step apart is another."""

CLEAR = 0.3
"""Some number of the third way's end differs by so much, in standard deviations, or the ways are as good as one."""

DECIMALS = 9
"""States are one if all their numbers are, to so many places."""


@dataclasses.dataclass(frozen=True)
class Ways:
    """Three ways from each moment: two different ones to one state, and one to another, as like it as was found.

    Attributes:
        asked: [E] bool, moments from which there are such ways; the rest is about these, M of them.
        exam: future w * F + f is way w and then experiment f: `LENGTH` + H actions.
        futures: F, experiments after each way: the actions of the exam's own futures.
    """

    asked: np.ndarray
    exam: Exam
    futures: int


def ways(exam: Exam) -> Ways | None:
    """What can be asked; None in a world without choices, and where no two ways lead to one state."""
    space = exam.world.single_action_space
    if not isinstance(space, spaces.Discrete):
        return None
    tried = space.start + np.random.default_rng(0).integers(space.n, size=(TRIED, LENGTH))
    tried[TRIED // 2 :, LENGTH // 2 :] = exam.world.idle()
    states, _, over = follow_laws(exam.world, np.broadcast_to(tried, (len(exam.states), *tried.shape)))
    picked = [_three(exam, s, ~o[:, -1]) for s, o in zip(states, over)]
    asked = np.array([p is not None for p in picked])
    if not asked.any():
        return None
    part, after = exam.part(asked), exam.actions[asked, :, :BEYOND].numpy()
    before = tried[np.array([p for p in picked if p is not None])]  # [M, 3, LENGTH]
    f = after.shape[1]
    actions = np.concatenate([np.repeat(before, f, 1), np.tile(after, (1, 3, 1))], -1)  # [M, 3 F, LENGTH + H]
    states, rewards, over = follow_laws(part.world, actions)
    asked_of = dataclasses.replace(
        part, actions=torch.as_tensor(actions), states=states, rewards=rewards, over=over, usual=None
    )
    return Ways(asked, asked_of, f)


def _three(exam: Exam, states: np.ndarray, live: np.ndarray) -> list[int] | None:
    """Of ways through states [N, LENGTH, D]: two to one state that share least on the way, and one to another."""
    n, length, size = states.shape
    _, which = np.unique(np.round(states.reshape(-1, size), DECIMALS), axis=0, return_inverse=True)
    which = which.reshape(n, length)
    apart = which[:, None] != which[None]  # [N, N, LENGTH]
    live = live[:, None] & live[None]
    unshared = np.where(live & ~apart[..., -1], apart.sum(-1), 0)
    one, two = np.unravel_index(unshared.argmax(), unshared.shape)
    ends = exam.world.numbers(states[:, -1]) / exam.scale
    far = np.abs(ends - ends[one])
    unlike = np.where(live[one] & (far > CLEAR).any(-1), (far > 0).sum(-1), n * size)
    other = unlike.argmin()
    return [int(one), int(two), int(other)] if unshared[one, two] and unlike[other] < n * size else None


@dataclasses.dataclass(frozen=True)
class Answers:
    """What is said after three ways, M moments, F experiments, H + 1 arrivals (the first before any of it), S numbers.

    Attributes:
        ours, true: [M, 3, F, H + 1, S]; NaN for what is not found or not the case.
        live: [M, F, H + 1] bool: whether no way's episode is over.
        grain: [S] by how much a number differs that is another one.
    """

    ours: np.ndarray
    true: np.ndarray
    live: np.ndarray
    grain: np.ndarray

    def differ(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """[M, F, H + 1, S] bool: where two of them differ, while it lasts."""
        lost = np.isnan(a) != np.isnan(b)
        return (lost | (np.abs(a - b) > self.grain)) & self.live[..., None]

    @property
    def shown(self) -> np.ndarray:
        """[M] 1 where the truth, in these numbers, does tell the third way from the first; else NaN: nothing to ask."""
        return np.where(self.differ(self.true[:, 0], self.true[:, 2]).any((1, 2, 3)), 1.0, np.nan)

    def compression(self) -> np.ndarray:
        """[M] share of experiments in which nothing ever tells the two ways to one state apart.

        0 where nothing rightly tells the third way from them (`recall`): to whom all ways are one, one state is
        nothing. A frozen model would else compress perfectly, and an untrained one that forgets what is done well.
        """
        same = ~self.differ(self.ours[:, 0], self.ours[:, 1]).any((-2, -1))
        return same.mean(1) * np.where(np.isnan(self.shown), np.nan, self.recall() > 0)

    def precision(self) -> np.ndarray:
        """[M] of its own boundary between two states, how much is true of the one and not of the other; 0 of none."""
        return self._known(self.ours, self.true)

    def recall(self) -> np.ndarray:
        """[M] of the true boundary between two states, how much it says of the one and not of the other."""
        return self._known(self.true, self.ours)

    def _known(self, said: np.ndarray, other: np.ndarray) -> np.ndarray:
        """[M] of the boundary between the first and the third way by `said`, the share that `other` says as well."""
        right, many = np.zeros(len(said)), np.zeros(len(said))
        for i, j in ((0, 2), (2, 0)):
            apart = self.differ(said[:, i], said[:, j])
            first = apart & (apart.cumsum(2) == 1)  # no shorter experiment shows it
            known = first & ~self.differ(said[:, i], other[:, i]) & self.differ(said[:, i], other[:, j])
            right, many = right + known.sum((1, 2, 3)), many + first.sum((1, 2, 3))
        return right / np.maximum(many, 1) * self.shown


def tell(subject: Subject, asked: Ways, instrument: Instrument, *, floor: bool = False) -> Answers:
    """What a subject says; with `floor`, what the instrument reads of the truth instead."""
    exam, start = asked.exam, LENGTH - 1
    m, many, _ = exam.shape
    true = np.stack([instrument.truth(exam, k)[:, start:] for k in range(many)], 1)
    if floor:
        ours = np.stack([instrument.floor(subject, exam, k)[:, start:] for k in range(many)], 1)
    else:
        ours = instrument.read(subject, fork(subject, exam).states[:, start:]).reshape(true.shape)
    shape = (m, 3, asked.futures, *true.shape[2:])
    live = ~np.asarray(exam.over[:, :, start:].reshape(shape[:-1]).any(1))
    return Answers(ours.reshape(shape), true.reshape(shape), live, grains(true))


def grains(true: np.ndarray) -> np.ndarray:
    """[S] half the least step between the values of a number [..., S]; `EPSILON` if there are more than `FEW`."""
    found = []
    for number in np.moveaxis(true, -1, 0):
        values = np.unique(np.round(number[np.isfinite(number)], 6))
        found.append(np.diff(values).min() / 2 if 1 < len(values) <= FEW else EPSILON)
    return np.array(found)


SAYS = {
    "compression": "experiments that tell no two ways to one state apart; 0 if nothing else is told apart rightly",
    "precision": "of what it says tells two states apart, how much does and is so",
    "recall": "of what tells two states apart, how much it says of the one and not of the other",
}


def history_scores(
    subject: Subject, exam: Exam, instrument: Instrument, nulls: list[tuple[Subject, Instrument]]
) -> list[Score]:
    """`vafa.compression:ar`, `vafa.precision:ar` and `vafa.recall:ar`; none where no two ways lead to one state."""
    asked = ways(exam)
    if asked is None:
        return []

    def spread(told: Answers, name: str) -> np.ndarray:
        values = np.full(len(exam.states), np.nan)
        values[asked.asked] = getattr(told, name)()
        return values

    ours, floor = tell(subject, asked, instrument), tell(subject, asked, instrument, floor=True)
    others = {who.name: tell(who, asked, reader) for who, reader in nulls}
    return [
        Score(
            f"vafa.{name}:ar",
            "M",
            spread(ours, name),
            more=True,
            says=says,
            instrument=instrument.name,
            floor=spread(floor, name),
            nulls={k: spread(v, name) for k, v in others.items()},
        )
        for name, says in SAYS.items()
    ]
