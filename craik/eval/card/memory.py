"""Axis M: whether what was left behind is still there on return, and what was seen once is remembered."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from craik.behave.icem import ICEM
from craik.behave.objectives import Objective, readings
from craik.behave.plan import PlanConfig
from craik.core.model import WorldModel
from craik.core.state import State
from craik.eval.card.action import AT_ONCE
from craik.eval.card.exam import Exam, follow_laws
from craik.eval.card.instrument import Instrument, Told, reading
from craik.eval.card.score import Score
from craik.eval.card.subject import Subject
from craik.worlds.oracle import Oracle

LEGS = (4, 8)
"""Steps away, and as many back."""

GATE = 0.5
"""Part of the true way out that has to be imagined for the return to count."""

HOME = 0.25
"""A round trip counts whose end is this part, at most, of the way out from where it began."""


@dataclasses.dataclass(frozen=True)
class RoundTrip(Objective):
    """Away from the beginning and back to it: how far it is at half time, at most `enough`, less 4 times the end's.

    Attributes:
        home: [B, S] the numbers at the beginning.
        weight: [S] of each number; 0 for those that do not count.
        enough: how far is far enough.
    """

    home: Tensor
    weight: Tensor
    enough: float = 1.0
    needs = ("latent",)

    def rows(self, key: Tensor) -> RoundTrip:  # noqa: D102
        return dataclasses.replace(self, home=self.home[key])

    def __call__(self, model: WorldModel, states: State, actions: Tensor) -> Tensor:  # noqa: D102
        numbers = readings(model, states, "latent")
        far = ((numbers - self.home[:, None, None]) * self.weight).square().mean(-1).sqrt()  # [B, N, T]
        return far[..., far.shape[-1] // 2 - 1].clamp(max=self.enough) - 4 * far[..., -1]


def round_trips(exam: Exam, leg: int) -> Exam:
    """The same moments; the one future goes `leg` steps away and as many back, as nearly as a planner finds.

    What is moved directly goes and returns (`driven`); what else is pushed on the way may not.
    """
    oracle, told = Oracle.of(exam.id), Told(exam)
    belief = oracle.sync(exam.snapshot)
    kept = driven(exam, told)
    weight = torch.as_tensor(np.where(kept, 1 / exam.scale, 0.0)).float() / np.sqrt(kept.mean())
    search = ICEM(
        oracle.spec.action, PlanConfig(2 * leg), num_samples=96, num_steps=8, num_elites=10, num_keep=4, min_std=0.02
    )
    goal = RoundTrip(oracle.read(belief)["latent"], weight)
    plan = search.plan(oracle, belief, goal, search.start(len(exam.states)))
    states, rewards, over = follow_laws(exam.world, plan.actions.numpy()[:, None])
    return dataclasses.replace(exam, actions=plan.actions[:, None], states=states, rewards=rewards, over=over)


def revisit(read: np.ndarray, trip: Exam, instrument: Instrument, keep: np.ndarray) -> np.ndarray:
    """[E] how nearly it is back: 1 exactly, 0 no nearer than at the far end, or never having been away.

    1 - |x_hat(2L) - x(0)| / |x(L) - x(0)|, not below 0; 0 unless |x_hat(L) - x(L)| < `GATE` |x(L) - x(0)|: a model that
    does not move comes home to nothing (the motion gate). NaN where the true way does not lead back (`HOME`).

    Args:
        read: [E, 2L, S] numbers of what is imagined.
        trip: one future of 2 L steps (`round_trips`).
        instrument: what read them.
        keep: [S] bool, numbers that count.
    """
    leg, true = trip.shape[2] // 2, instrument.truth(trip)[..., keep]
    read, home = read[..., keep], beginning(trip, instrument)[:, None, keep]
    away = instrument.error(true[:, leg - 1 : leg], home)[:, 0]
    ends = instrument.error(true[:, -1:], home)[:, 0]
    out = instrument.error(read[:, leg - 1 : leg], true[:, leg - 1 : leg])[:, 0]
    back = instrument.error(read[:, -1:], home)[:, 0]
    value = np.where(out < GATE * away, np.clip(1 - back / np.maximum(away, 1e-12), 0, 1), 0.0)
    return np.where((away > 1e-6) & (ends <= HOME * away), value, np.nan)


def driven(exam: Exam, instrument: Instrument) -> np.ndarray:
    """[S] bool: numbers of places, not of speeds, that differ between the futures of half the moments after a leg.

    Those that differ most often, if none does so often. `action.controllable` asks the same sooner, when in worlds with
    inertia little more than speeds differ; but to be back is to be at a place.
    """
    step = min(LEGS[0], exam.shape[2]) - 1
    true = np.stack([instrument.truth(exam, i)[:, step] for i in range(exam.shape[1])], 1)
    share = (np.nan_to_num(np.ptp(true, axis=1)) > AT_ONCE).mean(0)
    if instrument.whole:
        share = np.where(rates(exam), 0.0, share)
    return share >= min(0.5, max(share.max(), 1e-9))


def rates(exam: Exam) -> np.ndarray:
    """[S] bool: numbers of the state that tell a speed: they change when a field that is one does."""
    world, state = exam.world, exam.world.state
    faster = state.copy()
    faster[:, [i for i, name in enumerate(world.FIELDS) if "speed" in name or name == "turning"]] += 0.5
    return (np.abs(world.numbers(faster) - world.numbers(state)) > 1e-6).any(0)


def beginning(exam: Exam, instrument: Instrument) -> np.ndarray:
    """[E, S] what is the case at the moments, in the instrument's numbers."""
    held = dataclasses.replace(exam, states=exam.world.state[:, None, None])
    return instrument.truth(held)[:, 0]


