"""The published systems and where each stands here, told from the recipes and their evidence alone."""

from __future__ import annotations

import csv
import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from craik.core.registry import family, recipe, where
from craik.eval import evidence

Status = Literal["verified", "fails its check", "built, not verified", "planned", "not applicable"]

STATUSES: tuple[Status, ...] = ("verified", "fails its check", "built, not verified", "planned", "not applicable")
"""From the best known to the least."""

TABLE = Path(__file__).with_name("systems.tsv")


@dataclasses.dataclass(frozen=True)
class System:
    """One published system, as the table has it.

    Attributes:
        id: short and unique.
        name, year: of the system.
        kind: what it is: a model, a planner, a dataset ...
        house: the family of craik's it belongs to, or the room.
        family: the field's word for its kind of method.
        mechanism: how it works, in a sentence.
        claim: what its authors claim.
        small_check: a small experiment that would show it.
        shares_with: ids of systems it shares parts with.
        not_applicable: why there is nothing to build; "" where there is.
    """

    id: str
    name: str
    year: int
    kind: str
    house: str
    family: str
    mechanism: str
    claim: str
    small_check: str
    shares_with: tuple[str, ...]
    not_applicable: str


@dataclasses.dataclass(frozen=True)
class Standing:
    """A system and where it stands.

    Attributes:
        system: the system.
        status: see `STATUSES`.
        recipe: the recipe that builds it; "" if none does.
        words: the figures behind the status, or the reason for it.
    """

    system: System
    status: Status
    recipe: str
    words: str


def table() -> list[System]:
    """All systems, in the order of the table."""
    with TABLE.open(newline="", encoding="utf-8") as file:
        return [_parse(row) for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


def standings(home: Path | None = None) -> list[Standing]:
    """Where every system stands: those of the table, and then those that only have a recipe.

    Args:
        home: where evidence lies; `evidence/` of the checkout by default.

    Raises:
        DataError: if a file of evidence cannot be read.
    """
    known = table()
    built: dict[str, list[str]] = {}
    for name in where():
        built.setdefault(recipe(name).CARD.system, []).append(name)
    known += [_from_card(names[0]) for id, names in built.items() if id not in {s.id for s in known}]
    return [_stand(system, built.get(system.id, []), home or evidence.HOME) for system in known]


def as_markdown(standings: Sequence[Standing]) -> str:
    """The table for the documentation: a count of each status, then the systems by house."""
    count = Counter(s.status for s in standings)
    lines = [
        "# Systems",
        "",
        "What the field has published and where each system stands in craik. *Verified* means that the recipe's CHECK "
        "holds on its test seeds; the figures lie in `evidence/`. This page is generated: `craik systems --markdown`.",
        "",
        ", ".join(f"{count[s]} {s}" for s in STATUSES) + f", of {len(standings)}.",
    ]
    for house in sorted({s.system.house for s in standings}):
        rows = [s for s in standings if s.system.house == house]
        lines += ["", f"## {house}", "", "| system | year | status | recipe | |", "| --- | --- | --- | --- | --- |"]
        for s in sorted(rows, key=lambda s: (STATUSES.index(s.status), s.system.id)):
            cells = (s.system.name, str(s.system.year), s.status, f"`{s.recipe}`" if s.recipe else "", s.words)
            lines.append("| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |")
    return "\n".join(lines) + "\n"


def claims_in_words(data: Mapping[str, Any], holds: bool) -> list[str]:
    """The claims of a file of evidence that hold (or do not), each with its figure."""
    words = []
    for name, trial in data["trials"].items():
        for claim in trial["claims"] if trial["runs"] else ():
            if claim["holds"] == holds:
                value, bound = (_short(claim[k]) for k in ("value", "bound"))
                words.append(f"{name}: {claim['figure']} {value} ({claim['must be']} {bound})")
        words += [f"{name}: seed {s} failed" for s in trial["failed_seeds"] if not holds]
    return words


def _parse(row: Mapping[str, str]) -> System:
    words = {f.name: row[f.name] for f in dataclasses.fields(System) if f.name not in ("year", "shares_with")}
    return System(year=int(row["year"]), shares_with=tuple(filter(None, row["shares_with"].split(","))), **words)


def _from_card(name: str) -> System:
    """A system that is not in the table, as its recipe's card has it."""
    card, house = recipe(name).CARD, family(name)
    title = card.title.split(":")[0]
    return System(card.system, title, card.year, "model", house, house, card.mechanism, card.claim, "", (), "")


def _stand(system: System, recipes: Sequence[str], home: Path) -> Standing:
    """Of several recipes of a system, the one that stands best speaks for it."""
    if not recipes:
        if system.not_applicable:
            return Standing(system, "not applicable", "", system.not_applicable)
        return Standing(system, "planned", "", "")
    found = [_of_recipe(system, name, home) for name in recipes]
    return min(found, key=lambda s: STATUSES.index(s.status))


def _of_recipe(system: System, name: str, home: Path) -> Standing:
    data = evidence.read(home / f"{name}.json")
    if data is None:
        return Standing(system, "built, not verified", name, "no evidence yet")
    if data["verdict"] == "verified":
        return Standing(system, "verified", name, "; ".join(claims_in_words(data, True)))
    if data["verdict"] == "fails its check":
        return Standing(system, "fails its check", name, "; ".join(claims_in_words(data, False)))
    done = sum(len(t["runs"]) for t in data["trials"].values())
    return Standing(
        system, "built, not verified", name, f"{done} of {len(data['trials']) * len(data['seeds'])} runs done"
    )


def _short(x: float | None) -> str:
    return "none" if x is None else f"{x:.4g}"
