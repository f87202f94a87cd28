"""Axis D: what a policy that learned in a model's imagination earns in the true world, and what it was promised."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import torch

from craik.eval.card.decisions import Budget, do_at_random
from craik.eval.card.exam import Exam
from craik.eval.card.instrument import Instrument, Told
from craik.eval.card.live import live_on
from craik.eval.card.practice import Learned, Practice, dream, learn, reader_for
from craik.eval.card.score import Score
from craik.eval.card.subject import Subject
from craik.worlds.oracle import Oracle

WORTH = 0.5
"""What learning has to bring, in standard deviations of what it brings from moment to moment."""


@dataclasses.dataclass(frozen=True)
class School:
    """Policies that have learned, before they are asked to act.

    Attributes:
        practice: how much they dreamt.
        ours: in the model that is judged, by rounds.
        best: in the exact simulator, by rounds.
        others: in models that know nothing, by name.
        fruitful: whether what was learned in the exact simulator is worth anything (`worthwhile`).
    """

    practice: Practice
    ours: Mapping[int, Learned]
    best: Mapping[int, Learned]
    others: Mapping[str, Learned]
    fruitful: bool


def teach(
    subject: Subject,
    instrument: Instrument | None,
    nulls: list[tuple[Subject, Instrument]],
    lessons: Exam,
    practice: Practice,
) -> School | None:
    """Lets the same policy learn in each model, from lessons that are not asked about; None if no state can be read."""
    reader = reader_for(subject, instrument, lessons)
    if reader is None:
        return None
    simulator = Subject(Oracle.of(lessons.id), "oracle")
    others = {s.name: learn(s, r, lessons, practice) for s, i in nulls if (r := reader_for(s, i, lessons)) is not None}
    best = learn(simulator, Told(lessons), lessons, practice)
    return School(
        practice,
        learn(subject, reader, lessons, practice),
        best,
        {name: found[practice.rounds] for name, found in others.items()},
        worthwhile(best[practice.rounds], lessons, practice.steps),
    )


def worthwhile(learned: Learned, lessons: Exam, steps: int) -> bool:
    """Whether a policy earns more than random actions do, from where it learned, by `WORTH`."""
    more = earned(learned, lessons, steps) - do_at_random(lessons, Budget(steps=steps)).value
    return bool(more.mean() > WORTH * more.std())


def earned(learned: Learned, exam: Exam, steps: int) -> np.ndarray:
    """[E] the true reward of a step when a policy acts on, looking at the world."""
    goal = learned.senses.goal(exam)
    return live_on(learned.senses.subject, exam, lambda belief: learned.act(belief, goal), steps).value


def promised(learned: Learned, exam: Exam, steps: int) -> np.ndarray:
    """[E] the reward of a step that the model says a policy gets that acts on in it."""
    source = torch.Generator(learned.senses.subject.model.device).manual_seed(1)
    return dream(learned, exam, steps, source, explore=False)[0].mean(1)


def dream_scores(school: School, exam: Exam, tasks: int = 32) -> list[Score]:
    """`dec.dream_return:cl` and `dec.dream_gap:cl`; with @i as they were after i rounds of learning.

    The gap (exploitation) is what the model promises of the policy, from the moments asked about, minus what that
    policy then earns in the true world. Its null is an empty promise: what the policy of the exact simulator earns,
    promised to one who acts at random. Normalised, it is therefore 1 - gap / (J* - J_random). In worlds where so
    little practice teaches nothing even in the simulator there are no nulls, and nothing is normalised.
    """
    exam, steps, last = exam.part(slice(tasks)), school.practice.steps, school.practice.rounds
    best, chance = earned(school.best[last], exam, steps), do_at_random(exam, Budget(steps=steps)).value
    others = {name: earned(x, exam, steps) for name, x in school.others.items()} | {"random": chance}
    empty, barren = {"empty promise": best - chance}, ""
    if not school.fruitful:
        others, empty, barren = {}, {}, "; not even the simulator teaches anything here"
    scores: list[Score] = []
    for i in sorted(school.ours):
        when = (
            f"after {i} rounds of learning in its dreams, {school.practice.imagined * i // last} steps in all{barren}"
        )
        ours, at = earned(school.ours[i], exam, steps), "" if i == last else f"@{i}"
        floor = promised(school.best[i], exam, steps) - (best if i == last else earned(school.best[i], exam, steps))
        scores += [
            Score(
                f"dec.dream_return{at}:cl",
                "D",
                ours,
                more=True,
                says=f"reward of a step that a policy earns in {steps} steps {when}",
                instrument="world",
                floor=best,
                nulls=others,
            ),
            Score(
                f"dec.dream_gap{at}:cl",
                "D",
                promised(school.ours[i], exam, steps) - ours,
                more=False,
                says=f"reward of a step promised to a policy but not paid, {steps} steps, {when}; 0 is honest",
                instrument="world",
                floor=floor,
                nulls=empty,
            ),
        ]
    return scores
