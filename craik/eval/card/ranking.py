"""Axis D: whether players can be told apart in imagination: policy evaluation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from craik.eval.card.action import fork
from craik.eval.card.exam import Exam
from craik.eval.card.instrument import Instrument
from craik.eval.card.judge import judges, worth
from craik.eval.card.perform import crew, perform
from craik.eval.card.score import Score
from craik.eval.card.subject import Subject

PLAYERS = 12
"""Players that are told apart; correlations over fewer say little (EVALUATION: fewer than 8 never)."""


def pearson(*, guess: np.ndarray, true: np.ndarray) -> np.ndarray:
    """[M] terms whose mean is Pearson's r over M players; zeros if either is constant."""
    a, b = guess - guess.mean(), true - true.mean()
    size = a.std() * b.std()
    return a * b / size if min(_spread(guess), _spread(true)) > 0 and size > 0 else np.zeros(len(a))


def spearman(*, guess: np.ndarray, true: np.ndarray) -> np.ndarray:
    """[M] terms whose mean is Spearman's rho: Pearson's r of ranks, ties sharing theirs."""
    return pearson(guess=ranks(guess), true=ranks(true))


def kendall(*, guess: np.ndarray, true: np.ndarray) -> np.ndarray:
    """[M] terms whose mean is Kendall's tau-b (Kendall 1945); zeros if either is constant."""
    a, b = (np.sign(x[:, None] - x[None]) for x in (guess, true))
    size = np.sqrt((a**2).sum() * (b**2).sum())
    return len(guess) * (a * b).sum(1) / size if size else np.zeros(len(guess))


def mmrv(*, guess: np.ndarray, true: np.ndarray) -> np.ndarray:
    """[M] terms whose mean is the mean maximum rank violation (Li et al. 2024, SIMPLER, section 4).

    (1/M) sum_i max_j |J_i - J_j| 1[(G_i > G_j) != (J_i > J_j)], J being the true values and G the guesses. It is not
    symmetric in them, hence the names.
    """
    wrong = (guess[:, None] > guess[None]) != (true[:, None] > true[None])
    return (np.abs(true[:, None] - true[None]) * wrong).max(1)


def reversal(*, guess: np.ndarray, true: np.ndarray) -> np.ndarray:
    """[1] the most that one player truly earns beyond another that is said to earn more; 0 if there is no such pair.

    max_ij (J_i - J_j) 1[G_i < G_j]: a model with any can be exploited by whoever chooses by what it says.
    """
    wrong = guess[:, None] < guess[None]
    return np.array([max(0.0, float(((true[:, None] - true[None]) * wrong).max()))])


def ranks(x: np.ndarray) -> np.ndarray:
    """[M] ranks from 0, ties sharing the mean of theirs."""
    return ((x[:, None] > x[None]).sum(1) + (x[:, None] >= x[None]).sum(1) - 1) / 2


def two_level(
    statistic: Callable[..., np.ndarray], *, guess: np.ndarray, true: np.ndarray, seed: int = 0, resamples: int = 1_000
) -> np.ndarray:
    """A statistic of returns [E, M] over M players on [resamples] draws: of players, and of moments."""
    return over(statistic, resampled(guess, true, seed, resamples))


def over(statistic: Callable[..., np.ndarray], drawn: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """A statistic on each of many draws (`resampled`)."""
    return np.array([statistic(guess=g, true=j).mean() for g, j in drawn])


def resampled(
    guess: np.ndarray, true: np.ndarray, seed: int = 0, resamples: int = 1_000
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Mean returns [M], guessed and true, of drawn players over drawn moments, from those of all [E, M]."""
    rng, (e, m) = np.random.default_rng(seed), true.shape
    found = []
    for _ in range(resamples):
        rows, cols = rng.integers(e, size=e), rng.integers(m, size=m)
        found.append((guess[rows][:, cols].mean(0), true[rows][:, cols].mean(0)))
    return found


def returns(subject: Subject, tour: Exam, instrument: Instrument | None) -> np.ndarray:
    """[E, M] what a model thinks that each player earns by its actions, a step."""
    forks = fork(subject, tour)
    e, m, _ = tour.shape
    return worth(subject, tour, instrument, forks.states, tour.actions.flatten(0, 1)).mean(1).reshape(e, m)


def ranking_scores(
    subject: Subject,
    exam: Exam,
    instrument: Instrument | None,
    nulls: list[tuple[Subject, Instrument]],
    steps: int = 24,
    tasks: int = 32,
) -> list[Score]:
    """`dec.policy_r:ar`, `_rho`, `_tau`, `_bias`, `dec.mmrv:ar`, `dec.reversal:ar` and `dec.selection_regret:ar`.

    None without a judge.

    `PLAYERS` players of graded skill and style act from the same moments in the true world. The model is told what they
    do and says what they earn. Values of the first five stand one for a player; their intervals, and that of the
    reversal, which is one number, let players and moments vary (`two_level`). A model that gives everyone the same has
    no correlation: 0. Where the world's pilot has one style, players differ in skill alone; a fault that skill survives
    (mirrored actions in an open field) goes unseen.
    """
    if not judges(subject, exam, instrument):
        return []
    tour = perform(exam.part(slice(tasks)), crew(exam.world, 1, PLAYERS), steps)
    true, ours = tour.rewards.mean(2), returns(subject, tour, instrument)
    others = {s.name: returns(s, tour, i) for s, i in nulls if judges(s, exam, i)}
    j, g = true.mean(0), ours.mean(0)
    drawn = resampled(ours, true)
    rows = {
        "policy_r": (pearson, True, "Pearson's r of said and true returns of players"),
        "policy_rho": (spearman, True, "Spearman's rho of said and true returns of players"),
        "policy_tau": (kendall, True, "Kendall's tau-b of said and true returns of players"),
        "mmrv": (mmrv, False, "mean maximum rank violation among players, reward of a step"),
        "reversal": (reversal, False, "most that a player earns more than one said to earn more, reward of a step"),
    }
    scores = [
        Score(
            f"dec.{name}:ar",
            "D",
            statistic(guess=g, true=j),
            more=more,
            says=f"{says} ({len(j)})",
            instrument="world",
            floor=statistic(guess=j, true=j),
            nulls={k: statistic(guess=v.mean(0), true=j) for k, v in others.items()},
            drawn=over(statistic, drawn),
        )
        for name, (statistic, more, says) in rows.items()
    ]
    scores.append(
        Score(
            "dec.policy_bias:ar",
            "D",
            g - j,
            more=False,
            says="said minus true returns of players, reward of a step; 0 is honest",
            instrument="world",
            floor=np.zeros(len(j)),
        )
    )
    scores.append(
        Score(
            "dec.selection_regret:ar",
            "D",
            selection_regret(ours, true),
            more=False,
            says="reward of a step lost by choosing the player that it says is best",
            instrument="world",
            floor=np.zeros(len(true)),
            nulls={k: selection_regret(v, true) for k, v in others.items()},
        )
    )
    return scores


def selection_regret(guess: np.ndarray, true: np.ndarray) -> np.ndarray:
    """[E] what the truly best player earns more than the one thought best, on average over ties; returns [E, M]."""
    g = guess.mean(0)
    chosen = g >= g.max() - 1e-9 * max(1.0, np.abs(g).max())
    return true[:, true.mean(0).argmax()] - true[:, chosen].mean(1)


def _spread(x: np.ndarray) -> float:
    """How far numbers differ; 0 where it is no more than rounding."""
    wide = float(np.ptp(x))
    return wide if wide > 1e-9 * max(1.0, float(np.abs(x).max())) else 0.0
