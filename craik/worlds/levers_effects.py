"""What presses of `Levers` come to once everything is at rest and no pulse was lost: sums of paths, even or odd."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np

MEMORY = 3
"""The longest delay, steps."""


@dataclasses.dataclass(frozen=True)
class Machine:
    """States of `Levers` [N, D] taken apart; n is the number of levers, and of lights.

    Attributes:
        light: [N, n], 1 lit, 0 dark.
        pressed: [N, n, MEMORY - 1], whether each lever was pressed 1 and 2 moves ago.
        flipped: [N, n, MEMORY], whether each light flipped 1, 2 and 3 moves ago.
        wire: [N, n, n], delay from lever to light; 0: no wire.
        link: [N, n, n], delay from light to light; 0: no link. Without cycles.
        rest: [N, 5]: lamp, decoy, surge, left, luck.
    """

    light: np.ndarray
    pressed: np.ndarray
    flipped: np.ndarray
    wire: np.ndarray
    link: np.ndarray
    rest: np.ndarray

    @staticmethod
    def of(state: np.ndarray, n: int) -> Machine:
        """Views of the columns of states [N, D]."""
        sizes = (n, n * (MEMORY - 1), n * MEMORY, n * n, n * n)
        light, pressed, flipped, wire, link, rest = np.split(state, np.cumsum(sizes), -1)
        rows = len(state)
        pressed, flipped = pressed.reshape(rows, n, MEMORY - 1), flipped.reshape(rows, n, MEMORY)
        return Machine(light, pressed, flipped, wire.reshape(rows, n, n), link.reshape(rows, n, n), rest)

    def join(self) -> np.ndarray:
        """The states [N, D]."""
        rows = len(self.light)
        parts = (self.light, self.pressed, self.flipped, self.wire, self.link, self.rest)
        return np.concatenate([p.reshape(rows, -1) for p in parts], 1)


def carried(delay: np.ndarray, fired: np.ndarray) -> np.ndarray:
    """Pulses that arrive in this move, [N, n, n]: over delays [N, n, n], fired [N, n, MEMORY] 0, 1 and 2 moves ago."""
    padded = np.concatenate([np.zeros_like(fired[..., :1]), fired], -1)
    return np.take_along_axis(padded, delay.astype(np.int64), -1)


def spread(machine: Machine) -> np.ndarray:
    """[N, n, n]: which lights will have flipped, in the end, for a flip of each; itself among them."""
    link, itself = (machine.link > 0).astype(np.float64), np.eye(machine.light.shape[1])
    total = np.broadcast_to(itself, link.shape)
    for _ in range(machine.light.shape[1]):
        total = (itself + link @ total) % 2
    return total


def pending(machine: Machine) -> np.ndarray:
    """[N, n]: pulses under way to each light."""
    ages = np.arange(1, MEMORY + 1)
    by_lever = (machine.wire[..., None] > ages[:-1]) * machine.pressed[:, :, None]
    by_light = (machine.link[..., None] >= ages) * machine.flipped[:, :, None]
    return by_lever.sum((1, 3)) + by_light.sum((1, 3))


def settled(machine: Machine, total: np.ndarray) -> np.ndarray:
    """[N, n]: the lights once all pulses under way have arrived, by `spread`."""
    return (machine.light + (pending(machine)[:, None] @ total)[:, 0]) % 2


def plan(machine: Machine, wanted: np.ndarray) -> np.ndarray:
    """The fewest presses after which all lights wanted [N, n] come to be lit, [N, n] bool; none if there is no way."""
    n, total = wanted.shape[1], spread(machine)
    sets = choices(n)
    effect = ((machine.wire > 0).astype(np.float64) @ total) % 2
    after = (settled(machine, total)[:, None] + sets @ effect) % 2
    cost = sets.sum(1) + np.where((after >= wanted[:, None]).all(-1), 0, 2 * n)
    cost = np.where(sets.sum(1) <= machine.rest[:, 3:4], cost, 2 * n)
    best = cost.argmin(1)
    return (sets[best] > 0) & (cost.min(1) < 2 * n)[:, None]


@cache
def choices(n: int) -> np.ndarray:
    """All sets of n things, [2^n, n] of 0 and 1."""
    return ((np.arange(2**n)[:, None] >> np.arange(n)) & 1).astype(np.float64)
