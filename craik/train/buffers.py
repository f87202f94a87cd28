"""The buffers of modules as they were before an update: running statistics that a bad batch must not poison."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn


class Before:
    """Copies of all buffers, each renewed only after it has changed.

    Args:
        modules: the modules, each with all it holds.
    """

    def __init__(self, modules: Iterable[nn.Module]):
        self._homes = [(m, n) for top in modules for m in top.modules() for n, b in m._buffers.items() if b is not None]
        self._copies: list[tuple[Tensor, int, Tensor] | None] = [None] * len(self._homes)

    @torch.no_grad()
    def remember(self) -> None:
        """Takes the buffers as they are now for good."""
        for i, (module, name) in enumerate(self._homes):
            buffer, last = module._buffers[name], self._copies[i]
            assert buffer is not None
            if last is None or last[0] is not buffer or last[1] != buffer._version:
                self._copies[i] = (buffer, buffer._version, buffer.clone())

    @torch.no_grad()
    def restore(self) -> None:
        """Puts back what was remembered."""
        for (module, name), last in zip(self._homes, self._copies):
            assert last is not None
            buffer, version, copy = last
            if module._buffers[name] is not buffer:
                module._buffers[name] = buffer
            if buffer._version != version:
                buffer.copy_(copy)
