"""How far the goals of an exam are: by how long a pilot needs, and which come by themselves."""

from __future__ import annotations

import numpy as np

from craik.eval.card.exam import Exam, follow_laws
from craik.eval.card.perform import advance, begin
from craik.eval.card.ranking import ranks

THIRDS = ("near", "middle", "far")
"""Names of the strata."""


def idle_success(exam: Exam, steps: int) -> np.ndarray:
    """[E] bool: whether a goal is reached within some steps in which nothing is done."""
    world, e = exam.world, len(exam.states)
    none = np.zeros((e, 1, steps, *world.idle().shape), world.idle().dtype) + world.idle()
    states, _, _ = follow_laws(world, none)
    flat = states.reshape(-1, states.shape[-1])
    there = world.reached(flat, np.repeat(world.goal, steps, 0), exam.factors(steps))
    return world.success() | there.reshape(e, steps).any(1)


def pilot_steps(exam: Exam, steps: int) -> np.ndarray:
    """[E] steps after which the world's pilot is at the goal; infinite where it is not within so many."""
    live = begin(exam.world)
    found = np.where(live.success(), 0.0, np.inf)
    for t in range(1, steps + 1):
        if np.isfinite(found).all():
            break
        advance(live, live.guide())
        found = np.where(np.isinf(found) & live.success(), t, found)
    return found


def thirds(exam: Exam, steps: int, counts: np.ndarray) -> np.ndarray:
    """[E] 0 for the third of the goals that are nearest, 1, or 2; -1 where a moment does not count.

    The distance is the number of steps that the world's pilot needs, for it goes round walls and through doors. Those
    that it needs alike, or does not reach, are told apart by how far the numbers of the state are from the goal's.

    Args:
        exam: of a world with a goal.
        steps: that the pilot has, at most.
        counts: [E] bool, which moments to divide.
    """
    world = exam.world
    apart = (world.numbers(world.state) - world.numbers(world.goal)) / exam.scale
    far = np.sqrt(np.square(apart).sum(1))
    order = np.zeros(len(far)) if not world.has_pilot else np.minimum(pilot_steps(exam, steps), steps + 1)
    rank = ranks(order[counts] + (ranks(far) / len(far))[counts])
    found = np.full(len(far), -1)
    found[counts] = np.minimum(3 * rank / max(counts.sum(), 1), 2).astype(int)
    return found
