"""Axis C: whether what cannot happen surprises a model more than what can, and how much of it that takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from gymnasium import spaces

from craik.core import tree
from craik.core.state import State
from craik.eval.card.exam import Exam
from craik.eval.card.instrument import reading, said
from craik.eval.card.score import Score
from craik.eval.card.subject import Subject
from craik.worlds.oracle import Oracle
from craik.worlds.words import Worded

MAGNITUDES = (1 / 8, 1 / 4, 1 / 2, 1.0)
"""How much of a violation is shown; 1 is all of it."""

WINDOW = 3
"""Arrivals, from the violation on, of which the most surprising counts."""

LEAST = 1e-3
"""A violation that moves no number of the state by so much, in standard deviations, is none and is left out."""

SURE = 0.75
"""Share of pairs told apart, half way from chance to always, that `threshold` asks for."""

Numbers = dict[str, np.ndarray]


def surprise(subject: Subject, exam: Exam, future: int = 0) -> np.ndarray:
    """[E, H] how far what was expected of one step is from what was then seen, in the model's own space.

    The distance between the latents of the imagined belief and of the one that has seen; between what is drawn and
    what is seen (root mean square, a view's numbers in standard deviations; of a text, the facts it tells, and 0 for
    those it does not) for models without a latent.
    """
    expected, watched = expect(subject, exam, future)
    if "latent" in subject.model.spec.reads:
        gap = reading(subject, expected, "latent") - reading(subject, watched, "latent")
        return np.sqrt(np.square(gap.astype(float)).sum(-1))
    total = np.zeros(exam.shape[::2])
    for name in subject.views:
        ours, true = reading(subject, expected, name), exam.look(name, exam.states[:, future])
        if name == "text" and isinstance(exam.world, Worded):
            ours, true = (np.nan_to_num(said(exam.world, x), nan=0.0) for x in (ours, true))
        ours, true = (x.astype(float).reshape(*total.shape, -1) for x in (ours, true))
        std = true.reshape(-1, true.shape[-1]).std(0)
        total += np.square((ours - true) / (np.where(std > 1e-6, std, np.inf))).mean(-1)
    return np.sqrt(total)


def expect(subject: Subject, exam: Exam, future: int = 0) -> tuple[State, State]:
    """What is expected of each arrival of a future by who has seen all before, and believed by who sees it: [E, H]."""
    e, _, h = exam.shape
    watched, first = subject.watch(exam, future), subject.believe(exam)
    if h > 1:
        earlier = tree.index(watched, (slice(None), slice(0, h - 1)))
        before = tree.cat([tree.map(lambda x: x[:, None], first), earlier], 1)
    else:
        before = tree.map(lambda x: x[:, None], first)
    actions = exam.actions[:, future].flatten(0, 1)
    expected = subject.dream(tree.merge(before), actions[:, None])[:, 0]
    return tree.split(expected, e), watched


@dataclasses.dataclass(frozen=True)
class Pair:
    """Two exams with the same past and the same actions: what follows is possible in one, impossible in the other.

    Attributes:
        possible, impossible: of one future each; their states differ from arrival `when` on.
        when: the arrival of the violation, from 0.
        real: [E] bool: where there is a violation at all.
    """

    possible: Exam
    impossible: Exam
    when: int
    real: np.ndarray


def violations(exam: Exam, magnitude: float, when: int | None = None) -> dict[str, Pair]:
    """Pairs by the kind of violation, as far as a world knows them.

    - `teleport`: everything is, from one moment to the next, part of the way to where it would be in another future of
      the same moment (all of the way at magnitude 1, so that both ends are possible states);
    - `reversal`: speeds turn round by themselves (at 1/2 they vanish);
    - `gravity`: from then on there is less of it (none at 1), where there was some;
    - `action`: what follows is what another action (part of the way to one) would have led to, not the one that is
      shown.

    Numbers that are always whole (places on a grid, who holds what) have no parts: they change at magnitude 1 only. The
    past is that of the exam's lived future.

    Args:
        exam: at least 2 futures; the first `when + WINDOW` arrivals are used.
        magnitude: in (0, 1].
        when: arrival of the violation; in the middle by default.
    """
    _, k, h = exam.shape
    world = exam.world
    when = max(1, min(h // 2, h - WINDOW)) if when is None else when
    base = _shown(exam, exam.states[:, 0], when)
    before = exam.states[:, 0, when - 1]
    here, factors = exam.states[:, 0, when], exam.factors()
    effort = world.effort(exam.actions[:, 0, when].numpy())
    found: dict[str, np.ndarray] = {}
    whole, lucky = _whole(exam), _luck(exam)
    if k > 1:
        found["teleport"] = _part(here, exam.states[:, 1, when], magnitude, whole, lucky)
        other = world.effort(exam.actions[:, 1, when].numpy())
        if isinstance(world.single_action_space, spaces.Box) or magnitude == 1:
            after, _ = world.move(before, (1 - magnitude) * effort + magnitude * other, factors)
            found["action"] = after
    speeds = [i for i, name in enumerate(world.FIELDS) if "speed" in name or name == "turning"]
    if speeds and not whole[speeds].any():
        turned = here.copy()
        turned[:, speeds] *= 1 - 2 * magnitude
        found["reversal"] = turned
    pairs = {name: _continued(base, exam, state, when, factors) for name, state in found.items()}
    if "gravity" in factors and (factors["gravity"] > 0).all():
        lighter = factors | {"gravity": factors["gravity"] * (1 - magnitude)}
        after, _ = world.move(before, effort, lighter)
        pairs["gravity"] = _continued(base, exam, after, when, lighter)
    return {name: pair for name, pair in pairs.items() if pair.real.any()}


def told_apart(subject: Subject, pair: Pair, possible: np.ndarray | None = None) -> np.ndarray:
    """[E] 1 where the impossible surprises more than the possible, 1/2 where alike, 0 where less; NaN where none.

    Args:
        subject: who is asked.
        pair: what is shown.
        possible: [E, H] the `surprise` at what is possible, where it is known.
    """
    window = slice(pair.when, pair.when + WINDOW)
    possible = surprise(subject, pair.possible) if possible is None else possible
    odd, usual = (x[:, window].max(1) for x in (surprise(subject, pair.impossible), possible))
    same = np.abs(odd - usual) <= 1e-9 + 1e-6 * np.maximum(odd, usual)
    return np.where(pair.real, np.where(same, 0.5, odd > usual), np.nan)


def threshold(accuracy: Mapping[float, float]) -> float:
    """The magnitude at which `SURE` of the pairs are told apart, from magnitude -> accuracy.

    Interpolated in the logarithm of the magnitude. The least magnitude if that is enough already, 2 if 1 is not enough.
    """
    sizes = sorted(accuracy)
    if accuracy[sizes[0]] >= SURE:
        return sizes[0]
    for low, high in pairwise(sizes):
        if accuracy[low] < SURE <= accuracy[high]:
            share = (SURE - accuracy[low]) / (accuracy[high] - accuracy[low])
            return float(low * (high / low) ** share)
    return 2.0


def surprise_scores(subject: Subject, exam: Exam, nulls: list[Subject]) -> list[Score]:
    """`voe.<kind>@<magnitude>:tf`, the paired accuracy, and `voe.delta50.<kind>:tf`, the `threshold`, for each kind.

    Args:
        subject: who is judged.
        exam: with two futures at least.
        nulls: models that know nothing, such as the frozen one and the same model untrained.
    """
    everyone = {"": subject, "floor": Subject(Oracle.of(exam.id), "oracle"), **{s.name: s for s in nulls}}
    found: dict[str, dict[float, dict[str, np.ndarray]]] = {}
    possible: dict[str, np.ndarray] = {}  # the same in all pairs
    for magnitude in MAGNITUDES:
        for kind, pair in violations(exam, magnitude).items():
            possible = possible or {name: surprise(s, pair.possible) for name, s in everyone.items()}
            told = {name: told_apart(s, pair, possible[name]) for name, s in everyone.items()}
            found.setdefault(kind, {})[magnitude] = told
    scores = []
    for kind, rows in found.items():
        for magnitude, each in rows.items():
            scores.append(
                Score(
                    f"voe.{kind}@{magnitude:g}:tf",
                    "C",
                    each[""],
                    more=True,
                    says=f"pairs in which {magnitude:g} of the violation surprises more than what is possible",
                    floor=each["floor"],
                    nulls={s.name: each[s.name] for s in nulls} | {"chance": np.full(1, 0.5)},
                )
            )
        limits = {n: threshold({m: float(np.nanmean(v[n])) for m, v in rows.items()}) for n in everyone}
        scores.append(
            Score(
                f"voe.delta50.{kind}:tf",
                "C",
                np.array([limits[""]]),
                more=False,
                says=f"magnitude at which {SURE:.0%} of the violations are noticed; 2: never",
                floor=np.array([limits["floor"]]),
                nulls={s.name: np.array([limits[s.name]]) for s in nulls} | {"chance": np.array([2.0])},
            )
        )
    return scores


def _shown(exam: Exam, states: np.ndarray, when: int) -> Exam:
    """An exam of one future that shows these states [E, H, D], up to the end of the window after `when`."""
    length = when + WINDOW
    flat = states[:, :length]
    over = ~exam.world.proceed(flat.reshape(-1, flat.shape[-1])).reshape(flat.shape[:2])
    return dataclasses.replace(
        exam,
        actions=exam.actions[:, :1, :length],
        states=flat[:, None],
        rewards=exam.rewards[:, :1, :length],
        over=over[:, None],
    )


def _continued(base: Exam, exam: Exam, state: np.ndarray, when: int, factors: Numbers) -> Pair:
    """The pair whose other side is at `state` [E, D] at arrival `when`, and goes on by the laws with these factors."""
    world, path = exam.world, exam.states[:, 0].copy()
    path[:, when] = state
    for t in range(when + 1, when + WINDOW):
        effort = world.effort(exam.actions[:, 0, t].numpy())
        path[:, t], _ = world.move(path[:, t - 1], effort, factors)
    odd = _shown(exam, path, when)
    window = slice(when, when + WINDOW)
    gap = np.abs(odd.numbers() - base.numbers())[:, 0, window] / exam.scale
    return Pair(base, odd, when, gap.max((1, 2)) > LEAST)


def _part(here: np.ndarray, there: np.ndarray, share: float, whole: np.ndarray, lucky: np.ndarray) -> np.ndarray:
    """States [E, D] a part of the way from one to another; whole numbers stay until all of the way is gone."""
    moved = np.where(whole, there if share == 1 else here, here + share * (there - here))
    return np.where(lucky, here, moved)


def _whole(exam: Exam) -> np.ndarray:
    """[D] bool: fields that are whole numbers throughout."""
    flat = exam.states.reshape(-1, exam.states.shape[-1])
    return (flat == np.round(flat)).all(0)


def _luck(exam: Exam) -> np.ndarray:
    """[D] bool: the field that is luck, if chance has a part."""
    fields = np.zeros(exam.states.shape[-1], bool)
    fields[-1] = exam.world.LUCKY
    return fields
