"""A recipe's CHECK: the smallest honest experiment that shows its mechanism at work, and the margin it must win by."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

DEVELOPMENT_SEEDS = (11, 12, 13)
"""For tuning. A CHECK never judges on them."""

TEST_SEEDS = (2_000_001, 2_000_002, 2_000_003)
"""For judging. Nobody tunes on them."""


@dataclasses.dataclass(frozen=True)
class Claim:
    """One measurable sentence of a CHECK.

    Attributes:
        figure: the name of the figure that is judged (a key of what `run` returns).
        over: what it must beat: the name of another figure, or a fixed number.
        margin: `figure >= factor * over + margin` (or `<=` with `below`), for the mean over the test seeds.
        factor: see `margin`.
        below: whether smaller is better.
        says: the claim in words.
        source: the paper's equation or table it stands for, or why this threshold.
    """

    figure: str
    over: str | float
    says: str
    margin: float = 0.0
    factor: float = 1.0
    below: bool = False
    source: str = ""


@dataclasses.dataclass(frozen=True)
class Trial:
    """One experiment: `run(seed)` returns named figures; the claims are judged on their means over the seeds.

    Attributes:
        name: short, unique in the CHECK.
        world: the world it is about.
        run: from a seed to figures. Must depend on nothing but the seed and the code.
        claims: what must hold.
        minutes: CPU minutes one seed may take.
    """

    name: str
    world: str
    run: Callable[[int], Mapping[str, float]]
    claims: tuple[Claim, ...]
    minutes: float


@dataclasses.dataclass(frozen=True)
class Check:
    """All trials of a recipe, judged on `seeds`."""

    trials: tuple[Trial, ...]
    seeds: tuple[int, ...] = TEST_SEEDS
