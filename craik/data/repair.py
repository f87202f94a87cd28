"""Looking after a data set: what is in it, whether it is sound, and how to make it so. Nothing is ever deleted."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

from craik.core.errors import DataError
from craik.core.spec import Spec
from craik.data import durable, mapped
from craik.data.store import NAME, Entry, EpisodeStore, line, lock, read_about, read_index

QUARANTINE = "quarantine"
"""Folder of a data set to which `repair` moves what it cannot keep."""

STRANGER = "it is no episode (a process that is recording now, or was killed while it did, has one temporary)"


@dataclasses.dataclass(frozen=True)
class Summary:
    """A data set at a glance, from its index alone.

    Attributes:
        path: where it is.
        format: version of the store's format.
        craik: the version that made it.
        fps: steps per second of the world's own time; None if it has none.
        obs: name -> description of the space (`Spec.describe`).
        action: description of the space.
        num_episodes: episodes.
        num_steps: steps in all of them.
        num_bytes: size of their files.
        shortest: steps of the shortest episode; 0 without episodes.
        longest: steps of the longest.
    """

    path: str
    format: int
    craik: str
    fps: float | None
    obs: dict[str, Any]
    action: dict[str, Any]
    num_episodes: int
    num_steps: int
    num_bytes: int
    shortest: int
    longest: int


@dataclasses.dataclass(frozen=True)
class Problem:
    """Something wrong with a data set: the file, the cause, and the command that helps."""

    file: str
    cause: str
    fix: str


@dataclasses.dataclass(frozen=True)
class Report:
    """What `verify` or `repair` found: how many episodes are sound, and every problem (for `repair`: every change)."""

    path: str
    num_sound: int
    problems: tuple[Problem, ...]


def inspect(path: str | Path) -> Summary:
    """What a data set holds; reads no episode.

    Raises:
        DataError: if there is none, or its index is damaged.
    """
    about, store = read_about(Path(path)), EpisodeStore.open(path, read_only=True)
    steps = [e.steps for e in store.entries]
    return Summary(
        path=str(path),
        format=about["format"],
        craik=about["craik"],
        fps=store.fps,
        obs=about["obs"],
        action=about["action"],
        num_episodes=len(steps),
        num_steps=sum(steps),
        num_bytes=sum(e.bytes for e in store.entries),
        shortest=min(steps, default=0),
        longest=max(steps, default=0),
    )


def verify(path: str | Path) -> Report:
    """Reads every file and checks it against the index, its own digest and the spec. Changes nothing.

    Raises:
        DataError: if there is no data set, or of a newer format.
    """
    path = Path(path)
    spec, fix = _spec(path), f"craik data repair {path}"
    entries, problems = _index(path)
    files = _files(path)
    sound = 0
    for name in sorted(entries.keys() | files.keys(), key=_number):
        if name not in files:
            missing = path / "episodes" / f"{name}.safetensors"
            problems.append(
                Problem(str(missing), "it is missing, the index has it", f"restore it from a copy, or {fix}")
            )
            continue
        try:
            _examine(files[name], name, spec, entries.get(name))
        except DataError as error:
            problems.append(Problem(str(files[name]), error.what, error.fix))
            continue
        if name not in entries:
            problems.append(Problem(str(files[name]), "it is sound, but not in the index", fix))
        else:
            sound += 1
    problems += [Problem(str(p), STRANGER, fix) for p in _strangers(path)]
    return Report(str(path), sound, tuple(problems))


def repair(path: str | Path) -> Report:
    """Rebuilds the index from the files that are sound; the others are moved to `quarantine/` and named.

    Running it again changes nothing. A file of a newer format is a reason to stop, not to move it.

    Raises:
        DataError: if there is no data set, something in it is of a newer format, or another process is recording.
    """
    path = Path(path)
    spec = _spec(path)
    with lock(path):
        known, problems = _index(path)
        files, kept = _files(path), []
        verdicts = {name: _verdict(files[name], name, spec, known.get(name)) for name in sorted(files, key=_number)}
        for name, (entry, cause) in verdicts.items():
            if entry is None:
                problems.append(_set_aside(path, files[name], cause))
                continue
            kept.append(entry)
            if known and name not in known:
                problems.append(Problem(str(files[name]), "it was not in the index", "put back"))
        for name in sorted(known.keys() - files.keys(), key=_number):
            problems.append(Problem(f"{name}.safetensors", "it is missing", "taken out of the index"))
        problems += [_set_aside(path, each, STRANGER) for each in _strangers(path)]
        data = b"".join(line(e) for e in kept)
        index = path / "index.jsonl"
        if not index.exists() or index.read_bytes() != data:
            durable.write(index, data)
    return Report(str(path), len(kept), tuple(problems))


def _spec(path: Path) -> Spec:
    about = read_about(path)
    return Spec.parse({"obs": about["obs"], "action": about["action"], "reads": []})


def _index(path: Path) -> tuple[dict[str, Entry], list[Problem]]:
    """The index as far as it can be read."""
    try:
        entries, whole = read_index(path)
    except DataError as error:
        return {}, [Problem(str(path / "index.jsonl"), error.what, error.fix)]
    file = path / "index.jsonl"
    torn = file.exists() and file.stat().st_size > whole
    cause = "its last line is torn; the episode was never acknowledged"
    return {e.id: e for e in entries}, [Problem(str(file), cause, f"craik data repair {path}")] if torn else []


def _files(path: Path) -> dict[str, Path]:
    return {p.stem: p for p in (path / "episodes").glob("*.safetensors") if NAME.fullmatch(p.stem)}


def _strangers(path: Path) -> list[Path]:
    known = set(_files(path).values())
    return sorted(p for p in (path / "episodes").iterdir() if p not in known)


def _number(name: str) -> int:
    return int(name.removeprefix("ep-"))


def _examine(file: Path, name: str, spec: Spec, entry: Entry | None) -> Entry:
    """Checks a file in full and makes its line for the index."""
    fix = f"craik data repair {file.parent.parent}"
    data = mapped.read_bytes(file, fix)
    found = hashlib.sha256(data.data).hexdigest()
    if entry is not None and found != entry.sha256:
        cause = f"{file} is damaged: its sha256 is {found}, the index has {entry.sha256}"
        raise DataError(cause, fix)
    episode = mapped.decode(data, str(file), fix)
    episode.check(spec, str(file), fix)
    return Entry(name, episode.num_steps, len(data), found, episode.meta)


def _verdict(file: Path, name: str, spec: Spec, entry: Entry | None) -> tuple[Entry | None, str]:
    """A file's line for the index, or None and why it cannot have one.

    Raises:
        DataError: if it is of a newer format.
    """
    try:
        return _examine(file, name, spec, entry), ""
    except mapped.NewerFormat:
        raise
    except DataError as error:
        return None, error.what


def _set_aside(path: Path, file: Path, cause: str) -> Problem:
    target = path / QUARANTINE / file.name
    target.parent.mkdir(exist_ok=True)
    number = 1
    while target.exists():
        target = target.with_name(f"{file.name}.{number}")
        number += 1
    file.rename(target)
    durable.sync_folder(target.parent)
    durable.sync_folder(file.parent)
    return Problem(str(file), cause, f"moved to {target}")
