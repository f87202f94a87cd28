"""The oracle in other clothes: right, but it speaks otherwise. A fair exam gives them all the same mark."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from craik.core.data import Batch
from craik.core.errors import SpecError
from craik.core.model import WorldModel
from craik.core.spec import Spec
from craik.core.state import State
from craik.eval.pretend import Pretender
from craik.worlds.draw import PAPER
from craik.worlds.exact import ExactWorld
from craik.worlds.oracle import Oracle


class InLatent(Pretender):
    """Says nothing but a latent: the true numbers turned, stretched and bent, so that no number stands alone.

    z = W2 (x + tanh(W1 x) / 2), with W1 small enough for the map to be one to one, and W2 a random rotation into
    `width` dimensions.

    Args:
        oracle: of the true world.
        scale: [S] by which the numbers are divided first (`Exam.scale`).
        width: numbers of the latent; at least S.
    """

    def __init__(self, oracle: Oracle, scale: np.ndarray, width: int = 32):
        super().__init__(oracle)
        self.spec = oracle.spec.offering("reward", "proceed", "latent")
        generator, size = torch.Generator().manual_seed(0), len(scale)
        bend = torch.randn(size, size, generator=generator)
        self.bend = bend / torch.linalg.matrix_norm(bend, 2)
        self.turn = torch.linalg.qr(torch.randn(max(width, size), size, generator=generator))[0]
        self.scale = torch.as_tensor(scale).float()

    def read(self, state, query=None):  # noqa: ANN001, ANN201, D102
        told = self.model.read(state, query)
        x = told["latent"] / self.scale
        z = (x + torch.tanh(x @ self.bend.T) / 2) @ self.turn.T
        return {"reward": told["reward"], "proceed": told["proceed"], "latent": z}


@dataclasses.dataclass(frozen=True)
class Bent(State):
    """A latent, z [B, W] float64, and those true numbers that never vary, [B, S'] float64."""

    z: Tensor
    constant: Tensor


class LivesInLatent(WorldModel[Bent]):
    """Has nothing but the latent of `InLatent` and goes on from it: what is put into it is the case from then on.

    It sees the numbers of the state, unbends its latent to move by the laws, and bends it again. The world's constants
    are the usual ones to it, and there is no luck.

    Args:
        oracle: of the true world.
        scale: [S] by which the numbers are divided first (`Exam.scale`).
        width: numbers of the latent; at least S.
    """

    def __init__(self, oracle: Oracle, scale: np.ndarray, width: int = 32):
        super().__init__(Spec.of(spaces.Dict({"state": oracle.spec.obs["state"]}), oracle.spec.action, ("latent",)))
        varies = np.isfinite(scale)
        like = InLatent(oracle, scale[varies], width)
        self.oracle, self.bend, self.turn = oracle, like.bend.double(), like.turn.double()
        self.varies, self.scale = torch.as_tensor(varies), torch.as_tensor(scale[varies])

    def start(self, batch: int) -> Bent:  # noqa: D102
        return self.bent(torch.zeros(batch, len(self.varies), dtype=torch.float64))

    def observe(self, state, action, obs, *, generator=None):  # noqa: ANN001, ANN201, D102
        return self.bent(obs["state"].double())

    def step(self, state, action, *, generator=None):  # noqa: ANN001, ANN201, D102
        physics = self.oracle.laws.invert(self.unbent(state).numpy())
        truth = dataclasses.replace(self.oracle.start(len(physics)), physics=torch.as_tensor(physics))
        after = self.oracle.step(truth, action).physics.numpy()
        return self.bent(torch.as_tensor(self.oracle.laws.numbers(after)).double())

    def read(self, state, query=None):  # noqa: ANN001, ANN201, D102
        return {"latent": state.z.float()}

    def loss(self, batch: Batch, *, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """There is nothing to learn."""
        return {}

    def bent(self, numbers: Tensor) -> Bent:
        """True numbers [B, S] as a belief."""
        x = numbers[:, self.varies] / self.scale
        return Bent((x + torch.tanh(x @ self.bend.T) / 2) @ self.turn.T, numbers[:, ~self.varies])

    def unbent(self, state: Bent) -> Tensor:
        """The numbers [B, S] that a belief holds: x = y - tanh(V x) / 2, again and again; each time half as far off."""
        y = x = state.z @ self.turn
        for _ in range(40):
            x = y - torch.tanh(x @ self.bend.T) / 2
        numbers = x.new_zeros(len(x), len(self.varies))
        numbers[:, self.varies], numbers[:, ~self.varies] = x * self.scale, state.constant
        return numbers


class InGaussians(Pretender):
    """Draws every thing that has a colour as a soft blob on paper, as a splatting model would.

    Args:
        oracle: of a world with `POINTS`, that sees pixels.
        width: standard deviation of a blob, in parts of the picture.

    Raises:
        SpecError: if nothing in this world is known by its colour.
    """

    def __init__(self, oracle: Oracle, width: float = 0.05):
        super().__init__(oracle)
        world = oracle.laws
        if not isinstance(world, ExactWorld) or not world.POINTS or "pixels" not in oracle.spec.obs.spaces:
            raise SpecError("nothing here is known by its colour", "take a world with POINTS, shown as pixels")
        self.world, self.width, self.oracle = world, width, oracle
        seen = spaces.Dict({"pixels": oracle.spec.obs.spaces["pixels"]})
        self.spec = Spec.of(seen, oracle.spec.action, ("obs", "reward", "proceed"))

    def read(self, state, query=None):  # noqa: ANN001, ANN201, D102
        names = list(self.world.FACTORS)
        factors = {k: state.factors[:, i].numpy() for i, k in enumerate(names)}
        places = self.world.places(state.physics.numpy(), factors)
        seen = {"pixels": self.splat(places)}
        return {"obs": seen, "reward": state.reward, "proceed": (~state.over).float()}

    def splat(self, places: np.ndarray) -> Tensor:
        """Places [N, P, 2] -> pictures [N, size, size, 3] uint8; those outside are not drawn."""
        size = self.world.size
        at = (np.arange(size) + 0.5) / size
        picture = np.broadcast_to(np.array(PAPER, np.float64), (len(places), size, size, 3)).copy()
        for p, color in enumerate(self.world.POINTS.values()):
            x, y = np.nan_to_num(places[:, p, 0], nan=9.0), np.nan_to_num(places[:, p, 1], nan=9.0)
            across = np.exp(-0.5 * ((at - x[:, None]) / self.width) ** 2)
            down = np.exp(-0.5 * ((at - y[:, None]) / self.width) ** 2)
            cover = np.clip(1.5 * down[:, :, None] * across[:, None, :], 0, 1)[..., None]
            picture += cover * (np.array(color) - picture)
        return torch.as_tensor(picture.round().astype(np.uint8))
