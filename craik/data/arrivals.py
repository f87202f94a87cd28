"""What a vector environment returned, read in its autoreset mode and checked."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from craik.core.spec import Spec
from craik.data.episode import held


class BrokenStep(Exception):
    """An environment did not do its part: `row` says which (None: it cannot be told), `reason` what was wrong."""

    def __init__(self, row: int | None, reason: str):
        super().__init__(reason)
        self.row, self.reason = row, reason


@dataclasses.dataclass(frozen=True)
class Arrivals:
    """Where N environments arrived.

    Attributes:
        obs: name -> [N, ...], what each one arrived at, also where the episode ended there.
        reward: [N] float32.
        terminated: [N] bool.
        truncated: [N] bool.
    """

    obs: dict[str, np.ndarray]
    reward: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray

    @property
    def ended(self) -> np.ndarray:
        """[N] bool."""
        return self.terminated | self.truncated


def arrivals(result: tuple[Any, ...], spec: Spec, mode: AutoresetMode, rows: int) -> Arrivals:
    """Reads what `VectorEnv.step` returned.

    In SAME_STEP the returned observation is already the next episode's where one ended; the one it ended with is in
    `infos["final_obs"]`, and that is the arrival.

    Raises:
        BrokenStep: if an observation or reward has a wrong shape or is not finite.
    """
    obs, reward, terminated, truncated, infos = result
    terminated, truncated = (_array(x, (rows,), np.dtype(bool), "an end") for x in (terminated, truncated))
    reward = _array(reward, (rows,), np.dtype(np.float32), "a reward")
    ended = terminated | truncated
    seen = named(obs, spec)
    if mode == AutoresetMode.SAME_STEP and ended.any():
        if "final_obs" not in infos:
            raise BrokenStep(None, "it resets in the same step and gave no final_obs")
        seen = {k: np.array(v) for k, v in seen.items()}
        for row in np.flatnonzero(ended).tolist():
            for name, x in named(_row(infos["final_obs"], row), spec).items():
                seen[name][row] = x
    return Arrivals(frames(seen, spec, rows), reward, terminated, truncated)


def frames(obs: Any, spec: Spec, rows: int) -> dict[str, np.ndarray]:
    """Observations of N environments as craik holds them, name -> [N, ...]: copies, in the dtypes of `held`.

    Raises:
        BrokenStep: if one has a wrong shape or is not finite.
    """
    seen = named(obs, spec)
    return {
        k: _array(seen[k], (rows, *(space.shape or ())), held(space), f"observation {k!r}")
        for k, space in spec.obs.spaces.items()
    }


def named(obs: Any, spec: Spec) -> dict[str, Any]:
    """Observations by name; a bare one gets the spec's only name.

    Raises:
        BrokenStep: if one is missing.
    """
    if not isinstance(obs, dict):
        obs = dict.fromkeys(spec.obs.spaces, obs) if len(spec.obs.spaces) == 1 else {}
    missing = set(spec.obs.spaces) - set(obs)
    if missing:
        raise BrokenStep(None, f"it showed no {', '.join(sorted(missing))}")
    return obs


def _row(final: Any, row: int) -> Any:
    """One row of `final_obs`: Gymnasium gives an array of objects, some environments a dict of arrays."""
    return {k: v[row] for k, v in final.items()} if isinstance(final, dict) else final[row]


def _array(x: Any, shape: tuple[int, ...], dtype: np.dtype, what: str) -> np.ndarray:
    x = np.array(x)
    if x.shape != shape:
        raise BrokenStep(None, f"{what} has shape {x.shape[1:]}, expected {shape[1:]} (of {shape[0]} environments)")
    if x.dtype.kind == "f":
        bad = ~np.isfinite(x).reshape(len(x), -1).all(1)
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise BrokenStep(row, f"{what} of environment {row} is not finite")
    return x.astype(dtype, copy=False)
