"""Axis C: whether a model that draws its futures draws what may come, and as often as it does."""

from __future__ import annotations

import dataclasses

import numpy as np

from craik.eval.card.exam import Exam
from craik.eval.card.instrument import Instrument
from craik.eval.card.ranking import spearman
from craik.eval.card.score import Score
from craik.eval.card.state import HORIZONS
from craik.eval.card.subject import Subject
from craik.worlds.oracle import Oracle, Truth

SAMPLES = 16
"""Futures drawn of each moment."""

REGIONS = (0.5, 0.8, 0.95)
"""Chances of the central regions that the truth should lie in."""

ALIKE = 1e-6
"""Numbers this near to one another, in the instrument's units, count as equal: float32 and float64 differ by less."""

FEW = 8
"""Moments below which no correlation over them is told."""


def samples(subject: Subject, exam: Exam, instrument: Instrument, num: int = SAMPLES) -> np.ndarray:
    """[num, E, H, S] numbers read of futures drawn with different seeds; what is lost is charged as in `state.err`."""
    true, found = instrument.truth(exam), []
    for i in range(num):
        drawn = dataclasses.replace(subject, seed=1_000 * (subject.seed or 0) + i)
        read = instrument.read(drawn, drawn.dream(drawn.believe(exam), exam.actions[:, 0]))
        found.append(np.where(np.isfinite(read), read, true + instrument.lost))
    return np.stack(found).astype(float)


def crps(drawn: np.ndarray, true: np.ndarray) -> np.ndarray:
    """The continuous ranked probability score of K draws, [K, ...] and [...] -> [...]; 0 is best.

    E|X - y| - E|X - X'| / 2, with the fair estimate of the second term (Ferro 2014): the score does not depend, in
    expectation, on how many are drawn. Of a model that always draws the same it is the absolute error.
    """
    return _score(np.abs(drawn - true), drawn, lambda gap: np.abs(gap))


def energy_score(drawn: np.ndarray, true: np.ndarray) -> np.ndarray:
    """`crps` for vectors (Gneiting & Raftery 2007, eq. 22): draws [K, ..., S] and truth [..., S] -> [...]."""
    far = np.sqrt(np.square(drawn - true).sum(-1))
    return _score(far, drawn, lambda gap: np.sqrt(np.square(gap).sum(-1)))


