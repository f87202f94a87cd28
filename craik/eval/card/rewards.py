"""Axis D: whether what is paid, what is still to come and the end of an episode are foretold."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import torch

from craik.eval.card.action import fork
from craik.eval.card.exam import Exam
from craik.eval.card.instrument import Instrument, reading
from craik.eval.card.judge import blind, worth
from craik.eval.card.live import live_on
from craik.eval.card.ranking import spearman
from craik.eval.card.score import Score, average
from craik.eval.card.subject import Subject

STEPS = (1, 8, 16)
"""Steps after which rewards are foretold, and over how many their sum is: the longest that fits."""

SPARSE = 0.2
"""Rewards are sparse in an exam if so small a part of its steps, or less, pays anything."""

EVENTS = 5
"""Ends, or payments where they are sparse, that there have to be."""

RESAMPLES = 400
"""Draws of moments for an interval."""

Statistic = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""What was said and what is true, [E, M] each -> [E, M] terms whose mean is the statistic; NaN where there is none."""


@dataclasses.dataclass(frozen=True)
class Foretold:
    """What is said of E moments with K futures of H steps.

    Attributes:
        reward: [E, K, H] of each step, 0 once the episode is thought to be over; None if it cannot know.
        end: [E, K, H] chance that the episode has ended with this step; None if it does not say.
    """

    reward: np.ndarray | None
    end: np.ndarray | None


def foretold(subject: Subject, exam: Exam) -> Foretold:
    """What a model's own readings say of all futures."""
    shape, reads = exam.shape, subject.model.spec.reads
    knows_pay = "reward" in reads and not blind(subject, exam)
    if not knows_pay and "proceed" not in reads:
        return Foretold(None, None)
    states = fork(subject, exam).states
    paid = worth(subject, exam, None, states, exam.actions.flatten(0, 1)).reshape(shape) if knows_pay else None
    end = 1 - reading(subject, states, "proceed").astype(float).reshape(shape) if "proceed" in reads else None
    return Foretold(paid, end)


def going_on(exam: Exam) -> Foretold:
    """What one foretells who expects of every step what the last one before the moment paid, and never an end."""
    last = exam.context.reward[:, -1].numpy().astype(float)
    return Foretold(np.broadcast_to(last[:, None, None], exam.shape), np.zeros(exam.shape))


def precision(said: np.ndarray, event: np.ndarray) -> np.ndarray:
    """The share of events among all that is said to be at least as likely as this event: [E, M], NaN elsewhere.

    Its mean over events is the average precision, sum_k (R_k - R_{k-1}) P_k, the area under precision over recall.
    """
    every, hits = np.sort(said, axis=None), np.sort(said[event])
    above = [len(x) - np.searchsorted(x, said, side="left") for x in (hits, every)]
    return np.where(event, above[0] / np.maximum(above[1], 1), np.nan)


def outranked(said: np.ndarray, event: np.ndarray) -> np.ndarray:
    """The share of non-events that are said to be less likely than this event, ties half: [E, M], NaN elsewhere.

    Its mean over events is the area under the receiver operating characteristic (Mann and Whitney's U). Places where
    `said` is NaN are not asked.
    """
    rest = np.sort(said[~event & np.isfinite(said)])
    below = (np.searchsorted(rest, said, side="left") + np.searchsorted(rest, said, side="right")) / 2
    return np.where(event, below / max(len(rest), 1), np.nan)


def rank_terms(said: np.ndarray, true: np.ndarray) -> np.ndarray:
    """[E, M] terms whose mean is Spearman's rho of all E M pairs; NaN where all is truly alike."""
    terms = spearman(guess=said.ravel(), true=true.ravel()).reshape(said.shape)
    return terms if np.ptp(true) else np.full_like(terms, np.nan)


def slope_terms(said: np.ndarray, true: np.ndarray) -> np.ndarray:
    """[E, M] terms whose mean is the slope of a line through true numbers over said ones.

    Zeros if those are all one, NaN if these are.
    """
    a = said - said.mean()
    size = (a**2).mean()
    if not np.ptp(true):
        return np.full_like(a, np.nan)
    return a * (true - true.mean()) / size if size > 1e-12 else np.zeros_like(a)


def drawn(statistic: Statistic, said: np.ndarray, true: np.ndarray, resamples: int = RESAMPLES) -> np.ndarray:
    """The statistic on [R] draws of moments; those on which there is none are left out."""
    rng, found = np.random.default_rng(0), []
    for _ in range(resamples):
        rows = rng.integers(len(said), size=len(said))
        terms = statistic(said[rows], true[rows])
        if np.isfinite(terms).any():
            found.append(np.nanmean(terms))
    return np.array(found)


def reward_scores(
    subject: Subject,
    exam: Exam,
    instrument: Instrument | None,
    nulls: list[tuple[Subject, Instrument]],
    tasks: int = 32,
    steps: int = 24,
) -> list[Score]:
    """`dec.reward_mae@h:ar`, `_rho@h`; `dec.reward_pr:ar`; `dec.return_bias@h:ar`, `_rho`, `_slope`; `dec.done_auc:ar`.

    Of the model's own readings, open loop over all futures; `dec.value_rho:cl` too, of who reads a value. None where
    there is no such reading, where the goal cannot be known that is paid for, where all truly get the same (`_rho`,
    `_slope`), where rewards are not sparse (`reward_pr`), or where too few episodes end (`done_auc`). Nulls are models
    that know nothing of actions, and one who expects that all goes on as it did.
    """
    exam = exam.part(slice(tasks))
    ours = foretold(subject, exam)
    others = {s.name: foretold(s, exam) for s, _ in nulls} | {"last": going_on(exam)}
    scores = []
    if ours.reward is not None:
        paid = {k: v.reward for k, v in others.items() if v.reward is not None}
        scores += _paid(exam, ours.reward, paid)
    if ours.end is not None:
        scores += _ended(exam, ours.end, {k: v.end for k, v in others.items() if v.end is not None})
    if {"value", "action"} <= set(subject.model.spec.reads) and not blind(subject, exam):
        scores.append(value_score(subject, exam, steps))
    return scores


