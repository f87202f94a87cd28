"""What is trained on and what is asked: episodes apart by seed, by the constants of their worlds, by who acts and how.

A constant is placed by how far it is from its usual value, in parts of the way to either end of its range. Training
goes `REACH` of the way, but for a band between and for some corners of two constants at once. Beyond that, up to twice
as far, is extrapolation.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from craik.core.errors import SpecError, UnknownName
from craik.worlds.equations import Factor
from craik.worlds.exact import ExactWorld
from craik.worlds.ours import OURS
from craik.worlds.policies import Erratic, Mixture, Script, Spoiler, usual
from craik.worlds.registry import make
from craik.worlds.withheld import Obedient, rule

REACH = 0.5
"""How far training goes; twice that is the end of a range."""

BAND = (0.2, 0.3)
"""What it leaves out between, on the side with the further end."""

SEEDS = {
    "train": range(1_000_000),
    "val": range(1_000_000, 2_000_000),
    "test-iid": range(2_000_000, 2_100_000),
    "test-interp": range(2_100_000, 2_200_000),
    "test-extrap": range(2_200_000, 2_300_000),
    "test-combo": range(2_300_000, 2_400_000),
    "test-policy": range(2_400_000, 2_500_000),
    "test-action": range(2_500_000, 2_600_000),
}
"""Split -> its seeds. Those from 2,000,000 on are for tests alone."""

SALTED = 10_000_000
"""Salted exams have seeds from here on."""

Cell = tuple[tuple[float, float], ...]
"""Intervals, from the union of which a constant is drawn evenly."""

Cells = Mapping[str, Cell]
"""Constant -> its cell."""

Goals = Literal["uniform", "random-policy", "expert"]
"""Where goals come from: the world's own draw; where random actions lead; where a player that seeks one gets."""


@dataclasses.dataclass(frozen=True)
class Split:
    """Which episodes these are.

    Attributes:
        name: one of `SEEDS`.
        world: the world's id.
        seeds: theirs. Row i of worlds made from a seed is one episode: (seed, i).
        factors: where constants are drawn from; those not named have their usual value.
        odd: what is asked beside: the episode of row i draws the constants of one of these, in turn, from there.
        shunned: corners of several constants at once that are not drawn.
        rule: what players do not do (`craik.worlds.withheld`); "" if they are free.
        defiant: whether what is asked breaks that rule on purpose.
        players: who acts: those of the training data, or others.
        goals: where they come from, in turn.
    """

    name: str
    world: str
    seeds: range
    factors: Cells
    odd: tuple[Cells, ...] = ()
    shunned: tuple[Cells, ...] = ()
    rule: str = ""
    defiant: bool = False
    players: Literal["usual", "strange"] = "usual"
    goals: tuple[Goals, ...] = ("uniform",)

    def seed(self, number: int, salt: int = 0) -> int:
        """The seed of one exam (or batch of episodes). With a salt, one that nobody could have known before.

        Raises:
            SpecError: if there are fewer.
        """
        if number not in range(len(self.seeds)):
            raise SpecError(f"{self.name} has no seed {number}", f"choose one in 0 .. {len(self.seeds) - 1}")
        if not salt:
            return self.seeds[number]
        drawn = np.random.SeedSequence([self.seeds[number], salt]).generate_state(1)[0]
        return SALTED + int(drawn) % (2**31 - SALTED)

    def constants(self, seed: int, num: int) -> dict[str, np.ndarray]:
        """The constants of the episodes of a seed, name -> [num]; row i does not depend on how many there are."""
        rows = [self._row(np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(i, 1))), i) for i in range(num)]
        return {k: np.array([row[k] for row in rows]) for k in self.factors}

    def acting(self, world: ExactWorld, seed: int) -> Script:
        """Who acts in these worlds."""
        who = usual(world, seed) if self.players == "usual" else strange(world, seed)
        return Obedient(world, who, rule(world, self.rule)) if self.rule else who

    def usual(self) -> Split:
        """The same at the usual constants, for models that saw no others."""
        return dataclasses.replace(self, factors={}, odd=(), shunned=())

    def facts(self) -> dict[str, Any]:
        """What it is, ready for JSON."""
        told = dataclasses.asdict(self)
        return {**told, "seeds": [self.seeds.start, self.seeds.stop]}

    def _row(self, rng: np.random.Generator, i: int) -> dict[str, float]:
        odd = self.odd[i % len(self.odd)] if self.odd else {}
        while True:
            row = {k: drawn(rng, odd.get(k, cell)) for k, cell in self.factors.items()}
            if not any(all(inside(row[k], cell) for k, cell in corner.items()) for corner in self.shunned):
                return row


