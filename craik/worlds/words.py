"""Worlds that can be told in words: a text is a list of facts, and what was said can be understood again."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np


@dataclasses.dataclass(frozen=True)
class Fact:
    """What a number that is told is about.

    Attributes:
        relation: what it says of its subject. Facts of one relation say the same of different subjects: where the
            apple is and where the mug is.
        low, high: the least and the most that can be said.
    """

    relation: str
    low: float
    high: float


class Worded(ABC):
    """An exact world with a view "text".

    The view tells `facts` by `tell`, and `understand` undoes that. All three go through numbers [N, F], in the order
    of `FACTS`; NaN is what is not said.

    Attributes:
        FACTS: name -> fact. A name is that of a field of the state, unless the world overrides `facts`.
        REWORDED: factor -> value, of the way of saying things that is kept for tests; empty if there is one way.
    """

    FIELDS: tuple[str, ...]
    FACTS: Mapping[str, Fact]
    REWORDED: ClassVar[Mapping[str, float]] = {}

    def facts(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """What is the case in states [N, D]: [N, F]; NaN of what is not there to be told."""
        return state[:, [self.FIELDS.index(name) for name in self.FACTS]]

    @abstractmethod
    def tell(self, facts: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """Facts [N, F] in words: [N, bytes] uint8, UTF-8 with zeros behind."""

    @abstractmethod
    def parse(self, line: str) -> Mapping[str, float]:
        """What one text says, name -> number. What is not understood is passed over."""

    def understand(self, text: np.ndarray) -> np.ndarray:
        """What texts [N, bytes] uint8 say: [N, F]; NaN of what they do not say, or what cannot be said."""
        found = np.full((len(text), len(self.FACTS)), np.nan)
        column = {name: i for i, name in enumerate(self.FACTS)}
        for row, line in zip(found, text.astype(np.uint8)):
            for name, value in self.parse(line.tobytes().rstrip(b"\0").decode(errors="replace")).items():
                row[column[name]] = value
        low, high = (np.array([getattr(f, end) for f in self.FACTS.values()]) for end in ("low", "high"))
        return np.where((found >= low) & (found <= high), found, np.nan)
