"""Gymnasium's environments as worlds: dict observations, pixels from what they render, seeds, three autoreset modes."""

from __future__ import annotations

import os
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import DependencyNotInstalled
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv, VectorWrapper
from PIL import Image

from craik.core.errors import SpecError
from craik.core.spec import is_image

_EXTRAS = {"classic_control": "classic", "box2d": "box2d", "mujoco": "mujoco"}
"""Gymnasium's folder of environments -> craik's extra that installs what it needs."""


def shrink(frame: np.ndarray, size: int) -> np.ndarray:
    """A picture `[h, w, 3]` of uint8 resized to `[size, size, 3]` by averaging areas (each axis by itself)."""
    if frame.shape[:2] == (size, size):
        return np.ascontiguousarray(frame)
    image = Image.fromarray(np.ascontiguousarray(frame))
    smaller = size <= min(frame.shape[:2])
    resample = Image.Resampling.BOX if smaller else Image.Resampling.BILINEAR
    return np.asarray(image.resize((size, size), resample))


def _numbers_space(space: spaces.Space) -> spaces.Space:
    """What "state" looks like: Discrete as it is, everything else as one flat axis of float32."""
    if isinstance(space, spaces.Discrete):
        return space
    flat = spaces.flatten_space(space)
    assert isinstance(flat, spaces.Box)
    return spaces.Box(flat.low.astype(np.float32), flat.high.astype(np.float32), flat.shape, np.float32)


class Seen(gymnasium.Wrapper):
    """One Gymnasium environment with observations as a dict of "state" and/or "pixels".

    Args:
        env: the environment; made with `render_mode="rgb_array"` if pixels are wanted and it does not see them itself.
        obs: "state", "pixels" or "both".
        size: height and width of the picture.
    """

    def __init__(self, env: gymnasium.Env, obs: str, size: int):
        super().__init__(env)
        self.sees_images = is_image(env.observation_space)
        shown: dict[str, spaces.Space] = {}
        if obs != "pixels":
            if self.sees_images:
                raise SpecError(f"{env.spec and env.spec.id} sees only pictures", 'open it with obs="pixels"')
            shown["state"] = _numbers_space(env.observation_space)
        if obs != "state":
            shown["pixels"] = spaces.Box(0, 255, (size, size, 3), np.uint8)
        self.size = size
        self.observation_space = spaces.Dict(shown)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """Gymnasium's reset."""
        obs, info = self.env.reset(seed=seed, options=options)
        return self.see(obs), info

    def step(self, action: Any) -> tuple[dict, float, bool, bool, dict]:
        """Gymnasium's step."""
        obs, reward, terminated, truncated, info = self.env.step(action)
        return self.see(obs), float(reward), terminated, truncated, info

    def see(self, obs: Any) -> dict[str, Any]:
        """The dict observation, drawn where it is to be seen."""
        seen: dict[str, Any] = {}
        for name in self.observation_space.spaces:  # type: ignore[attr-defined]
            if name == "pixels":
                seen[name] = shrink(obs if self.sees_images else self._draw(), self.size)
            elif isinstance(self.env.observation_space, spaces.Discrete):
                seen[name] = obs
            else:
                seen[name] = np.asarray(spaces.flatten(self.env.observation_space, obs), np.float32)
        return seen

    def _draw(self) -> np.ndarray:
        try:
            frame = self.env.render()
        except DependencyNotInstalled as error:
            raise _missing(self.env.spec, error) from error
        assert isinstance(frame, np.ndarray)
        return frame


class Named(VectorWrapper):
    """A vector environment of numbers, with observations as a dict of "state"."""

    def __init__(self, env: VectorEnv):
        super().__init__(env)
        self.single_observation_space = spaces.Dict({"state": env.single_observation_space})
        self.observation_space = spaces.Dict({"state": env.observation_space})

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """Gymnasium's reset."""
        obs, info = self.env.reset(seed=seed, options=options)
        return {"state": obs}, info

    def step(self, actions: Any) -> tuple[dict, np.ndarray, np.ndarray, np.ndarray, dict]:
        """Gymnasium's step."""
        obs, reward, terminated, truncated, info = self.env.step(actions)
        return {"state": obs}, reward, terminated, truncated, info


class GymWorld(VectorWrapper):
    """N Gymnasium environments behind craik's conventions.

    A `reset` without a seed uses the one given here, once; then the worlds' own sources of randomness go on.

    Args:
        env: a vector environment with dict observations.
        seed: of the first reset.
    """

    def __init__(self, env: VectorEnv, seed: int | None):
        super().__init__(env)
        self.seed = seed

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """Gymnasium's reset; from an int each world gets a seed of its own by `numpy.random.SeedSequence`."""
        chosen: Any = self.seed if seed is None else seed
        self.seed = None
        if isinstance(chosen, int) and isinstance(self.env, SyncVectorEnv):
            chosen = [int(s) for s in np.random.SeedSequence(chosen).generate_state(self.num_envs)]
        return self.env.reset(seed=chosen, options=options)


def open_gym(
    id: str, num_envs: int, *, seed: int | None, obs: str, size: int, autoreset: AutoresetMode, **options: Any
) -> GymWorld:
    """Opens a registered Gymnasium environment; see `craik.worlds.make`."""
    spec = gymnasium.spec(id)
    if spec.vector_entry_point is not None and obs == "state" and autoreset is AutoresetMode.NEXT_STEP:
        return GymWorld(Named(gymnasium.make_vec(id, num_envs, **options)), seed)
    if obs != "state" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

    def one() -> gymnasium.Env:
        mode = "rgb_array" if obs != "state" else None
        return Seen(gymnasium.make(id, render_mode=mode, disable_env_checker=True, **options), obs, size)

    try:
        worlds = SyncVectorEnv([one] * num_envs, autoreset_mode=autoreset)
    except DependencyNotInstalled as error:
        raise _missing(spec, error) from error
    worlds.spec = spec
    return GymWorld(worlds, seed)


def _missing(spec: Any, error: DependencyNotInstalled) -> SpecError:
    folder = str(spec.entry_point if spec else "").split(".envs.")[-1].split(".")[0].split(":")[0]
    extra = _EXTRAS.get(folder)
    fix = f"pip install 'craik[{extra}]'" if extra else "install the package it names"
    return SpecError(f"{spec.id if spec else 'this world'} needs a package that is not installed: {error}", fix)