def memory_scores(
    subject: Subject, exam: Exam, instrument: Instrument, nulls: list[tuple[Subject, Instrument]], tasks: int = 32
) -> list[Score]:
    """`geo.revisit@L:ar` for the legs L of `LEGS`; none of a leg on which no true way leads out and back."""
    exam, scores = exam.part(slice(tasks)), []
    keep = driven(exam, instrument)
    if not keep.any() or not driven(exam, Told(exam)).any():
        return []
    for leg in LEGS:
        trip = round_trips(exam, leg)

        def judged(who: Subject, reader: Instrument, trip: Exam = trip) -> np.ndarray:
            return revisit(reader.read(who, who.dream(who.believe(trip), trip.actions[:, 0])), trip, reader, keep)

        ours = judged(subject, instrument)
        if not np.isfinite(ours).any():
            continue
        scores.append(
            Score(
                f"geo.revisit@{leg}:ar",
                "M",
                ours,
                more=True,
                says=f"how nearly it is back after {leg} steps away and {leg} back; 0 if it never went",
                instrument=instrument.name,
                floor=revisit(instrument.floor(subject, trip), trip, instrument, keep),
                nulls={s.name: judged(s, i) for s, i in nulls},
            )
        )
    return scores


def recall(subject: Subject, cues: Sequence[Exam], step: int) -> np.ndarray:
    """[E] how often it is remembered which of K cues was seen: a door for worlds that offer one (`mem.recall`).

    The K exams are twins: the same moments, actions and laws, but in the context something was different (the colour of
    a key, a digit on a wall) that decides what is seen `step` steps later. Row e counts for cue i if what is imagined
    after it is nearest to what comes true there, among the K; ties are split. 1 / K is chance.
    """

    def seen(exam: Exam, name: str) -> np.ndarray:
        return exam.look(name, exam.states[:, 0, step - 1]).reshape(len(exam.states), -1).astype(float)

    name = "latent" if "latent" in subject.model.spec.reads else subject.views[0]
    ours, true = [], []
    for exam in cues:
        states = subject.dream(subject.believe(exam), exam.actions[:, 0, :step])[:, step - 1 : step]
        ours.append(reading(subject, states, name).reshape(len(exam.states), -1).astype(float))
        watched = subject.watch(exam)[:, step - 1 : step]
        true.append(reading(subject, watched, name)[:, 0] if name == "latent" else seen(exam, name))
    far = np.square(np.stack(ours, 1)[:, :, None] - np.stack(true, 1)[:, None]).sum(-1)  # [E, imagined, true]
    best = far <= far.min(-1, keepdims=True) * (1 + 1e-6) + 1e-9
    return (np.diagonal(best, axis1=1, axis2=2) / best.sum(-1)).mean(1)
