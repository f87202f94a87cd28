"""The exact simulator wearing the interface of a world model: the ceiling of every planner."""

from __future__ import annotations

import dataclasses
from functools import partial

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from craik.core.data import Batch
from craik.core.errors import SpecError, UnknownName
from craik.core.model import WorldModel
from craik.core.readings import Readings
from craik.core.spec import Spec
from craik.core.state import State
from craik.worlds import luck
from craik.worlds.classic import CartPole, Pendulum
from craik.worlds.equations import Equations
from craik.worlds.exact import ExactWorld, Snapshot
from craik.worlds.ours import OURS
from craik.worlds.registry import make

CLASSIC: dict[str, type[Equations]] = {"CartPole-v1": CartPole, "Pendulum-v1": Pendulum}
"""Gymnasium's worlds whose laws are written here again."""


@dataclasses.dataclass(frozen=True)
class Truth(State):
    """What is the case in B worlds.

    Attributes:
        physics: [B, D] float64.
        goal: [B, D] float64.
        factors: [B, F] float64, in the order of `FACTORS`.
        reward: [B] float32, of the arrival here.
        over: [B] bool, whether the episode has ended; nothing is paid after that.
    """

    physics: Tensor
    goal: Tensor
    factors: Tensor
    reward: Tensor
    over: Tensor


