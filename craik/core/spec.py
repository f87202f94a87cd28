"""What a model sees, what it can do, and what can be read from its belief."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from jaxtyping import Shaped
from torch import Tensor

from craik.core.errors import SpecError

READS = ("obs", "reward", "proceed", "value", "latent", "action")
"""Every reading a model may offer.

`obs` (a dict like the observation), `reward` [B] (of the arrival at this belief), `proceed` [B] (probability in
[0, 1] that the episode goes on from here), `value` [B] (expected discounted return), `latent` [B, D] (an embedding
in which distance means something), `action` (the model's own proposal, like the action space).
"""


@dataclasses.dataclass(frozen=True)
class Spec:
    """The contract between a world and a model.

    Attributes:
        obs: a Gymnasium `Dict` of `Box` and `Discrete`. Images are `Box` of uint8, `[h, w, C]`, in [0, 255].
        action: a Gymnasium `Box` (float, one axis), `Discrete` or `MultiDiscrete` space.
        reads: the readings the model offers, a subset of `READS`.
    """

    obs: spaces.Dict
    action: spaces.Space
    reads: tuple[str, ...] = ()

    @staticmethod
    def of(observation: spaces.Space, action: spaces.Space, reads: tuple[str, ...] = ()) -> Spec:
        """Makes a Spec from Gymnasium spaces; a bare observation space is named `state`, or `pixels` if an image.

        Raises:
            SpecError: if a space is of a kind that no model takes.
        """
        if not isinstance(observation, spaces.Dict):
            observation = spaces.Dict({"pixels" if is_image(observation) else "state": observation})
        for name, space in observation.spaces.items():
            if not isinstance(space, spaces.Box | spaces.Discrete):
                raise SpecError(
                    f"observation {name!r} is a {type(space).__name__}; craik takes Box and Discrete",
                    "flatten it with gymnasium.wrappers.FlattenObservation, or drop it with FilterObservation",
                )
        if isinstance(action, spaces.Box) and len(action.shape) != 1:
            raise SpecError(
                f"the action is a Box of shape {action.shape}; craik takes a Box with one axis",
                "flatten the action space with gymnasium.wrappers.TransformAction",
            )
        if not isinstance(action, spaces.Box | spaces.Discrete | spaces.MultiDiscrete):
            raise SpecError(
                f"the action is a {type(action).__name__}; craik takes Box, Discrete and MultiDiscrete",
                "wrap the environment with gymnasium.wrappers.TransformAction",
            )
        unknown = set(reads) - set(READS)
        if unknown:
            raise SpecError(f"unknown readings {sorted(unknown)}", f"use some of {', '.join(READS)}")
        return Spec(observation, action, reads)

    def offering(self, *reads: str) -> Spec:
        """The same world with these readings claimed."""
        return Spec.of(self.obs, self.action, reads)

    def null_action(self, batch: int, device: torch.device | str | None = None) -> Shaped[Tensor, "B ..."]:
        """The "action" that led to an episode's first observation: zeros for Box, -1 for Discrete and MultiDiscrete.

        It is what `observe` is given where nothing was done yet. `parts.actions.vector` turns -1 into a zero one-hot.
        """
        if isinstance(self.action, spaces.Box):
            return torch.zeros(batch, *self.action.shape, device=device)
        if isinstance(self.action, spaces.Discrete):
            return torch.full((batch,), -1, dtype=torch.int64, device=device)
        return torch.full((batch, *(self.action.shape or ())), -1, dtype=torch.int64, device=device)

    def images(self) -> tuple[str, ...]:
        """The names of the observations that are images, in order."""
        return tuple(k for k, s in self.obs.spaces.items() if is_image(s))

    def describe(self) -> dict[str, Any]:
        """A JSON-ready description; `Spec.parse` undoes it."""
        return {
            "obs": {k: _describe(s) for k, s in self.obs.spaces.items()},
            "action": _describe(self.action),
            "reads": list(self.reads),
        }

    @staticmethod
    def parse(description: dict[str, Any]) -> Spec:
        """The Spec that `describe` described.

        Raises:
            SpecError: if the description names a space kind or reading that does not exist.
        """
        obs = spaces.Dict({k: _parse(s, f"obs.{k}") for k, s in description["obs"].items()})
        return Spec.of(obs, _parse(description["action"], "action"), tuple(description["reads"]))


def is_image(space: spaces.Space) -> bool:
    """Whether a space is a `[h, w, C]` box of uint8."""
    return isinstance(space, spaces.Box) and len(space.shape) == 3 and space.dtype == np.uint8


def tensor_dtype(space: spaces.Space) -> torch.dtype:
    """The torch dtype in which craik holds values of this space: uint8 images, float32 boxes, int64 indices."""
    if isinstance(space, spaces.Box):
        return torch.uint8 if space.dtype == np.uint8 else torch.float32
    return torch.int64


def _describe(space: spaces.Space) -> dict[str, Any]:
    if isinstance(space, spaces.Box):
        uniform = np.unique(space.low).size == 1 and np.unique(space.high).size == 1
        return {
            "kind": "box",
            "low": _plain(space.low.flat[0] if uniform else space.low),
            "high": _plain(space.high.flat[0] if uniform else space.high),
            "shape": list(space.shape),
            "dtype": str(space.dtype),
        }
    if isinstance(space, spaces.Discrete):
        return {"kind": "discrete", "n": int(space.n), "start": int(space.start)}
    assert isinstance(space, spaces.MultiDiscrete)
    return {"kind": "multidiscrete", "nvec": space.nvec.tolist()}


def _plain(x: Any) -> Any:
    """Numbers JSON can hold: infinities become the strings "inf" and "-inf"."""
    if isinstance(x, np.ndarray):
        return [_plain(v) for v in x]
    return float(x) if np.isfinite(x) else str(float(x))


def _numbers(x: Any, dtype: str) -> np.ndarray:
    return np.asarray(np.array(x, dtype=object), dtype="float64").astype(dtype)


def _parse(d: dict[str, Any], where: str) -> spaces.Space:
    if d.get("kind") == "box":
        if d["dtype"] not in ("uint8", "float32", "float64", "int32", "int64"):
            raise SpecError(f"{where} has dtype {d['dtype']!r}", "use uint8, float32, float64, int32 or int64")
        shape = tuple(d["shape"])
        low, high = (np.broadcast_to(_numbers(d[k], d["dtype"]), shape) for k in ("low", "high"))
        return spaces.Box(low, high, shape, np.dtype(d["dtype"]).type)
    if d.get("kind") == "discrete":
        return spaces.Discrete(d["n"], start=d["start"])
    if d.get("kind") == "multidiscrete":
        return spaces.MultiDiscrete(d["nvec"])
    raise SpecError(f"{where} has an unknown space kind {d.get('kind')!r}", "use box, discrete or multidiscrete")
