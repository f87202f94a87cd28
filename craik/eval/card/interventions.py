"""Axis S: whether the state that a probe reads is the state that a model goes on from.

A probe finds what is in a latent, not what is done with it. So the latent is changed, as by Li et al. 2023, "Emergent
World Representations" (Othello, arXiv 2210.13382): shifted along the probe until that reads another state s' in place
of s, and rolled on. The truth is forked at s'. What the change changes should be what it changes there.

A belief is opaque, so what is shifted are the numbers in it, all at once and as little as need be, by the gradient of
the probe's reading: for a latent that lies in the belief as it is, along the probe's own weights. It is asked of models
that are read by a probe, and whose latent has a gradient.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor

from craik.core import tree
from craik.core.state import State
from craik.eval.card.action import STEPS, controllable
from craik.eval.card.exam import Exam, follow_laws
from craik.eval.card.instrument import Instrument, Probed
from craik.eval.card.score import Score
from craik.eval.card.state import EPSILON
from craik.eval.card.subject import Subject

ELSEWHERE = 16
"""Steps along another future of the moment where the other state lies, at most: possible, and of the same laws."""

NEWTON = 3
"""Shifts, each from where the last one led: one is enough where the latent is linear in the belief."""

AT_ONCE = 2**24
"""Slopes held at once: of so many numbers of a belief, times those that are probed."""

TOLERANCE = 1e-4
"""Directions in which a probe reads less than this part of what it reads in its best one are left alone."""


@dataclasses.dataclass(frozen=True)
class Fork:
    """Two states of each moment, and what truly follows the lived actions from either.

    Attributes:
        shift: [E, S] what the other state is more than the moment's own, in the instrument's numbers.
        here, there: [E, H, S] what follows.
        live: [E, H] bool, whether neither episode is over.
    """

    shift: np.ndarray
    here: np.ndarray
    there: np.ndarray
    live: np.ndarray


def fork_at(exam: Exam, instrument: Instrument, steps: int) -> Fork:
    """The truth from the moments and from `ELSEWHERE`."""
    other = exam.states[:, 1, :ELSEWHERE][:, -1]
    world = exam.world.select(np.arange(len(other)))
    world.state = other
    actions = exam.actions[:, :1, :steps].numpy()
    states, _, over = follow_laws(world, actions)
    moments = np.stack([exam.world.state, other], 1)[:, None]  # [E, 1, 2, D]
    here, there = np.moveaxis(instrument.truth(dataclasses.replace(exam, states=moments)), 1, 0)
    return Fork(
        there - here,
        instrument.truth(exam)[:, :steps],
        instrument.truth(dataclasses.replace(exam, states=states)),
        ~(over[:, 0] | exam.over[:, 0, :steps]),
    )


def shifted(subject: Subject, probe: Probed, state: State, by: np.ndarray) -> State | None:
    """A belief of which the probe reads `by` [E, S] more; None if its latent has no gradient."""
    numbers = sum(x[0].numel() for x in tree.leaves(state)) * by.shape[1]
    rows, found = max(1, AT_ONCE // numbers), []
    for start in range(0, len(by), rows):
        here = slice(start, start + rows)
        part = _shifted(subject, probe, state[here], torch.as_tensor(by[here], device=subject.model.device))
        if part is None:
            return None
        found.append(part)
    return tree.cat(found)


@torch.enable_grad()
def _shifted(subject: Subject, probe: Probed, state: State, by: Tensor) -> State | None:
    target: Tensor | None = None
    for _ in range(NEWTON):
        state = tree.map(lambda x: x.detach().clone().requires_grad_(x.is_floating_point()), state)
        numbers = _numbers(subject, probe, state)
        if numbers is None:
            return None
        if target is None:
            target = numbers.detach() + by
        slopes = _slopes(numbers, tree.leaves(state))
        flat = torch.cat([x.reshape(*x.shape[:2], -1) for x in slopes], -1)  # [E, S, P]
        inverse = torch.linalg.pinv(flat @ flat.mT, rtol=TOLERANCE, hermitian=True)
        share = (inverse @ (target - numbers.detach())[..., None])[..., 0]  # [E, S]
        moves = iter([torch.einsum("es,es...->e...", share, x) for x in slopes])
        state = tree.map(lambda x, m=moves: (x.detach() + next(m)).to(x.dtype), state)
    return state


def _numbers(subject: Subject, probe: Probed, state: State) -> Tensor | None:
    """What the probe reads, [E, S], with its gradient; None if there is none."""
    ridge, device = probe.ridge, subject.model.device
    mean, weight, bias = (torch.as_tensor(x, device=device) for x in (ridge.mean, ridge.weight, ridge.bias))
    try:
        latent = subject.model.read(state)["latent"]
    except RuntimeError:  # numpy refuses what has a gradient: this model leaves torch on the way
        return None
    return (latent.double() - mean) @ weight + bias if latent.requires_grad else None


def _slopes(numbers: Tensor, leaves: list[Tensor]) -> list[Tensor]:
    """The gradient of each number, [E, S, ...] for a leaf [E, ...]; zeros for leaves that it does not depend on."""
    free = [x for x in leaves if x.requires_grad]
    rows = [torch.autograd.grad(n.sum(), free, retain_graph=True, allow_unused=True) for n in numbers.unbind(1)]
    found = iter(zip(*rows))
    columns = [next(found) if x.requires_grad else (None,) * len(rows) for x in leaves]
    return [
        torch.stack([torch.zeros_like(x) if g is None else g for g in column], 1).double()
        for x, column in zip(leaves, columns)
    ]


def intervention_scores(
    subject: Subject, exam: Exam, instrument: Instrument, nulls: list[tuple[Subject, Instrument]]
) -> list[Score]:
    """`int.effect_r2@h:ar` and `int.retrieval@h:ar`; none of a model that is not probed or cannot be shifted."""
    steps = [s for s in STEPS[:2] if s <= exam.shape[2]]
    if not isinstance(instrument, Probed) or exam.shape[1] < 2 or not steps:
        return []
    true = fork_at(exam, instrument, steps[-1])
    with torch.no_grad():
        belief = subject.believe(exam)
        other = shifted(subject, instrument, belief, true.shift)
    if other is None:
        return []
    actions = exam.actions[:, 0, : steps[-1]]
    ours, moved = (instrument.read(subject, subject.dream(s, actions)) for s in (belief, other))
    keep = controllable(exam, instrument)
    return [score for step in steps for score in _scores(true, ours, moved, keep, step)]


def _scores(true: Fork, ours: np.ndarray, moved: np.ndarray, keep: np.ndarray, step: int) -> list[Score]:
    """The scores after so many steps of what is read of both dreams, [E, H, S], in the numbers that are controlled."""
    ours, moved, here, there = (x[:, step - 1, keep] for x in (ours, moved, true.here, true.there))
    live, wanted = true.live[:, step - 1], there - here
    size = np.where(live, np.square(wanted).sum(-1), 0.0)

    asked, shift = live & (np.sqrt(size / keep.sum()) > EPSILON), true.shift[:, keep]

    def r2(effect: np.ndarray) -> np.ndarray:
        return 1 - np.square(effect - wanted).sum(-1) / np.maximum(size, 1e-12)

    def nearer(end: np.ndarray) -> np.ndarray:
        near, far = (np.square(end - x).sum(-1) for x in (there, here))
        return np.where(asked, (near < far) + 0.5 * (near == far), np.nan)

    stays = (r2(shift) * size).sum() / max(size.sum(), 1e-12)
    return [
        Score(
            f"int.effect_r2@{step}:ar",
            "S",
            np.where(live, r2(moved - ours), np.nan),
            more=True,
            says="of what another state would change, how much it changes when the latent is shifted to it",
            instrument=Probed.name,
            floor=np.ones(1),
            nulls={"nothing": np.zeros(1), "stays": np.array([stays])},
            weights=size,
        ),
        Score(
            f"int.retrieval@{step}:ar",
            "S",
            nearer(moved),
            more=True,
            says="how often what follows a shift is nearer to what follows the other state than the one it was",
            instrument=Probed.name,
            floor=np.ones(1),
            nulls={"chance": np.full(1, 0.5), "stays": nearer(here + shift)},
        ),
    ]
