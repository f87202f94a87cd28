"""Grading: an exam is set, a model sits it axis by axis, and a card is written."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from gymnasium import spaces

from craik.core.errors import SpecError, UnknownName
from craik.core.model import WorldModel
from craik.data.coverage import Coverage
from craik.eval.card.action import action_scores
from craik.eval.card.calibration import calibration_scores
from craik.eval.card.card import VERSION, Card, plain
from craik.eval.card.claims import claim_scores
from craik.eval.card.cost import cost_scores
from craik.eval.card.covered import distances, explained
from craik.eval.card.cue import cue_scores
from craik.eval.card.decisions import decision_scores
from craik.eval.card.dreams import School, dream_scores, teach
from craik.eval.card.exam import Exam, sit
from craik.eval.card.fidelity import fidelity_scores
from craik.eval.card.filming import film
from craik.eval.card.heldout import heldout_scores
from craik.eval.card.histories import history_scores
from craik.eval.card.instrument import Instrument, instrument_for
from craik.eval.card.interventions import intervention_scores
from craik.eval.card.inverse import inverse_scores
from craik.eval.card.language import language_scores
from craik.eval.card.laws import law_scores
from craik.eval.card.ledger import EQUALITY, ledger
from craik.eval.card.memory import memory_scores
from craik.eval.card.nulls import Null, nulls_for
from craik.eval.card.practice import Practice
from craik.eval.card.ranking import ranking_scores
from craik.eval.card.rewards import reward_scores
from craik.eval.card.score import Score
from craik.eval.card.state import state_scores
from craik.eval.card.strips import Strips
from craik.eval.card.subject import Subject
from craik.eval.card.surprise import surprise_scores
from craik.train.run import Run
from craik.worlds import make
from craik.worlds.splits import SEEDS, Split

USUAL = Split("test-iid", "", SEEDS["test-iid"], {})
"""What is asked by default. Test seeds begin at 2,000,000; nothing is trained or tuned on them."""

Axis = Callable[[Subject, Exam, Instrument | None, list[Null]], list[Score]]
"""What gives the scores of an axis; none where it does not apply."""


@dataclasses.dataclass(frozen=True)
class Size:
    """How much is asked.

    Attributes:
        moments: E.
        horizon: H, steps.
        futures: K of each moment.
        lessons: moments that a probe learns from, and a policy.
        practice: how much a policy learns in the model; None for no such scores.
    """

    moments: int
    horizon: int
    futures: int = 4
    lessons: int = 64
    practice: Practice | None = None


SIZES = {"smoke": Size(24, 24), "card": Size(64, 32, lessons=160, practice=Practice())}
"""EVALUATION, section 3.5."""


def _known(measure: Callable[[Subject, Exam, Instrument, list[Null]], list[Score]]) -> Axis:
    """For an axis that needs an instrument: no scores without one."""
    return lambda subject, exam, instrument, nulls: measure(subject, exam, instrument, nulls) if instrument else []


AXES: dict[str, tuple[Axis, ...]] = {
    "F": (fidelity_scores,),
    "S": (_known(state_scores), _known(intervention_scores)),
    "A": (action_scores, _known(inverse_scores), claim_scores, heldout_scores),
    "P": (law_scores,),
    "M": (_known(memory_scores), _known(history_scores), cue_scores),
    "D": (decision_scores, ranking_scores, reward_scores),
    "C": (_known(calibration_scores), lambda s, exam, _, nulls: surprise_scores(s, exam, [n for n, _ in nulls])),
    "L": (language_scores,),
    "E": (lambda subject, exam, _, __: cost_scores(subject, exam),),
}
"""Axis -> what measures it."""


@dataclasses.dataclass(frozen=True)
class Sitting:
    """A model before its exam.

    Attributes:
        subject: the model.
        exam: all that may be asked.
        lessons: what may be learned from, of other episodes.
        instrument: what reads the state; None if nothing can.
        nulls: those that know nothing, who sit the same exam.
        seed, size: of the exam; see `grade`.
        about: what is asked, for the card.
    """

    subject: Subject
    exam: Exam
    lessons: Exam
    instrument: Instrument | None
    nulls: list[Null]
    seed: int
    size: str
    about: Mapping[str, Any]

    def ask(self, axis: str, rows: slice = slice(None)) -> list[Score]:
        """The scores of one axis, on some of the moments."""
        exam = self.exam if rows == slice(None) else self.exam.part(rows)
        found = [s for measure in AXES[axis] for s in measure(self.subject, exam, self.instrument, self.nulls)]
        return found + dream_scores(self.school, exam) if axis == "D" and self.school is not None else found

    @cached_property
    def school(self) -> School | None:
        """Policies that learned in the model and beside it, once for all rounds; None if this size asks for none."""
        practice = SIZES[self.size].practice
        return teach(self.subject, self.instrument, self.nulls, self.lessons, practice) if practice else None

    def film(self) -> Strips:
        """What it imagines of several futures of one moment, beside the truth, in pictures."""
        return film(self.subject, self.exam, self.instrument)

    def card(
        self,
        scores: Sequence[Score],
        *,
        film: Strips | None = None,
        equality: str = "E1",
        run: Run | None = None,
        known: Coverage | None = None,
        **facts: Any,
    ) -> Card:
        """The card, with everything that a reader needs to know of how it came about; for arguments see `grade`."""
        told = {
            **self.about,
            "equality": equality,
            "parameters": sum(p.numel() for p in self.subject.model.parameters()),
            **ledger(self.subject, self.exam, run),
            **_covered(self.exam, known, scores),
            **facts,
        }
        read_by = self.instrument.name if self.instrument else "none"
        return Card(self.subject.name, self.exam.id, self.seed, self.size, read_by, tuple(scores), told, film)


def grade(
    model: WorldModel,
    world: str,
    *,
    name: str = "model",
    seed: int = 1,
    size: str = "smoke",
    axes: str = "".join(AXES),
    factors: dict[str, float | tuple[float, float]] | None = None,
    draws: int | None = None,
    split: Split | None = None,
    salt: int = 0,
    equality: str = "E1",
    run: Run | None = None,
    known: Coverage | None = None,
) -> Card:
    """Grades a model in one exact world.

    Args:
        model: any world model of this world's spaces; it is put in evaluation mode.
        world: the world's id.
        name: for tables.
        seed: of the exam, counted from the first one of its split.
        size: one of `SIZES`.
        axes: which.
        factors: the world's constants, where others are asked for than the usual ones.
        draws: a seed to let the model draw its futures; None for its mode.
        split: which episodes are asked about (`craik.worlds.splits`); by default `test-iid` at the usual constants,
            for models that were trained at those.
        salt: another number at each release gives an exam that nobody could have trained for; 0 for the open one.
        equality: what is equal between the models that it will be compared with, one of `ledger.EQUALITY`.
        run: where the model comes from, for the ledger.
        known: what the model was trained on, for how far from that the exam is.

    Raises:
        UnknownName: if there is no such size, axis or level of equality.
        SpecError: if the world is not an exact one, or not one that this model could live in.
    """
    begun = time.perf_counter()
    check(axes, equality)
    sitting = prepare(
        model, world, name=name, seed=seed, size=size, factors=factors, draws=draws, split=split, salt=salt
    )
    shown = sitting.film()
    scores = [score for axis in axes for score in sitting.ask(axis)]
    seconds = round(time.perf_counter() - begun, 2)
    return sitting.card(scores, film=shown, equality=equality, run=run, known=known, seconds=seconds)


def check(axes: str, equality: str) -> None:
    """Nothing, if there are such axes and such a level of equality: said before anything long begins.

    Raises:
        UnknownName: if there is none of a letter, or no such level.
    """
    if equality not in EQUALITY:
        raise UnknownName("level of equality", equality, EQUALITY)
    for axis in axes:
        if axis not in AXES:
            raise UnknownName("axis of the score card", axis, AXES)


def prepare(
    model: WorldModel,
    world: str,
    *,
    name: str = "model",
    seed: int = 1,
    size: str = "smoke",
    factors: dict[str, float | tuple[float, float]] | None = None,
    draws: int | None = None,
    split: Split | None = None,
    salt: int = 0,
) -> Sitting:
    """Sets the exam and makes the instrument; for arguments and errors see `grade`."""
    if size not in SIZES:
        raise UnknownName("size of a score card", size, SIZES)
    asked = SIZES[size]
    model.eval()
    subject = Subject(model, name, draws)
    views = tuple(dict.fromkeys(("state", *subject.views)))
    pictures = model.spec.obs.spaces.get("pixels")
    side = pictures.shape[0] if pictures is not None and pictures.shape else 64
    settings: dict[str, Any] = {"views": views, "size": side, "factors": factors, "split": split}
    _fits(model, world, views, side)
    exam, about = set_exam(world, asked, seed, salt, **settings)
    lessons = sit(world, asked.lessons, seed=seed, horizon=asked.horizon, futures=1, **settings)
    instrument = instrument_for(subject, exam, lessons)
    nulls = nulls_for(exam, instrument) if instrument is not None else []
    return Sitting(subject, exam, lessons, instrument, nulls, seed, size, about)


def set_exam(
    world: str, asked: Size, seed: int, salt: int = 0, *, split: Split | None = None, **settings: Any
) -> tuple[Exam, dict[str, Any]]:
    """The exam of a seed, the same moments for whoever sits it, and what is asked, for the card.

    Args:
        world, seed, salt, split: see `grade`.
        asked: how much.
        settings: see `sit`.
    """
    drawn = (split or USUAL).seed(seed, salt)
    exam = sit(world, asked.moments, seed=drawn, horizon=asked.horizon, futures=asked.futures, split=split, **settings)
    return exam, {
        "evaluator": VERSION,
        "moments": asked.moments,
        "horizon": asked.horizon,
        "futures": asked.futures,
        **_asked(split, settings.get("factors"), salt),
    }


def _asked(split: Split | None, factors: Mapping[str, Any] | None, salt: int) -> dict[str, Any]:
    """Which episodes were asked about."""
    drawn = split is not None and split.factors
    constants = "given" if factors else "drawn" if drawn else "usual"
    return {"split": (split or USUAL).name, "constants": constants, "rule": split.rule if split else "", "salt": salt}


def _covered(exam: Exam, known: Coverage | None, scores: Sequence[Score]) -> dict[str, Any]:
    """How far the exam is from the data, and how much of each error that is."""
    if known is None:
        return {}
    far = distances(exam, known)[:, 0].mean(1)
    quantiles = [plain(x) for x in np.quantile(far, (0.1, 0.5, 0.9))]
    rho = {s.id: plain(explained(s.values, far)) for s in scores if s.axis in "SA" and len(s.values) == len(far)}
    return {"distance": quantiles, "distance_rho": rho}


def _fits(model: WorldModel, world: str, views: tuple[str, ...], side: int) -> None:
    """Nothing, if the model sees and does what this world shows and takes."""
    there = make(world, obs="+".join(views), size=side)
    shown = there.single_observation_space
    assert isinstance(shown, spaces.Dict)
    for name, space in model.spec.obs.spaces.items():
        if space.shape != shown[name].shape:
            raise SpecError(
                f"this model sees {name!r} as {space.shape}, {world} shows {shown[name].shape}",
                "grade it in the world it was trained in: --world",
            )
    if model.spec.action != there.single_action_space:
        raise SpecError(
            f"this model acts in {model.spec.action}, {world} in {there.single_action_space}",
            "grade it in the world it was trained in: --world",
        )
