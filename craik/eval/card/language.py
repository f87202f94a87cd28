"""Axis L: whether what a model says is the case, fact by fact, and whether words fit what it imagines."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from itertools import combinations

import numpy as np
import torch

from craik.core import tree
from craik.eval.card.action import fork
from craik.eval.card.captions import caption_scores
from craik.eval.card.exam import Exam, follow_laws
from craik.eval.card.instrument import Instrument, reading, said
from craik.eval.card.score import Score, average
from craik.eval.card.subject import Subject
from craik.worlds.words import Worded

STEPS = (1, 4, 8, 16)
"""Steps after which all that is said is compared."""

SPLIT = (1, 8)
"""Steps after which it is asked of each fact why it changed."""

ALIKE = 1e-6
"""Numbers this near to one another are the same fact."""

Rated = tuple[np.ndarray, np.ndarray]
"""A share as values [E] and weights [E]: its weighted mean is that of all facts of all moments together."""


@dataclasses.dataclass(frozen=True)
class Speech:
    """What somebody says of E moments: the present [E, 1, F], and K futures at one step [E, K, F]; NaN is not said."""

    present: np.ndarray
    future: np.ndarray


@dataclasses.dataclass(frozen=True)
class Asked:
    """What is the case, as the text tells it, and why.

    A fact is changed by the action if it would be another had nothing been done, and by the environment if it changes
    all the same (`Story.changes`); luck is the same in both. So are the facts of ByteSized32-State-Prediction split
    (Wang et al. 2024, arXiv 2406.06485), which reckons the action first and the environment after it; here the truth
    can be forked, and what would have been is known.

    Attributes:
        truth: the present and the futures.
        idle: [E, 1, F] the future in which nothing is done.
        pairs: [P, 2] facts that tell the same of two subjects (`Fact.relation`) in the same range.
    """

    truth: Speech
    idle: np.ndarray
    pairs: np.ndarray

    @property
    def changed(self) -> np.ndarray:
        """[E, K, F] bool: whether the fact has changed, appeared or gone."""
        return ~agree(self.truth.future, self.truth.present)

    @property
    def by_action(self) -> np.ndarray:
        """[E, K, F] bool: changed, and not so had nothing been done."""
        return self.changed & ~agree(self.truth.future, self.idle)


def agree(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Whether the same is said; not to say anything is the same as not to say anything."""
    return (np.abs(one - other) <= ALIKE) | (np.isnan(one) & np.isnan(other))


def share(part: np.ndarray, whole: np.ndarray) -> Rated:
    """Counts [E, K, ...] of each moment as shares; moments where there is nothing to count weigh nothing."""
    some, all_ = (x.reshape(len(x), -1).sum(1).astype(float) for x in (part, whole))
    return np.where(all_ > 0, some / np.maximum(all_, 1), np.nan), all_


def f1(told: Speech, asked: Asked, where: np.ndarray | None = None) -> Rated:
    """2 TP / (facts said + facts true), of all facts or of those [E, K, F] asked about."""
    ours, true = told.future, asked.truth.future
    keep = np.ones(ours.shape, bool) if where is None else where
    right = np.isfinite(ours) & np.isfinite(true) & agree(ours, true) & keep
    return share(2 * right, (np.isfinite(ours) & keep) * 1 + (np.isfinite(true) & keep))


def exact(told: Speech, asked: Asked) -> Rated:
    """Futures in which all that is said is true, and all that is true is said."""
    whole = np.asarray(agree(told.future, asked.truth.future).all(-1))
    return share(whole, np.ones_like(whole))


def silence(told: Speech, asked: Asked) -> Rated:
    """True facts of which nothing is said."""
    true = np.isfinite(asked.truth.future)
    return share(true & np.isnan(told.future), true)


def false_change(told: Speech, asked: Asked) -> Rated:
    """Facts that have not changed and are said to be otherwise than the model itself says of the present."""
    still, said_of = ~asked.changed, np.isfinite(told.future)
    wrong = still & said_of & ~agree(told.future, told.present)
    return share(wrong, still & (said_of | np.isfinite(asked.truth.future)))


def binding(told: Speech, asked: Asked) -> Rated:
    """Pairs of true facts told from the same with their values exchanged: "the apple is on the desk, the mug in hand".

    That side is chosen of which more is said; where it is as much, a coin is thrown. 1/2 is chance.
    """
    (a, b), (x, y) = (np.moveaxis(v[..., asked.pairs], -1, 0) for v in (told.future, asked.truth.future))
    differ = np.isfinite(x) & np.isfinite(y) & ~agree(x, y)
    right, wrong = (agree(a, p) * 1 + agree(b, q) for p, q in ((x, y), (y, x)))
    return share(np.where(differ, 0.5 + 0.5 * np.sign(right - wrong), 0.0), differ)


def pairs(world: Worded) -> np.ndarray:
    """[P, 2] facts of one relation and range: what is said of one can be said of the other."""
    facts = list(world.FACTS.values())
    found = [(i, j) for i, j in combinations(range(len(facts)), 2) if facts[i] == facts[j]]
    return np.array(found, np.int64).reshape(-1, 2)


def usual(told: np.ndarray) -> np.ndarray:
    """[1, 1, F] what is said most often in texts [..., F], fact by fact; silence counts as well."""
    flat = told.reshape(-1, told.shape[-1])
    values = (np.unique(column, return_counts=True, equal_nan=True) for column in flat.T)
    return np.array([found[count.argmax()] for found, count in values])[None, None]


