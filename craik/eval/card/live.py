"""Living on in the true world from the moments of an exam, with what a model believes there."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from craik.core.state import State
from craik.eval.card.exam import Exam
from craik.eval.card.perform import advance, begin
from craik.eval.card.subject import Subject, knows
from craik.worlds.exact import ExactWorld, Snapshot
from craik.worlds.luck import fresh

Act = Callable[[State], Tensor]
"""Chooses actions [E, ...] by beliefs, E rows."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How it went in the true world.

    Attributes:
        value: [E] mean reward of a step.
        success: [E] in [0, 1], whether the goal was reached at any step; NaN where it was at the beginning.
        first: what was believed at the moments, and the plan [E, H, ...] made there; None of who does not plan.
    """

    value: np.ndarray
    success: np.ndarray
    first: tuple[State, Tensor] | None = None


def act_out(exam: Exam, steps: int, decide: Callable[[ExactWorld], np.ndarray]) -> Outcome:
    """Acts from every moment in the true world.

    Args:
        exam: where from.
        steps: how many.
        decide: actions [E, ...] for the worlds as they are now; it is asked once a step, in order.
    """
    live = begin(exam.world)
    easy = live.success()
    total, success = np.zeros(len(exam.states)), easy.copy()
    for _ in range(steps):
        action = decide(live)
        going = live.proceed(live.state)
        total += advance(live, action)
        success |= going & live.success()
    return Outcome(total / steps, np.where(easy, np.nan, success))


@torch.no_grad()
def live_on(subject: Subject, exam: Exam, act: Act, steps: int) -> Outcome:
    """Acts from every moment in the true world by what a model believes, looking at it after every step."""
    action = subject.model.spec.null_action(len(exam.states), subject.model.device)
    generator, rng = subject.generator(), np.random.default_rng(0)
    belief: State | None = None

    def decide(live: ExactWorld) -> np.ndarray:
        nonlocal belief, action
        here = told(subject, live, rng)
        if here is None:
            here = subject.believe(exam) if belief is None else look(subject, belief, action, live, generator)
        belief, action = here, act(here)
        return action.cpu().numpy()

    return act_out(exam, steps, decide)


def told(subject: Subject, live: ExactWorld, rng: np.random.Generator) -> State | None:
    """The belief of one who is told where the worlds are, but not their luck to come; None for one who has to see."""
    oracle = knows(subject.model)
    if oracle is None:
        return None
    state = live.state.copy()
    if live.LUCKY:
        state[:, -1] = fresh(rng, live.num_envs)
    return oracle.sync(Snapshot(state, live.goal, live.factors, live.steps, live.over, ()))


def look(subject: Subject, belief: State, action: Tensor, live: ExactWorld, generator: torch.Generator | None) -> State:
    """The belief after acting and seeing."""
    device = subject.model.device
    obs = {n: torch.as_tensor(live.look(n, live.state, live.factors)).to(device) for n in subject.views}
    return subject.model.observe(belief, action, obs, generator=generator)
