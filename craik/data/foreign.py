"""Bringing a data set of another maker into a store: which reader it takes."""

from __future__ import annotations

from pathlib import Path

from craik.core.errors import DataError, UnknownName
from craik.data import frames
from craik.data.lerobot import LeRobot
from craik.data.minari import Minari
from craik.data.source import Imported, Source, bring
from craik.data.video import Videos

KINDS = ("lerobot", "minari", "video")
"""What can be imported."""


def bring_in(source: str | Path, target: str | Path, kind: str | None = None, size: int | None = None) -> Imported:
    """Copies a data set into a new store; what is not sound is left out and named.

    Args:
        source: a LeRobot v3 or Minari data set, or a folder of video files.
        target: the folder of the new store.
        kind: one of `KINDS`; None to tell from the files.
        size: pixels of a side to which a folder of videos is scaled.

    Raises:
        UnknownName: if there is no such kind.
        DataError: if it is none of them, cannot be read at all, or the target is there already.
    """
    return bring(open_source(source, kind, size), target)


def open_source(source: str | Path, kind: str | None = None, size: int | None = None) -> Source:
    """The reader for a data set; see `bring_in`."""
    kind = kind if kind is not None else tell(Path(source))
    if kind == "lerobot":
        return LeRobot(source)
    if kind == "minari":
        return Minari(source)
    if kind == "video":
        return Videos(source, size)
    raise UnknownName("kind of data set", kind, KINDS)


def tell(path: Path) -> str:
    """Which of `KINDS` lies at a path.

    Raises:
        DataError: if none does.
    """
    if (path / "meta" / "info.json").exists():
        return "lerobot"
    if path.suffix in (".hdf5", ".h5") or any((path / p).exists() for p in ("main_data.hdf5", "data/main_data.hdf5")):
        return "minari"
    if path.is_dir() and any(p.suffix.lower() in frames.CONTAINERS for p in path.rglob("*")):
        return "video"
    raise DataError(
        f"{path} is no LeRobot v3 or Minari data set and no folder of videos",
        f"check the path, or say what it is: --kind {' | '.join(KINDS)}",
    )
