"""One episode: what was seen, done and got, from a reset to the end."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from craik.core.errors import DataError
from craik.core.spec import Spec, tensor_dtype


@dataclasses.dataclass(frozen=True)
class Episode:
    """T + 1 observations and the T actions between them (`craik.core.data` has the time convention).

    `terminated` or `truncated` is true at the last step at most; neither, when the episode was merely cut there.

    Attributes:
        obs: name -> [T+1, ...], uint8, float32 or int64 as `core.spec.tensor_dtype` says.
        action: [T, A] float32, [T] int64 or [T, A] int64, in the environment's own units.
        reward: [T] float32, of the arrival at `obs[t + 1]`.
        terminated: [T] bool, whether that arrival ended the episode for good.
        truncated: [T] bool, whether it was stopped there from outside (a time limit).
        meta: anything JSON can hold.
    """

    obs: dict[str, np.ndarray]
    action: np.ndarray
    reward: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    meta: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def num_steps(self) -> int:
        """T, the number of actions."""
        return len(self.action)

    @property
    def num_bytes(self) -> int:
        """The size of its arrays."""
        return sum(x.nbytes for x in self.arrays().values())

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays by the names they have in a file: `obs.NAME`, `action`, `reward`, `terminated`, `truncated`."""
        steps = {k: getattr(self, k) for k in ("action", "reward", "terminated", "truncated")}
        return {f"obs.{k}": v for k, v in self.obs.items()} | steps

    @staticmethod
    def of_arrays(arrays: Mapping[str, np.ndarray], meta: dict[str, Any], where: str, fix: str) -> Episode:
        """Undoes `arrays`.

        Raises:
            DataError: if an array is missing.
        """
        missing = {"action", "reward", "terminated", "truncated"} - set(arrays)
        if missing:
            raise DataError(f"{where} has no {', '.join(sorted(missing))}", fix)
        obs = {k.removeprefix("obs."): v for k, v in arrays.items() if k.startswith("obs.")}
        return Episode(obs, arrays["action"], arrays["reward"], arrays["terminated"], arrays["truncated"], meta)

    @staticmethod
    def of(
        spec: Spec,
        obs: Mapping[str, Any],
        action: Any,
        reward: Any,
        terminated: Any,
        truncated: Any,
        meta: dict[str, Any] | None = None,
        where: str = "the episode",
    ) -> Episode:
        """An episode in the dtypes craik holds, from anything numpy can read; other entries of `obs` are left out.

        Args:
            spec: the world it is from.
            obs: name -> [T+1, ...].
            action: [T, ...].
            reward: [T].
            terminated: [T].
            truncated: [T].
            meta: anything JSON can hold.
            where: what to call it in an error.

        Raises:
            DataError: if it does not fit the spec.
        """
        absent = set(spec.obs.spaces) - set(obs)
        if absent:
            raise DataError(
                f"{where} has no observation {', '.join(sorted(absent))}", f"it offers {', '.join(sorted(obs))}"
            )
        episode = Episode(
            {k: np.ascontiguousarray(obs[k], held(space)) for k, space in spec.obs.spaces.items()},
            np.ascontiguousarray(action, held(spec.action)),
            np.ascontiguousarray(reward, np.float32),
            np.ascontiguousarray(terminated, bool),
            np.ascontiguousarray(truncated, bool),
            meta or {},
        )
        episode.check(spec, where)
        return episode

    def check(self, spec: Spec, where: str = "the episode", fix: str | None = None) -> None:
        """Checks lengths, shapes, dtypes and values against a world.

        Args:
            spec: the world it should be from.
            where: what to call it in an error: a file or an id.
            fix: what the error should advise; by default, to make it with `Episode.of`.

        Raises:
            DataError: naming the episode, the array and the cause.
        """
        check(self, spec, where, fix or "make episodes with Episode.of(spec, ...), which converts and checks")

    def check_form(self, spec: Spec, steps: int, where: str, fix: str) -> None:
        """Checks names, lengths, shapes and dtypes only: no value is looked at. `obs` may hold more than the spec.

        Args:
            spec: the world it should be from.
            steps: T, the number of steps it should have.
            where: what to call it in an error.
            fix: what the error should advise.

        Raises:
            DataError: naming the episode, the array and the cause.
        """
        if steps < 1:
            raise DataError(f"{where} has no step: an episode is at least two observations and one action", fix)
        for name, space in spec.obs.spaces.items():
            if name not in self.obs:
                raise DataError(f"{where} has no observation {name!r}", fix)
            shape = (steps + 1, *(space.shape or ()))
            _check_shape(self.obs[name], shape, held(space), f"obs.{name} of {where}", fix)
        _check_shape(self.action, (steps, *(spec.action.shape or ())), held(spec.action), f"action of {where}", fix)
        for name, dtype in (("reward", np.float32), ("terminated", np.bool_), ("truncated", np.bool_)):
            _check_shape(getattr(self, name), (steps,), np.dtype(dtype), f"{name} of {where}", fix)


def held(space: spaces.Space) -> np.dtype:
    """The numpy dtype in which values of this space are held: uint8, float32 or int64."""
    return np.dtype(str(tensor_dtype(space)).removeprefix("torch."))


def check(episode: Episode, spec: Spec, where: str, fix: str) -> None:
    """See `Episode.check`."""
    if set(episode.obs) != set(spec.obs.spaces):
        raise DataError(f"{where} has observations {sorted(episode.obs)}, the spec {sorted(spec.obs.spaces)}", fix)
    episode.check_form(spec, episode.num_steps, where, fix)
    for name, space in spec.obs.spaces.items():
        _check_values(episode.obs[name], space, f"obs.{name} of {where}", fix)
    _check_values(episode.action, spec.action, f"action of {where}", fix)
    _check_finite(episode.reward, f"reward of {where}", fix)
    early = np.flatnonzero((episode.terminated | episode.truncated)[:-1])
    if early.size:
        raise DataError(f"{where} ends at step {early[0]} and goes on after it; split it there", fix)
    try:
        json.dumps(episode.meta, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"meta of {where} is not JSON: {error}", "use numbers, strings, lists and dicts only"
        ) from error


def _check_values(x: np.ndarray, space: spaces.Space, where: str, fix: str) -> None:
    if isinstance(space, spaces.Box):
        return _check_finite(x, where, fix)
    if isinstance(space, spaces.Discrete):
        low, high = int(space.start), np.asarray(space.start + space.n)
    else:
        assert isinstance(space, spaces.MultiDiscrete)
        low, high = 0, space.nvec
    out = (x < low) | (x >= high)
    if out.any():
        raise DataError(f"{where} is {x[out].flat[0]} at step {np.argwhere(out)[0, 0]}, outside {space}", fix)
    return None


def _check_shape(x: np.ndarray, shape: tuple[int, ...], dtype: np.dtype, where: str, fix: str) -> None:
    if x.shape != shape:
        raise DataError(f"{where} has shape {x.shape}, expected {shape}", fix)
    if x.dtype != dtype:
        raise DataError(f"{where} is {x.dtype}, expected {dtype}", fix)


def _check_finite(x: np.ndarray, where: str, fix: str) -> None:
    if x.dtype.kind != "f":
        return
    bad = ~np.isfinite(x)
    if bad.any():
        raise DataError(f"{where} is {x[bad].flat[0]} at step {np.argwhere(bad)[0, 0]}", fix)
