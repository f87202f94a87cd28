"""Pretenders that imagine rightly and draw badly."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from craik.core import tree
from craik.core.errors import SpecError
from craik.core.model import WorldModel
from craik.core.readings import Readings
from craik.core.spec import is_image
from craik.core.state import State
from craik.eval.card.parse import weigh
from craik.eval.pretend import Pretender
from craik.worlds.exact import ExactWorld
from craik.worlds.oracle import Oracle, Truth


class Painter(Pretender, ABC):
    """Draws what another model draws, altered by `retouch`; beliefs and everything else are unharmed."""

    def read(self, state, query=None):  # noqa: ANN001, ANN201, D102
        told = self.model.read(state, query)
        ways: dict[str, Callable[[], Any]] = {name: partial(told.__getitem__, name) for name in told}
        if "obs" in told:
            ways["obs"] = lambda: self._retouched(told["obs"])
        return Readings(ways, tuple(ways))

    def _retouched(self, seen: dict[str, Tensor]) -> dict[str, Tensor]:
        def shown(name: str) -> Tensor:
            return self.retouch(seen[name]) if is_image(self.spec.obs.spaces[name]) else seen[name]

        return Readings({name: partial(shown, name) for name in seen}, tuple(seen))

    @abstractmethod
    def retouch(self, pictures: Tensor) -> Tensor:
        """Pictures [N, h, w, 3] uint8, as this one draws them: the same shape and type."""


class Blurred(Painter):
    """Draws everything out of focus.

    Args:
        model: the model that is pretended to be.
        sigma: pixels.
    """

    def __init__(self, model: WorldModel, sigma: float = 1.5):
        super().__init__(model)
        self.sigma = sigma

    def retouch(self, pictures: Tensor) -> Tensor:  # noqa: D102
        reach = max(1, round(3 * self.sigma))
        at = torch.arange(-reach, reach + 1).float()
        kernel = torch.exp(-0.5 * (at / self.sigma).square())
        kernel = (kernel / kernel.sum()).to(pictures.device)
        x = pictures.movedim(-1, 1).float()
        n, c, h, w = x.shape
        x = F.pad(x.reshape(n * c, 1, h, w), (reach,) * 4, mode="replicate")
        x = F.conv2d(F.conv2d(x, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))
        return x.reshape(n, c, h, w).movedim(1, -1).round().to(pictures.dtype)


class Noisy(Painter):
    """Draws with grain, the same in every picture of a call.

    Args:
        model: the model that is pretended to be.
        sigma: standard deviation, in parts of the range.
    """

    def __init__(self, model: WorldModel, sigma: float = 0.06):
        super().__init__(model)
        self.sigma = sigma

    def retouch(self, pictures: Tensor) -> Tensor:  # noqa: D102
        grain = torch.randn(pictures.shape, generator=torch.Generator().manual_seed(0))
        return (pictures + 255 * self.sigma * grain.to(pictures.device)).round().clamp(0, 255).to(pictures.dtype)


@dataclasses.dataclass(frozen=True)
class Aged(Truth):
    """What is the case, and how many steps ago it was last seen: age [B] int64."""

    age: Tensor


class Vanished(Pretender):
    """Imagines everything rightly, and no longer draws one thing a few steps after it last looked.

    Args:
        oracle: of a world of pictures with `POINTS`.
        after: steps for which the thing is still drawn.
        point: which of `POINTS`.

    Raises:
        SpecError: if there is no such thing, or no picture.
    """

    def __init__(self, oracle: Oracle, after: int = 8, point: int = 0):
        super().__init__(oracle)
        if not isinstance(oracle.laws, ExactWorld) or "pixels" not in self.spec.obs.spaces:
            raise SpecError("this oracle draws nothing that could vanish", 'open its world with obs="both"')
        if point >= len(oracle.laws.POINTS):
            raise SpecError(f"{type(oracle.laws).__name__} has no thing {point} known by its colour", "see its POINTS")
        self.oracle, self.world, self.after, self.point = oracle, oracle.laws, after, point

    def step(self, state, action, *, generator=None):  # noqa: ANN001, ANN201, D102
        if not isinstance(state, Aged):
            truth = {f.name: getattr(state, f.name) for f in dataclasses.fields(state)}
            state = Aged(**truth, age=torch.zeros(len(state.over), dtype=torch.int64))
        return dataclasses.replace(self.oracle.step(state, action, generator=generator), age=state.age + 1)

    def rollout(self, state, actions, *, generator=None):  # noqa: ANN001, ANN201, D102
        return WorldModel.rollout(self, state, actions, generator=generator)

    def read(self, state, query=None):  # noqa: ANN001, ANN201, D102
        readings = dict(self.oracle.read(state, query))
        gone = (state.age > self.after).numpy() if isinstance(state, Aged) else np.zeros(1, bool)
        if gone.any():
            pictures = readings["obs"]["pixels"].numpy().copy()
            factors = {k: state.factors[:, i].numpy()[gone] for i, k in enumerate(self.world.FACTORS)}
            places = self.world.places(state.physics.numpy()[gone], factors)
            pictures[gone] = self._erase(pictures[gone], places[:, self.point])
            readings["obs"] = readings["obs"] | {"pixels": torch.as_tensor(pictures)}
        return readings

    def _erase(self, pictures: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Paints the thing at [N, 2] (across, down; NaN is out of sight) over with the middle colour around it."""
        h, w = pictures.shape[1:3]
        name = list(self.world.POINTS)[self.point]
        rest = {k: c for k, c in self.world.POINTS.items() if k != name}
        _, mass = weigh(pictures, {name: self.world.POINTS[name]})
        radius = 1.25 * np.sqrt(mass[:, 0] / np.pi) + 1.5  # a light on it or its soft edge do not count as its colour
        down, across = (np.arange(h) + 0.5)[:, None], (np.arange(w) + 0.5)[None]
        for i in np.flatnonzero(np.isfinite(places[:, 0])):
            far = np.hypot(across - places[i, 0] * w, down - places[i, 1] * h)
            near, ring = far <= radius[i], (far > radius[i]) & (far <= radius[i] + 3)
            for color in rest.values():  # another thing in front of it or beside it stays
                near &= np.square(pictures[i].astype(np.float32) - color).sum(-1) > 60**2
            if ring.any():
                pictures[i][near] = np.median(pictures[i][ring], 0).astype(np.uint8)
        return pictures


