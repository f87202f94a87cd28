"""Writing a file so that it is either there, whole, or not there: the basis of every promise about crashes."""

from __future__ import annotations

import os
from pathlib import Path


def write(path: Path, data: bytes, temporary: str | None = None) -> None:
    """Writes a file durably: to a temporary beside it, fsync, rename over it, fsync of the folder.

    A reader sees the old file or the new one, never part of one, whatever is killed when.

    Args:
        path: the file.
        data: what is to be in it.
        temporary: the temporary's name; by default `.tmp-` and the file's.

    Raises:
        OSError: if the file cannot be written; a temporary may be left, the file at `path` is as it was.
    """
    draft = path.with_name(temporary or f".tmp-{path.name}")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Makes the names in a folder durable: a rename is not, until its folder is synced."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
