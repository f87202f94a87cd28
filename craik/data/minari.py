"""Minari data sets (HDF5): reading and writing the format without the library.

    PATH/data/metadata.json     spaces, counts
         data/main_data.hdf5    episode_0/{observations, actions, rewards, terminations, truncations}, ...

Minari's convention of time is craik's: T + 1 observations and T actions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces

from craik.core.errors import DataError
from craik.core.spec import Spec
from craik.data import durable
from craik.data.episode import Episode
from craik.data.extra import need
from craik.data.source import Source
from craik.data.store import EpisodeStore

MAX_BYTES = 4 << 30
"""Bytes an array of one episode may take: a small file can claim, and inflate to, any size."""

FIX = "download the data set again; it should open with minari.load_dataset"


class Minari(Source):
    """A Minari data set in its HDF5 layout.

    Nested observations are joined with dots ("agent.position").

    Args:
        path: the data set's folder, its `data` folder, or the HDF5 file.

    Raises:
        DataError: if it is none, or damaged.
        SpecError: if its spaces are of a kind that craik does not take.
    """

    def __init__(self, path: str | Path):
        self.path, self.fps = Path(path), None
        self.file = _locate(self.path)
        about = _about(self.file)
        with self._open() as file:
            seen, done = (_space(about, file, f"{k}_space", self.file) for k in ("observation", "action"))
            numbers = [int(m[1]) for m in map(re.compile(r"episode_(\d+)").fullmatch, file) if m]
        self.observation = seen
        self.spec = Spec.of(spaces.Dict(dict(_flat(seen))) if isinstance(seen, spaces.Dict) else seen, done)
        self.names = [f"episode_{n}" for n in sorted(numbers)]

    def read(self, name: str) -> Episode:
        """See `Source.read`."""
        where = f"{name} of {self.file}"
        with self._open() as file:
            group = file[name]
            paths = [f"observations/{k.replace('.', '/')}" for k in self.spec.obs.spaces]
            if not isinstance(self.observation, spaces.Dict):
                paths = ["observations"]
            obs = {k: _array(group, p, where) for k, p in zip(self.spec.obs.spaces, paths)}
            names = ("actions", "rewards", "terminations", "truncations")
            action, reward, terminated, truncated = (_array(group, k, where) for k in names)
            meta: dict[str, Any] = {"source": "minari", "episode": name}
            if "seed" in group.attrs:
                meta["seed"] = int(group.attrs["seed"])
        return Episode.of(self.spec, obs, action, reward, terminated, truncated, meta, where)

    def _open(self) -> Any:
        try:
            return need("h5py", "minari").File(self.file, "r")
        except OSError as error:
            raise DataError(f"{self.file} cannot be opened as HDF5: {error}", FIX) from error


def export(store: EpisodeStore, path: str | Path, dataset_id: str) -> Path:
    """Writes a store's episodes as a Minari data set.

    Args:
        store: the episodes.
        path: a folder that does not hold a data set yet.
        dataset_id: the name Minari will know it by, e.g. "craik/bounce-v0".

    Raises:
        DataError: if there is a data set already.
    """
    folder = Path(path) / "data"
    if (folder / "main_data.hdf5").exists():
        raise DataError(f"{path} holds a data set already", "choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    with need("h5py", "minari").File(folder / "main_data.hdf5", "w", track_order=True) as file:
        for number, id in enumerate(store.ids):
            episode, group = store.read(id), file.create_group(f"episode_{number}")
            group.attrs.update({"id": number, "total_steps": episode.num_steps})
            columns = {
                "actions": episode.action,
                "rewards": episode.reward,
                "terminations": episode.terminated,
                "truncations": episode.truncated,
            }
            for name, x in (columns | {f"observations/{k}": v for k, v in episode.obs.items()}).items():
                group.create_dataset(name, data=x)
    about = {
        "total_episodes": len(store),
        "total_steps": store.num_steps,
        "data_format": "hdf5",
        "dataset_id": dataset_id,
        "observation_space": json.dumps(_describe(store.spec.obs)),
        "action_space": json.dumps(_describe(store.spec.action)),
    }
    durable.write(folder / "metadata.json", json.dumps(about).encode())
    return folder


def _locate(path: Path) -> Path:
    for file in (path, path / "main_data.hdf5", path / "data" / "main_data.hdf5"):
        if file.is_file():
            return file
    raise DataError(f"{path} is no Minari data set: there is no data/main_data.hdf5", "give the data set's folder")


def _about(file: Path) -> dict[str, Any]:
    beside = file.with_name("metadata.json")
    if not beside.exists():
        return {}
    try:
        about = json.loads(beside.read_bytes())
        return dict(about)
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{beside} cannot be understood: {error}", FIX) from error


def _space(about: dict[str, Any], file: Any, key: str, where: Path) -> spaces.Space:
    """A space, from metadata.json or, in older data sets, from the HDF5 file."""
    text = about.get(key, file.attrs.get(key))
    if text is None:
        raise DataError(
            f"{where} does not say its {key}", "load and save it again with a Minari of version 0.5 or later"
        )
    try:
        return _parse(json.loads(text))
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        raise DataError(f"the {key} of {where} cannot be understood: {error!r}", FIX) from error


def _parse(d: dict[str, Any]) -> spaces.Space:
    kind = d["type"]
    if kind == "Dict":
        return spaces.Dict({k: _parse(v) for k, v in d["subspaces"].items()})
    if kind == "Tuple":
        return spaces.Tuple([_parse(v) for v in d["subspaces"]])
    if kind == "Box":
        dtype = np.dtype(d["dtype"])
        return spaces.Box(np.array(d["low"], dtype), np.array(d["high"], dtype), tuple(d["shape"]), dtype.type)
    if kind == "Discrete":
        return spaces.Discrete(int(d["n"]), start=int(d["start"]))
    if kind == "MultiDiscrete":
        return spaces.MultiDiscrete(d["nvec"])
    raise ValueError(f"there is no reading a {kind} space")


def _describe(space: spaces.Space) -> dict[str, Any]:
    if isinstance(space, spaces.Dict):
        return {"type": "Dict", "subspaces": {k: _describe(v) for k, v in space.spaces.items()}}
    if isinstance(space, spaces.Discrete):
        return {"type": "Discrete", "dtype": "int64", "start": int(space.start), "n": int(space.n)}
    if isinstance(space, spaces.MultiDiscrete):
        return {"type": "MultiDiscrete", "dtype": "int64", "nvec": space.nvec.tolist()}
    assert isinstance(space, spaces.Box)
    bounds = {"low": space.low.tolist(), "high": space.high.tolist()}
    return {"type": "Box", "dtype": str(space.dtype), "shape": list(space.shape), **bounds}


def _flat(space: spaces.Dict, prefix: str = "") -> Iterator[tuple[str, spaces.Space]]:
    for name, each in space.spaces.items():
        if isinstance(each, spaces.Dict):
            yield from _flat(each, f"{prefix}{name}.")
        else:
            yield prefix + name, each


def _array(group: Any, name: str, where: str) -> np.ndarray:
    """An array that lies in this very file: HDF5 can point to other files, and those were not given to us."""
    h5py = need("h5py", "minari")
    for each in name.split("/"):
        link = group.get(each, getlink=True) if isinstance(group, h5py.Group) and each in group else None
        if not isinstance(link, h5py.HardLink):
            raise DataError(f"{where} has no {name}" if link is None else f"{name} of {where} is a link elsewhere", FIX)
        group = group[each]
    if not isinstance(group, h5py.Dataset) or group.is_virtual or group.external:
        raise DataError(f"{name} of {where} is no array in this file", FIX)
    if group.nbytes > MAX_BYTES:
        raise DataError(f"{name} of {where} would take {group.nbytes:,} bytes, at most {MAX_BYTES:,} do", FIX)
    try:
        return group[()]
    except OSError as error:
        raise DataError(f"{name} of {where} cannot be read: {error}", FIX) from error
