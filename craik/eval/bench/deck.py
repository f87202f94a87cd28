"""Score cards of one model, as they lie in files."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from craik.core.errors import DataError
from craik.eval.bench.worlds import short_name
from craik.eval.card.card import Card, read


class Exercise(NamedTuple):
    """What was asked: cards that agree in it (and in the evaluator) are of the same moments.

    Attributes:
        world, size, seed: of the exam.
        split: which episodes, with which constants, rule and salt, if they are others than usual; "" for the usual.
    """

    world: str
    size: str
    seed: int
    split: str = ""

    @staticmethod
    def of(card: Card) -> Exercise:
        """The one that a card is of."""
        facts = card.facts
        kind = (facts["split"], facts["constants"], facts["rule"], facts["salt"])
        split = "" if kind == USUALLY else f"{kind[0]}, {kind[1]} constants, rule {kind[2] or 'none'}, salt {kind[3]}"
        return Exercise(card.world, card.size, card.seed, split)

    def __str__(self) -> str:
        return ", ".join([short_name(self.world), self.size, f"exam {self.seed}", *filter(None, [self.split])])


USUALLY = ("test-iid", "usual", "", 0)
"""Split, constants, rule and salt of what is asked by default."""


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
            key = Exercise.of(card)
            if key in mine:
                raise DataError(
                    f"{file} is a second card of {card.name} in {key}",
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
