"""How well data covers a world: how far a state and an action are from the nearest that were gathered."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from gymnasium import spaces

from craik.core.errors import DataError
from craik.data.episode import Episode

CHUNK = 2**22
"""Distances held at once."""

BINS = 6
"""Of each number of the histogram."""

PRINCIPAL = 3
"""Principal numbers of the state in the histogram, at most."""

ACTIONS = 2
"""Numbers of the action in it, at most."""

SAMPLE = 512
"""Pairs whose distance to the others stands for the density of all."""


@dataclasses.dataclass(frozen=True)
class Coverage:
    """What pairs of state and action there are, and what one unit of distance is.

    Attributes:
        pairs: [M, S + A] float32, numbers of the state and of the action beside each other, scaled: a number of the
            state by its standard deviation, one of the action to [-1, 1], a choice as one of n columns.
        mean, std: [S] of the state's numbers.
        action: the action space.
    """

    pairs: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    action: spaces.Space

    @staticmethod
    def of(states: np.ndarray, actions: np.ndarray, action: spaces.Space) -> Coverage:
        """Coverage by M states [M, S] and what was done there [M, ...]."""
        mean, std = states.mean(0), states.std(0)
        std = np.where(std > 1e-6, std, 1.0)
        pairs = np.concatenate([(states - mean) / std, scaled(actions, action)], 1)
        return Coverage(pairs.astype(np.float32), mean, std, action)

    def distance(self, states: np.ndarray, actions: np.ndarray, k: int = 5) -> np.ndarray:
        """Distance of pairs to the k-th nearest that was gathered, in scaled units.

        Args:
            states: [..., S].
            actions: [..., *A].
            k: which neighbour; with fewer pairs than that, the furthest.

        Returns:
            [...] as the states.
        """
        flat = states.reshape(-1, states.shape[-1])
        done = scaled(actions.reshape(len(flat), *(self.action.shape or ())), self.action)
        asked = np.concatenate([(flat - self.mean) / self.std, done], 1)
        return self._nearest(asked.astype(np.float32), k).reshape(states.shape[:-1])

    def histogram(self) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
        """Counts over the first principal numbers of the state and the first numbers of the action.

        Returns:
            Counts, one axis a number; their edges; and the principal directions [P, S], in standard deviations.
        """
        width = len(self.mean)
        state, done = self.pairs[:, :width], self.pairs[:, width:]
        axes = np.linalg.svd(np.cov(state.T).reshape(width, width))[2][:PRINCIPAL]
        if isinstance(self.action, spaces.Discrete):
            act, ends = done.argmax(1)[:, None], [np.arange(self.action.n + 1) - 0.5]
        else:
            act = done[:, :ACTIONS]
            ends = [np.linspace(-1, 1, BINS + 1)] * act.shape[1]
        parts = state @ axes.T
        low, high = parts.min(0), parts.max(0)
        edges = [np.linspace(a, max(b, a + 1e-6), BINS + 1) for a, b in zip(low, high)] + ends
        counts, edges = np.histogramdd(np.concatenate([parts, act], 1), edges)
        return counts.astype(np.int64), list(edges), axes

    def density(self, k: int = 5, seed: int = 0) -> np.ndarray:
        """[SAMPLE] distances of some of the pairs to the k-th nearest other one: small where there are many."""
        rows = np.random.default_rng(seed).choice(len(self.pairs), min(SAMPLE, len(self.pairs)), replace=False)
        return self._nearest(self.pairs[rows], k + 1)  # the nearest is the pair itself

    def _nearest(self, asked: np.ndarray, k: int) -> np.ndarray:
        """[N] distance of scaled pairs [N, S + A] to the k-th nearest, in chunks."""
        rank, own = min(k, len(self.pairs)) - 1, np.square(self.pairs).sum(1)
        rows, found = max(1, CHUNK // len(self.pairs)), np.zeros(len(asked), np.float32)
        for begin in range(0, len(asked), rows):
            part = asked[begin : begin + rows]
            far = np.square(part).sum(1)[:, None] - 2 * part @ self.pairs.T + own
            found[begin : begin + rows] = np.sqrt(np.maximum(np.partition(far, rank, 1)[:, rank], 0))
        return found

    def save(self, path: Path) -> None:
        """Writes histogram, directions, scales and density to an .npz file."""
        counts, edges, axes = self.histogram()
        named = {f"edges{i}": e for i, e in enumerate(edges)}
        found = {"counts": counts, "axes": axes, "mean": self.mean, "std": self.std, "density": self.density()}
        np.savez_compressed(path, **found, **named)  # type: ignore[arg-type]


def coverage(lessons: Iterable[Episode], action: spaces.Space) -> Coverage:
    """Coverage by episodes that show "state".

    Raises:
        DataError: if there is none, or none shows it.
    """
    told = [e for e in lessons if "state" in e.obs]
    if not told:
        raise DataError("no episode shows the state", 'collect with obs="state" or "both"')
    states = np.concatenate([e.obs["state"][:-1] for e in told])
    return Coverage.of(states, np.concatenate([e.action for e in told]), action)


def scaled(actions: np.ndarray, space: spaces.Space) -> np.ndarray:
    """Actions [N, ...] as numbers [N, A]: of a Box in [-1, 1], of a choice one column for each."""
    if isinstance(space, spaces.Discrete):
        return (actions[:, None] == np.arange(space.start, space.start + space.n)).astype(np.float32)
    assert isinstance(space, spaces.Box)
    unit = 2 * (actions - space.low) / (space.high - space.low) - 1
    return unit.reshape(len(actions), -1)