def language_scores(
    subject: Subject, exam: Exam, instrument: Instrument | None, nulls: list[tuple[Subject, Instrument]]
) -> list[Score]:
    """What is said in words (`text_scores`), and words for what is imagined (`caption_scores`), as far as they apply.

    Args:
        subject: who is judged.
        exam: what on.
        instrument: what reads the state; captions need a whole one.
        nulls: models that know nothing, with what reads them in the same numbers.
    """
    found = []
    if "obs" in subject.model.spec.reads and "text" in subject.views and isinstance(exam.world, Worded):
        found += text_scores(subject, exam)
    if exam.world.has_captions and instrument is not None and instrument.whole:
        found += caption_scores(subject, exam, instrument, nulls)
    return found


def text_scores(subject: Subject, exam: Exam) -> list[Score]:
    """`lang.exact@h:ar` and `lang.f1@h:ar`; the facts of `SPLIT` by why they changed; `lang.paraphrase@1:ar`.

    The nulls are the present, what follows if nothing is done, and what is said most often in the exam's own future
    texts, which no model has seen. In worlds of chance nobody but the oracle, who knows its luck, can reach the floor.
    """
    world = exam.world
    assert isinstance(world, Worded)
    forks, found = fork(subject, exam), []
    (e, k, h), here = exam.shape, tree.map(lambda x: x[:, None], subject.believe(exam))
    present = said(world, reading(subject, here, "text"))
    now = said(world, exam.look("text", world.state[:, None]))
    still = np.zeros_like(exam.actions[:, :1].numpy()) + world.idle()
    waited, _, _ = follow_laws(world, still)
    for step in (s for s in STEPS if s <= h):
        at = slice(step - 1, step)
        ours = said(world, reading(subject, forks.states[:, at], "text")).reshape(e, k, -1)
        true = said(world, exam.look("text", exam.states[:, :, step - 1]))
        idle = said(world, exam.look("text", waited[:, :, step - 1]))
        asked = Asked(Speech(now, true), idle, pairs(world))
        often = np.broadcast_to(usual(true), true.shape)
        others = {
            "frozen": Speech(now, np.broadcast_to(now, true.shape)),
            "ignored": Speech(now, np.broadcast_to(idle, true.shape)),
            "usual": Speech(often[:, :1], often),
        }
        found += compared(step, Speech(present, ours), asked, others)
        if step == 1 and world.REWORDED:
            found.append(paraphrase_score(subject, exam, ours))
    return found


def compared(step: int, told: Speech, asked: Asked, others: Mapping[str, Speech]) -> list[Score]:
    """The scores of what is said after a step."""
    changed, by_action = asked.changed, asked.by_action
    rows = {
        "exact": (exact, True, "futures in which all facts are said, and rightly"),
        "f1": (f1, True, "F1 of the facts that are said"),
        "f1.action": (lambda t, a: f1(t, a, by_action), True, "F1 of facts changed by what is done"),
        "f1.environment": (lambda t, a: f1(t, a, changed & ~by_action), True, "F1 of facts that change by themselves"),
        "false_change": (false_change, False, "unchanged facts that are said to have changed"),
        "silence": (silence, False, "true facts of which nothing is said"),
        "binding": (binding, True, "true facts told from the same facts of the wrong things; chance is 1/2"),
    }
    scores = []
    for name, (rate, more, says) in rows.items():
        if name not in ("exact", "f1") and step not in SPLIT:
            continue
        values, weights = rate(told, asked)
        if not weights.any():
            continue
        # Who knows the laws and ignores actions is right by definition about what happens by itself.
        ignorant = {who: x for who, x in others.items() if (name, who) != ("f1.environment", "ignored")}
        nulls = {who: rate(said_by, asked) for who, said_by in ignorant.items()}
        scores.append(
            Score(
                f"lang.{name}@{step}:ar",
                "L",
                values,
                more=more,
                says=f"{says}, after {step} steps",
                instrument="text",
                floor=np.array([average(*rate(asked.truth, asked))]),
                nulls={who: np.array([average(*v)]) for who, v in nulls.items()},
                weights=weights,
            )
        )
    return scores


def reworded(exam: Exam) -> Exam:
    """The same moments and futures, told in the way that is kept for tests (`Worded.REWORDED`)."""
    world = exam.world.select(np.arange(len(exam.states)))
    assert isinstance(world, Worded)
    world.factors |= {name: np.full(len(exam.states), float(value)) for name, value in world.REWORDED.items()}
    other = dataclasses.replace(exam, world=world)
    numbers = exam.context.obs["state"].numpy().astype(np.float64)
    past = world.invert(numbers.reshape(-1, numbers.shape[-1])).reshape(*numbers.shape[:2], -1)
    seen = {**exam.context.obs, "text": torch.as_tensor(other.look("text", past))}
    return dataclasses.replace(other, context=dataclasses.replace(exam.context, obs=seen))


def paraphrase_score(subject: Subject, exam: Exam, plain: np.ndarray) -> Score:
    """`lang.paraphrase@1:ar`: how much of what it says of the next state is the same, however it was told.

    Args:
        subject: who is judged.
        exam: told in the usual words; the state is seen in its context.
        plain: [E, K, F] what the subject says there after one step.
    """
    other = reworded(exam)
    assert isinstance(other.world, Worded)
    states = fork(subject, dataclasses.replace(other, actions=other.actions[:, :, :1])).states
    again = said(other.world, reading(subject, states, "text")).reshape(plain.shape)
    same = agree(plain, again)
    values, weights = share(same, np.ones_like(same))
    return Score(
        "lang.paraphrase@1:ar",
        "L",
        values,
        more=True,
        says="facts said alike of the next state when the past is told in other words",
        instrument="text",
        floor=np.ones(1),
        weights=weights,
    )
