"""A data set on disk: one immutable file per episode, and an index that can always be rebuilt from the files.

    PATH/dataset.json                      format, craik's version, spaces, fps
         episodes/ep-000042.safetensors    the episodes: the source of truth
         index.jsonl                       one line per episode: id, steps, bytes, sha256, meta
         lock                              held by the process that is recording

An episode is committed when `append` returns: its file is synced and renamed into place, then its line is synced.
Killed at any moment, a store loses nothing it acknowledged and holds at most one temporary. There is nothing to
finalise.
"""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import json
import os
import re
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from craik import __version__
from craik.core.errors import DataError
from craik.core.spec import Spec
from craik.data import durable, mapped
from craik.data.episode import Episode

FORMAT = 1
"""The version of the store's format this craik writes."""

TEMPORARY = ".tmp-episode"
"""The one temporary a store may have: there is one writer, and it reuses the name."""

NAME = re.compile(r"ep-\d{6,}")
"""What an id looks like. An id becomes part of a path, so nothing else passes."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """A line of the index: an episode's id, number of steps, size and SHA-256 of its file, and what its meta says."""

    id: str
    steps: int
    bytes: int
    sha256: str
    meta: dict[str, Any]


class EpisodeStore:
    """Episodes on disk, by id, in the order they were added. Make one with `create` or `open`.

    Attributes:
        path: its folder.
        spec: the world its episodes are from.
        fps: steps per second of the world's own time; None if it has none.
    """

    def __init__(self, path: Path, spec: Spec, fps: float | None, read_only: bool):
        self.path, self.spec, self.fps, self.read_only = path, spec, fps, read_only
        self._entries = {e.id: e for e in read_index(path)[0]}
        self._lock: IO[bytes] | None = None

    @classmethod
    def create(cls, path: str | Path, spec: Spec, *, fps: float | None = None) -> EpisodeStore:
        """Makes an empty store.

        Raises:
            DataError: if there is a data set already, or the folder cannot be written.
        """
        path = Path(path)
        if (path / "dataset.json").exists():
            raise DataError(f"{path} is a data set already", "open it with EpisodeStore.open, or choose another folder")
        space = spec.describe()
        about = {"format": FORMAT, "craik": __version__, "fps": fps, "obs": space["obs"], "action": space["action"]}
        try:
            (path / "episodes").mkdir(parents=True, exist_ok=True)
            durable.write(path / "dataset.json", json.dumps(about, indent=1).encode())
        except OSError as error:
            raise DataError(f"{path} cannot be written: {error}", "choose a folder of yours with space left") from error
        return cls(path, spec.offering(), fps, read_only=False)

    @classmethod
    def open(cls, path: str | Path, *, read_only: bool = False) -> EpisodeStore:
        """Opens a store, reading its index and no episode. Any number of processes may read while one records.

        Raises:
            DataError: if there is none, its index is damaged, or it was written by a newer craik.
        """
        path = Path(path)
        about = read_about(path)
        spec = Spec.parse({"obs": about["obs"], "action": about["action"], "reads": []})
        return cls(path, spec, about["fps"], read_only)

    @property
    def ids(self) -> list[str]:
        """The episodes' ids, in the order they were added."""
        return list(self._entries)

    @property
    def entries(self) -> list[Entry]:
        """The index."""
        return list(self._entries.values())

    @property
    def num_steps(self) -> int:
        """Steps in all episodes together."""
        return sum(e.steps for e in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, id: str) -> bool:
        return id in self._entries

    def entry(self, id: str) -> Entry:
        """An episode's line in the index.

        Raises:
            DataError: if there is no such episode.
        """
        if id not in self._entries:
            raise DataError(f"{self.path} has no episode {id!r}", f"see what it has: craik data inspect {self.path}")
        return self._entries[id]

    def file(self, id: str) -> Path:
        """Where an episode lies."""
        return self.path / "episodes" / f"{self.entry(id).id}.safetensors"

    def read(self, id: str) -> Episode:
        """An episode, in memory, checked byte for byte against the index.

        Raises:
            DataError: if it is missing or damaged.
        """
        entry, path = self.entry(id), self.file(id)
        fix = f"craik data repair {self.path}"
        data = mapped.read_bytes(path, fix)
        found = hashlib.sha256(data.data).hexdigest()
        if found != entry.sha256:
            raise DataError(f"{path} is damaged: its sha256 is {found}, the index has {entry.sha256}", fix)
        return mapped.decode(data, str(path), fix)

    def append(self, episode: Episode) -> str:
        """Adds an episode, durably: when this returns it survives a crash. Milliseconds, mostly the disk's.

        Returns:
            Its id, "ep-000042".

        Raises:
            DataError: if it does not fit the spec, or cannot be written, or another process is recording here.
        """
        episode.check(self.spec, f"the episode to be added to {self.path}")
        self._begin()
        id = self._free_id()
        data = mapped.encode(episode)
        entry = Entry(id, episode.num_steps, len(data), hashlib.sha256(data).hexdigest(), episode.meta)
        try:
            durable.write(self.path / "episodes" / f"{id}.safetensors", data, TEMPORARY)
            with (self.path / "index.jsonl").open("ab") as index:
                index.write(line(entry))
                index.flush()
                os.fsync(index.fileno())
        except OSError as error:
            self.close()  # a line may be half written: the next append begins anew and cuts it off
            raise DataError(f"{self.path} cannot be written: {error}", "make space or choose another folder") from error
        self._entries[id] = entry
        return id

    def close(self) -> None:
        """Lets another process record. A store that only read need not be closed."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> EpisodeStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self) -> None:
        """Becomes the one that records: takes the lock, then catches up with whoever recorded before."""
        if self.read_only:
            raise DataError(f"{self.path} was opened to be read only", "open it without read_only=True")
        if self._lock is not None:
            return
        self._lock = lock(self.path)
        entries, good = read_index(self.path)
        index = self.path / "index.jsonl"
        if index.exists() and index.stat().st_size > good:  # a torn last line would swallow the next one
            os.truncate(index, good)
        self._entries = {e.id: e for e in entries}

    def _free_id(self) -> str:
        """The next id; steps over a file that was renamed into place by a process killed before it wrote the line."""
        number = 1 + max((int(i.removeprefix("ep-")) for i in list(self._entries)[-1:]), default=-1)
        while (self.path / "episodes" / f"ep-{number:06d}.safetensors").exists():
            number += 1
        return f"ep-{number:06d}"


def lock(path: Path) -> IO[bytes]:
    """The lock of the one that records or repairs; the system takes it back when the process ends, however it ends.

    Raises:
        DataError: if another holds it, or the folder cannot be written.
    """
    try:
        handle = (path / "lock").open("ab")
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error}", "choose a folder of yours with space left") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        raise DataError(
            f"another process is recording to {path}", "wait for it, end it, or record to another folder"
        ) from error
    return handle


def read_about(path: Path) -> dict[str, Any]:
    """`dataset.json`, checked.

    Raises:
        DataError: if it is missing, damaged, or of a newer format.
    """
    file = path / "dataset.json"
    try:
        about = json.loads(file.read_bytes())
        version = int(about["format"])
    except FileNotFoundError as error:
        raise DataError(
            f"{path} is no craik data set: it has no dataset.json", "craik data import, or collect"
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{file} cannot be understood: {error!r}", "restore it from a copy of the data set") from error
    if version > FORMAT:
        raise DataError(
            f"{path} is in data set format {version}, by craik {about.get('craik')}; this craik reads up to {FORMAT}",
            "pip install --upgrade craik",
        )
    return about


def read_index(path: Path) -> tuple[list[Entry], int]:
    """The index's lines, and how many bytes of it are whole. A torn last line is dropped: it was never acknowledged.

    Raises:
        DataError: if a line that is not the last cannot be understood.
    """
    file = path / "index.jsonl"
    if not file.exists():
        return [], 0
    data = file.read_bytes()
    whole = data.rfind(b"\n") + 1
    entries = []
    for number, each in enumerate(data[:whole].splitlines(), 1):
        try:
            entry = Entry(**json.loads(each))
            if not NAME.fullmatch(entry.id):
                raise ValueError(f"{entry.id!r} is no episode's id")
            entries.append(entry)
        except (ValueError, TypeError) as error:
            raise DataError(
                f"{file} line {number} cannot be understood: {error}", f"craik data repair {path}"
            ) from error
    return entries, whole


def line(entry: Entry) -> bytes:
    """An entry as a line of the index."""
    return json.dumps(dataclasses.asdict(entry), allow_nan=False).encode() + b"\n"
