"""What a contract is made of: clauses, the case they are put to, and the report."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from craik.behave.agent import Agent
from craik.core import tree
from craik.core.data import Batch
from craik.core.errors import CraikError
from craik.core.model import WorldModel
from craik.eval.contract.experience import random_batch

Outcome = Literal["kept", "broken", "not claimed", "not asked"]


class Broken(AssertionError):
    """A clause is broken; the message says where and by how much."""


class NotAsked(Exception):
    """A clause cannot be put to this case; the message says what is missing."""


class ContractError(CraikError):
    """A model that breaks its contract."""


@dataclasses.dataclass(frozen=True)
class Case:
    """A model on trial, with everything a clause may want.

    Attributes:
        model: the model; a clause that trains or scrambles takes a `copy` first.
        agent: what acts with it, or None.
        weights: loss name -> weight, as training has them; None for 1 each, with no names demanded.
        build: makes the model and the agent anew, from whatever torch's global generator says; None if unknown.
        seed: of the experience and of every generator.
        rows: rows B of the experience.
        length: arrivals T of the experience.
    """

    model: WorldModel
    agent: Agent | None = None
    weights: Mapping[str, float] | None = None
    build: Callable[[], tuple[WorldModel, Agent | None]] | None = None
    seed: int = 0
    rows: int = 3
    length: int = 7

    def batch(self, salt: int = 0) -> Batch:
        """Made-up experience that fits the model's spec; another for every salt."""
        return random_batch(self.model.spec, self.rows, self.length, [self.seed, salt]).to(self.model.device)

    def generator(self, salt: int = 0) -> torch.Generator:
        """A fresh generator on the model's device; another for every salt."""
        return torch.Generator(self.model.device).manual_seed(self.seed * 1000 + salt)

    def null(self) -> Tensor:
        """The null action for every row."""
        return self.model.spec.null_action(self.rows, self.model.device)


@dataclasses.dataclass(frozen=True)
class Clause:
    """One demand. Its name and its words are those of the function that tests it.

    Attributes:
        test: raises `Broken` or `NotAsked`, or returns None when the clause is kept.
        slow: whether it takes more than a second or two for a tiny model.
    """

    test: Callable[[Case], None]
    slow: bool = False

    @property
    def name(self) -> str:
        """The name by which a recipe may decline it in `NOT_CLAIMED`."""
        return self.test.__name__

    @property
    def says(self) -> str:
        """What it demands, in one sentence."""
        return (self.test.__doc__ or "").strip().splitlines()[0]


@dataclasses.dataclass(frozen=True)
class Verdict:
    """How one clause went.

    Attributes:
        clause: its name.
        says: what it demands.
        outcome: "kept", "broken", "not claimed" (the recipe says so) or "not asked" (nothing to ask it of).
        words: what is wrong and where, or the reason it was left out.
    """

    clause: str
    says: str
    outcome: Outcome
    words: str = ""


@dataclasses.dataclass(frozen=True)
class Report:
    """All verdicts on one model. Printed, it is a table."""

    verdicts: tuple[Verdict, ...]

    @property
    def broken(self) -> tuple[str, ...]:
        """The names of the broken clauses."""
        return tuple(v.clause for v in self.verdicts if v.outcome == "broken")

    @property
    def ok(self) -> bool:
        """Whether no clause is broken."""
        return not self.broken

    def require(self) -> Report:
        """This report, if no clause is broken.

        Raises:
            ContractError: naming every broken clause, with what it demands and what was found.
        """
        if self.ok:
            return self
        bad = [v for v in self.verdicts if v.outcome == "broken"]
        what = "\n".join(f"  {v.clause}: {v.says}\n    {v.words}" for v in bad)
        raise ContractError(
            f"the model breaks {len(bad)} of {len(self.verdicts)} clauses:\n{what}",
            "mend the model, or say why it need not keep them in the recipe's NOT_CLAIMED",
        )

    def __str__(self) -> str:
        width = max((len(v.clause) for v in self.verdicts), default=0)
        lines = [f"{v.clause:<{width}}  {v.outcome:<11}  {v.words or v.says}" for v in self.verdicts]
        kept = sum(v.outcome == "kept" for v in self.verdicts)
        return "\n".join([*lines, f"{kept} kept, {len(self.broken)} broken, of {len(self.verdicts)}"])


def judge(clauses: tuple[Clause, ...], case: Case, not_claimed: Mapping[str, str]) -> Report:
    """Puts every clause to a case. An exception that is not a clause's own counts as broken, with its words."""
    verdicts = []
    for clause in clauses:
        if clause.name in not_claimed:
            verdicts.append(Verdict(clause.name, clause.says, "not claimed", not_claimed[clause.name]))
        else:
            outcome, words = _put(clause, case)
            verdicts.append(Verdict(clause.name, clause.says, outcome, words))
    return Report(tuple(verdicts))


def _put(clause: Clause, case: Case) -> tuple[Outcome, str]:
    try:
        clause.test(case)
    except NotAsked as reason:
        return "not asked", str(reason)
    except Broken as broken:
        return "broken", str(broken)
    except Exception as error:  # whatever a broken model raises is its verdict, in words
        return "broken", f"it raised {type(error).__name__}: {error}".replace("\n", " ")
    return "kept", ""


def demand(holds: bool | Tensor, words: str) -> None:
    """Raises `Broken(words)` unless the condition holds."""
    if not bool(holds):
        raise Broken(words)


def finite(what: str, values: Any) -> None:
    """Demands that every floating-point leaf of a tree is finite."""
    for name, leaf in tree.flatten(values):
        if leaf.is_floating_point():
            bad = int((~torch.isfinite(leaf)).sum())
            demand(bad == 0, f"{what}, {name or 'value'}: {bad} of {leaf.numel()} numbers are not finite")


def same(what: str, a: Any, b: Any, tolerance: float = 0.0) -> None:
    """Demands that two trees agree leaf by leaf: names, shapes, dtypes, and values within a tolerance.

    Args:
        what: what is compared, for the words.
        a: one tree.
        b: the other.
        tolerance: largest `|a - b| / (1 + |b|)`; 0 for bit by bit.
    """
    one, two = dict(tree.flatten(a)), dict(tree.flatten(b))
    demand(list(one) == list(two), f"{what}: the parts are {list(one)} and {list(two)}")
    for name, x in one.items():
        y, part = two[name], f"{what}, {name or 'value'}"
        demand(x.shape == y.shape, f"{part}: shapes {tuple(x.shape)} and {tuple(y.shape)} differ")
        demand(x.dtype == y.dtype, f"{part}: {x.dtype} and {y.dtype} differ")
        if tolerance == 0 or not x.is_floating_point():
            demand(torch.equal(x, y), f"{part}: {int((x != y).sum())} of {x.numel()} numbers differ")
        elif x.numel():
            gap = float(((x - y).abs() / (1 + y.abs())).max())
            demand(gap <= tolerance, f"{part}: the two differ by {gap:.2g}, more than {tolerance:g}")


def differs(a: Any, b: Any) -> bool:
    """Whether any leaf of two trees of one shape differs at all."""
    return any(not torch.equal(x, y) for x, y in zip(tree.leaves(a), tree.leaves(b), strict=True))
