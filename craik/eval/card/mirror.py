"""Symmetries: what is imagined in a mirror is the mirror image of what is imagined."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
import torch
from gymnasium import spaces

from craik.eval.card.exam import Exam
from craik.eval.card.instrument import Instrument
from craik.eval.card.score import Score
from craik.eval.card.subject import Subject
from craik.worlds.bounce import Bounce
from craik.worlds.cartpole import CartPoleSwing
from craik.worlds.exact import ExactWorld
from craik.worlds.swing import Swing

STEP = 8
"""Steps after which the two are compared."""


@dataclasses.dataclass(frozen=True)
class Mirror:
    """Left and right exchanged: the signs of the numbers of the state [S] and of the parts of an action [A].

    Attributes:
        numbers: -1 where a number turns its sign, else 1.
        action: the same of an action in numbers; of choices, the opposite one is taken (n - 1 - i).
    """

    numbers: np.ndarray
    action: np.ndarray


MIRRORS: Mapping[type[ExactWorld], Callable[[ExactWorld], Mirror]] = {
    Bounce: lambda world: Mirror(np.tile([-1.0, 1, -1, 1], len(world.POINTS)), np.array([-1.0, 1])),
    CartPoleSwing: lambda world: Mirror(np.array([-1.0, -1, 1, -1, -1]), np.array([-1.0])),
    Swing: lambda world: Mirror(np.array([1.0, -1, -1]), np.array([-1.0])),
}
"""World -> its mirror, of worlds whose laws are the same in it. A world adds its own here."""


def mirror_scores(subject: Subject, exam: Exam, instrument: Instrument) -> list[Score]:
    """`phys.mirror@h:ar`: how far the future imagined in a mirror is from the mirror image of the future imagined.

    In parts of how far things truly move. Needs no truth at all, and standing still passes it. Empty for a world
    without such a symmetry, for places in pictures, and for contexts in which the state is not shown.
    """
    ways = [make for world, make in MIRRORS.items() if isinstance(exam.world, world)]
    if not ways or not instrument.whole or "state" not in exam.context.obs:
        return []
    mirror, step = ways[0](exam.world), min(STEP, exam.shape[2])
    turned = reflected(exam, mirror)
    seen = [
        instrument.read(subject, subject.dream(subject.believe(e), e.actions[:, 0, :step])[:, -1:])[:, 0]
        for e in (exam, turned)
    ]
    true = instrument.truth(exam)
    moved = np.sqrt(np.square(true[:, step - 1] - true[:, 0]).mean())
    apart = np.sqrt(np.square(seen[1] - seen[0] * mirror.numbers).mean(-1))
    bases = [instrument.floor(subject, e)[:, step - 1] for e in (exam, turned)]  # a probe may know left from right
    floor = np.sqrt(np.square(bases[1] - bases[0] * mirror.numbers).mean(-1))
    return [
        Score(
            f"phys.mirror@{step}:ar",
            "P",
            apart / max(moved, 1e-9),
            more=False,
            says=f"asymmetry of what is imagined after {step} steps, in parts of how far things truly move",
            instrument=instrument.name,
            floor=floor / max(moved, 1e-9),
        )
    ]


def reflected(exam: Exam, mirror: Mirror) -> Exam:
    """The same exam in a mirror: moments, what was seen before them, actions and what follows."""
    world = exam.world.select(np.arange(len(exam.states)))

    def turn(physics: np.ndarray) -> np.ndarray:
        flat = physics.reshape(-1, physics.shape[-1])
        back = world.invert(world.numbers(flat) * mirror.numbers)
        if world.LUCKY:
            back[:, -1] = flat[:, -1]
        return back.reshape(physics.shape)

    world.state, world.goal = turn(world.state), turn(world.goal)
    numbers = exam.context.obs["state"].numpy().astype(np.float64)
    past = turn(world.invert(numbers.reshape(-1, numbers.shape[-1]))).reshape(*numbers.shape[:2], -1)
    seen = {k: torch.as_tensor(exam.look(k, past)) for k in exam.context.obs}
    context = dataclasses.replace(exam.context, obs=seen, action=_opposite(world, exam.context.action, mirror))
    return dataclasses.replace(
        exam, world=world, context=context, actions=_opposite(world, exam.actions, mirror), states=turn(exam.states)
    )


def _opposite(world: ExactWorld, action: torch.Tensor, mirror: Mirror) -> torch.Tensor:
    if isinstance(world.action, spaces.Discrete):
        return int(world.action.n) - 1 - action
    return action * torch.as_tensor(mirror.action, dtype=action.dtype)