def value_score(subject: Subject, exam: Exam, steps: int) -> Score:
    """`dec.value_rho:cl`: rank correlation of the value at the moments with what the model's own proposals then earn.

    Values are of discounted returns without an end and the truth is of so many steps, so that only ranks are compared.
    """
    belief = subject.believe(exam)
    with torch.no_grad():
        said = subject.model.read(belief)["value"].cpu().numpy().astype(float)[:, None]
    true = live_on(subject, exam, lambda s: subject.model.read(s)["action"], steps).value[:, None]
    last = exam.context.reward[:, -1:].numpy().astype(float)
    says = f"Spearman's rho of the value at a moment and what its own proposals earn in {steps} steps"
    return _score("value_rho:cl", rank_terms, said, true, {"last": last}, says)


def _paid(exam: Exam, ours: np.ndarray, others: dict[str, np.ndarray]) -> list[Score]:
    """Scores of rewards said, [E, K, H] each."""
    true, long = exam.rewards, max(s for s in STEPS if s <= exam.shape[2])
    scores = []
    for h in (s for s in STEPS if s <= exam.shape[2]):

        def at(x: np.ndarray, h: int = h) -> np.ndarray:
            return x[:, :, h - 1]

        scores.append(
            Score(
                f"dec.reward_mae@{h}:ar",
                "D",
                np.abs(at(ours) - at(true)).mean(1),
                more=False,
                says=f"mean absolute error of the reward of step {h}",
                floor=np.zeros(len(true)),
                nulls={k: np.abs(at(v) - at(true)).mean(1) for k, v in others.items()},
            )
        )
        says = f"Spearman's rho of said and true rewards of step {h}"
        if np.ptp(at(true)) > 0:
            guesses = {k: at(v) for k, v in others.items()}
            scores.append(_score(f"reward_rho@{h}:ar", rank_terms, at(ours), at(true), guesses, says))
    going = np.concatenate([np.ones_like(exam.over[..., :1]), ~exam.over[..., :-1]], 2)
    events = (true > 0) & going
    if EVENTS <= events.sum() <= SPARSE * going.sum():

        def flat(x: np.ndarray) -> np.ndarray:
            return np.where(going, x, -np.inf).reshape(len(x), -1)

        says = "average precision of the reward said, for the few steps that pay anything (area of precision by recall)"
        guesses = {k: flat(v) for k, v in others.items()}
        scores.append(_score("reward_pr:ar", precision, flat(ours), events.reshape(len(events), -1), guesses, says))
    return [*scores, *_summed(ours[..., :long].mean(2), true[..., :long].mean(2), others, long)]


def _summed(ours: np.ndarray, true: np.ndarray, others: dict[str, np.ndarray], steps: int) -> list[Score]:
    """Scores of what futures earn over so many steps, [E, K] each, a step."""
    guesses = {k: v[..., :steps].mean(2) for k, v in others.items()}
    bias = Score(
        f"dec.return_bias@{steps}:ar",
        "D",
        (ours - true).mean(1),
        more=False,
        says=f"said minus true return over {steps} steps, reward of a step; 0 is honest",
        floor=np.zeros(len(true)),
    )
    if not np.ptp(true):
        return [bias]
    of = f"said and true return over {steps} steps"
    slope = f"slope of a line through {of}: 1 is calibrated, less promises too wide a range, 0 says nothing"
    return [
        bias,
        _score(f"return_rho@{steps}:ar", rank_terms, ours, true, guesses, f"Spearman's rho of {of}"),
        _score(f"return_slope@{steps}:ar", slope_terms, ours, true, {"constant": np.zeros_like(true)}, slope),
    ]


def _ended(exam: Exam, ours: np.ndarray, others: dict[str, np.ndarray]) -> list[Score]:
    """The score of ends said, [E, K, H] each; none if too few are true."""
    going = np.concatenate([np.ones_like(exam.over[..., :1]), ~exam.over[..., :-1]], 2)
    events = (exam.over & going).reshape(len(ours), -1)
    if events.sum() < EVENTS:
        return []

    def flat(x: np.ndarray) -> np.ndarray:
        return np.where(going, x, np.nan).reshape(len(x), -1)

    says = "how often a step that ends an episode is said to be likelier to than one that does not (area under ROC)"
    return [_score("done_auc:ar", outranked, flat(ours), events, {k: flat(v) for k, v in others.items()}, says)]


def _score(
    name: str,
    statistic: Statistic,
    ours: np.ndarray,
    true: np.ndarray,
    others: dict[str, np.ndarray],
    says: str,
) -> Score:
    """A statistic over all rows as a score with one value a moment, weighed by its terms."""

    def values(said: np.ndarray) -> np.ndarray:
        terms = statistic(said, true)
        count = np.isfinite(terms).sum(1)
        return np.where(count > 0, np.nan_to_num(terms).sum(1) / np.maximum(count, 1), np.nan)

    count = np.isfinite(statistic(ours, true)).sum(1).astype(float)

    def total(said: np.ndarray) -> np.ndarray:
        return np.array([average(values(said), count)])

    return Score(
        f"dec.{name}",
        "D",
        values(ours),
        more=True,
        says=says,
        floor=total(true.astype(float)),
        nulls={k: total(v) for k, v in others.items()},
        weights=count,
        drawn=drawn(statistic, ours, true),
    )
