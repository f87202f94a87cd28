"""Checkpoints: one immutable directory a step, either whole and verified or not there.

    checkpoints/step-00001200/
        model.safetensors agent.safetensors optimizer.safetensors ...   tensors
        facts.json                                                      numbers and names
        MANIFEST.json                                                   every file's size and SHA-256

A directory is written under another name, synced, renamed into place and read back before anything older is deleted.
`latest` is only a hint: what counts is the newest directory that verifies. safetensors and JSON only.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from craik import __version__
from craik.core.errors import CheckpointError
from craik.data.durable import sync_folder, write

FORMAT = 1
"""The version of the checkpoint format this craik writes."""

MANIFEST = "MANIFEST.json"

Tensors = Mapping[str, Mapping[str, Tensor]]
"""File -> name -> tensor."""


class IncompleteCheckpoint(CheckpointError):
    """A directory that was never finished."""


class DiskFull(CheckpointError):
    """No space, or no quota, for a checkpoint. The older ones are as they were."""


def save(folder: Path, step: int, tensors: Tensors, facts: Mapping[str, Any], *, keep: int = 2) -> Path:
    """Writes a checkpoint, verifies it, and only then deletes those older than the `keep` newest.

    Args:
        folder: the directory of all checkpoints of a run.
        step: its number; a checkpoint of that step that is there already and verifies is left as it is.
        tensors: file -> name -> tensor.
        facts: anything JSON can hold.
        keep: how many verified ones to keep, at least 2.

    Returns:
        The checkpoint's directory.

    Raises:
        DiskFull: if there is no space.
        CheckpointError: if it cannot be written, or does not read back as it was written.
    """
    if keep < 2:
        raise CheckpointError(f"keep={keep}: the last one may be the one being written", "keep at least 2")
    place = folder / f"step-{step:08d}"
    if place.exists():
        try:
            verify(place)
            return place
        except CheckpointError:
            place.rename(folder / f".trash-{place.name}-{os.getpid()}-{place.stat().st_mtime_ns}")
    draft = folder / f".tmp-{place.name}-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if draft.exists():
            shutil.rmtree(draft)
        draft.mkdir()
        _fill(draft, step, tensors, facts)
    except CheckpointError:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    except (OSError, SafetensorError) as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise _cannot_write(place, error) from error
    try:
        os.rename(draft, place)
        sync_folder(folder)
        verify(place)
        write(folder / "latest", f"{place.name}\n".encode())
    except OSError as error:
        raise _cannot_write(place, error) from error
    _trim(folder, place, keep)
    return place


def newest(folder: Path) -> Path | None:
    """The newest checkpoint that verifies, or None. Warns of every newer one that does not, and of unfinished ones."""
    if not folder.is_dir():
        return None
    for leftover in unfinished(folder):
        warnings.warn(f"{leftover} was never finished; it is left alone, delete it when you like", stacklevel=2)
    for place in steps(folder)[::-1]:
        try:
            verify(place)
            return place
        except CheckpointError as error:
            warnings.warn(f"passing over a checkpoint that cannot be trusted: {error.what}", stacklevel=2)
    return None


def steps(folder: Path) -> list[Path]:
    """The directories of checkpoints, oldest first, whether or not they verify."""
    return sorted(p for p in folder.glob("step-*") if p.is_dir())


def unfinished(folder: Path) -> list[Path]:
    """What interrupted saves left behind."""
    return sorted(folder.glob(".tmp-step-*"))


def verify(place: Path) -> dict[str, Any]:
    """Checks every file of a checkpoint against its manifest, which it returns.

    Raises:
        IncompleteCheckpoint: if there is no whole manifest, naming the directory.
        CheckpointError: if a file is missing or damaged (with both hashes), or a newer craik wrote it.
    """
    manifest = _manifest(place)
    for name, entry in manifest["files"].items():
        file = place / name
        if not file.is_file():
            raise CheckpointError(f"{file} is missing", "use an older checkpoint beside it, or restore the file")
        found = _digest(file)
        if found != entry["sha256"]:
            raise CheckpointError(
                f"{file} is damaged: its sha256 is {found}, the manifest has {entry['sha256']}",
                "use an older checkpoint beside it, or restore the file",
            )
    return manifest


def read(place: Path, device: str = "cpu") -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    """The tensors (file -> name -> tensor) and the facts of a checkpoint, verified.

    Raises:
        IncompleteCheckpoint, CheckpointError: as `verify` does.
    """
    manifest = verify(place)
    names = [n for n in manifest["files"] if n.endswith(".safetensors")]
    tensors = {n.removesuffix(".safetensors"): load_file(place / n, device=device) for n in names}
    return tensors, json.loads((place / "facts.json").read_bytes())


def step_of(place: Path) -> int:
    """The step a checkpoint's directory is named for."""
    return int(place.name.removeprefix("step-"))


