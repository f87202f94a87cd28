"""Instruments: how the numbers of the true state are read off what a model says."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch

from craik.core import tree
from craik.core.spec import is_image
from craik.core.state import State
from craik.eval.card.exam import Exam
from craik.eval.card.parse import parse
from craik.eval.card.probe import Ridge, fit_ridge
from craik.eval.card.subject import Subject
from craik.worlds.words import Worded

CAP = 0.5
"""What a thing that cannot be found is charged, in parts of the picture: half of its side."""

UNSAID = 2.0
"""What a fact that is not said is charged, in standard deviations: two strangers are 1.4 apart."""

AT_ONCE = 1024
"""Beliefs read together."""


class Instrument(ABC):
    """Reads S numbers off beliefs. The truth goes through the same instrument, so that its own error is known.

    Attributes:
        name: "told", "text", "parsed" or "probed".
        unit: of the numbers.
        whole: whether the numbers are all those of the state, in standard deviations (`scale`).
        scale: [S] by which numbers were divided; of instruments that are whole.
        cap: the largest error that is charged.
        lost: the error that is charged for what cannot be found.
    """

    name: str
    unit: str
    whole: bool = True
    scale: np.ndarray
    cap: float = np.inf
    lost: float = CAP

    @abstractmethod
    def read(self, subject: Subject, states: State) -> np.ndarray:
        """Beliefs with leading axes [E, H] -> [E, H, S]; NaN for what cannot be found."""

    @abstractmethod
    def truth(self, exam: Exam, future: int = 0) -> np.ndarray:
        """What is the case along a future, [E, H, S], in the same numbers."""

    @abstractmethod
    def floor(self, subject: Subject, exam: Exam, future: int = 0) -> np.ndarray:
        """What the instrument reads of the truth itself, [E, H, S]."""

    def error(self, read: np.ndarray, true: np.ndarray) -> np.ndarray:
        """[E, H]: root mean square difference; what cannot be found is charged `lost`, never left out."""
        gap = np.where(np.isfinite(read), np.abs(read - true), self.lost)
        known = np.isfinite(true)
        gap = np.where(known, np.minimum(gap, self.cap), 0.0)
        return np.sqrt((gap**2).sum(-1) / np.maximum(known.sum(-1), 1))


class Told(Instrument):
    """The model says the numbers itself (`obs["state"]`); they are divided by their spread over the exam."""

    name, unit = "told", "standard deviations"

    def __init__(self, exam: Exam):
        self.scale = exam.scale

    def read(self, subject: Subject, states: State) -> np.ndarray:  # noqa: D102
        return reading(subject, states, "state") / self.scale

    def truth(self, exam: Exam, future: int = 0) -> np.ndarray:  # noqa: D102
        return exam.look("state", exam.states[:, future]) / self.scale

    def floor(self, subject: Subject, exam: Exam, future: int = 0) -> np.ndarray:  # noqa: D102
        return self.truth(exam, future)


class Spoken(Instrument):
    """The model says facts in words (`obs["text"]`), which are understood again, and divided by their spread.

    What is not said is charged more than the usual distance of two strangers: silence never pays.

    Args:
        exam: of a world that can be told in words. If the facts are not all numbers of its state (what is not in
            sight is not told, say), this is no `whole` instrument.
    """

    name, unit, lost = "text", "standard deviations", UNSAID

    def __init__(self, exam: Exam):
        world = exam.world
        assert isinstance(world, Worded)
        self.world = world
        facts = self._case(exam, exam.states)
        facts = facts.reshape(-1, facts.shape[-1])
        known = np.isfinite(facts)
        many = np.maximum(known.sum(0), 1)
        mean = np.where(known, facts, 0).sum(0) / many
        std = np.sqrt((np.where(known, facts - mean, 0) ** 2).sum(0) / many)
        self.scale = np.where(std > 1e-6, std, np.inf)
        self.whole = tuple(world.FACTS) == world.FIELDS[: len(exam.scale)]

    def read(self, subject: Subject, states: State) -> np.ndarray:  # noqa: D102
        return said(self.world, reading(subject, states, "text")) / self.scale

    def truth(self, exam: Exam, future: int = 0) -> np.ndarray:  # noqa: D102
        return self._case(exam, exam.states[:, future]) / self.scale

    def floor(self, subject: Subject, exam: Exam, future: int = 0) -> np.ndarray:  # noqa: D102
        return said(self.world, exam.look("text", exam.states[:, future])) / self.scale

    def _case(self, exam: Exam, states: np.ndarray) -> np.ndarray:
        """What is the case in states [E, ..., D]: [E, ..., F]."""
        flat = states.reshape(-1, states.shape[-1])
        facts = self.world.facts(flat, exam.factors(len(flat) // len(states)))
        return facts.reshape(*states.shape[:-1], -1)


def said(world: Worded, text: np.ndarray) -> np.ndarray:
    """What texts [..., bytes] say: [..., F]."""
    return world.understand(text.reshape(-1, text.shape[-1])).reshape(*text.shape[:-1], -1)


class Parsed(Instrument):
    """Places of things are found in the picture by their colours (`ExactWorld.POINTS`), in parts of its side."""

    name, unit, whole, cap = "parsed", "parts of the picture", False, CAP

    def read(self, subject: Subject, states: State) -> np.ndarray:  # noqa: D102
        pictures = reading(subject, states, "pixels")
        lead = pictures.shape[:2]
        found = parse(pictures.reshape(-1, *pictures.shape[2:]), self.points)
        return found.reshape(*lead, -1)

    def __init__(self, exam: Exam):
        self.points = exam.world.POINTS

    def truth(self, exam: Exam, future: int = 0) -> np.ndarray:  # noqa: D102
        states = exam.states[:, future]
        places = exam.world.places(states.reshape(-1, states.shape[-1]), exam.factors(states.shape[1]))
        return places.reshape(*states.shape[:2], -1)

    def floor(self, subject: Subject, exam: Exam, future: int = 0) -> np.ndarray:  # noqa: D102
        pictures = exam.look("pixels", exam.states[:, future])
        found = parse(pictures.reshape(-1, *pictures.shape[2:]), self.points)
        return found.reshape(*pictures.shape[:2], -1)


class Probed(Instrument):
    """A linear probe from the model's latent to the numbers of the state, learned on encoded real experience.

    Args:
        subject: whose latent.
        lessons: exams of other seeds than those it will be used on; the last fifth chooses the penalty.
        scale: [S] by which numbers are divided.
    """

    name, unit = "probed", "standard deviations"

    def __init__(self, subject: Subject, lessons: Exam, scale: np.ndarray):
        self.scale = scale
        x = reading(subject, subject.watch(lessons), "latent")
        y = lessons.look("state", lessons.states[:, 0]) / scale
        cut = len(x) * 4 // 5
        flat = [a.reshape(-1, a.shape[-1]) for a in (x[:cut], y[:cut], x[cut:], y[cut:])]
        self.ridge: Ridge = fit_ridge(*flat)

    def read(self, subject: Subject, states: State) -> np.ndarray:  # noqa: D102
        return self.ridge(reading(subject, states, "latent"))

    def truth(self, exam: Exam, future: int = 0) -> np.ndarray:  # noqa: D102
        return exam.look("state", exam.states[:, future]) / self.scale

    def floor(self, subject: Subject, exam: Exam, future: int = 0) -> np.ndarray:  # noqa: D102
        return self.read(subject, subject.watch(exam, future))


@torch.no_grad()
def reading(subject: Subject, states: State, name: str) -> np.ndarray:
    """One reading of beliefs with axes [E, H]: [E, H, ...] in numpy; an observation by its own name."""
    lead = tree.leaves(states)[0].shape[:2]
    flat, found = tree.merge(states), []
    for start in range(0, lead[0] * lead[1], AT_ONCE):
        read = subject.model.read(tree.index(flat, slice(start, start + AT_ONCE)))
        found.append((read[name] if name in subject.model.spec.reads else read["obs"][name]).cpu().numpy())
    whole = np.concatenate(found)
    return whole.reshape(*lead, *whole.shape[1:])


def instrument_for(subject: Subject, exam: Exam, lessons: Exam) -> Instrument | None:
    """The most direct instrument that fits a model: its numbers, its words, its pictures, or a probe of its latent."""
    reads, seen = subject.model.spec.reads, subject.model.spec.obs.spaces
    if "obs" in reads and "state" in seen:
        return Told(exam)
    if "obs" in reads and "text" in seen and isinstance(exam.world, Worded):
        return Spoken(exam)
    if "obs" in reads and "pixels" in seen and is_image(seen["pixels"]) and exam.world.POINTS:
        return Parsed(exam)
    if "latent" in reads:
        return Probed(subject, lessons, exam.scale)
    return None
