"""Axis D: what planning with a model brings in the true world, and what the model had promised."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from craik.behave.agent import random_actions
from craik.behave.icem import ICEM
from craik.behave.objectives import GoalLatent, GoalState, Objective, Reward
from craik.behave.plan import PlanConfig
from craik.behave.planner_agent import Intent, PlannerAgent
from craik.core.state import State
from craik.eval.card.afford import OPERATIONS, afforded, candidate_flops
from craik.eval.card.distance import THIRDS, idle_success, thirds
from craik.eval.card.exam import Exam, follow_laws
from craik.eval.card.instrument import Instrument
from craik.eval.card.judge import blind, judges, worth
from craik.eval.card.live import Outcome, live_on
from craik.eval.card.score import Score
from craik.eval.card.subject import Subject
from craik.eval.goals import goal_latent
from craik.worlds.oracle import Oracle

AT_MOST = 2
"""Times the usual candidates that a model may plan with whose operations are few."""

RANDOM = 4
"""Random players that a moment's random return is the mean of."""


@dataclasses.dataclass(frozen=True)
class Budget:
    """How much every model is planned with, the same for all.

    Attributes:
        tasks: moments planned from, at most.
        steps: that are carried out.
        horizon: of a plan, steps.
        every: steps carried out before planning again.
        candidates: plans of the first round.
        rounds: of the search.
    """

    tasks: int = 32
    steps: int = 24
    horizon: int = 12
    every: int = 4
    candidates: int = 64
    rounds: int = 3


def planner(subject: Subject, exam: Exam, budget: Budget) -> PlannerAgent:
    """ICEM (Pinneri et al. 2020) for this model's own idea of the task. Its candidates are the same for every model."""
    config = PlanConfig(budget.horizon, budget.every)
    space = subject.model.spec.action
    search = ICEM(
        space, config, num_samples=budget.candidates, num_steps=budget.rounds, num_elites=8, num_keep=2, min_std=0.2
    )
    return PlannerAgent(search, objective(subject, exam))


def objective(subject: Subject, exam: Exam) -> Objective:
    """What a model can plan for: its own reward; where it cannot know the goal, being near to what the goal looks like.

    Nearness is that of its latent, along the way and at the end, or of what it draws. A model that offers neither
    plans for the reward that it knows.
    """
    reads = subject.model.spec.reads
    if not blind(subject, exam) or not {"latent", "obs"} & set(reads):
        return Reward(discount=1.0, terminal=False)
    world = exam.world
    goal = {n: torch.as_tensor(world.look(n, world.goal, world.factors)) for n in subject.views}
    goal = {n: x.to(subject.model.device) for n, x in goal.items()}
    return GoalLatent(goal_latent(subject.model, goal), path=1.0) if "latent" in reads else GoalState(goal)


def plan_and_do(subject: Subject, exam: Exam, budget: Budget) -> Outcome:
    """Plans from every moment, does the beginning in the true world, looks, and plans again."""
    agent = planner(subject, exam, budget)
    search, memory = agent.planner, agent.start(len(exam.states))
    first: list[tuple[State, Tensor]] = []

    def act(belief: State) -> Tensor:
        nonlocal memory
        if not first:  # planned here, and not by the agent, to keep the whole plan
            plan = search.plan(subject.model, belief, agent.objective, search.start(len(exam.states)))
            left = torch.full((len(exam.states),), budget.every, device=plan.actions.device)
            memory = Intent(plan.memory, plan.actions[:, : budget.every], left)
            first.append((belief, plan.actions))
        action, memory = agent.act(subject.model, belief, memory)
        return action

    return dataclasses.replace(live_on(subject, exam, act, budget.steps), first=first[0])


def do_at_random(exam: Exam, budget: Budget) -> Outcome:
    """What `RANDOM` uniformly random players get, on average."""
    shape = (len(exam.states), RANDOM, budget.steps)
    space = exam.world.single_action_space
    actions = random_actions(space, shape, torch.Generator().manual_seed(0)).numpy()
    states, rewards, _ = follow_laws(exam.world, actions)
    world, many = exam.world, RANDOM * budget.steps
    flat = states.reshape(-1, states.shape[-1])
    there = world.reached(flat, np.repeat(world.goal, many, 0), exam.factors(many)).reshape(shape)
    return Outcome(rewards.mean((1, 2)), np.where(world.success(), np.nan, there.any(2).mean(1)))


@torch.no_grad()
def promises(
    subject: Subject, exam: Exam, instrument: Instrument | None, outcome: Outcome
) -> tuple[np.ndarray, np.ndarray]:
    """What a model promises of the plan made at each moment, and what then comes true of it: [E] rewards of a step."""
    assert outcome.first is not None, "who does not plan promises nothing"
    belief, plan = outcome.first
    said = worth(subject, exam, instrument, subject.dream(belief, plan), plan)
    _, true, _ = follow_laws(exam.world, plan.cpu().numpy()[:, None])
    return said.mean(1), true[:, 0].mean(1)


