"""A world model as an environment: everything that plays in a Gymnasium world plays in a dream of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from torch import Tensor

from craik.core import tree
from craik.core.data import Batch
from craik.core.errors import SpecError
from craik.core.model import WorldModel
from craik.core.spec import tensor_dtype
from craik.core.state import State
from craik.data.replay import Replay

Contexts = Callable[[int, np.random.Generator], Batch]
"""Draws experience for dreams to go on from: how many rows, and where to draw from."""


def contexts(experience: Batch | Replay, length: int = 8) -> Contexts:
    """Draws rows of a batch, or windows of `length` arrivals of a replay."""
    if isinstance(experience, Replay):
        return lambda rows, rng: experience.sample(rows, length, rng)
    return lambda rows, rng: experience.rows(torch.from_numpy(rng.integers(experience.shape[0], size=rows)))


class DreamVectorEnv(VectorEnv):
    """N dreams at once.

    A dream begins with the belief at the end of a stretch of real experience (of its last episode, if it holds several)
    and goes on with eyes closed. What it shows is what the model reads from its belief: `obs`, or `{"latent": [D]}` if
    the model draws none; `reward`, or 0 where none is read. It ends for good where the episode probably does
    (`proceed` < 0.5, or, with `sample`, with that probability), and is truncated at the horizon.

    Args:
        model: the world model; used as it is (`model.eval()` is the caller's to say).
        begin: where dreams go on from (`contexts` makes one of a batch or a replay).
        num_envs: N.
        horizon: steps of a dream.
        autoreset: what happens when a dream ends, as in Gymnasium. With DISABLED, `reset` takes
            `options={"reset_mask": [N] bool}`.
        sample: whether the model draws (from a generator seeded by `reset`), or takes modes.

    Raises:
        SpecError: if the model offers neither `obs` nor `latent`, or the horizon is not positive.
    """

    def __init__(
        self,
        model: WorldModel,
        begin: Contexts,
        num_envs: int = 1,
        *,
        horizon: int = 100,
        autoreset: AutoresetMode = AutoresetMode.NEXT_STEP,
        sample: bool = True,
    ):
        if horizon < 1:
            raise SpecError(f"a dream of {horizon} steps", "use a horizon of 1 or more")
        self.model, self.begin, self.num_envs, self.horizon, self.sample = model, begin, num_envs, horizon, sample
        self.mode = AutoresetMode(autoreset)
        self.metadata = {"render_modes": [], "autoreset_mode": self.mode}
        shown = _shown(model)
        self.shown = shown.spaces
        self.single_observation_space = shown
        self.single_action_space = model.spec.action
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.steps = np.zeros(num_envs, np.int64)
        self.over = np.ones(num_envs, bool)
        self.generator = torch.Generator(model.device)
        self.state: State | None = None

    @torch.no_grad()
    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Begins dreams: all of them, or those of `options["reset_mask"]`."""
        if isinstance(seed, list):
            raise SpecError("dreams share one generator and were given a list of seeds", "pass one seed")
        super().reset(seed=seed)
        if seed is not None or self.state is None:
            self.generator.manual_seed(int(self.np_random.integers(2**62)))
        mask = np.asarray((options or {}).get("reset_mask", np.ones(self.num_envs, bool)))
        self._begin(mask)
        return self._see(self._read()), {}

    @torch.no_grad()
    def step(self, actions: Any) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """One step of every dream.

        Raises:
            SpecError: before the first `reset`, or, with autoreset disabled, where a dream is over.
        """
        if self.state is None or (self.mode == AutoresetMode.DISABLED and self.over.any()):
            raise SpecError("a step in a dream that is over, or never began", "call reset, with a reset_mask for some")
        waking = self.over.copy()  # with NEXT_STEP: those that begin anew in this step, whatever the action
        action = torch.as_tensor(np.asarray(actions), dtype=tensor_dtype(self.single_action_space))
        self.state = self.model.step(self.state, action.to(self.model.device), generator=self._source())
        self.steps += 1
        readings = self._read()
        terminated, truncated = self._ends(readings), self.steps >= self.horizon
        reward = (
            readings["reward"].cpu().double().numpy() if "reward" in self.model.spec.reads else np.zeros(self.num_envs)
        )
        if waking.any():
            self._begin(waking)
            readings = self._read()
            terminated, truncated, reward = (
                np.where(waking, 0, x).astype(x.dtype) for x in (terminated, truncated, reward)
            )
        self.over = terminated | truncated
        obs, info = self._see(readings), {}
        if self.mode == AutoresetMode.SAME_STEP and self.over.any():
            info = _final(obs, self.over)
            self._begin(self.over)
            obs = self._see(self._read())
        return obs, reward, terminated, truncated, info

    def _begin(self, mask: np.ndarray) -> None:
        """Puts fresh beliefs where `mask` [N] is true."""
        batch = self.begin(self.num_envs, self.np_random).to(self.model.device)
        beliefs = self.model.follow(batch, generator=self._source())
        # What ends with its episode is cut one short: a dream that began there would be over already.
        last = batch.shape[1] - batch.terminated[:, -1].long()
        fresh = beliefs[torch.arange(self.num_envs, device=last.device), last]
        chosen = torch.as_tensor(mask, device=self.model.device)
        self.state = fresh if self.state is None else tree.where(chosen, fresh, self.state)
        self.steps[mask], self.over[mask] = 0, False

    def _read(self) -> dict[str, Any]:
        assert self.state is not None
        return self.model.read(self.state)

    def _see(self, readings: dict[str, Any]) -> dict[str, np.ndarray]:
        """What is shown, name -> [N, ...], in the dtypes of the observation space."""
        seen = readings["obs"] if "obs" in self.model.spec.reads else readings
        return {k: seen[k].cpu().numpy().astype(s.dtype) for k, s in self.shown.items()}

    def _ends(self, readings: dict[str, Any]) -> np.ndarray:
        if "proceed" not in self.model.spec.reads:
            return np.zeros(self.num_envs, bool)
        proceed: Tensor = readings["proceed"]
        bar: Tensor | float = 0.5
        if self.sample:
            bar = torch.rand(proceed.shape, generator=self.generator, device=proceed.device)
        return (proceed < bar).cpu().numpy()

    def _source(self) -> torch.Generator | None:
        return self.generator if self.sample else None


class DreamEnv(gymnasium.Env):
    """One dream, as a Gymnasium environment. The arguments are those of `DreamVectorEnv`."""

    metadata = {"render_modes": []}

    def __init__(self, model: WorldModel, begin: Contexts, *, horizon: int = 100, sample: bool = True):
        self.dreams = DreamVectorEnv(model, begin, horizon=horizon, autoreset=AutoresetMode.DISABLED, sample=sample)
        self.observation_space = self.dreams.single_observation_space
        self.action_space = self.dreams.single_action_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Begins a dream."""
        super().reset(seed=seed)
        obs, info = self.dreams.reset(seed=seed)
        return self._one(obs), info

    def step(self, action: Any) -> tuple[dict[str, np.ndarray], float, bool, bool, dict[str, Any]]:
        """One step of it."""
        obs, reward, terminated, truncated, info = self.dreams.step(np.asarray(action)[None])
        return self._one(obs), float(reward[0]), bool(terminated[0]), bool(truncated[0]), info

    def _one(self, obs: dict[str, np.ndarray]) -> dict[str, Any]:
        """The only row."""
        return {k: v[0] for k, v in obs.items()}


def _shown(model: WorldModel) -> spaces.Dict:
    """The observation space of a dream."""
    if "obs" in model.spec.reads:
        return model.spec.obs
    if "latent" not in model.spec.reads:
        offers = ", ".join(model.spec.reads) or "nothing"
        raise SpecError(
            f"{type(model).__name__} offers {offers}, which is nothing to look at",
            "dream with a model that reads obs or latent",
        )
    with torch.no_grad():
        size = model.read(model.start(1))["latent"].shape[-1]
    return spaces.Dict({"latent": spaces.Box(-np.inf, np.inf, (size,), np.float32)})


def _final(obs: dict[str, np.ndarray], over: np.ndarray) -> dict[str, Any]:
    """Gymnasium's way of telling what a dream that is over showed last."""
    last = np.full(len(over), None, object)
    for row in np.flatnonzero(over):
        last[row] = {k: v[row] for k, v in obs.items()}
    return {"final_obs": last, "_final_obs": over.copy(), "final_info": {}, "_final_info": over.copy()}
