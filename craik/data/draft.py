"""An episode being written."""

from __future__ import annotations

from typing import Any

import numpy as np

from craik.core.spec import Spec
from craik.data.episode import Episode


class Draft:
    """An episode from its first observation on.

    Args:
        spec: the world.
        obs: the observation that opens it, name -> [...].
        meta: what the episode will say of itself.

    Attributes:
        num_steps: steps so far.
        over: whether it was finished.
    """

    def __init__(self, spec: Spec, obs: dict[str, np.ndarray], meta: dict[str, Any]):
        self.spec, self.meta = spec, meta
        self.num_steps, self.over = 0, False
        self._obs = {k: [v.copy()] for k, v in obs.items()}
        self._action: list[np.ndarray] = []
        self._reward: list[float] = []

    def add(self, action: np.ndarray, obs: dict[str, np.ndarray], reward: float) -> None:
        """One step: what was done, and what was seen and got on arrival."""
        for name, x in obs.items():
            self._obs[name].append(x.copy())
        self._action.append(np.array(action))
        self._reward.append(reward)
        self.num_steps += 1

    def finish(self, terminated: bool, truncated: bool) -> Episode:
        """The episode, ended at the last step for good (`terminated`) or from outside (`truncated`)."""
        self.over = True
        ends = np.zeros((2, self.num_steps), bool)
        ends[:, -1] = terminated, truncated
        obs = {k: np.stack(v) for k, v in self._obs.items()}
        where = f"the episode from {self.meta}"
        return Episode.of(self.spec, obs, np.stack(self._action), self._reward, ends[0], ends[1], self.meta, where)