def splits(world: str, rule_name: str = "") -> dict[str, Split]:
    """The splits of a world by name.

    `train`, `val` and `test-iid` are alike but for their seeds. `test-interp` draws one constant at a time from the
    band that training leaves out, `test-extrap` from beyond training's reach, `test-combo` two from their corner.
    `test-policy` has other players, and other goals where there are any; `test-action` breaks the rule that the
    players of all the others obey.

    Args:
        world: the id of an exact world.
        rule_name: which rule (`craik.worlds.withheld.rules`); the usual one by default.

    Raises:
        SpecError, UnknownName: if it is no exact world, or has no such rule.
    """
    if world not in OURS or not OURS[world].exact:
        raise SpecError(f"{world} is no exact world: its constants are not known", "see them: craik worlds")
    there = make(world)
    assert isinstance(there, ExactWorld)
    held = rule(there, rule_name).name
    factors = {k: inner(f) for k, f in there.FACTORS.items()}
    corners = tuple({a: corner(there.FACTORS[a]), b: corner(there.FACTORS[b])} for a, b in pairwise(there.FACTORS))
    usually = Split("train", world, SEEDS["train"], factors, shunned=corners, rule=held)

    def like(name: str, **other: Any) -> Split:
        return dataclasses.replace(usually, name=name, seeds=SEEDS[name], **other)

    goals: tuple[Goals, ...] = ("uniform", "random-policy", "expert") if there.HAS_GOAL else ("uniform",)
    found = (
        usually,
        like("val"),
        like("test-iid"),
        like("test-interp", odd=tuple({k: between(f)} for k, f in there.FACTORS.items())),
        like("test-extrap", odd=tuple({k: beyond(f)} for k, f in there.FACTORS.items())),
        like("test-combo", odd=corners, shunned=()),
        like("test-policy", players="strange", goals=goals),
        like("test-action", defiant=True),
    )
    return {s.name: s for s in found}


def split_of(world: str, name: str, rule_name: str = "") -> Split:
    """One split of a world.

    Raises:
        SpecError, UnknownName: if it is no exact world, or there is no such split or rule.
    """
    known = splits(world, rule_name)
    if name not in known:
        raise UnknownName(f"split of {world}", name, known)
    return known[name]


def at(factor: Factor, far: float) -> float:
    """The value so far from the usual one, in parts of the way to the upper end, or, below 0, to the lower one."""
    return factor.default + abs(far) * ((factor.high if far > 0 else factor.low) - factor.default)


def inner(factor: Factor) -> Cell:
    """What training draws from: `REACH` to both sides, without the band."""
    side = _side(factor)
    near, far = (at(factor, side * x) for x in BAND)
    ends = at(factor, -side * REACH), at(factor, side * REACH)
    return _intervals((ends[0], near), (far, ends[1]))


def between(factor: Factor) -> Cell:
    """The band that it leaves out."""
    side = _side(factor)
    return _intervals((at(factor, side * BAND[0]), at(factor, side * BAND[1])))


def beyond(factor: Factor) -> Cell:
    """From the end of its reach to the ends of the range: up to twice as far."""
    return _intervals((at(factor, REACH), factor.high), (at(factor, -REACH), factor.low))


def corner(factor: Factor) -> Cell:
    """What it draws from beyond the band: two of these at once are a corner."""
    side = _side(factor)
    return _intervals((at(factor, side * BAND[1]), at(factor, side * REACH)))


def drawn(rng: np.random.Generator, cell: Cell) -> float:
    """A number from the union of intervals, evenly."""
    sizes = np.array([high - low for low, high in cell])
    here = rng.random() * sizes.sum()
    which = min(int(np.searchsorted(np.cumsum(sizes), here, "right")), len(cell) - 1)
    return float(cell[which][0] + here - sizes[:which].sum())


def inside(value: float, cell: Cell) -> bool:
    """Whether a number is in one of the intervals."""
    return any(low <= value <= high for low, high in cell)


def strange(world: ExactWorld, seed: int) -> Mixture:
    """Players that no training data has: half act at random anew at every step, half play for the least reward."""
    one, two = (int(s) for s in np.random.SeedSequence(seed).generate_state(2))
    return Mixture(world, seed, [(0.5, Erratic(world, one)), (0.5, Spoiler(world, two))])


def _side(factor: Factor) -> int:
    return 1 if factor.high - factor.default >= factor.default - factor.low else -1


def _intervals(*pairs: tuple[float, float]) -> Cell:
    """Those of them that are not empty, low before high, in order."""
    found = sorted((min(p), max(p)) for p in pairs if p[0] != p[1])
    return tuple((float(low), float(high)) for low, high in found)
