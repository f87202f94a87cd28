"""Luck for modules that draw from torch's global generator."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def their_luck(generator: torch.Generator | None, device: torch.device) -> Iterator[None]:
    """Torch's global generator as the one given says, for as long as this lasts; modes where there is none."""
    from tensordict.nn import InteractionType, set_interaction_type

    seed = 0 if generator is None else int(torch.randint(2**31, (), generator=generator, device=generator.device))
    way = InteractionType.DETERMINISTIC if generator is None else InteractionType.RANDOM
    cuda = device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if cuda else []), set_interaction_type(way):
        (torch.cuda.manual_seed if cuda else torch.default_generator.manual_seed)(seed)
        yield
