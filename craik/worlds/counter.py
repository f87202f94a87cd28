"""A world that sees its own clock: with it every off-by-one on the way from collector to model can be told."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

LENGTHS = (3, 5, 4)
"""Steps of the first, second, third episode, and round again."""

STRIDE = 8
"""Brightness per step in the picture."""


class CounterEnv(gymnasium.Env):
    """One counter. "state" is `(step, episode, action)`: steps taken in this episode, episodes begun before it, and the
    action that led here (-1 where an episode opens). Reward: the step arrived at, so `reward[t] == t + 1`. "pixels" is
    one flat colour, `(8 step, 8 episode, 8 (action + 1))`.

    Episode k lasts `lengths[k % len(lengths)]` steps; even ones terminate, odd ones are truncated.

    Args:
        obs: "state", "pixels" or "both".
        size: height and width of the picture.
        bins: how many actions to choose from; None for one number in [-1, 1].
        lengths: see above; each from 1 to 31.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 1}

    def __init__(
        self,
        obs: str = "state",
        size: int = 64,
        *,
        bins: int | None = None,
        lengths: Sequence[int] = LENGTHS,
        render_mode: str | None = None,
    ):
        self.obs, self.size, self.lengths, self.render_mode = obs, size, tuple(lengths), render_mode
        self.action_space = spaces.Box(-1, 1, (1,), np.float32) if bins is None else spaces.Discrete(bins)
        shown: dict[str, spaces.Space] = {}
        if obs != "state":
            shown["pixels"] = spaces.Box(0, 255, (size, size, 3), np.uint8)
        if obs != "pixels":
            shown["state"] = spaces.Box(-1, np.inf, (3,), np.float32)
        self.observation_space = spaces.Dict(shown)
        self.step_count, self.episode, self.action = 0, -1, -1.0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """The next episode; with a seed, the first one."""
        super().reset(seed=seed)
        self.episode = 0 if seed is not None else self.episode + 1
        self.step_count, self.action = 0, -1.0
        return self._see(), self._info()

    def step(self, action: Any) -> tuple[dict, float, bool, bool, dict]:
        """Counts."""
        self.step_count, self.action = self.step_count + 1, float(np.asarray(action).reshape(-1)[0])
        over = self.step_count >= self.lengths[self.episode % len(self.lengths)]
        even = self.episode % 2 == 0
        return self._see(), float(self.step_count), over and even, over and not even, self._info()

    def render(self) -> np.ndarray:  # type: ignore[override]
        """The flat colour, [size, size, 3] uint8."""
        shade = np.array([self.step_count, self.episode, self.action + 1]) * STRIDE
        return np.broadcast_to(np.rint(shade).clip(0, 255).astype(np.uint8), (self.size, self.size, 3)).copy()

    def _see(self) -> dict[str, np.ndarray]:
        state = np.array([self.step_count, self.episode, self.action], np.float32)
        return {k: state if k == "state" else self.render() for k in self.observation_space.spaces}  # type: ignore

    def _info(self) -> dict[str, Any]:
        return {"step": self.step_count, "episode": self.episode, "action": self.action}


class Counter(SyncVectorEnv):
    """N counters behind Gymnasium's own vector environment; episode numbers go up by one at each reset.

    Args:
        num_envs: how many, N. World i's first episode is number 0, as everybody's.
        seed: accepted for the sake of `make`; nothing here is random.
        obs, size, bins, lengths: see `CounterEnv`.
        autoreset: what happens when an episode ends.
    """

    def __init__(
        self,
        num_envs: int = 1,
        *,
        seed: int | None = None,
        obs: str = "state",
        size: int = 64,
        autoreset: AutoresetMode = AutoresetMode.NEXT_STEP,
        bins: int | None = None,
        lengths: Sequence[int] = LENGTHS,
    ):
        one = partial(CounterEnv, obs, size, bins=bins, lengths=lengths)
        super().__init__([one] * num_envs, autoreset_mode=autoreset)
