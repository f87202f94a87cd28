"""Score cards of one model, as they lie in files."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path

from craik.core.errors import DataError
from craik.eval.card.card import Card, read

Exercise = tuple[str, str, int]
"""World, size and seed: cards that agree in them (and in the evaluator) are of the same moments."""


@dataclasses.dataclass(frozen=True)
class Deck:
    """The cards of one model.

    Attributes:
        name: the model's.
        cards: by what was asked.
    """

    name: str
    cards: Mapping[Exercise, Card]


def decks(paths: Iterable[Path]) -> list[Deck]:
    """All cards in files and folders (and the folders in them), by model, in the order they come.

    Raises:
        DataError: if there is none, one cannot be read, or two are of the same model and moments.
    """
    found: dict[str, dict[Exercise, Card]] = {}
    for path in paths:
        files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
        if not files:
            raise DataError(f"there is no score card in {path}", "write some: craik bench smoke --run RUN")
        for file in files:
            card = read(file)
            mine = found.setdefault(card.name, {})
            key = (card.world, card.size, card.seed)
            if key in mine:
                raise DataError(
                    f"{file} is a second card of {card.name} in {card.world}, {card.size}, exam {card.seed}",
                    "pass one of them, or keep cards of other checkpoints under other names",
                )
            mine[key] = card
    return [Deck(name, cards) for name, cards in found.items()]


def deck(path: Path) -> Deck:
    """The cards of one model in a file or folder.

    Raises:
        DataError: as `decks`; or if there are several models' cards.
    """
    found = decks([path])
    if len(found) > 1:
        names = ", ".join(d.name for d in found)
        raise DataError(f"{path} holds cards of {len(found)} models: {names}", "pass the folder or the file of one")
    return found[0]
