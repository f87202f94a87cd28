"""Pretenders that mishear what is done."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from craik.core.model import WorldModel
from craik.eval.pretend import IgnoredActions, Pretender, ShuffledActions
from craik.parts.actions.vector import ActionVector
from craik.worlds.withheld import LONG, Rule

__all__ = ["Gain", "IgnoredActions", "Lag", "Mirrored", "Sheltered", "ShuffledActions"]


class Gain(Pretender):
    """Hears every number of an action `gain` times as strong; choices are unharmed (they have no size).

    Args:
        model: the model that is pretended to be.
        gain: 1 for the truth.
    """

    def __init__(self, model: WorldModel, gain: float = 0.5):
        super().__init__(model)
        self.vector, self.gain = ActionVector(self.spec.action), gain

    def heard(self, action: Tensor) -> Tensor:  # noqa: D102
        return self.vector.invert(self.gain * self.vector(action)) if self.vector.continuous else action


class Mirrored(Pretender):
    """Hears the first number of an action with its sign turned; of choices, the opposite one (n - 1 - i)."""

    def __init__(self, model: WorldModel):
        super().__init__(model)
        self.vector = ActionVector(self.spec.action)

    def heard(self, action: Tensor) -> Tensor:  # noqa: D102
        if self.vector.continuous:
            vector = self.vector(action).clone()
            vector[..., 0] = -vector[..., 0]
            return self.vector.invert(vector)
        if action.is_floating_point():
            return torch.cat([hot.flip(-1) for hot in action.split(self.vector.sizes, -1)], -1)
        count = torch.tensor(self.vector.sizes, device=action.device)
        count = count[0] if self.vector.single else count
        return torch.where(action < 0, action, count - 1 - (action - self.vector.start) + self.vector.start)


class Sheltered(Pretender):
    """Knows only actions that keep a rule, and hears any other one as the one that an obedient player would do instead.

    Args:
        model: the model that is pretended to be.
        rule: one that looks at single actions: a region or a magnitude.
    """

    def __init__(self, model: WorldModel, rule: Rule):
        super().__init__(model)
        self.rule = rule

    def heard(self, action: Tensor) -> Tensor:  # noqa: D102
        flat = action.reshape(-1, *(self.spec.action.shape or ())).cpu().numpy()
        past = np.zeros((len(flat), LONG, *flat.shape[1:]), flat.dtype)
        kept = self.rule.obey(flat, past, np.zeros(len(flat), np.int64))
        return torch.as_tensor(kept).to(action).reshape(action.shape)


class Lag(Pretender):
    """Hears what is done `lag` steps later; in the meantime, that nothing is.

    Args:
        model: the model that is pretended to be.
        lag: steps.
    """

    def __init__(self, model: WorldModel, lag: int = 3):
        super().__init__(model)
        self.lag = lag
        self.nothing = IgnoredActions(model)

    def rollout(self, state, actions, *, generator=None):  # noqa: ANN001, ANN201, D102
        idle = self.nothing.heard(actions[:, : self.lag])
        late = torch.cat([idle, actions], 1)[:, : actions.shape[1]]
        return self.model.rollout(state, late, generator=generator)

    def step(self, state, action, *, generator=None):  # noqa: ANN001, ANN201
        """A single step is over before it is heard."""
        return self.model.step(state, self.nothing.heard(action), generator=generator)
