"""The episodes at hand: arrays to take windows from, out of files or memory, with a bound on what is held."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

import numpy as np

from craik.core.spec import Spec
from craik.data import mapped
from craik.data.episode import Episode
from craik.data.store import EpisodeStore

SMALL = 1 << 18
"""Bytes up to which a file is read into memory rather than mapped: a map costs a few system calls and page faults."""


class Shelf:
    """The arrays of a store's episodes, least recently used first out.

    Args:
        store: where they lie.
        spec: what to check them against when they are opened; it may see less than the store's.
        max_maps: most files mapped at once (a process has 65,530 maps on Linux, all libraries' together).
        max_bytes: most memory for small files that were read.
    """

    def __init__(self, store: EpisodeStore, spec: Spec, max_maps: int = 8192, max_bytes: int = 1 << 28):
        self.store, self.spec = store, spec
        self.max_maps, self.max_bytes = max_maps, max_bytes
        self.num_bytes = 0
        self._maps: OrderedDict[str, dict[str, np.ndarray]] = OrderedDict()
        self._reads: OrderedDict[str, tuple[dict[str, np.ndarray], int]] = OrderedDict()

    @property
    def num_maps(self) -> int:
        """Files mapped now."""
        return len(self._maps)

    def __getitem__(self, id: str) -> Mapping[str, np.ndarray]:
        """The arrays of an episode, as in its file.

        Raises:
            DataError: if the file is missing, truncated or does not fit the spec.
        """
        if id in self._reads:
            self._reads.move_to_end(id)
            return self._reads[id][0]
        if id in self._maps:
            self._maps.move_to_end(id)
            return self._maps[id]
        return self._open(id)

    def _open(self, id: str) -> dict[str, np.ndarray]:
        size, path = self.store.entry(id).bytes, self.store.file(id)
        fix = f"craik data repair {self.store.path}"
        data = (mapped.read_bytes if size <= SMALL else mapped.map_bytes)(path, fix)
        fields, _ = mapped.header(data, str(path), fix)
        arrays = mapped.views(data, fields)
        Episode.of_arrays(arrays, {}, str(path), fix).check_form(self.spec, self.store.entry(id).steps, str(path), fix)
        if size <= SMALL:
            self._reads[id] = (arrays, size)
            self.num_bytes += size
            while self.num_bytes > self.max_bytes and len(self._reads) > 1:
                self.num_bytes -= self._reads.popitem(last=False)[1][1]
        else:
            self._maps[id] = arrays
            while len(self._maps) > self.max_maps:
                self._maps.popitem(last=False)
        return arrays
