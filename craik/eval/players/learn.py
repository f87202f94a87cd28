"""Learning: so many updates from the steps of a tier."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from craik.core.errors import UnknownName
from craik.eval.players.clone import Clone
from craik.eval.players.iql import ImplicitQ
from craik.eval.players.lessons import Lessons
from craik.eval.players.player import Player

PLAYERS: Mapping[str, type[Player]] = {"clone": Clone, "iql": ImplicitQ}
"""Name -> what learns."""

UPDATES, BATCH, RATE = 4_000, 256, 1e-3
"""How many, of how many steps, and at which learning rate (Adam; it falls to 0 along half a cosine)."""


def learn(
    name: str, lessons: Lessons, seed: int = 1, updates: int = UPDATES, tell: Callable[[int], None] = lambda done: None
) -> tuple[Player, dict[str, Any]]:
    """Makes a player and lets it learn. The same seed gives the same player, whatever is drawn elsewhere.

    Args:
        name: one of `PLAYERS`.
        lessons: what to learn from.
        seed: of its first weights and of what is drawn.
        updates: how many.
        tell: hears how many are done.

    Returns:
        The player, in evaluation mode, and what it cost: updates, minutes and operations.

    Raises:
        UnknownName: if there is no such player.
    """
    if name not in PLAYERS:
        raise UnknownName("player without a model", name, PLAYERS)
    begun, rng = time.perf_counter(), np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        player = PLAYERS[name](lessons)
    weights = [p for p in player.parameters() if p.requires_grad]
    optimiser = torch.optim.Adam(weights, lr=RATE, fused=True)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, updates)

    def update() -> None:
        losses = player.loss(lessons.steps(rng, BATCH, player.FOREIGN))
        optimiser.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        optimiser.step()
        falling.step()
        player.after_update()

    with FlopCounterMode(display=False) as counted:
        update()
    operations = int(counted.get_total_flops())
    for done in range(1, updates):
        tell(done)
        update()
    tell(updates)
    minutes = round((time.perf_counter() - begun) / 60, 2)
    facts = {"train_seed": seed, "train_steps": len(lessons), "train_updates": updates, "train_minutes": minutes}
    return player.eval(), facts | {"flops_update": operations, "flops_train": operations * updates}
