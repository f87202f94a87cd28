"""Trials that many recipes share: train in a world, then see what was earned and whether the model earned it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from craik.behave.agent import Agent
from craik.behave.icem import ICEM
from craik.behave.objectives import Reward
from craik.behave.plan import PlanConfig
from craik.behave.planner_agent import PlannerAgent
from craik.core.model import WorldModel
from craik.core.spec import Spec
from craik.eval.check import Claim, Trial
from craik.eval.pretend import ShuffledActions
from craik.eval.returns import Returns, evaluate, nothing_returns, random_returns, spec_of
from craik.train.start import learn
from craik.worlds.oracle import Oracle

MakePlanner = Callable[[Spec], Agent]
"""Makes an agent that plans in a world of this spec; it must plan by what `read` offers, not by the model's class."""


def quick_planner(spec: Spec) -> PlannerAgent:
    """The planner that is put on every model alike: iCEM for the sum of 20 rewards, 64 candidates, 3 rounds.

    It carries out two actions before it plans again. It is small, to be cheap: what it earns in the exact simulator is
    reported beside it. A fifth of the spread always stays, without which a warm start among choices is stuck for good.
    """
    config = PlanConfig(horizon=20, receding_horizon=2)
    planner = ICEM(spec.action, config, num_samples=64, num_steps=3, num_elites=8, num_keep=2, min_std=0.2)
    return PlannerAgent(planner, Reward(discount=1.0, terminal=False))


def online_return(
    recipe: str,
    world: str,
    *,
    claims: tuple[Claim, ...],
    minutes: float,
    obs: str = "state",
    size: str = "small",
    image_size: int = 64,
    steps: int | None = None,
    overrides: Mapping[str, Any] | None = None,
    episodes: int = 100,
    planner: MakePlanner | None = quick_planner,
    planned_episodes: int = 10,
    ceiling: bool = True,
    name: str | None = None,
) -> Trial:
    """Trains a recipe online, by itself and in memory, and evaluates its agent and its model in the real world.

    Figures of a seed, all from the same starts:

    - `return`, `return_low`, `return_high`: mean of the recipe's own agent, and its 95 % bootstrap interval over
      episodes; `random`, `nothing`: means of the two baselines;
    - with a planner, over `planned_episodes`: `planned`, the same planner for every model, on the learned one;
      `shuffled`, on the learned model with the meaning of actions exchanged in its imagination
      (`pretend.ShuffledActions`); `ceiling`, on the exact simulator;
    - `cpu_minutes` of training (all threads), `env_steps`, `updates`, `decision_ms` of the recipe's agent.

    Args:
        recipe: its name.
        world: a world's id.
        claims: what must hold of the means of these figures.
        minutes: CPU minutes that a seed may take, evaluation included.
        obs: "state" or "pixels".
        size: one of the recipe's SIZES.
        image_size: height and width of pixels.
        steps: environment steps; None for what the recipe says.
        overrides: as in `craik.train.start.learn`.
        episodes: that the recipe's agent and the baselines are judged by.
        planner: what plans in the model; None for a model that offers no reward.
        planned_episodes: that planning is judged by.
        ceiling: whether the world's laws are known (`worlds.oracle`), so that they can be planned with.
        name: of the trial; by default the world, with "-pixels" where those are seen.
    """
    seen: dict[str, Any] = {"obs": obs, "size": image_size}

    def run(seed: int) -> dict[str, float]:
        begin = time.process_time()
        run = learn(
            recipe, world, size=size, obs=obs, image_size=image_size, steps=steps, seed=seed, overrides=overrides
        )
        trained = time.process_time()
        ours = evaluate(run.model, run.agent, world, episodes, seed, **seen)
        figures = {
            "return": ours.mean,
            "return_low": ours.interval.low,
            "return_high": ours.interval.high,
            "random": random_returns(world, episodes, seed, **seen).mean,
            "nothing": nothing_returns(world, episodes, seed, **seen).mean,
            "cpu_minutes": (trained - begin) / 60,
            "env_steps": float(run.steps),
            "updates": float(run.updates),
            "decision_ms": 1000 * ours.seconds,
        }
        if planner is not None:
            models: dict[str, WorldModel] = {"planned": run.model, "shuffled": ShuffledActions(run.model)}
            for figure, model in models.items():
                agent = planner(run.model.spec)
                figures[figure] = evaluate(model, agent, world, planned_episodes, seed, **seen).mean
            if ceiling:
                figures["ceiling"] = ceiling_returns(world, planner, planned_episodes, seed, obs=obs).mean
        return figures

    return Trial(name or _name(world, obs), world, run, claims, minutes)


def ceiling_returns(world: str, planner: MakePlanner, episodes: int, seed: int, *, obs: str = "state") -> Returns:
    """What a planner earns when the exact simulator is its model, told the state.

    The starts are those of `evaluate` with this seed and `obs`.

    Raises:
        UnknownName: if this world's laws are not known.
    """
    told = "state" if obs == "state" else "both"
    oracle = Oracle.of(world)
    return evaluate(oracle, planner(spec_of(world)), world, episodes, seed, obs=told)


def _name(world: str, obs: str) -> str:
    short = world.split("/")[-1].rsplit("-v", 1)[0].lower()
    return short if obs == "state" else f"{short}-{obs}"