def _fill(draft: Path, step: int, tensors: Tensors, facts: Mapping[str, Any]) -> None:
    for name, each in tensors.items():
        save_file(_separate(each), draft / f"{name}.safetensors")
    (draft / "facts.json").write_text(json.dumps(facts, indent=1, allow_nan=False))
    files = {}
    for file in sorted(draft.iterdir()):
        with file.open("rb") as handle:
            os.fsync(handle.fileno())
        files[file.name] = {"bytes": file.stat().st_size, "sha256": _digest(file)}
    about = {"format": FORMAT, "craik": __version__, "torch": torch.__version__, "step": step, "finite": True}
    write(draft / MANIFEST, json.dumps({**about, "files": files}, indent=1).encode())
    sync_folder(draft)


def _separate(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Contiguous tensors of which no two share memory, as safetensors wants them; none may hold NaN."""
    seen: set[int] = set()
    apart = {}
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and torch.isnan(tensor).any():
            raise CheckpointError(f"{name} holds NaN; no checkpoint is written", "go back to an older checkpoint")
        tensor = tensor.detach().contiguous()
        where = tensor.untyped_storage().data_ptr()
        apart[name] = tensor.clone() if where in seen else tensor
        seen.add(where)
    return apart


def _manifest(place: Path) -> dict[str, Any]:
    file = place / MANIFEST
    fix = "use an older checkpoint beside it; this one was never finished and can be deleted"
    try:
        manifest = json.loads(file.read_bytes())
        version = int(manifest["format"])
    except FileNotFoundError as error:
        raise IncompleteCheckpoint(f"{place} has no {MANIFEST}", fix) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IncompleteCheckpoint(f"{file} cannot be understood: {error!r}", fix) from error
    if version > FORMAT:
        raise CheckpointError(
            f"{place} (format {version}) needs craik >= {manifest.get('craik')}; this is {__version__}",
            "pip install --upgrade craik",
        )
    if not isinstance(manifest.get("files"), dict) or manifest.get("finite") is not True:
        raise IncompleteCheckpoint(f"{file} does not list the checkpoint's files as finite", fix)
    return manifest


def _digest(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _cannot_write(place: Path, error: Exception) -> CheckpointError:
    code = error.errno if isinstance(error, OSError) else None
    if code in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error):
        return DiskFull(f"no space for {place}: {error}", "make space; the older checkpoints are as they were")
    return CheckpointError(
        f"{place} cannot be written: {error}", "check that the disk is there and the folder is yours"
    )


def _trim(folder: Path, newest_one: Path, keep: int) -> None:
    """Deletes verified checkpoints older than the `keep` newest; one without a manifest is not ours to delete."""
    older = [p for p in steps(folder) if p < newest_one and (p / MANIFEST).exists()]
    for place in older[: max(0, len(older) - keep + 1)]:
        trash = folder / f".trash-{place.name}-{os.getpid()}"
        place.rename(trash)
        shutil.rmtree(trash)
