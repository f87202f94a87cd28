"""What the laws of billiards ask of a trajectory, one law at a time, each only where it applies."""

from __future__ import annotations

import dataclasses
from itertools import combinations

import numpy as np

from craik.eval.card.exam import Exam, follow_laws
from craik.eval.card.instrument import Instrument, Parsed, Probed, Told
from craik.eval.card.score import Score
from craik.eval.card.subject import Subject
from craik.worlds.bounce import DT, REACH

CLEAR = 1.25
"""Balls fly freely if their centres are further apart than this many diameters, and as far from walls."""

MET = 1.1
"""Balls have met if their centres came closer than this many diameters and their momenta changed."""

APART = 1.5
"""Two balls are alone if no third one comes closer than this many diameters to either."""

DEEP = 0.85
"""Balls went into one another if their centres are closer than this many diameters."""

ENDS = 4
"""Frames at the beginning and at the end in which energy is taken (their median)."""

AROUND = 2
"""Frames before and after a collision between which momentum is compared."""

KNOCK = 0.1
"""A momentum changed if it did by more than this, in units/s times the mass of a ball."""


@dataclasses.dataclass(frozen=True)
class Paths:
    """Where balls are and how fast, and the constants of their worlds.

    Attributes:
        at: [E, H, P, 2] units, y up; NaN for what was not found.
        speed: [E, H, P, 2] units/s.
        factors: name -> [E].
    """

    at: np.ndarray
    speed: np.ndarray
    factors: dict[str, np.ndarray]

    @property
    def mass(self) -> np.ndarray:
        """[E, P]."""
        mass = np.ones((self.at.shape[0], self.at.shape[2]))
        mass[:, 0] = self.factors["mass"]
        return mass

    @property
    def gaps(self) -> np.ndarray:
        """[E, H, P, P] distances between centres in diameters; infinite from a ball to itself."""
        far = np.linalg.norm(self.at[:, :, :, None] - self.at[:, :, None], axis=-1)
        far = far / (2 * self.factors["radius"])[:, None, None, None]
        return far + np.diag(np.full(far.shape[-1], np.inf))

    @property
    def free(self) -> np.ndarray:
        """[E, H, P] bool: far from walls and from one another, and found."""
        room = 1 - (2 * CLEAR - 1) * self.factors["radius"]
        inside = (np.abs(self.at) < room[:, None, None, None]).all(-1)
        with np.errstate(invalid="ignore"):
            return inside & (np.nan_to_num(self.gaps, nan=np.inf).min(-1) > CLEAR)


def paths(exam: Exam, instrument: Instrument, read: np.ndarray) -> Paths:
    """Paths from readings [E, H, S]: of the picture, or of the numbers, and then speeds are those that are said."""
    e, h, _ = read.shape
    factors = exam.factors()
    if isinstance(instrument, Parsed):
        at = (read.reshape(e, h, -1, 2) * 2 - 1) * REACH * np.array([1.0, -1.0])
        return Paths(at, np.gradient(at, DT, axis=1), factors)
    assert isinstance(instrument, Told | Probed)
    balls = (read * np.where(np.isfinite(instrument.scale), instrument.scale, 1.0)).reshape(e, h, -1, 4)
    return Paths(balls[..., :2], balls[..., 2:], factors)


def left_alone(exam: Exam) -> Exam:
    """The same moments with one future, in which nothing is done."""
    actions = np.zeros_like(exam.actions[:, :1].numpy())
    states, rewards, over = follow_laws(exam.world, actions)
    return dataclasses.replace(exam, actions=exam.actions[:, :1] * 0, states=states, rewards=rewards, over=over)


def bounce_laws(subject: Subject, exam: Exam, instrument: Instrument) -> list[Score]:
    """`phys.g_ratio`, `phys.energy` and `phys.momentum` where nothing is done; `phys.penetration` in the lived future.

    Their floor is the truth through the same instrument, and what stands still is the null of gravity. Standing still
    breaks none of the other laws, so they have no null.
    """
    alone = left_alone(exam)
    found = {}
    for name, where in (("alone", alone), ("lived", exam)):
        dreamt = subject.dream(subject.believe(where), where.actions[:, 0])
        reads = instrument.read(subject, dreamt), instrument.floor(subject, where)
        found[name] = tuple(paths(exam, instrument, read) for read in reads)
    ours, floor = found["alone"]
    told = Told(exam)
    true = paths(exam, told, told.truth(alone))
    deep, deep_floor = (penetration(p) for p in found["lived"])
    rows = {
        "energy": (energy(ours, true), energy(floor, true), "energy gained or lost, in parts of what there was"),
        "momentum": (momentum(ours), momentum(floor), "momentum not handed on in collisions, in parts of it"),
        "penetration": (deep, deep_floor, f"share of frames in which balls are closer than {DEEP} diameters"),
    }
    scores = [
        Score(f"phys.{name}:ar", "P", value, more=False, says=says, instrument=instrument.name, floor=base)
        for name, (value, base, says) in rows.items()
    ]
    if (exam.world.factors["gravity"] > 0).any():
        still = dataclasses.replace(floor, at=np.repeat(floor.at[:, :1], floor.at.shape[1], 1))
        scores.append(
            Score(
                "phys.g_ratio:ar",
                "P",
                gravity(ours),
                more=True,
                says="fall in free flight, in parts of the true gravity; 1 is the truth, more is too much",
                instrument=instrument.name,
                floor=gravity(floor),
                nulls={"still": gravity(still)},
            )
        )
    return scores


