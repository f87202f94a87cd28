"""One world alone, as a plain `gymnasium.Env`."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode

from craik.worlds.registry import make


class Single(gymnasium.Env):
    """What `gymnasium.make("craik/...")` gives: the first of one exact world.

    Args:
        id: one of craik's worlds.
        render_mode: "rgb_array" or None.
        options: for the world's constructor, `obs` and `size` among them.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 20}

    def __init__(self, id: str, render_mode: str | None = None, **options: Any):
        self.world = make(id, 1, autoreset=AutoresetMode.DISABLED, **options)
        self.render_mode = render_mode
        self.observation_space = self.world.single_observation_space
        self.action_space = self.world.single_action_space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """Gymnasium's reset; options hold rows of one (see `ExactWorld`)."""
        super().reset(seed=seed)
        obs, info = self.world.reset(seed=seed, options=options)
        return _first(obs), _told(info)

    def step(self, action: Any) -> tuple[dict, float, bool, bool, dict]:
        """Gymnasium's step."""
        obs, reward, terminated, truncated, info = self.world.step(np.asarray(action)[None])
        return _first(obs), float(reward[0]), bool(terminated[0]), bool(truncated[0]), _told(info)

    def render(self) -> np.ndarray | None:  # type: ignore[override]
        """[size, size, 3] uint8, or None without a render mode."""
        if self.render_mode is None:
            return None
        frames = self.world.render()
        assert frames is not None
        return np.asarray(frames[0])


def _first(obs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {k: v[0] for k, v in obs.items()}


def _told(info: dict[str, Any]) -> dict[str, Any]:
    return {k: v[0] for k, v in info.items() if not k.startswith("_") and info[f"_{k}"][0]}
