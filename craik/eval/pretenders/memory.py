"""Pretenders that learned their lessons by heart, or expect what is to go on."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from craik.core import tree
from craik.eval.card.exam import Exam
from craik.eval.pretend import IgnoredActions
from craik.eval.pretenders.laws import Mistaken
from craik.parts.actions.vector import ActionVector
from craik.worlds.oracle import Oracle, Truth


class Memoriser(Mistaken):
    """Says of every step what came of the most similar step it was shown: nearest neighbour in state and action.

    Args:
        oracle: of the true world.
        lessons: the exam whose lived futures it knows by heart.
    """

    def __init__(self, oracle: Oracle, lessons: Exam):
        super().__init__(oracle)
        vector = ActionVector(lessons.world.single_action_space)
        before, after = lessons.states[:, 0, :-1], lessons.states[:, 0, 1:]
        self.after = torch.as_tensor(after.reshape(-1, after.shape[-1]))
        self.vector, self.std = vector, torch.as_tensor(lessons.scale)
        self.keys = self._key(before.reshape(-1, before.shape[-1]), lessons.actions[:, 0, 1:].flatten(0, 1))

    def step(self, state: Truth, action, *, generator=None):  # noqa: ANN001, ANN201, D102
        ours = self._key(state.physics.numpy(), action)
        nearest = torch.cdist(ours, self.keys).argmin(1)
        return dataclasses.replace(self.oracle.step(state, action), physics=self.after[nearest])

    def _key(self, physics: np.ndarray, action: torch.Tensor) -> torch.Tensor:
        """[N, D] -> [N, S + A], numbers of the state in standard deviations beside the action's."""
        numbers = torch.as_tensor(self.oracle.laws.numbers(physics)) / self.std
        return torch.cat([numbers, self.vector(action).double()], -1)


class Replayer(Mistaken):
    """Plays the episode it was shown that began most alike, whatever is done.

    Args:
        oracle: of the true world.
        lessons: the exam whose lived futures it plays.
    """

    def __init__(self, oracle: Oracle, lessons: Exam):
        super().__init__(oracle)
        self.std = torch.as_tensor(lessons.scale)
        self.begins = torch.as_tensor(oracle.laws.numbers(lessons.world.state)) / self.std
        self.futures = torch.as_tensor(lessons.states[:, 0])

    def step(self, state: Truth, action, *, generator=None):  # noqa: ANN001, ANN201, D102
        return tree.index(self.rollout(state, action[:, None]), (slice(None), 0))

    def rollout(self, state, actions, *, generator=None):  # noqa: ANN001, ANN201, D102
        here = torch.as_tensor(self.oracle.laws.numbers(state.physics.numpy())) / self.std
        path = self.futures[torch.cdist(here, self.begins).argmin(1)]
        steps = actions.shape[1]
        path = torch.cat([path, path[:, -1:].expand(-1, max(0, steps - path.shape[1]), -1)], 1)[:, :steps]
        wide = tree.stack([state] * steps, 1)
        return dataclasses.replace(wide, physics=path)


class Straight(Mistaken):
    """Expects every number to go on as in the first step in which nothing is done: constant velocity.

    Whole numbers (rooms, counts, tiles) stay within the world's bounds: beyond them there is nothing to go on to.
    """

    def step(self, state: Truth, action, *, generator=None):  # noqa: ANN001, ANN201, D102
        return tree.index(self.rollout(state, action[:, None]), (slice(None), 0))

    def rollout(self, state, actions, *, generator=None):  # noqa: ANN001, ANN201, D102
        idle = IgnoredActions(self.oracle).heard(actions[:, 0])
        slope = self.oracle.step(state, idle).physics - state.physics
        slope[..., self.width :] = 0
        ahead = torch.arange(1, actions.shape[1] + 1, dtype=torch.float64).view(1, -1, 1)
        wide = tree.stack([state] * actions.shape[1], 1)
        path = state.physics[:, None] + ahead * slope[:, None]
        bounds = self.oracle.laws.space
        if bounds.shape == (self.width,):  # each number of the state is shown as it is
            low, high = (torch.as_tensor(end, dtype=torch.float64) for end in (bounds.low, bounds.high))
            whole = ((state.physics == state.physics.round()) & (slope == slope.round()))[:, None, : self.width]
            inside = torch.minimum(torch.maximum(path[..., : self.width], low), high)
            path[..., : self.width] = torch.where(whole, inside, path[..., : self.width])
        return dataclasses.replace(wide, physics=path)
