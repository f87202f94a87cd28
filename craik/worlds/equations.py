"""The laws of a world as pure functions of its state, for N rows at once: what it steps by."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
from gymnasium import spaces

from craik.core.errors import SpecError

Kind = Literal["visual", "geometric", "physical", "behavioural", "sensory"]
"""What a factor changes: looks alone, shapes and places, the law, how others behave, how well one sees."""


@dataclasses.dataclass(frozen=True)
class Factor:
    """A constant of a world that may be varied.

    Attributes:
        default: its usual value.
        low, high: the range in which the world behaves.
        says: what it is, with its unit.
        kind: what it changes.
    """

    default: float
    low: float
    high: float
    says: str
    kind: Kind = "physical"


class Equations(ABC):
    """How a world moves, what it pays and what of it is seen. Nothing here draws randomness or keeps anything.

    Attributes:
        FIELDS: names of the D numbers of the physical state.
        FACTORS: name -> constant of the world.
        EVENTS: name -> what `move` tells under it.
        LUCKY: whether chance has a part. Then the last field is `luck` (see `craik.worlds.luck`): all chance is a
            function of it, so that equal states have equal futures, and other futures come from other luck.
        space: the Box of what "state" shows.
        action: the action space.
    """

    FIELDS: tuple[str, ...]
    FACTORS: ClassVar[Mapping[str, Factor]] = {}
    EVENTS: ClassVar[Mapping[str, str]] = {}
    LUCKY: ClassVar[bool] = False
    space: spaces.Box
    action: spaces.Space

    @abstractmethod
    def move(
        self, state: np.ndarray, effort: np.ndarray, factors: Mapping[str, np.ndarray]
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """One step: states [N, D] and efforts [N, A] -> the next states [N, D] and events, name -> [N]."""

    @abstractmethod
    def reward(
        self,
        before: np.ndarray,
        effort: np.ndarray,
        after: np.ndarray,
        goal: np.ndarray,
        factors: Mapping[str, np.ndarray],
    ) -> np.ndarray:
        """What the arrival at `after` pays, [N]."""

    def effort(self, action: np.ndarray) -> np.ndarray:
        """What an action [N, ...] does, as numbers [N, A]: Box actions are clipped to their bounds."""
        assert isinstance(self.action, spaces.Box)
        return np.clip(action.astype(np.float64), self.action.low, self.action.high)

    def proceed(self, state: np.ndarray) -> np.ndarray:
        """[N] bool: whether the episode goes on from these states (a time limit is not a state's business)."""
        return np.ones(len(state), bool)

    def outcomes(
        self, state: np.ndarray, effort: np.ndarray, factors: Mapping[str, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Every state that one step may lead to, but for its luck, [N, K, D], and its exact chance [N, K] (0 pads).

        Raises:
            SpecError: in worlds where chance has a part and its outcomes cannot be counted.
        """
        if self.LUCKY:
            raise SpecError(f"the outcomes of {type(self).__name__} cannot be counted", "draw some: world.reroll(rng)")
        after, _ = self.move(state, effort, factors)
        return after[:, None], np.ones((len(state), 1))

    def numbers(self, state: np.ndarray) -> np.ndarray:
        """What "state" shows of physical states: [N, D] -> [N, S]; all of them but luck."""
        return state[:, :-1] if self.LUCKY else state

    def invert(self, numbers: np.ndarray) -> np.ndarray:
        """The physical states [N, D] that show these numbers [N, S], with luck 0."""
        state = numbers.astype(np.float64)
        return np.concatenate([state, np.zeros_like(state[:, :1])], 1) if self.LUCKY else state

    def reached(self, state: np.ndarray, goal: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """[N] bool: whether states are at their goals; never, in worlds without a goal."""
        return np.zeros(len(state), bool)
