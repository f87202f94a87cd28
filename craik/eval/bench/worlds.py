"""Which worlds a benchmark asks in."""

from __future__ import annotations

import dataclasses

from craik.core.errors import UnknownName
from craik.worlds.ours import OURS


@dataclasses.dataclass(frozen=True)
class Bench:
    """A benchmark.

    Attributes:
        worlds: short names (`world_id`).
        size: of the cards.
    """

    worlds: tuple[str, ...]
    size: str


TWELVE = (
    "bounce", "swing", "push", "rooms", "tiles", "rayfind", "blocks", "paddle", "race", "lane", "levers", "story",
)  # fmt: skip
"""The exact worlds of EVALUATION, section 3.1, each in its usual task."""

BENCHES = {
    "smoke": Bench(("bounce", "tiles"), "smoke"),
    "core": Bench(("bounce", "push", "tiles", "rayfind"), "card"),
    "card": Bench(TWELVE, "card"),
}
"""EVALUATION, sections 3.1 and 3.5."""


def world_id(name: str) -> str:
    """The id of an exact world, from it or from its short name: `craik/RayFind-v0`, `RayFind-v0` or `rayfind`.

    Raises:
        UnknownName: if there is none.
    """
    known = {short_name(id): id for id, entry in OURS.items() if entry.exact}
    if short_name(name) not in known:
        raise UnknownName("exact world", name, known)
    return known[short_name(name)]


def short_name(id: str) -> str:
    """`rayfind` of `craik/RayFind-v0`."""
    return id.rpartition("/")[2].partition("-")[0].lower()
