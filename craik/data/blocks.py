"""Seeing less often: k steps of a world as one, whose action is the k actions side by side (a frame skip)."""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from craik.core.errors import SpecError
from craik.core.spec import Spec
from craik.data.episode import Episode


def blocked_spec(spec: Spec, k: int) -> Spec:
    """The same world, seen and acted on every k steps.

    Box actions [A] become [k * A], Discrete(n) becomes k choices, MultiDiscrete k times its choices.

    Raises:
        SpecError: if k is below 1, or the choices of a Discrete action do not start at 0.
    """
    if k < 1:
        raise SpecError(f"a block of {k} steps", "use a block of at least one step")
    space = spec.action
    action: spaces.Space
    if isinstance(space, spaces.Box):
        action = spaces.Box(np.tile(space.low, k), np.tile(space.high, k), dtype=space.dtype.type)  # type: ignore
    elif isinstance(space, spaces.Discrete):
        if space.start != 0:
            raise SpecError(f"choices of {space} do not start at 0", "renumber them from 0")
        action = spaces.MultiDiscrete(np.full(k, space.n))
    else:
        assert isinstance(space, spaces.MultiDiscrete)
        action = spaces.MultiDiscrete(np.tile(space.nvec, k))
    return Spec.of(spec.obs, action, spec.reads)


def blocked(episode: Episode, k: int, discount: float = 1.0) -> list[Episode]:
    """An episode of T steps as up to k episodes of about T / k blocks, one beginning at each of its first k steps.

    No observation is in two of them. Steps that fill no block are left out, so an end may be lost: an episode that is
    `terminated` here ended in the last step of its last block. A block's reward is the discounted sum of its steps'.

    Args:
        episode: at single steps.
        k: steps of a block.
        discount: per step.
    """
    made = []
    weight = discount ** np.arange(k)
    for start in range(k):
        num = (episode.num_steps - start) // k
        if num < 1:
            break
        steps = slice(start, start + num * k)
        made.append(
            Episode(
                {name: np.ascontiguousarray(x[start : steps.stop + 1 : k]) for name, x in episode.obs.items()},
                np.ascontiguousarray(episode.action[steps].reshape(num, -1)),
                (episode.reward[steps].reshape(num, k) * weight).sum(1).astype(np.float32),
                np.asarray(episode.terminated[steps].reshape(num, k).any(1)),
                np.asarray(episode.truncated[steps].reshape(num, k).any(1)),
                {**episode.meta, "block": k, "phase": start},
            )
        )
    return made


def unblocked(action: np.ndarray, space: spaces.Space, k: int) -> np.ndarray:
    """Actions [N, k * A] of blocks as actions [N, k, ...] of single steps in `space`."""
    return action.reshape(len(action), k, *(space.shape or ()))