def gravity(p: Paths) -> np.ndarray:
    """[E] median fall over free flights of three frames, in parts of the true one; NaN where there is none.

    Under linear drag k the second difference of an exact flight, y2 - y1 - e^(-k dt) (y1 - y0), is its pull times
    dt (1 - e^(-k dt)) / k; without drag, times dt^2.
    """
    drag, g = p.factors["drag"], p.factors["gravity"]
    fade = np.exp(-drag * DT)
    once = np.where(drag > 1e-9, (1 - fade) / np.maximum(drag, 1e-9), DT)
    y = p.at[..., 1]
    step = np.diff(y, axis=1)
    fall = -(step[:, 1:] - fade[:, None, None] * step[:, :-1]) / (once * DT)[:, None, None]
    free = p.free
    kept = np.where(free[:, 2:] & free[:, 1:-1] & free[:, :-2], fall, np.nan)
    return _median(kept.reshape(len(y), -1)) / np.where(g > 0, g, np.nan)


def energy(p: Paths, true: Paths) -> np.ndarray:
    """[E] |E_H - E_H true| / E_0 true, at most 1, where nothing is done. Drag takes its part from both.

    E = sum m v^2 / 2 + m g (y + 1); the first and last `ENDS` frames give their medians. A ball that is nowhere to be
    found is charged as much as can be: it took its energy with it.
    """

    def of(q: Paths) -> np.ndarray:
        height = q.factors["gravity"][:, None, None] * (q.at[..., 1] + 1)
        return (q.mass[:, None] * (0.5 * np.square(q.speed).sum(-1) + height)).sum(-1)  # [E, H]

    began, ended = _median(of(true)[:, :ENDS]), _median(of(true)[:, -ENDS:])
    last = _median(of(p)[:, -ENDS:])
    off = np.minimum(np.abs(last - ended) / np.maximum(began, 1e-6), 1.0)
    return np.where(np.isfinite(last), off, 1.0)


def momentum(p: Paths) -> np.ndarray:
    """[E] |dp_i + dp_j| / |dp_i| over collisions of two balls alone, where nothing is done; NaN where there is none.

    Momentum before and after is compared `AROUND` frames away, with what drag and gravity do to it in between.
    """
    e, h, balls, _ = p.at.shape
    span = 2 * AROUND * DT
    drag = p.factors["drag"]
    fade = np.exp(-drag * span)
    once = np.where(drag > 1e-9, (1 - fade) / np.maximum(drag, 1e-9), span)
    pull = np.stack([np.zeros(e), -p.factors["gravity"] * once], -1)
    gaps, mass = p.gaps, p.mass
    reach = np.abs(p.at) + np.abs(p.speed) * DT  # where a ball may have been between two frames
    inside = (reach < (1 - p.factors["radius"])[:, None, None, None]).all(-1)
    lost, passed = np.zeros(e), np.zeros(e)
    for t in range(AROUND + 1, h - AROUND - 1):
        early, late = t - AROUND, t + AROUND
        window = slice(early - 1, late + 2)  # speeds read off pictures need a frame on either side
        pull_in = p.speed[:, early] * fade[:, None, None] + pull[:, None]
        change = mass[..., None] * (p.speed[:, late] - pull_in)  # [E, P, 2]
        size = np.linalg.norm(change, axis=-1)
        for i, j in combinations(range(balls), 2):
            near = gaps[:, window, i, j]
            rest = [k for k in range(balls) if k not in (i, j)]
            alone = (gaps[:, window][:, :, [i, j]][..., rest] > APART).all((1, 2, 3))
            clear = inside[:, window, i].all(1) & inside[:, window, j].all(1)
            both = np.maximum(size[:, i], size[:, j])
            met = (near.argmin(1) == AROUND + 1) & (near.min(1) < MET) & alone & clear & (both > KNOCK)
            lost += np.where(met, np.linalg.norm(change[:, i] + change[:, j], axis=-1), 0.0)
            passed += np.where(met, both, 0.0)
    return np.where(passed > 0, lost / np.maximum(passed, 1e-9), np.nan)


def penetration(p: Paths) -> np.ndarray:
    """[E] share of frames in which two balls are closer than `DEEP` diameters; what is not found touches nothing."""
    return (np.nan_to_num(p.gaps, nan=np.inf).min((-1, -2)) < DEEP).mean(1)


def _median(x: np.ndarray) -> np.ndarray:
    """Medians of rows [E, N] without what is missing; NaN for rows where all is."""
    kept = np.isfinite(x)
    rows = [row[ok] for row, ok in zip(x, kept)]
    return np.array([np.median(row) if len(row) else np.nan for row in rows])