def decision_scores(
    subject: Subject,
    exam: Exam,
    instrument: Instrument | None,
    nulls: list[tuple[Subject, Instrument]],
    budget: Budget | None = None,
) -> list[Score]:
    """`dec.return:cl`, `dec.return.flops:cl`, `dec.regret:cl`, `dec.gap:cl`, `dec.success:cl`, this by thirds, too.

    The regret is that against the same planner in the exact simulator, which plans for the true reward. Normalised, it
    is 1 - regret / (J* - J_0), J_0 being the best of random actions and of the same planner in models that know
    nothing: where actions that are held for a while earn more than random ones, a planner that knows nothing gets that,
    too. The gap (exploitation) is what the model promised minus what came true of it.

    Args:
        subject: who is judged.
        exam: where from; of it, `budget.tasks` moments.
        instrument: what a model is judged through that has no reward of its own, or cannot know the goal. Parsed places
            are no full state: a model of pictures then needs a probe, or `dec.gap` is left out.
        nulls: models that know nothing: those that see no action, or no change.
        budget: of the planner.
    """
    budget = budget or Budget()
    exam = exam.part(slice(budget.tasks))
    simulator = Subject(Oracle.of(exam.id), "oracle")
    best, others = yardsticks(exam, [s for s, _ in nulls], budget)
    aim = type(objective(subject, exam)).__name__
    how = f"when it is planned with (for {aim})"
    ours = plan_and_do(subject, exam, budget)
    scores = outcome_scores(exam, budget, ours, best, others, how)
    scores.insert(1, equal_flops(subject, exam, budget, ours, best, others))
    if judges(subject, exam, instrument):
        said, true = promises(subject, exam, instrument, ours)
        claimed, came = promises(simulator, exam, None, best)
        scores.append(
            Score(
                "dec.gap:cl",
                "D",
                said - true,
                more=False,
                says=f"reward of a step promised of its own plans but not paid, {budget.horizon} steps; 0 is honest",
                instrument="world",
                floor=claimed - came,
            )
        )
    return scores


def yardsticks(exam: Exam, nulls: Sequence[Subject], budget: Budget) -> tuple[Outcome, dict[str, Outcome]]:
    """How it goes with the same planner in the exact simulator, and with those that know nothing, by name."""
    best = plan_and_do(Subject(Oracle.of(exam.id), "oracle"), exam, budget)
    return best, {s.name: plan_and_do(s, exam, budget) for s in nulls} | {"random": do_at_random(exam, budget)}


def equal_flops(
    subject: Subject, exam: Exam, budget: Budget, ours: Outcome, best: Outcome, others: Mapping[str, Outcome]
) -> Score:
    """`dec.return.flops:cl`: the return with as many candidates as `OPERATIONS` allow, `AT_MOST` times the usual.

    The exact simulator counts no operations, nor do pretenders: they have the usual candidates here, too. Who cannot
    afford a single round acts at random.

    Args:
        subject, exam, budget: as in `decision_scores`; no more than the budget's tasks.
        ours: how it went with the usual candidates.
        best, others: how with the simulator, and with those that know nothing, by name.
    """
    one = exam.part(slice(1))
    agent = planner(subject, one, budget)
    each = candidate_flops(agent, subject.model, subject.believe(one))
    may = afforded(agent, each, AT_MOST * budget.candidates if each else budget.candidates)
    usual = (may.candidates, may.rounds) == (budget.candidates, budget.rounds)
    if not may.rounds:
        ours = others["random"]
    elif not usual:
        ours = plan_and_do(subject, exam, dataclasses.replace(budget, candidates=may.candidates, rounds=may.rounds))
    return Score(
        "dec.return.flops:cl",
        "D",
        ours.value,
        more=True,
        says=f"reward of a step when it is planned with for {OPERATIONS:.0e} operations a plan, "
        f"{each} a candidate: {may.candidates} in the first of {may.rounds} rounds",
        instrument="world",
        floor=best.value,
        nulls={k: v.value for k, v in others.items()},
    )


def outcome_scores(
    exam: Exam, budget: Budget, ours: Outcome, best: Outcome, others: Mapping[str, Outcome], how: str
) -> list[Score]:
    """`dec.return:cl`, `dec.regret:cl`, and `dec.success:cl` where there is a goal.

    Args:
        exam: what was asked.
        budget: of the planner.
        ours: how it went.
        best: how with the simulator.
        others: name -> how with those that know nothing.
        how: it was decided, in words.
    """
    scores = [
        Score(
            "dec.return:cl",
            "D",
            ours.value,
            more=True,
            says=f"reward of a step {how}, {budget.steps} steps",
            instrument="world",
            floor=best.value,
            nulls={k: v.value for k, v in others.items()},
        ),
        Score(
            "dec.regret:cl",
            "D",
            best.value - ours.value,
            more=False,
            says=f"reward of a step {how}, less than what the planner gets in the exact simulator",
            instrument="world",
            floor=np.zeros(len(best.value)),
            nulls={k: best.value - v.value for k, v in others.items()},
        ),
    ]
    return scores + (success_scores(exam, budget, ours, best, others, how) if exam.world.HAS_GOAL else [])


def success_scores(
    exam: Exam, budget: Budget, ours: Outcome, best: Outcome, others: Mapping[str, Outcome], how: str
) -> list[Score]:
    """`dec.success:cl`, and `dec.success.near:cl`, `.middle` and `.far`: by thirds of the way to the goal.

    Goals that are reached at the moment, or would be by doing nothing, do not count for anybody. For arguments see
    `outcome_scores`.
    """
    counts = ~idle_success(exam, budget.steps)
    third = thirds(exam, 2 * budget.steps, counts)
    rows = {"": (counts, "of those not reached by doing nothing")}
    rows |= {f".{name}": (third == i, f"the {name} third of them by a pilot's steps") for i, name in enumerate(THIRDS)}
    return [
        Score(
            f"dec.success{name}:cl",
            "D",
            np.where(keep, ours.success, np.nan),
            more=True,
            says=f"goals reached within {budget.steps} steps {how}, {says}",
            instrument="world",
            floor=np.where(keep, best.success, np.nan),
            nulls={k: np.where(keep, v.success, np.nan) for k, v in others.items()},
        )
        for name, (keep, says) in rows.items()
    ]
