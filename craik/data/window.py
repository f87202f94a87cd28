"""Windows over a stream of episodes laid end to end: pure arithmetic, and the buffers they are copied into.

The stream's positions are observations: an episode of T steps takes T + 1 of them. A window of `length` arrivals is
`length + 1` consecutive positions, from any position; it may run over the end of an episode into the next one.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import torch

from craik.core.data import Batch
from craik.core.errors import DataError
from craik.core.spec import Spec, tensor_dtype


class Piece(NamedTuple):
    """Part of a window that lies in one episode.

    Attributes:
        name: the episode.
        lo: its first observation in the window, counted from the episode's beginning.
        hi: one past the last.
        at: where in the window it goes.
    """

    name: str
    lo: int
    hi: int
    at: int


class Stream:
    """Episodes end to end, by name and length, the oldest first."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._starts: list[int] = []  # of each episode, counted from the first episode there ever was
        self._stop = 0

    def __len__(self) -> int:
        return len(self.names)

    @property
    def num_obs(self) -> int:
        """Positions in the stream."""
        return self._stop - self._starts[0] if self._starts else 0

    @property
    def num_steps(self) -> int:
        """Steps in the stream: positions less one an episode."""
        return self.num_obs - len(self.names)

    def append(self, name: str, steps: int) -> None:
        """Adds an episode of `steps` steps at the end."""
        self.names.append(name)
        self._starts.append(self._stop)
        self._stop += steps + 1

    def trim(self, capacity: int) -> list[str]:
        """Drops the oldest episodes until at most `capacity` steps are left; keeps the newest. Returns who went."""
        gone, extra = 0, self.num_steps - capacity
        while extra > 0 and gone < len(self.names) - 1:
            extra -= self._starts[gone + 1] - self._starts[gone] - 1
            gone += 1
        names = self.names[:gone]
        del self.names[:gone], self._starts[:gone]
        return names

    def num_windows(self, length: int) -> int:
        """How many windows of `length` arrivals there are: one from each position that leaves room."""
        return max(self.num_obs - length, 0)

    def pieces(self, start: int, length: int) -> Iterator[Piece]:
        """The parts of the window from position `start` (0 is the oldest observation) to `start + length`."""
        position = self._starts[0] + start
        episode = bisect.bisect_right(self._starts, position) - 1
        at, left = 0, length + 1
        while left > 0:
            begin = self._starts[episode]
            end = self._starts[episode + 1] if episode + 1 < len(self._starts) else self._stop
            lo = position - begin
            hi = min(end - begin, lo + left)
            yield Piece(self.names[episode], lo, hi, at)
            at, left, position, episode = at + hi - lo, left - (hi - lo), end, episode + 1


class Buffer:
    """A batch, and numpy views of its tensors to copy windows into.

    Args:
        spec: the world.
        batch: rows B.
        length: arrivals T.
        out: tensors to fill again; None for fresh ones.

    Raises:
        DataError: if `out` has other shapes.
    """

    def __init__(self, spec: Spec, batch: int, length: int, out: Batch | None = None):
        self.batch = empty(spec, batch, length) if out is None else out
        if self.batch.shape != (batch, length):
            raise DataError(f"out holds {self.batch.shape} rows and arrivals, not {(batch, length)}", "make a new one")
        self.obs = {k: v.numpy() for k, v in self.batch.obs.items()}
        self.steps = {k: getattr(self.batch, k).numpy() for k in ("action", "reward", "terminated")}
        self.first = self.batch.first.numpy()
        self.steps["action"][:] = spec.null_action(1).numpy()
        self.steps["reward"][:] = 0
        self.steps["terminated"][:] = False
        self.first[:] = False

    def copy(self, row: int, piece: Piece, arrays: Mapping[str, np.ndarray]) -> None:
        """Copies a piece into a row. Between episodes the null action, zero reward and no end stay as they are."""
        lo, hi, at = piece.lo, piece.hi, piece.at
        for name, target in self.obs.items():
            target[row, at : at + hi - lo] = arrays[f"obs.{name}"][lo:hi]
        if lo == 0:
            self.first[row, at] = True
        stop = hi - 1  # the step that would leave the piece's last observation is not in it
        for name, target in self.steps.items():
            target[row, at : at + stop - lo] = arrays[name][lo:stop]


def empty(spec: Spec, batch: int, length: int) -> Batch:
    """A batch of uninitialised memory: B rows of T arrivals."""
    obs = {
        k: torch.empty(batch, length + 1, *(s.shape or ()), dtype=tensor_dtype(s)) for k, s in spec.obs.spaces.items()
    }
    return Batch(
        obs,
        torch.empty(batch, length, *(spec.action.shape or ()), dtype=tensor_dtype(spec.action)),
        torch.empty(batch, length),
        torch.empty(batch, length, dtype=torch.bool),
        torch.empty(batch, length + 1, dtype=torch.bool),
    )