def pit(drawn: np.ndarray, true: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Where the truth falls among K draws, [K, ...] and [...] -> [...] in [0, 1]; uniform for one who is calibrated.

    The randomised probability integral transform (Czado, Gneiting & Held 2009): the rank among the draws, drawn evenly
    over its own place and that of draws equal to it. It is exactly uniform when the truth is one more draw, for any K.
    """
    same = np.abs(drawn - true) <= ALIKE
    below = ((drawn < true) & ~same).sum(0)
    return (below + rng.random(true.shape) * (same.sum(0) + 1)) / (len(drawn) + 1)


def inside(u: np.ndarray, region: float) -> np.ndarray:
    """Whether values of `pit` lie in the central region of this chance."""
    return np.abs(u - 0.5) <= region / 2


def unevenness(u: np.ndarray) -> float:
    """Mean distance between the sorted values of `pit` [n] and those of a uniform draw; 0 calibrated, at most 1/2."""
    u = np.sort(u.reshape(-1))
    return float(np.abs(u - (np.arange(len(u)) + 0.5) / len(u)).mean())


def calibration_scores(
    subject: Subject, exam: Exam, instrument: Instrument, nulls: list[tuple[Subject, Instrument]], num: int = SAMPLES
) -> list[Score]:
    """`cal.crps@h:ar` and `cal.energy@h:ar`; of models that draw or worlds with chance, calibration at one horizon.

    That is `cal.coverage@50:ar` and so on, how far the share of truths in a region is from its chance, `cal.pit:ar`,
    and `cal.spread_rho:ar`: whether the draws differ most where the error is largest, among moments at one horizon.
    A model that always draws the same, in a world where nothing else can come, has its error told and no more.

    The floor is the oracle, which draws its luck anew, read exactly: of a probed or parsed model the instrument's own
    error comes on top, and it shows in `state.err` as well. Where nothing is left to chance, the oracle draws no spread
    that could be right or wrong: `cal.spread_rho` has no floor there.
    """
    true, ours = instrument.truth(exam), samples(subject, exam, instrument, num)
    floor = _floor(exam, instrument, num)
    others = {s.name: _null(s, exam, i, num) for s, i in nulls}
    known = np.isfinite(true)
    true = np.where(known, true, 0.0)
    ours, floor, *rest = (np.where(known, x, 0.0) for x in (ours, floor, *others.values()))
    others = dict(zip(others, rest))

    def row(name: str, says: str, value, more: bool = False) -> Score:  # noqa: ANN001
        return Score(
            f"cal.{name}:ar",
            "C",
            value(ours),
            more=more,
            says=says,
            instrument=instrument.name,
            floor=value(floor),
            nulls={k: value(v) for k, v in others.items()},
        )

    scores = []
    for h in (h for h in HORIZONS if h <= exam.shape[2]):
        t = h - 1
        scores.append(
            row(
                f"crps@{h}",
                f"ranked probability score of {num} futures after {h} steps, mean over numbers, {instrument.unit}",
                lambda x, t=t: crps(x[:, :, t], true[:, t]).mean(-1),
            )
        )
        scores.append(
            row(
                f"energy@{h}",
                f"energy score of {num} futures after {h} steps, {instrument.unit}",
                lambda x, t=t: energy_score(x[:, :, t], true[:, t]),
            )
        )
    if not exam.world.LUCKY and np.ptp(ours, axis=0).max() <= ALIKE:
        return scores
    t = exam.shape[2] // 2 - 1
    moves = np.isfinite(exam.scale) if ours.shape[-1] == len(exam.scale) else np.ones(ours.shape[-1], bool)

    def placed(x: np.ndarray) -> np.ndarray:
        u = pit(x[:, :, t], true[:, t], np.random.default_rng(0))
        return np.where(known[:, t] & moves, u, np.nan)

    for region in REGIONS:
        scores.append(
            row(
                f"coverage@{100 * region:g}",
                f"how far the share of truths in the central {region:.0%} is from {region:.0%}, after {t + 1} steps",
                lambda x, region=region: _off(placed(x), region),
            )
        )
    scores.append(
        row(
            "pit",
            "how uneven the truth's places among the draws are; 0 is calibrated",
            lambda x: np.array([unevenness(placed(x)[np.isfinite(placed(x))])]),
        )
    )
    if len(true) >= FEW:
        spread = row(
            "spread_rho",
            f"rank correlation over moments of the draws' spread and the error of their mean, after {t + 1} steps",
            lambda x: spearman(
                guess=np.sqrt(x[:, :, t].var(0).mean(-1)),
                true=np.sqrt(np.square(x[:, :, t].mean(0) - true[:, t]).mean(-1)),
            ),
            more=True,
        )
        scores.append(spread if exam.world.LUCKY else dataclasses.replace(spread, floor=np.zeros(0)))
    return scores


def _score(far: np.ndarray, drawn: np.ndarray, norm) -> np.ndarray:  # noqa: ANN001
    """E|X - y| - E|X - X'| / 2 from the distances [K, ...] to the truth and the draws themselves."""
    k, total = len(drawn), np.zeros(far.shape[1:])
    for shift in range(1, k):
        total += norm(drawn[shift:] - drawn[:-shift]).sum(0)
    return far.mean(0) - total / max(k * (k - 1), 1)


def _null(subject: Subject, exam: Exam, instrument: Instrument, num: int) -> np.ndarray:
    """[num, E, H, S] what one of those that know nothing draws: always the same where nothing is left to chance."""
    if exam.world.LUCKY:
        return samples(subject, exam, instrument, num)
    return np.repeat(samples(subject, exam, instrument, 1), num, 0)


def _floor(exam: Exam, instrument: Instrument, num: int) -> np.ndarray:
    """[num, E, H, S] what the oracle draws, in the instrument's numbers of the truth."""
    if not exam.world.LUCKY:
        return np.repeat(instrument.truth(exam)[None], num, 0).astype(float)
    oracle, found = Oracle.of(exam.id), []
    for i in range(num):
        drawn = Subject(oracle, "oracle", seed=10_000 + i)
        states = drawn.dream(oracle.sync(exam.snapshot), exam.actions[:, 0])
        assert isinstance(states, Truth)
        seen = dataclasses.replace(exam, states=states.physics.numpy()[:, None])
        found.append(np.nan_to_num(instrument.truth(seen)))
    return np.stack(found).astype(float)


def _off(u: np.ndarray, region: float) -> np.ndarray:
    """[E] terms whose mean is |share of `u` [E, S] in the region - the region's chance|."""
    known = np.isfinite(u)
    share = (inside(np.nan_to_num(u, nan=-1.0), region) & known).sum(-1) / np.maximum(known.sum(-1), 1)
    share = np.where(known.any(-1), share, np.nan)
    return np.sign(np.nanmean(share) - region) * (share - region)
