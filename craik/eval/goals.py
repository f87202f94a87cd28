"""Reaching goals that are shown, not told: from starts and to goals that somebody else's episodes passed through.

The protocol is that of DINO-WM and LeWorldModel (arXiv 2603.19312, section 4): a start and a goal lie `distance` steps
apart in an episode of a scripted player that no model was trained on, the agent sees the goal as an observation, and
has twice as many steps to get there. Goals that are reached at once, by doing nothing, or by one of a few players who
act at random, are left out: what luck finds shows no model's worth.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from torch import Tensor

from craik import worlds
from craik.behave.agent import Agent, Player, Random
from craik.behave.objectives import GoalLatent
from craik.behave.planner_agent import PlannerAgent
from craik.core import tree
from craik.core.errors import SpecError
from craik.core.model import WorldModel
from craik.core.spec import Spec
from craik.core.state import State
from craik.data.blocks import blocked_spec, unblocked
from craik.data.collect import Collector
from craik.eval.pretend import Blind, Nothing, Pretender
from craik.eval.stats import Interval, wilson
from craik.worlds.exact import ExactWorld
from craik.worlds.policies import Seek

TRIES = 16
"""Rounds of episodes drawn before it is given up to find goals that need doing."""

LUCK = 4
"""Players who act at random; a goal that one of them reaches is left out."""


@dataclasses.dataclass(frozen=True)
class Errands:
    """N starts and goals in a world whose factors are the usual ones.

    Attributes:
        world: the world's id.
        start: [N, D] physical states.
        goal: [N, D] physical states.
        budget: steps allowed.
        idle: the share of starts at which the goal was reached already, or was by doing nothing; they are left out.
        lucky: the share of those left at which one of `LUCK` random players reached it; they are left out, too.
    """

    world: str
    start: np.ndarray
    goal: np.ndarray
    budget: int
    idle: float
    lucky: float

    def __len__(self) -> int:
        return len(self.start)


@dataclasses.dataclass(frozen=True)
class Reached:
    """How N errands went.

    Attributes:
        success: [N] bool, whether the goal was reached at any step within the budget.
        steps: [N], after how many steps; the budget where it was not.
    """

    success: np.ndarray
    steps: np.ndarray

    @property
    def rate(self) -> float:
        """The share that succeeded."""
        return float(self.success.mean())

    @property
    def interval(self) -> Interval:
        """The share that succeeded and its 95 % Wilson interval."""
        return wilson(int(self.success.sum()), len(self.success))


def errands(
    world: str, num: int, distance: int, seed: int, *, length: int = 50, skill: tuple[float, float] = (0.3, 1.0)
) -> Errands:
    """Draws starts and goals from episodes of the world's own noisy pilot (`policies.Seek`).

    Random players who are measured on these errands are others than those by whom goals were left out.

    Args:
        world: the id of an exact world with goals.
        num: how many, N.
        distance: steps between start and goal.
        seed: of all that is drawn. Give one that no training data came from.
        length: steps of an episode.
        skill: of the pilot.

    Raises:
        SpecError: if the world has no goals, or too few goals are left that have to be worked for.
    """
    if length < distance:
        raise SpecError(f"episodes of {length} steps hold no two states {distance} apart", "let them be longer")
    rng = np.random.default_rng(seed)
    kept: list[np.ndarray] = []
    drawn = lost = found = 0
    for _ in range(TRIES):
        env = open_world(world, max(64, num), seed=int(rng.integers(2**31)), max_steps=length)
        spec = Spec.of(env.single_observation_space, env.single_action_space)
        pilot = Seek(env, int(rng.integers(2**31)), skill)
        collector = Collector(env, spec, pilot.act, int(rng.integers(2**31)))
        passed = [env.invert(e.obs["state"]) for e in collector.collect(env.num_envs * length)]
        starts = [int(rng.integers(len(p) - distance)) for p in passed]
        pairs = np.stack([(p[t], p[t + distance]) for p, t in zip(passed, starts)], 1)
        easy = _idle(world, pairs[0], pairs[1], 2 * distance)
        drawn, lost = drawn + len(easy), lost + int(easy.sum())
        pairs = pairs[:, ~easy]
        lucky = _lucky(world, pairs[0], pairs[1], 2 * distance, rng)
        found += int(lucky.sum())
        kept.append(pairs[:, ~lucky])
        if sum(k.shape[1] for k in kept) >= num:
            start, goal = np.concatenate(kept, 1)[:, :num]
            return Errands(world, start, goal, 2 * distance, lost / drawn, found / (drawn - lost))
    raise SpecError(
        f"of {drawn} goals {distance} steps ahead in {world}, {lost} needed nothing done and {found} only luck",
        "put the goals further ahead, or let a more skilful pilot set them",
    )


def goal_latent(model: WorldModel, goal: dict[str, Tensor]) -> Tensor:
    """What a model has in mind when it sees a goal and nothing before it: [N, D]."""
    rows = len(next(iter(goal.values())))
    with torch.no_grad():
        seen = model.observe(model.start(rows), model.spec.null_action(rows, model.device), goal)
        return model.read(seen)["latent"]


def reach(model: WorldModel, agent: Agent, tasks: Errands, seed: int, *, block: int = 1, size: int = 64) -> Reached:
    """Sends an agent on its errands, all at once.

    An agent that plans is given the goal as `GoalLatent`: what its model makes of the goal's observation.

    Args:
        model: what the agent thinks in; its actions are blocks of the world's (`craik.data.blocks`).
        agent: what decides.
        tasks: the errands.
        seed: of the agent's randomness.
        block: steps of the world in one of the model's.
        size: height and width of pictures, where the model sees any.
    """
    seen = "both" if len(model.spec.obs.spaces) > 1 else next(iter(model.spec.obs.spaces))
    env = open_world(tasks.world, len(tasks), obs=seen, size=size, max_steps=tasks.budget + 1)
    now, _ = env.reset(seed=0, options={"state": tasks.start, "goal": tasks.goal})
    if isinstance(agent, PlannerAgent):
        agent.objective = GoalLatent(goal_latent(model, _tensors(env.goal_obs())))
    player = Player(model, agent, len(tasks), generator=torch.Generator(model.device).manual_seed(seed))
    success, steps = env.success(), np.full(len(tasks), tasks.budget)
    first = torch.ones(len(tasks), dtype=torch.bool)
    for begin in range(0, tasks.budget, block):
        action = unblocked(player.act(_tensors(now), first).cpu().numpy(), env.single_action_space, block)
        first = torch.zeros_like(first)
        for k in range(min(block, tasks.budget - begin)):
            now, *_ = env.step(action[:, k])
            fresh = env.success() & ~success
            steps[fresh] = begin + k + 1
            success = success | fresh
    return Reached(success, steps)


def random_reach(tasks: Errands, seed: int) -> Reached:
    """What uniformly random actions reach."""
    spec = _spec(tasks.world)
    return reach(Blind(spec), Random(spec), tasks, seed)


def nothing_reach(tasks: Errands, seed: int) -> Reached:
    """What doing nothing reaches: by the choice of errands, no goal."""
    spec = _spec(tasks.world)
    return reach(Blind(spec), Nothing(spec), tasks, seed)


class Strides(Pretender):
    """A model of single steps as a model of blocks of k: for the exact simulator in a planner of blocks.

    Args:
        model: of single steps.
        k: steps of a block.
    """

    def __init__(self, model: WorldModel, k: int):
        super().__init__(model)
        self.single, self.k = model.spec.action, k
        self.spec = blocked_spec(model.spec, k)

    def observe(self, state, action, obs, *, generator=None):  # noqa: ANN001, ANN201
        """Walks the block but for its last step, then sees."""
        steps = self.steps(action)
        for k in range(self.k - 1):
            state = self.model.step(state, steps[:, k], generator=generator)
        return self.model.observe(state, steps[:, -1], obs, generator=generator)

    def step(self, state, action, *, generator=None):  # noqa: ANN001, ANN201, D102
        return self.model.rollout(state, self.steps(action), generator=generator)[:, -1]

    def rollout(self, state, actions, *, generator=None) -> State:  # noqa: ANN001, D102
        states = self.model.rollout(
            state, self.steps(actions.flatten(0, 1)).unflatten(0, actions.shape[:2]).flatten(1, 2)
        )
        return tree.index(states, (slice(None), slice(self.k - 1, None, self.k)))

    def steps(self, action: Tensor) -> Tensor:
        """[N, k * A] -> [N, k, ...]."""
        return action.reshape(len(action), self.k, *(self.single.shape or ()))


def open_world(world: str, num: int, **settings: Any) -> ExactWorld:
    """Opens a world whose goals can be set; settings as in `craik.worlds.make`.

    Raises:
        SpecError: if it is not such a world.
    """
    env = worlds.make(world, num, **settings)
    if not isinstance(env, ExactWorld) or not env.HAS_GOAL:
        raise SpecError(f"{world} has no goals that can be set", "use craik/Rooms-v0 or craik/Push-v0")
    return env


def _spec(world: str) -> Spec:
    env = open_world(world, 1)
    return Spec.of(env.single_observation_space, env.single_action_space)


def _idle(world: str, start: np.ndarray, goal: np.ndarray, budget: int) -> np.ndarray:
    """[N] bool: whether goals are reached with nothing done."""
    return nothing_reach(Errands(world, start, goal, budget, 0.0, 0.0), 0).success


def _lucky(world: str, start: np.ndarray, goal: np.ndarray, budget: int, rng: np.random.Generator) -> np.ndarray:
    """[N] bool: whether one of `LUCK` random players reaches the goals."""
    tasks = Errands(world, start, goal, budget, 0.0, 0.0)
    found = np.zeros(len(tasks), bool)
    for _ in range(LUCK if len(tasks) else 0):
        found |= random_reach(tasks, int(rng.integers(2**31))).success
    return found


def _tensors(obs: dict[str, np.ndarray]) -> dict[str, Tensor]:
    return {k: torch.as_tensor(v) for k, v in obs.items()}