class Oracle(WorldModel[Truth]):
    """Knows the laws exactly. Nothing to learn, no parameters; "state" must be seen, for it says where the world is.

    `observe` finds the physical state behind the numbers seen. What they do not tell, the world's factors and goal,
    it takes from the belief before: the usual factors and no goal after `start`, or those of a live world after `sync`
    or `follow_goals`. Numbers are float32 and states float64, so what is observed is exact to about 1e-7.

    Args:
        laws: equations of motion, or a world (it is not stepped; it lends its laws and its eyes).
        observation: the observation space; taken from a world.
    """

    def __init__(self, laws: Equations, observation: spaces.Dict | None = None):
        seen = laws.single_observation_space if isinstance(laws, ExactWorld) else observation
        assert isinstance(seen, spaces.Dict), "equations alone do not say how they are seen"
        if "state" not in seen.spaces:
            raise SpecError("an oracle has to be told the state, and this world shows only pixels", 'pass obs="both"')
        if "pixels" in seen.spaces and not isinstance(laws, ExactWorld):
            raise SpecError("this oracle cannot draw", 'open the world with obs="state"')
        super().__init__(Spec.of(seen, laws.action, ("obs", "reward", "proceed", "latent")))
        self.laws = laws
        self.aims: np.ndarray | None = None

    @staticmethod
    def of(id: str, obs: str = "state", size: int = 64) -> Oracle:
        """The oracle of a world by name: one of craik's exact worlds, "CartPole-v1" or "Pendulum-v1".

        Raises:
            UnknownName: if this world's laws are not known.
        """
        if id in OURS and OURS[id].exact:
            world = make(id, 1, obs=obs, size=size)
            assert isinstance(world, ExactWorld)
            return Oracle(world)
        if id in CLASSIC:
            return Oracle(CLASSIC[id](), spaces.Dict({"state": gymnasium.make(id).observation_space}))
        raise UnknownName("world with known laws", id, [*CLASSIC, *(n for n, e in OURS.items() if e.exact)])

    def start(self, batch: int) -> Truth:
        """Nowhere in particular (all zeros), with the usual factors and the goals of `follow_goals`, if any."""
        physics = torch.zeros(batch, len(self.laws.FIELDS), dtype=torch.float64)
        goal = physics if self.aims is None else torch.as_tensor(self.aims)
        if len(goal) != batch:
            raise SpecError(f"the oracle was given {len(goal)} goals and is asked for {batch} rows", "give as many")
        usual = torch.tensor([f.default for f in self.laws.FACTORS.values()], dtype=torch.float64)
        return Truth(physics, goal, usual.expand(batch, -1), torch.zeros(batch), torch.zeros(batch, dtype=torch.bool))

    def follow_goals(self, goal: np.ndarray | None) -> None:
        """From the next `start` on, aims at these goals [B, D] (`world.goal`); None for no goals."""
        self.aims = None if goal is None else np.asarray(goal, np.float64).copy()

    def sync(self, world: ExactWorld | Snapshot) -> Truth:
        """The belief that is exactly the state of a live world, factors and goal and all."""
        live = world.get_state() if isinstance(world, ExactWorld) else world
        factors = [live.factors[k] for k in self.laws.FACTORS]
        over = torch.as_tensor(live.over)
        return Truth(
            torch.as_tensor(live.state.copy()),
            torch.as_tensor(live.goal.copy()),
            torch.as_tensor(np.stack(factors, -1) if factors else np.zeros((len(live.state), 0))),
            torch.zeros(len(over)),
            over,
        )

    def at(self, world: ExactWorld, physics: np.ndarray) -> Truth:
        """The beliefs that live worlds are in these states [N, T, D], axes [N, T]; nothing was paid."""
        truth, (n, t) = self.sync(world), physics.shape[:2]
        over = ~self.laws.proceed(physics.reshape(n * t, -1)).reshape(n, t)
        goal, factors, reward = (
            x[:, None].expand(n, t, *x.shape[1:]) for x in (truth.goal, truth.factors, truth.reward)
        )
        return Truth(torch.as_tensor(physics), goal, factors, reward, torch.as_tensor(over))

    def observe(self, state, action, obs, *, generator=None):  # noqa: ANN001, ANN201
        """The state behind what was seen; the reward is that of coming there from the belief before."""
        physics = torch.as_tensor(self.laws.invert(obs["state"].cpu().numpy()))
        paid = self.pay(state, action, physics)
        over = ~torch.as_tensor(self.laws.proceed(physics.numpy()))
        return dataclasses.replace(state, physics=physics, reward=paid, over=over)

    def step(self, state, action, *, generator=None):  # noqa: ANN001, ANN201
        """The law. A world that is over stays as it is and pays nothing. With a generator, chance is drawn anew."""
        before = state.physics.numpy()
        if self.laws.LUCKY and generator is not None:
            drawn = torch.randint(luck.LIMIT, (len(before),), generator=generator, dtype=torch.float64)
            before = np.concatenate([before[:, :-1], drawn[:, None].numpy()], 1)
        physics, _ = self.laws.move(before, self._effort(action), self._factors(state))
        physics = torch.where(state.over[:, None], state.physics, torch.as_tensor(physics))
        paid = torch.where(state.over, 0.0, self.pay(state, action, physics))
        over = state.over | ~torch.as_tensor(self.laws.proceed(physics.numpy()))
        return dataclasses.replace(state, physics=physics, reward=paid, over=over)

    def read(self, state, query=None):  # noqa: ANN001, ANN201
        """What would be seen, what was paid, whether it goes on; the numbers seen serve as latent."""
        ways = {
            "obs": lambda: self.seen(state),
            "reward": lambda: state.reward,
            "proceed": lambda: (~state.over).float(),
            "latent": lambda: self.numbers(state),
        }
        return Readings(ways, self.spec.reads)

    def numbers(self, state: Truth) -> Tensor:
        """The numbers of the state, [B, S]."""
        return torch.as_tensor(self.laws.numbers(state.physics.numpy())).float()

    def seen(self, state: Truth) -> dict[str, Tensor]:
        """What would be seen, name -> [B, ...]; drawn only when it is looked at."""

        def view(name: str) -> Tensor:
            assert isinstance(self.laws, ExactWorld)
            return torch.as_tensor(self.laws.look(name, state.physics.numpy(), self._factors(state)))

        names = tuple(self.spec.obs.spaces)
        ways = {name: partial(view, name) for name in names}
        return Readings({**ways, "state": lambda: self.numbers(state)}, names)

    def loss(self, batch: Batch, *, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """There is nothing to learn."""
        return {}

    def _effort(self, action: Tensor) -> np.ndarray:
        return self.laws.effort(action.cpu().numpy())

    def _factors(self, state: Truth) -> dict[str, np.ndarray]:
        return {k: state.factors[:, i].numpy() for i, k in enumerate(self.laws.FACTORS)}

    def pay(self, state: Truth, action: Tensor, after: Tensor) -> Tensor:
        """[B] what arriving at physical states `after` [B, D] pays, from beliefs and the actions done there."""
        paid = self.laws.reward(
            state.physics.numpy(), self._effort(action), after.numpy(), state.goal.numpy(), self._factors(state)
        )
        return torch.as_tensor(paid).float()
