"""Pretenders: models that are wrong in one known way. What cannot tell them from the real one measures nothing."""

from __future__ import annotations

import dataclasses

import torch
from gymnasium import spaces
from torch import Tensor

from craik.behave.agent import Agent
from craik.core import tree
from craik.core.data import Batch
from craik.core.model import WorldModel
from craik.core.spec import Spec
from craik.core.state import State
from craik.parts.actions.vector import ActionVector


@dataclasses.dataclass(frozen=True)
class Rows(State):
    """Nothing but how many rows there are: [B] zeros."""

    none: Tensor


class Blind(WorldModel[Rows]):
    """Believes nothing and offers nothing: for agents that need no model.

    Args:
        spec: the world it is put in.
    """

    def __init__(self, spec: Spec):
        super().__init__(spec.offering())

    def start(self, batch: int) -> Rows:  # noqa: D102
        return Rows(torch.zeros(batch))

    def observe(self, state, action, obs, *, generator=None):  # noqa: ANN001, ANN201, D102
        return state

    def step(self, state, action, *, generator=None):  # noqa: ANN001, ANN201, D102
        return state

    def read(self, state, query=None):  # noqa: ANN001, ANN201, D102
        return {}

    def loss(self, batch: Batch, *, generator=None) -> dict[str, Tensor]:  # noqa: ANN001, D102
        return {}


class Nothing(Agent):
    """Does nothing: the middle of every bounded number, zero for unbounded ones, the first of several choices.

    The first choice is only a name for nothing: in a world where it does something, so does this agent, always the
    same (CartPole's pushes left).
    """

    def __init__(self, spec: Spec):
        super().__init__()
        self.spec = spec

    def act(self, model, state, memory, *, generator=None, explore=False):  # noqa: ANN001, ANN201, D102
        return idle(self.spec.action, state.batch, model.device), memory


def idle(space: spaces.Space, batch: int, device: torch.device | str = "cpu") -> Tensor:
    """`batch` actions [B, ...] that do as little as the space can say; see `Nothing`."""
    if isinstance(space, spaces.Box):
        vector = ActionVector(space).to(device)
        return vector.invert(torch.zeros(batch, vector.size, device=device))
    start = int(space.start) if isinstance(space, spaces.Discrete) else 0
    return torch.full((batch, *(space.shape or ())), start, dtype=torch.int64, device=device)


class Pretender(WorldModel[State]):
    """A model whose beliefs while watching are another's, and whose imagination is tampered with.

    It watches with the actions that were really done, so that only what it imagines is wrong.

    Args:
        model: the model that is pretended to be.
    """

    def __init__(self, model: WorldModel):
        super().__init__(model.spec)
        self.model = model

    def start(self, batch: int) -> State:  # noqa: D102
        return self.model.start(batch)

    def observe(self, state, action, obs, *, generator=None):  # noqa: ANN001, ANN201, D102
        return self.model.observe(state, action, obs, generator=generator)

    def step(self, state, action, *, generator=None):  # noqa: ANN001, ANN201, D102
        return self.model.step(state, self.heard(action), generator=generator)

    def rollout(self, state, actions, *, generator=None):  # noqa: ANN001, ANN201, D102
        return self.model.rollout(state, self.heard(actions), generator=generator)

    def follow(self, batch: Batch, *, generator=None) -> State:  # noqa: ANN001, D102
        return self.model.follow(batch, generator=generator)

    def read(self, state, query=None):  # noqa: ANN001, ANN201, D102
        return self.model.read(state, query)

    def loss(self, batch: Batch, *, generator=None) -> dict[str, Tensor]:  # noqa: ANN001, D102
        return self.model.loss(batch, generator=generator)

    def heard(self, action: Tensor) -> Tensor:
        """What the model is told instead of an action [..., (A)]."""
        return action

    @property
    def device(self) -> torch.device:
        """Where the model lives."""
        return self.model.device


class ShuffledActions(Pretender):
    """Imagines with the meaning of every action exchanged: an oracle of it plans for the wrong world.

    Choices: i becomes i + 1, and the last becomes the first (in each axis of a MultiDiscrete), so that none keeps its
    meaning. Numbers: each is mirrored about the middle of its range, and the axes are moved on by one (in units of
    their ranges), the last to the first. The null action stays what it is.
    """

    def __init__(self, model: WorldModel):
        super().__init__(model)
        self.vector = ActionVector(self.spec.action)

    def heard(self, action: Tensor) -> Tensor:  # noqa: D102
        if self.vector.continuous:
            return self.vector.invert(-self.vector(action).roll(1, -1))
        if action.is_floating_point():  # one-hots, perhaps blurred ones
            return torch.cat([hot.roll(1, -1) for hot in action.split(self.vector.sizes, -1)], -1)
        count = torch.tensor(self.vector.sizes, device=action.device)
        count = count[0] if self.vector.single else count
        moved = (action - self.vector.start + 1) % count + self.vector.start
        return torch.where(action < 0, action, moved)


class IgnoredActions(Pretender):
    """Imagines the same future whatever is done: the one in which nothing is (`idle`)."""

    def heard(self, action: Tensor) -> Tensor:  # noqa: D102
        shape = action.shape[: action.dim() - len(self.spec.action.shape or ())]
        return idle(self.spec.action, 1, action.device).expand(*shape, *(self.spec.action.shape or ()))


class Frozen(Pretender):
    """Imagines that nothing changes: every future is the present."""

    def step(self, state, action, *, generator=None):  # noqa: ANN001, ANN201, D102
        return state

    def rollout(self, state, actions, *, generator=None):  # noqa: ANN001, ANN201, D102
        return tree.stack([state] * actions.shape[1], 1)