@dataclasses.dataclass(frozen=True)
class Branches(State):
    """Several beliefs in place of one: a tree with axes [B, M, ...]."""

    many: State


class MarginalMean(Pretender):
    """Ignores what is done and draws the mean of what others' actions lead to: what squared error alone rewards.

    The others' actions are those of `count` rows of the same batch, the same ones for every row.

    Args:
        model: the model that is pretended to be.
        count: how many, M.
    """

    def __init__(self, model: WorldModel, count: int = 8):
        super().__init__(model)
        self.count = count

    def step(self, state, action, *, generator=None):  # noqa: ANN001, ANN201, D102
        return self.rollout(state, action[:, None], generator=generator)[:, 0]

    def rollout(self, state, actions, *, generator=None):  # noqa: ANN001, ANN201, D102
        b = len(actions)
        rows = torch.linspace(0, b - 1, self.count).round().long()
        many = tree.merge(state.many) if isinstance(state, Branches) else tree.repeat(state, self.count)
        others = actions[rows].repeat(b, *[1] * (actions.dim() - 1))  # row b * M + m does what row `rows[m]` does
        states = self.model.rollout(many, others, generator=generator)  # [B * M, H]
        return Branches(tree.map(lambda x: x.unflatten(0, (b, self.count)).transpose(1, 2), states))

    def read(self, state, query=None):  # noqa: ANN001, ANN201, D102
        if not isinstance(state, Branches):
            return self.model.read(state, query)
        b = state.batch
        said = self.model.read(tree.merge(state.many), query)
        return tree.map(lambda x: _middle(x.unflatten(0, (b, self.count))), {k: said[k] for k in self.spec.reads})


def _middle(x: Tensor) -> Tensor:
    """The mean over the second axis, in the same type: [B, M, ...] -> [B, ...]."""
    mean = x.double().mean(1)
    return mean.to(x.dtype) if x.is_floating_point() else mean.round().to(x.dtype)
