"""The laws of a world as pure functions of its state, for N rows at once: what it steps by."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from gymnasium import spaces


@dataclasses.dataclass(frozen=True)
class Factor:
    """A constant of a world that may be varied.

    Attributes:
        default: its usual value.
        low, high: the range in which the world behaves.
        says: what it is, with its unit.
    """

    default: float
    low: float
    high: float
    says: str


class Equations(ABC):
    """How a world moves, what it pays and what of it is seen. Nothing here draws randomness or keeps anything.

    Attributes:
        FIELDS: names of the D numbers of the physical state.
        FACTORS: name -> constant of the world.
        space: the Box of what "state" shows.
        action: the action space.
    """

    FIELDS: tuple[str, ...]
    FACTORS: ClassVar[Mapping[str, Factor]] = {}
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

    def numbers(self, state: np.ndarray) -> np.ndarray:
        """What "state" shows of physical states: [N, D] -> [N, S]."""
        return state

    def invert(self, numbers: np.ndarray) -> np.ndarray:
        """The physical states [N, D] that show these numbers [N, S]."""
        return numbers.astype(np.float64)

    def reached(self, state: np.ndarray, goal: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """[N] bool: whether states are at their goals; never, in worlds without a goal."""
        return np.zeros(len(state), bool)
