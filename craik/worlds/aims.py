"""Goals from elsewhere than a world's own draw: where random actions lead, and where one gets who seeks a goal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from craik.worlds.exact import ExactWorld
from craik.worlds.policies import Expert, Script, Seek, Wander

STEPS = 40
"""Steps that are followed to find a goal."""


def aims(world: ExactWorld, sources: Sequence[str], seed: int) -> np.ndarray:
    """Goals [N, D] for worlds that have just begun, row i from the i-th source, in turn.

    "uniform" is the world's own draw; "random-policy" is where a wanderer, and "expert" where a player that seeks the
    own goal, is after `STEPS` steps. Where that is no goal (the state does not reach itself), or one that is reached
    already, the own one stays: in worlds whose goals are deeds rather than places, that is the rule.
    """
    found = world.goal.copy()
    turn = np.arange(world.num_envs) % len(sources)
    for i, source in enumerate(sources):
        if source == "uniform":
            continue
        there = led(world, source, seed + i)
        good = world.reached(there, there, world.factors) & ~world.reached(world.state, there, world.factors)
        found = np.where(((turn == i) & good)[:, None], there, found)
    return found


def led(world: ExactWorld, source: str, seed: int) -> np.ndarray:
    """The states [N, D] that a player comes to; where an episode ends before, its last one."""
    live = world.select(np.arange(world.num_envs))
    who, everyone = _player(live, source, seed), np.ones(world.num_envs, bool)
    for t in range(STEPS):
        effort = live.effort(who.decide(np.full(world.num_envs, t == 0), everyone))
        after, _ = live.move(live.state, effort, live.factors)
        live.state = np.where(live.proceed(live.state)[:, None], after, live.state)
    return live.state


def _player(world: ExactWorld, source: str, seed: int) -> Script:
    if source == "random-policy":
        return Wander(world, seed)
    assert source == "expert", source
    return Seek(world, seed, (0.8, 1.0)) if world.has_pilot else Expert(world, seed)
