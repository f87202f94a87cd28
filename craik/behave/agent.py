"""What decides: from beliefs to actions."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from gymnasium import spaces
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor, nn

from craik.core import tree
from craik.core.data import Batch
from craik.core.model import WorldModel
from craik.core.spec import Spec
from craik.core.state import Nothing, State


class Agent(nn.Module, ABC):
    """Chooses actions from a model's beliefs, and may learn to.

    An agent owns no model: it is handed one, so that the same agent works over every family.
    """

    def start(self, batch: int) -> State:
        """What the agent itself remembers at the beginning of an episode (a planner's last plan, say)."""
        return Nothing()

    @abstractmethod
    def act(
        self,
        model: WorldModel,
        state: State,
        memory: State,
        *,
        generator: torch.Generator | None = None,
        explore: bool = False,
    ) -> tuple[Shaped[Tensor, "B ..."], State]:
        """Actions for B beliefs.

        Args:
            model: the world model.
            state: its beliefs, B rows.
            memory: the agent's memory, B rows.
            generator: source of randomness; None for the mode.
            explore: whether this is for gathering experience, or for doing well.

        Returns:
            Actions in the environment's units, and the memory to bring next time.
        """

    def loss(
        self, model: WorldModel, batch: Batch, *, generator: torch.Generator | None = None
    ) -> dict[str, Float[Tensor, "*_"]]:
        """What the agent has to learn, named as a model's losses are; {} if nothing."""
        return {}

    def after_step(self) -> None:
        """Called after every optimiser step: where averaged targets and running scales move."""


class Random(Agent):
    """Uniform over the action space; unbounded numbers are drawn from a unit normal."""

    def __init__(self, spec: Spec):
        super().__init__()
        self.spec = spec

    def act(self, model, state, memory, *, generator=None, explore=False):  # noqa: ANN001, ANN201, D102
        return random_actions(self.spec.action, (state.batch,), generator), memory


def random_actions(
    space: spaces.Space, shape: tuple[int, ...], generator: torch.Generator | None, device: torch.device | str = "cpu"
) -> Shaped[Tensor, "*_"]:
    """Uniform actions, [*shape, ...], in the environment's units.

    Raises:
        ValueError: without a generator (there is no mode of a uniform choice).
    """
    if generator is None:
        raise ValueError("random actions need a generator")
    if isinstance(space, spaces.Discrete):
        n, start = int(space.n), int(space.start)
        return torch.randint(start, start + n, shape, generator=generator, device=device)
    if isinstance(space, spaces.MultiDiscrete):
        each = [torch.randint(int(n), shape, generator=generator, device=device) for n in space.nvec]
        return torch.stack(each, -1)
    assert isinstance(space, spaces.Box)
    size = (*shape, *space.shape)
    low, high = (torch.as_tensor(x, dtype=torch.float32, device=device) for x in (space.low, space.high))
    bounded = torch.isfinite(low) & torch.isfinite(high)
    uniform = torch.rand(size, generator=generator, device=device)
    normal = torch.randn(size, generator=generator, device=device)
    span = torch.where(bounded, high - low, torch.ones_like(low))
    return torch.where(bounded, torch.where(bounded, low, torch.zeros_like(low)) + uniform * span, normal)


class Player:
    """A model and an agent, living in B worlds at once: keeps the beliefs, the memories and the last actions.

    Args:
        model: the world model.
        agent: what decides.
        batch: how many worlds, B.
        generator: source of randomness; None for modes.
        explore: whether to gather experience rather than do well.
    """

    def __init__(
        self,
        model: WorldModel,
        agent: Agent,
        batch: int,
        *,
        generator: torch.Generator | None = None,
        explore: bool = False,
    ):
        self.model, self.agent, self.generator, self.explore = model, agent, generator, explore
        self.blank = (model.start(batch), agent.start(batch), model.spec.null_action(batch, model.device))
        self.belief, self.memory, self.action = self.blank

    @torch.no_grad()
    def act(self, obs: dict[str, Shaped[Tensor, "B ..."]], first: Bool[Tensor, " B"]) -> Shaped[Tensor, "B ..."]:
        """Sees `obs`, forgets where `first`, and returns the actions to take."""
        before = tree.where(first, self.blank, (self.belief, self.memory, self.action))
        self.belief = self.model.observe(before[0], before[2], obs, generator=self.generator)
        self.action, self.memory = self.agent.act(
            self.model, self.belief, before[1], generator=self.generator, explore=self.explore
        )
        return self.action

    def keep(self, rows: Bool[Tensor, " B"] | Int[Tensor, " N"]) -> None:
        """Goes on in some of the worlds only: a mask or the numbers of the rows, in their new order."""
        self.blank, (self.belief, self.memory, self.action) = tree.index(
            (self.blank, (self.belief, self.memory, self.action)), rows
        )
