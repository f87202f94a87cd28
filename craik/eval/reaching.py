"""The trial of models that plan to goals they are shown: learn from a scripted player, then go where it went."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from craik.behave.agent import Agent
from craik.core.model import WorldModel
from craik.core.spec import Spec
from craik.data.blocks import blocked, blocked_spec
from craik.data.collect import Collector
from craik.data.replay import Replay
from craik.eval.check import Claim, Trial
from craik.eval.collapse import Spread, spread
from craik.eval.goals import Errands, Reached, Strides, errands, nothing_reach, open_world, random_reach, reach
from craik.eval.pretend import ShuffledActions
from craik.train.run import Run
from craik.train.start import learn_offline
from craik.worlds.oracle import Oracle
from craik.worlds.policies import Mixture, Seek, Wander


@dataclasses.dataclass(frozen=True)
class Course:
    """What is learned from and what is asked, in one world.

    Attributes:
        world: an exact world with goals.
        block: steps of the world in one of the model's.
        image_size: height and width of the picture.
        data_steps: steps of experience to learn from.
        data_length: steps of an episode of it.
        wander: share of its episodes that wander; in the others the world's noisy pilot seeks goals.
        data_skill: the pilot's, in the data.
        distance: steps from start to goal.
        skill: the pilot's, where it sets goals.
        length: steps of the episodes that goals are taken from.
        num: goals.
    """

    world: str
    block: int = 5
    image_size: int = 32
    data_steps: int = 20_000
    data_length: int = 30
    wander: float = 0.0
    data_skill: tuple[float, float] = (0.6, 1.0)
    distance: int = 25
    skill: tuple[float, float] = (0.8, 1.0)
    length: int = 60
    num: int = 100


def goal_reaching(
    recipe: str,
    course: Course,
    *,
    claims: tuple[Claim, ...],
    minutes: float,
    size: str = "small",
    overrides: Mapping[str, Any] | None = None,
    collapse: Mapping[str, Any] | None = None,
    name: str | None = None,
) -> Trial:
    """Trains a recipe offline on pictures and sends its agent on errands (`craik.eval.goals`).

    Figures of a seed, all on the same errands:

    - `success` (and `success_low`, `success_high`, its 95 % Wilson interval): the recipe's agent and model;
    - `shuffled`: the same with the meaning of actions exchanged in imagination; `random`, `nothing`: baselines;
    - `simulator`: the same planner in the exact simulator, aiming at the goal's state: the planner's ceiling;
    - `rank`, `std`: effective rank and mean standard deviation of embeddings of the data;
    - with `collapse`: `collapsed_success`, `collapsed_rank`, `collapsed_std`, trained again with those overrides;
    - `idle`, `lucky`: the shares of goals left out for needing nothing done, or only luck;
    - `cpu_minutes` of training, `updates`.

    Args:
        recipe: its name.
        course: the world, the data and the goals.
        claims: what must hold of the means of these figures.
        minutes: CPU minutes that a seed may take.
        size: one of the recipe's SIZES.
        overrides: as in `craik.train.start.learn`.
        collapse: overrides that take away what keeps embeddings apart; None for no such run.
        name: of the trial; by default the world's.
    """

    def run(seed: int) -> dict[str, float]:
        data_seed, goal_seed, act_seed = (int(s) for s in np.random.SeedSequence(seed).generate_state(3) >> 1)
        data = gather(course, data_seed)
        tasks = errands(course.world, course.num, course.distance, goal_seed, length=course.length, skill=course.skill)
        begin = time.process_time()
        learned = learn_offline(recipe, data, size=size, seed=seed, overrides=overrides, bf16=True)
        figures = {"cpu_minutes": (time.process_time() - begin) / 60, "updates": float(learned.updates)}
        figures |= _rows(course, learned, tasks, act_seed)
        seen = seen_spread(learned.model, data)
        figures |= {"rank": seen.rank, "std": seen.std}
        if collapse is not None:
            without = {**(overrides or {}), **collapse}
            fallen = learn_offline(recipe, data, size=size, seed=seed, overrides=without, bf16=True)
            seen = seen_spread(fallen.model, data)
            result = _go(course, fallen.model, fallen.agent, tasks, act_seed)
            figures |= {"collapsed_rank": seen.rank, "collapsed_std": seen.std, "collapsed_success": result.rate}
        return figures

    return Trial(name or course.world.split("/")[-1].rsplit("-v", 1)[0].lower(), course.world, run, claims, minutes)


def gather(course: Course, seed: int) -> Replay:
    """The pictures and actions to learn from, in blocks, in memory."""
    env = open_world(course.world, 64, seed=seed, obs="pixels", size=course.image_size, max_steps=course.data_length)
    spec = Spec.of(env.single_observation_space, env.single_action_space)
    seeds = [int(s) for s in np.random.SeedSequence(seed).generate_state(3) >> 1]
    parts = [(1 - course.wander, Seek(env, seeds[0], course.data_skill)), (course.wander, Wander(env, seeds[1]))]
    collector = Collector(env, spec, Mixture(env, seeds[2], [p for p in parts if p[0] > 0]).act, seed)
    replay = Replay(None, blocked_spec(spec, course.block))
    for episode in collector.collect(course.data_steps) + collector.flush():
        for each in blocked(episode, course.block):
            replay.add(each)
    env.close()
    return replay


@torch.no_grad()
def seen_spread(model: WorldModel, data: Replay, num: int = 1000) -> Spread:
    """How the embeddings of `num` observations of the data are spread, each seen as the first of an episode."""
    batch = data.sample(num, 1, np.random.default_rng(0))
    null = model.spec.null_action(num, model.device)
    return spread(model.read(model.observe(model.start(num), null, batch.at(0)))["latent"])


def _go(course: Course, model: WorldModel, agent: Agent, tasks: Errands, seed: int) -> Reached:
    return reach(model, agent, tasks, seed, block=course.block, size=course.image_size)


def _rows(course: Course, run: Run, tasks: Errands, seed: int) -> dict[str, float]:
    """Success of the model and of everything it is compared with."""
    ours = _go(course, run.model, run.agent, tasks, seed)
    figures = {
        "success": ours.rate,
        "success_low": ours.interval.low,
        "success_high": ours.interval.high,
        "shuffled": _go(course, ShuffledActions(run.model), run.agent, tasks, seed).rate,
        "random": random_reach(tasks, seed).rate,
        "nothing": nothing_reach(tasks, seed).rate,
        "idle": tasks.idle,
        "lucky": tasks.lucky,
    }
    exact = Strides(Oracle.of(course.world), course.block)
    figures["simulator"] = reach(exact, run.agent, tasks, seed, block=course.block).rate
    return figures
