"""What an agent earns in the real world: one episode from each start, counted once."""

from __future__ import annotations

import dataclasses
import time

import numpy as np
import torch
from gymnasium.vector import VectorEnv

from craik import worlds
from craik.behave.agent import Agent, Player, Random
from craik.core.errors import SpecError
from craik.core.model import WorldModel
from craik.core.spec import Spec
from craik.data.arrivals import arrivals, frames
from craik.eval.pretend import Blind, Nothing, idle
from craik.eval.stats import Interval, bootstrap_mean

AT_ONCE = 100
"""Episodes played side by side."""


@dataclasses.dataclass(frozen=True)
class Returns:
    """E episodes, in the order of their starts.

    Attributes:
        returns: [E] undiscounted sums of rewards.
        lengths: [E] steps.
        terminated: [E] bool, whether the episode ended for good (rather than by a time limit).
        seconds: wall seconds of deciding per decision (one action of one row), on this machine.
    """

    returns: np.ndarray
    lengths: np.ndarray
    terminated: np.ndarray
    seconds: float

    @property
    def mean(self) -> float:
        """The mean return."""
        return float(self.returns.mean())

    @property
    def interval(self) -> Interval:
        """The mean return and its 95 % percentile bootstrap interval over episodes."""
        return bootstrap_mean(self.returns)


def evaluate(
    model: WorldModel,
    agent: Agent,
    world: str,
    episodes: int,
    seed: int,
    *,
    obs: str = "state",
    size: int = 64,
    num_envs: int = AT_ONCE,
    limit: int = 20_000,
) -> Returns:
    """Plays E episodes to their end in the real world and counts each one once.

    Every row of the vector environment starts one episode, and that one counts however long it takes: short episodes
    do not get counted more often, as they would if one gathered until enough had finished. The starts depend on
    `seed` and `num_envs` alone, so that two agents meet the same ones.

    Args:
        model: the world model; it is put in evaluation mode and left there as it was found.
        agent: what decides (not exploring). It must treat rows alike: a row is dropped once its episode is over.
        world: a world's id.
        episodes: E.
        seed: of the starts and of the agent's randomness.
        obs: what is seen: "state", "pixels" or "both".
        size: height and width of the picture.
        num_envs: episodes played side by side.
        limit: steps after which an episode that has not ended is an error.

    Raises:
        SpecError: if an episode does not end within `limit` steps.
    """
    training, results, seconds = (model.training, agent.training), [], 0.0
    model.eval(), agent.eval()
    try:
        for turn, start in enumerate(range(0, episodes, num_envs)):
            rows = min(num_envs, episodes - start)
            source, starts = (int(s) for s in np.random.SeedSequence(seed, spawn_key=(turn,)).generate_state(2) >> 1)
            player = Player(model, agent, rows, generator=torch.Generator(model.device).manual_seed(source))
            env = worlds.make(world, rows, seed=starts, obs=obs, size=size)
            try:
                counted, spent = _play(env, player, model.spec, limit)
            finally:
                env.close()
            results.append(counted)
            seconds += spent
    finally:
        model.train(training[0]), agent.train(training[1])
    returns, lengths, terminated = (np.concatenate(x) for x in zip(*results))
    return Returns(returns, lengths, terminated, seconds / max(1, int(lengths.sum())))


def random_returns(world: str, episodes: int, seed: int, *, obs: str = "state", size: int = 64) -> Returns:
    """What uniformly random actions earn, from the same starts as `evaluate` with these arguments."""
    spec = spec_of(world, obs, size)
    return evaluate(Blind(spec), Random(spec), world, episodes, seed, obs=obs, size=size)


def nothing_returns(world: str, episodes: int, seed: int, *, obs: str = "state", size: int = 64) -> Returns:
    """What doing nothing earns (`pretend.Nothing` says what that is), from the same starts."""
    spec = spec_of(world, obs, size)
    return evaluate(Blind(spec), Nothing(spec), world, episodes, seed, obs=obs, size=size)


def spec_of(world: str, obs: str = "state", size: int = 64) -> Spec:
    """What a world shows and takes, for one row."""
    env = worlds.make(world, 1, seed=0, obs=obs, size=size)
    try:
        return Spec.of(env.single_observation_space, env.single_action_space)
    finally:
        env.close()


def _play(
    env: VectorEnv, player: Player, spec: Spec, limit: int
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], float]:
    """The first episode of every row: (returns, lengths, terminated) and the seconds spent deciding."""
    rows = env.num_envs
    total, length, died = np.zeros(rows), np.zeros(rows, np.int64), np.zeros(rows, bool)
    live, first, seconds = np.arange(rows), torch.ones(rows, dtype=torch.bool), 0.0
    seen = frames(env.reset()[0], spec, rows)
    actions = idle(spec.action, rows).numpy().copy()  # what rows that are over go on doing
    device = player.model.device
    for _ in range(limit):
        begin = time.perf_counter()
        shown = {k: torch.as_tensor(v[live]).to(device) for k, v in seen.items()}
        chosen = player.act(shown, first.to(device)).cpu().numpy()
        seconds += time.perf_counter() - begin
        actions[live] = chosen
        after = arrivals(env.step(actions), spec, env.metadata["autoreset_mode"], rows)
        total[live] += after.reward[live]
        length[live] += 1
        over = after.ended[live]
        died[live] = after.terminated[live]
        live, seen = live[~over], after.obs
        if not len(live):
            return (total, length, died), seconds
        if over.any():
            player.keep(torch.as_tensor(~over, device=device))
        first = torch.zeros(len(live), dtype=torch.bool)
    raise SpecError(
        f"{len(live)} of {rows} episodes had not ended after {limit} steps",
        "give the world a time limit (gymnasium.wrappers.TimeLimit), or pass a larger limit=",
    )
