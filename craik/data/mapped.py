"""Episode files: safetensors in, safetensors out. Reading parses the header itself, so that a file can be mapped.

A safetensors file is 8 bytes (the header's length, little endian), a JSON header (tensor name -> dtype, shape and the
range of bytes it takes after the header), and the tensors' bytes. Nothing in it is code.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save

from craik.core.errors import DataError
from craik.data.episode import Episode

FORMAT = 1
"""The version of the episode file format this craik writes."""

MAX_HEADER = 1 << 20
"""Bytes. An episode's header takes less than a thousand, and its meta what the recorder put there."""

DTYPES = {"BOOL": np.bool_, "U8": np.uint8, "F32": np.float32, "I64": np.int64}


class NewerFormat(DataError):
    """An episode written by a newer craik: not damaged, and not to be touched."""


@dataclasses.dataclass(frozen=True)
class Field:
    """Where an array lies in its file: bytes `start` to `stop`, counted from the file's beginning."""

    dtype: np.dtype
    shape: tuple[int, ...]
    start: int
    stop: int


def encode(episode: Episode) -> bytes:
    """The bytes of an episode's file. They carry a digest of the arrays, so that a file can vouch for itself."""
    arrays = episode.arrays()
    meta = json.dumps(episode.meta, allow_nan=False)
    return save(arrays, {"episode": str(FORMAT), "meta": meta, "sha256": digest(arrays, meta)})


def digest(arrays: Mapping[str, np.ndarray], meta: str = "") -> str:
    """SHA-256 over `meta` and the arrays' names, dtypes, shapes and bytes, in the order of their names."""
    total = hashlib.sha256(meta.encode())
    for name in sorted(arrays):
        x = np.ascontiguousarray(arrays[name])
        total.update(f"{name} {x.dtype.str} {x.shape}\n".encode())
        total.update(x.reshape(-1).view(np.uint8).data)
    return total.hexdigest()


def decode(data: np.ndarray, where: str, fix: str) -> Episode:
    """The episode in a file's bytes, checked against its own digest.

    Args:
        data: [bytes] uint8, the whole file.
        where: what to call it in an error.
        fix: what the error should advise.

    Raises:
        DataError: if it is truncated, damaged, or of a format this craik does not know.
    """
    fields, meta = header(data, where, fix)
    arrays, about = views(data, fields), meta.get("meta", "")
    if digest(arrays, about) != meta.get("sha256"):
        raise DataError(f"{where} is damaged: its arrays do not have the digest it was written with", fix)
    return Episode.of_arrays(arrays, json.loads(about), where, fix)


def views(data: np.ndarray, fields: dict[str, Field]) -> dict[str, np.ndarray]:
    """The arrays of a file as views of its bytes; nothing is copied."""
    return {k: data[f.start : f.stop].view(f.dtype).reshape(f.shape) for k, f in fields.items()}


def read_bytes(path: Path, fix: str) -> np.ndarray:
    """A file's bytes in memory, [bytes] uint8."""
    try:
        return np.fromfile(path, np.uint8)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}", fix) from error


def map_bytes(path: Path, fix: str) -> np.ndarray:
    """A file's bytes mapped into memory, [bytes] uint8: read when touched, and shared with the page cache.

    Mapped by torch rather than `numpy.memmap`, which holds a file handle as long as the map: of those a process has
    about a thousand, of maps sixty thousand.
    """
    try:
        data = torch.from_file(str(path), shared=False, size=path.stat().st_size, dtype=torch.uint8).numpy()
    except (OSError, RuntimeError) as error:
        raise DataError(f"{path} cannot be read: {error}", fix) from error
    data.flags.writeable = False
    return data


def header(data: np.ndarray, where: str, fix: str) -> tuple[dict[str, Field], dict[str, str]]:
    """Parses and checks a header: the arrays' places and the metadata.

    Raises:
        DataError: if the file is truncated, its header is not what safetensors and this craik write, or is newer.
    """

    def broken(cause: str) -> DataError:
        return DataError(f"{where} {cause}", fix)

    size = len(data)
    if size < 8:
        raise broken(f"is truncated: it has {size} bytes")
    length = int.from_bytes(data[:8].tobytes(), "little")
    if length > MAX_HEADER:
        raise broken(f"is no episode: its header claims {length} bytes, at most {MAX_HEADER} are allowed")
    if 8 + length > size:
        raise broken(f"is truncated: its header takes {length} bytes, the file has {size}")
    try:
        table = json.loads(data[8 : 8 + length].tobytes())
        meta = dict(table.pop("__metadata__", {}))
        fields = {str(k): _field(v, 8 + length) for k, v in table.items()}
        version = int(meta["episode"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise broken(f"is no episode: its header cannot be understood ({error!r})") from error
    if version > FORMAT:
        raise NewerFormat(
            f"{where} is in episode format {version}; this craik reads up to {FORMAT}", "pip install --upgrade craik"
        )
    _check_layout(fields, 8 + length, size, broken)
    return fields, meta


def _field(entry: Any, base: int) -> Field:
    start, stop = (int(x) for x in entry["data_offsets"])
    return Field(np.dtype(DTYPES[entry["dtype"]]), tuple(int(n) for n in entry["shape"]), base + start, base + stop)


def _check_layout(fields: dict[str, Field], base: int, size: int, broken: Any) -> None:
    """Arrays must fill the file: no holes, no overlaps, nothing past the end."""
    position = base
    for name, f in sorted(fields.items(), key=lambda item: (item[1].start, item[1].stop)):
        if f.start != position or min(f.shape, default=0) < 0:
            raise broken(f"is no episode: {name} does not begin where the array before it ends")
        if f.stop - f.start != math.prod(f.shape) * f.dtype.itemsize:
            raise broken(f"is no episode: {name} takes {f.stop - f.start} bytes, its shape {f.shape} does not")
        position = f.stop
    if position != size:
        raise broken(f"is truncated: it has {size} bytes of {position}" if size < position else "has bytes to spare")
