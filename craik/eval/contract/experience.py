"""Made-up experience that fits a spec: what a contract is tried on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from gymnasium import spaces

from craik.behave.agent import random_actions
from craik.core.data import Batch
from craik.core.spec import Spec, is_image, tensor_dtype

_WIDE = 1e6
"""A bound beyond this is no guide to what is usual there."""


def random_batch(spec: Spec, rows: int, length: int, seed: Sequence[int]) -> Batch:
    """A batch of random experience with every kind of row in it.

    Even rows begin in the middle of an episode, odd rows with its first observation. In every row but the first the
    episode ends in the middle (for good in odd rows, by a time limit in even ones) and the next one opens.

    Args:
        spec: what is seen and done.
        rows: B, at least 2.
        length: T, at least 5.
        seed: any integers.
    """
    rng = np.random.default_rng(list(seed))
    opening = opens_at(length)
    obs = {k: torch.from_numpy(_draw(s, (rows, length + 1), rng)).to(tensor_dtype(s)) for k, s in spec.obs.items()}
    action = random_actions(spec.action, (rows, length), torch.Generator().manual_seed(int(rng.integers(2**62))))
    reward = torch.from_numpy(rng.normal(size=(rows, length))).float()
    first = torch.zeros(rows, length + 1, dtype=torch.bool)
    first[1::2, 0] = True
    first[1:, opening] = True
    terminated = torch.zeros(rows, length, dtype=torch.bool)
    terminated[1::2, opening - 2] = True
    action[1:, opening - 1] = spec.null_action(rows - 1)
    reward[1:, opening - 1] = 0.0
    return Batch(obs, action, reward, terminated, first)


def opens_at(length: int) -> int:
    """The time at which the second episode of a `random_batch` opens."""
    return length // 2 + 1


def _draw(space: spaces.Space, lead: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Observations of a space, [*lead, ...]: blocky pictures, uniform numbers, normal ones where there is no bound."""
    if isinstance(space, spaces.Discrete):
        return rng.integers(space.start, space.start + space.n, lead)
    assert isinstance(space, spaces.Box)
    if is_image(space):
        h, w, channels = space.shape
        blocks = rng.integers(space.low.min(), int(space.high.max()) + 1, (*lead, 2, 2, channels))
        picture = blocks.repeat(-(-h // 2), axis=-3).repeat(-(-w // 2), axis=-2)
        return np.ascontiguousarray(picture[..., :h, :w, :]).astype(np.uint8)
    if np.issubdtype(space.dtype, np.integer):
        low, high = space.low.astype(np.int64), space.high.astype(np.int64)
        return rng.integers(low, high, (*lead, *space.shape), endpoint=True).astype(space.dtype)
    bounded = (np.abs(space.low) < _WIDE) & (np.abs(space.high) < _WIDE)
    low, high = np.where(bounded, space.low, 0.0), np.where(bounded, space.high, 1.0)
    uniform = rng.uniform(low, high, (*lead, *space.shape))
    return np.where(bounded, uniform, rng.normal(size=uniform.shape)).astype(np.float32)
