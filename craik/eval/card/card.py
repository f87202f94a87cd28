"""A whole score card: one model, one world, one seed, every axis that applies, written so that it can be checked."""

from __future__ import annotations

import dataclasses
import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from craik.core.errors import DataError
from craik.data.durable import write
from craik.eval.card.pack import pack, unpack
from craik.eval.card.score import Score, average
from craik.eval.card.strips import Strips

VERSION = 2
"""Of the evaluator. Cards of different versions are never put in one table."""


@dataclasses.dataclass(frozen=True)
class Card:
    """What was found.

    Attributes:
        name: of the model.
        world: the world's id.
        seed: of the exam.
        size: one of `SIZES`.
        instrument: what the state was read by; "none" if it could not be.
        scores: every metric that applies.
        facts: versions, minutes, the probe's quality, and what else a reader needs.
        film: one moment and several futures of it, in pictures; None if it was not filmed.
    """

    name: str
    world: str
    seed: int
    size: str
    instrument: str
    scores: tuple[Score, ...]
    facts: Mapping[str, Any]
    film: Strips | None = None

    def __getitem__(self, id: str) -> Score:
        return next(s for s in self.scores if s.id == id)


def save(card: Card, path: str | Path) -> Path:
    """Writes `PATH.json`, with every mean, interval, floor and null, and `PATH.npz`, with every value and picture.

    Each is written whole or not at all, the latter first: a card that can be found has all that it tells of.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {f.name: getattr(card, f.name) for f in dataclasses.fields(Card) if f.name not in ("scores", "film")}
    told["film"] = card.film.told() if card.film else None
    rows = [summary(s) for s in card.scores]
    text = json.dumps({**told, "scores": rows}, indent=1, allow_nan=False) + "\n"
    found: dict[str, np.ndarray] = {}
    for s in card.scores:
        found |= {f"{s.id}/values": s.values, f"{s.id}/weights": s.weights, f"{s.id}/floor": s.floor}
        found[f"{s.id}/drawn"] = s.drawn
        found |= {f"{s.id}/null/{k}": v for k, v in s.nulls.items()}
    held = io.BytesIO()
    np.savez_compressed(held, **pack(found), **(card.film.arrays() if card.film else {}))  # type: ignore[arg-type]
    write(path.with_suffix(".npz"), held.getvalue())
    write(path.with_suffix(".json"), text.encode())
    return path.with_suffix(".json")


def read(path: str | Path) -> Card:
    """The card that `save` wrote.

    Raises:
        DataError: if there is none, or it was written by another version of the evaluator.
    """
    path = Path(path)
    try:
        told = json.loads(path.with_suffix(".json").read_text())
        held = np.load(path.with_suffix(".npz"), allow_pickle=False)
        arrays = unpack(held)
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise DataError(f"{path} is no score card: {error}", "write one: craik score") from error
    version = told["facts"].get("evaluator")
    if version != VERSION:
        raise DataError(f"{path} was written by evaluator {version}, this is {VERSION}", "grade the model again")
    scores = tuple(
        Score(
            row["id"],
            row["axis"],
            arrays[f"{row['id']}/values"],
            row["more"],
            row["says"],
            row["instrument"],
            arrays[f"{row['id']}/floor"],
            {k: arrays[f"{row['id']}/null/{k}"] for k in row["nulls"]},
            arrays[f"{row['id']}/weights"],
            arrays[f"{row['id']}/drawn"],
        )
        for row in told.pop("scores")
    )
    filmed = told.pop("film", None)
    return Card(scores=scores, film=Strips.of(filmed, held) if filmed else None, **told)


def summary(score: Score) -> dict[str, Any]:
    """A score in numbers that JSON can hold."""
    interval = score.interval()
    return {
        "id": score.id,
        "axis": score.axis,
        "mean": plain(score.mean),
        "low": plain(interval.low),
        "high": plain(interval.high),
        "n": score.n,
        "normalised": plain(score.normalised),
        "floor": plain(average(score.floor)),
        "null": plain(score.null),
        "nulls": list(score.nulls),
        "more": score.more,
        "instrument": score.instrument,
        "says": score.says,
    }


def plain(x: float) -> float | None:
    """A number that JSON can hold: six digits, None where it is not finite."""
    return float(f"{x:.6g}") if math.isfinite(x) else None
