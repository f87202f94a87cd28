"""Readings that cost nothing until somebody asks."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, Mapping, ValuesView
from typing import Any


class Readings(dict[str, Any]):
    """What `WorldModel.read` may return: a dict whose entries are computed when first asked for, and then kept.

    A planner that wants a reward of 10,000 candidates should not pay for a decoder and five value networks.

    Args:
        ways: reading name -> a function that computes it.
        names: which of them to offer (`spec.reads`), in this order.
    """

    def __init__(self, ways: Mapping[str, Callable[[], Any]], names: tuple[str, ...]):
        super().__init__({name: ways[name] for name in names})
        self._known: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        found = super().__getitem__(name)
        if name not in self._known:
            found = found()
            super().__setitem__(name, found)
            self._known.add(name)
        return found

    def __iter__(self) -> Iterator[str]:
        # Being defined here, it keeps `{**readings}` and `dict(readings)` from copying the functions themselves.
        return super().__iter__()

    def get(self, name: str, default: Any = None) -> Any:
        """The reading, or `default` if it is not offered."""
        return self[name] if name in self else default  # noqa: SIM401 - dict.get would return the function

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]
        """All readings, computed one by one."""
        return ItemsView(self)

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        """All readings, computed one by one."""
        return ValuesView(self)
