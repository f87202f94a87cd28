"""Replay: the stream of episodes a learner samples from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from craik.core.data import Batch
from craik.core.errors import DataError
from craik.core.spec import Spec
from craik.data import mapped
from craik.data.episode import Episode
from craik.data.shelf import Shelf
from craik.data.store import EpisodeStore
from craik.data.window import Buffer, Stream


class Replay:
    """A ring of episodes, and windows drawn uniformly from it.

    With a store, episodes lie on disk: `add` commits them there, and windows are copied from mapped files. Without
    one they lie in memory and go with it.

    Args:
        store: where the episodes lie; those in it already are in the ring at once. None for memory only.
        spec: the world; its observations may be some of the store's, the others are then left out of every batch.
        capacity: steps the ring holds; the oldest episodes leave it (never the store) to make room for new ones, and
            the newest always stays. None for no limit.
        ids: which of the store's episodes to begin with, in this order; None for all.

    Raises:
        DataError: if the spec does not fit the store, or an id is not in it.
    """

    def __init__(
        self, store: EpisodeStore | None, spec: Spec, capacity: int | None = None, ids: Iterable[str] | None = None
    ):
        self.store, self.spec, self.capacity = store, spec, capacity
        self._memory: dict[str, Mapping[str, np.ndarray]] = {}
        self._count = 0
        if store is not None:
            check_fit(spec, store)
            self._shelf = Shelf(store, spec)
        elif ids is not None:
            raise DataError("a replay in memory was given ids", "give it a store, or add the episodes themselves")
        self._fill(ids if ids is not None else store.ids if store is not None else ())

    @property
    def num_steps(self) -> int:
        """Steps in the ring."""
        return self._stream.num_steps

    @property
    def ids(self) -> list[str]:
        """The episodes in the ring, the oldest first."""
        return list(self._stream.names)

    def __len__(self) -> int:
        return len(self._stream)

    def add(self, episode: Episode) -> str:
        """Adds an episode at the end, drops the oldest over capacity, and returns the new one's id.

        Raises:
            DataError: if it does not fit, or cannot be committed to the store.
        """
        if self.store is not None:
            id = self.store.append(episode)
        else:
            id = f"ep-{self._count:06d}"
            episode.check(self.spec, id)
            self._memory[id] = episode.arrays()
            self._count += 1
        self._stream.append(id, episode.num_steps)
        self._trim()
        return id

    def sample(self, batch: int, length: int, rng: np.random.Generator, *, out: Batch | None = None) -> Batch:
        """Windows drawn uniformly, with replacement, from all positions of the stream (`craik.core.data`).

        Args:
            batch: rows B.
            length: arrivals T; a row has T + 1 observations and may cover the end of one episode and the next.
            rng: where to draw from: one `integers` call a batch.
            out: an earlier batch of this size to fill again, which saves the allocation; None for fresh tensors.

        Raises:
            DataError: if the ring holds fewer than `length + 1` observations, or a file turns out to be damaged.
        """
        count = self._stream.num_windows(length)
        if count == 0:
            raise DataError(
                f"the replay holds {self._stream.num_obs} observations; a row of {length} arrivals needs {length + 1}",
                "collect more steps first, or ask for shorter rows",
            )
        return self._gather(rng.integers(count, size=batch), length, out)

    def window(self, start: int, length: int) -> Batch:
        """The one window from position `start` of the stream (0 is the oldest observation), a batch of one row.

        Raises:
            DataError: if there is no such window.
        """
        if not 0 <= start < self._stream.num_windows(length):
            raise DataError(
                f"there is no window of {length} arrivals from position {start}",
                f"positions are 0 .. {self._stream.num_windows(length) - 1}",
            )
        return self._gather(np.array([start]), length, None)

    def state_dict(self) -> dict[str, Any]:
        """Which episodes are in the ring, in order: with the sampler's rng, all that later batches depend on.

        JSON-ready. Episodes in memory are told by digests of their arrays.
        """
        if self.store is not None:
            return {"ids": self.ids}
        return {"digests": [mapped.digest(self._memory[i]) for i in self.ids]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Brings back the ring that `state_dict` saw. Episodes that came later are left out (not deleted).

        Raises:
            DataError: if an episode is not there any more, or not where the state has it.
        """
        if self.store is not None:
            if "ids" not in state:
                raise DataError("this state is of a replay in memory", "make the replay without a store")
            self._fill(state["ids"])
            return
        held: dict[str, list[str]] = {}
        for id in reversed(self.ids):
            held.setdefault(mapped.digest(self._memory[id]), []).append(id)
        order = [held[d].pop() for d in state.get("digests", ()) if held.get(d)]
        if "digests" not in state or len(order) < len(state["digests"]):
            raise DataError(
                "episodes of the saved replay are not in memory",
                "add the same episodes before loading, or give the replay a store, which keeps them",
            )
        self._memory = {id: self._memory[id] for id in order}
        self._restream([(id, len(self._memory[id]["reward"])) for id in order])

    def _fill(self, ids: Iterable[str]) -> None:
        self._restream([(i, self.store.entry(i).steps) for i in ids] if self.store is not None else [])

    def _restream(self, episodes: list[tuple[str, int]]) -> None:
        self._stream = Stream()
        for id, steps in episodes:
            self._stream.append(id, steps)
        self._trim()

    def _trim(self) -> None:
        if self.capacity is not None:
            for id in self._stream.trim(self.capacity):
                self._memory.pop(id, None)

    def _gather(self, starts: np.ndarray, length: int, out: Batch | None) -> Batch:
        buffer = Buffer(self.spec, len(starts), length, out)
        episodes: Any = self._shelf if self.store is not None else self._memory
        for row, start in enumerate(starts.tolist()):
            for piece in self._stream.pieces(start, length):
                buffer.copy(row, piece, episodes[piece.name])
        return buffer.batch


def check_fit(spec: Spec, store: EpisodeStore) -> None:
    """Checks that a spec's spaces are the store's, or some of them.

    Raises:
        DataError: naming the space that differs.
    """
    asked, has = spec.describe(), store.spec.describe()
    fix = f"use the data set's own spec (store.spec), or see what it has: craik data inspect {store.path}"
    for name, space in asked["obs"].items():
        if name not in has["obs"]:
            raise DataError(f"{store.path} has no observation {name!r}, it has {', '.join(has['obs'])}", fix)
        if space != has["obs"][name]:
            raise DataError(f"observation {name!r} of {store.path} is {has['obs'][name]}, not {space}", fix)
    if asked["action"] != has["action"]:
        raise DataError(f"actions of {store.path} are {has['action']}, not {asked['action']}", fix)
