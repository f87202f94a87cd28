"""The belief a model carries, opaque to everybody else."""

from __future__ import annotations

import dataclasses

from craik.core import tree


@dataclasses.dataclass(frozen=True)
class State:
    """Base of every model's own state: a frozen dataclass whose fields are trees of tensors with leading axis `B`.

    Nobody but its model reads a field. Everybody may index, repeat, stack, select, save and move it with
    `craik.core.tree`, which is what makes planners, tree search, rewind and branching work for every family.
    A state never grows: a context or a key-value cache is a ring of fixed length.
    """

    @property
    def batch(self) -> int:
        """The number of rows `B` (the size of the leading axis)."""
        return tree.leaves(self)[0].shape[0]

    def __getitem__(self, key):  # noqa: ANN001 - any tensor index; the same State type comes back
        return tree.index(self, key)


@dataclasses.dataclass(frozen=True)
class Nothing(State):
    """The state of something that remembers nothing. It has no leaves."""
