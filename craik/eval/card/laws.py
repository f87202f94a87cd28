"""Axis P: whether what is imagined obeys the laws of its world, wherever they apply, right or wrong as it may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from craik.eval.card.billiards import bounce_laws
from craik.eval.card.exam import Exam
from craik.eval.card.instrument import Instrument, Parsed, reading
from craik.eval.card.mirror import mirror_scores
from craik.eval.card.parse import weigh
from craik.eval.card.score import Score
from craik.eval.card.subject import Subject
from craik.worlds import luck
from craik.worlds.bounce import Bounce
from craik.worlds.equations import Equations
from craik.worlds.exact import ExactWorld

MOST = 10.0
"""A transition is at most so far from the law, in standard deviations of a step's change; so is one that is NaN."""

FINE = 0.01
"""Numbers that hardly change in a step are measured in this part of their spread instead."""

DRAWS = 8
"""Outcomes tried of a law of chance that cannot list them; the nearest counts."""

SPREAD = 1.5
"""A thing that covers so many times the pixels it should is no longer that thing."""

LAWS: Mapping[type[ExactWorld], Callable[[Subject, Exam, Instrument], list[Score]]] = {Bounce: bounce_laws}
"""World -> what is asked of trajectories in it beside the laws as a whole. A world adds its own here."""


def law_scores(
    subject: Subject, exam: Exam, instrument: Instrument | None, nulls: list[tuple[Subject, Instrument]]
) -> list[Score]:
    """`phys.residual:ar`, `phys.permanence:ar`, `phys.mirror@h:ar` and what `LAWS` has for this world.

    Args:
        subject: who is judged.
        exam: what on.
        instrument: what reads trajectories; nothing is asked without one.
        nulls: models that know nothing, with what reads them in the same numbers.
    """
    if instrument is None:
        return []
    scores = []
    if instrument.whole:
        scores.append(residual_score(subject, exam, instrument, nulls))
    elif isinstance(instrument, Parsed):
        scores.append(permanence_score(subject, exam, instrument))
    scores += mirror_scores(subject, exam, instrument)
    for world, laws in LAWS.items():
        if isinstance(exam.world, world):
            scores += laws(subject, exam, instrument)
    return scores


def residual_score(
    subject: Subject, exam: Exam, instrument: Instrument, nulls: list[tuple[Subject, Instrument]]
) -> Score:
    """`phys.residual:ar`: how far each imagined step is from what the law makes of the imagined state before it.

    A model may be lost and yet obey: a wrong position costs nothing here, a wrong motion does. In worlds of chance,
    the nearest outcome counts.
    """

    def measure(who: Subject, by: Instrument) -> np.ndarray:
        states = who.dream(who.believe(exam), exam.actions[:, 0])
        return residuals(exam, by, by.read(who, states)).mean(1)

    return Score(
        "phys.residual:ar",
        "P",
        measure(subject, instrument),
        more=False,
        says=f"how far an imagined step is from the law, in standard deviations of a true step, at most {MOST:.0f}",
        instrument=instrument.name,
        floor=residuals(exam, instrument, instrument.floor(subject, exam)).mean(1),
        nulls={s.name: measure(s, i) for s, i in nulls},
    )


def residuals(exam: Exam, instrument: Instrument, read: np.ndarray) -> np.ndarray:
    """[E, H - 1] root mean square over the numbers of the state, from readings [E, H, S] of the numbers.

    Steps after the true end of an episode count as none.
    """
    e, h, s = read.shape
    path = exam.numbers()[:, 0]
    numbers = unscaled(exam, instrument.scale, read)
    numbers = np.where(np.isfinite(numbers), numbers, 0.0)
    whole = (path == np.round(path)).all((0, 1))  # counts and choices: the law knows no halves of them
    limit = exam.world.space
    snapped = np.clip(np.round(numbers), limit.low, limit.high)
    before = np.where(whole, snapped, numbers)[:, :-1].reshape(-1, s)
    lawful = _outcomes(exam, before, exam.actions[:, 0, 1:].flatten(0, 1).numpy())  # [N, K, S]
    size = np.sqrt(np.square(np.diff(path, axis=1)).mean((0, 1)))
    still = np.where(np.isfinite(exam.scale), FINE * exam.scale, np.inf)
    size = np.where(np.isfinite(exam.scale), np.maximum(size, still), np.inf)
    counted = np.isfinite(size)
    gap = np.abs(numbers[:, 1:].reshape(-1, 1, s) - lawful)[..., counted] / size[counted]
    far = np.sqrt(np.square(np.minimum(gap, MOST)).mean(-1)).min(1).reshape(e, h - 1)
    far = np.where(np.isfinite(read[:, 1:]).all(-1) & np.isfinite(read[:, :-1]).all(-1), far, MOST)
    return np.where(exam.over[:, 0, :-1], 0.0, far)


def unscaled(exam: Exam, scale: np.ndarray, read: np.ndarray) -> np.ndarray:
    """Readings in standard deviations [..., S] in the world's own units; what never varies is what it always is."""
    fixed = exam.numbers()[0, 0, 0]
    varies = np.isfinite(scale)
    return np.where(varies, read * np.where(varies, scale, 1.0), fixed)


def _outcomes(exam: Exam, numbers: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """The numbers [N, K, S] that may follow from numbers [N, S] and actions [N, ...]; infinite for padding."""
    world, n = exam.world, len(numbers)
    state, effort = world.invert(numbers), world.effort(actions)
    factors = exam.factors(n // len(exam.states))
    if world.LUCKY and type(world).outcomes is Equations.outcomes:
        rng, found = np.random.default_rng(0), []
        for _ in range(DRAWS):
            after, _ = world.move(np.concatenate([state[:, :-1], luck.fresh(rng, n)[:, None]], 1), effort, factors)
            found.append(after)
        after, chance = np.stack(found, 1), np.ones((n, DRAWS))
    else:
        after, chance = world.outcomes(state, effort, factors)
    k = after.shape[1]
    follow = world.numbers(after.reshape(n * k, -1)).reshape(n, k, -1)
    return np.where(chance[..., None] > 0, follow, np.inf)


def permanence_score(subject: Subject, exam: Exam, instrument: Parsed) -> Score:
    """`phys.permanence:ar`: share of imagined frames in which everything is found that is truly in sight.

    What covers over `SPREAD` times the pixels it ever truly has is not found: a grey picture shows a little of all.
    """
    states = subject.dream(subject.believe(exam), exam.actions[:, 0])
    drawn, true = reading(subject, states, "pixels"), exam.look("pixels", exam.states[:, 0])
    e, h = true.shape[:2]
    (ours, mass), (real, usual) = (weigh(x.reshape(-1, *x.shape[2:]), instrument.points) for x in (drawn, true))
    most = SPREAD * np.maximum(usual.reshape(e, h, -1).max(1, keepdims=True), 1.0)
    there = np.isfinite(instrument.truth(exam)).reshape(e, h, -1, 2).all(-1)

    def found(places: np.ndarray, mass: np.ndarray) -> np.ndarray:
        sure = np.isfinite(places).all(-1).reshape(e, h, -1) & (mass.reshape(e, h, -1) <= most)
        return (sure | ~there).all(-1).mean(1)

    return Score(
        "phys.permanence:ar",
        "P",
        found(ours, mass),
        more=True,
        says="share of imagined frames in which everything is found that should be there",
        instrument=instrument.name,
        floor=found(real, usual),
    )
