"""LeRobot data sets, format v3 (parquet and mp4): reading the format without the library.

    PATH/meta/info.json                               features, fps, where the files are
         meta/episodes/chunk-*/file-*.parquet         one row per episode: which files, which seconds of which video
         data/chunk-000/file-000.parquet              one row per frame
         videos/KEY/chunk-000/file-000.mp4            many episodes one after the other

Everything is looked up by `episode_index`, `frame_index` and timestamps, never by position: a gap in the rows would
silently give every later episode another one's data.

A LeRobot episode is N frames, each with the action that left it. The last action's arrival was not recorded, so an
episode of craik's has the N observations and the N - 1 actions between them.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from PIL import Image

from craik.core.errors import DataError
from craik.core.spec import Spec
from craik.data import frames
from craik.data.episode import Episode
from craik.data.extra import need
from craik.data.source import Source

PREFIX = "observation."
FIX = "download the data set again; if you recorded it, call dataset.finalize() before you copy it"
PLACE = ("data/chunk_index", "data/file_index")


class LeRobot(Source):
    """A LeRobot v3 data set. Observations keep their names, without "observation.".

    Args:
        path: its folder.

    Raises:
        DataError: if it is none, of another version, or damaged.
        SpecError: if a feature is of a kind that craik does not take.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.info = _info(self.path)
        self.rate = self.fps = float(self.info["fps"])
        features = self.info["features"]
        self.seen = {k: f for k, f in features.items() if k.startswith(PREFIX) and f["dtype"] != "string"}
        if not self.seen or "action" not in features:
            raise DataError(f"{self.path} has no observations or no action among its features", FIX)
        obs = spaces.Dict({k.removeprefix(PREFIX): _space(f) for k, f in self.seen.items()})
        self.spec = Spec.of(obs, _space(features["action"]))
        self._rows = self._episodes()
        self.names = [str(i) for i in sorted(self._rows)]

    def read(self, name: str) -> Episode:
        """See `Source.read`."""
        row, where = self._rows[int(name)], f"episode {name} of {self.path}"
        table = self._table(row, where)
        count = len(table["frame_index"])
        if count < 2:
            raise DataError(f"{where} has {count} frames; an episode is at least two", "leave it out")
        obs = {k.removeprefix(PREFIX): self._observation(k, row, table, where) for k in self.seen}
        steps = count - 1
        reward = table.get("next.reward", np.zeros(count)).reshape(count)[:steps]
        terminated = table.get("next.done", np.zeros(count)).reshape(count)[:steps].astype(bool)
        truncated = (np.arange(steps) == steps - 1) & ~terminated
        meta = {"source": "lerobot", "episode_index": int(name), "tasks": row.get("tasks") or []}
        return Episode.of(self.spec, obs, table["action"][:steps], reward, terminated, truncated, meta, where)

    def _episodes(self) -> dict[int, dict[str, Any]]:
        """Rows of meta/episodes by episode index, without the statistics."""
        rows: dict[int, dict[str, Any]] = {}
        for file in sorted((self.path / "meta" / "episodes").rglob("*.parquet")):
            for row in _parquet(file, skip="stats/").to_pylist():
                if row["episode_index"] in rows:
                    raise DataError(f"{file} has episode {row['episode_index']} a second time", FIX)
                rows[row["episode_index"]] = row
        if not rows:
            raise DataError(f"{self.path} has no episodes in meta/episodes", FIX)
        return rows

    def _table(self, row: dict[str, Any], where: str) -> dict[str, np.ndarray]:
        """The frames of an episode, column by column, in the order of `frame_index`."""
        file = self._inside("data_path", chunk_index=row[PLACE[0]], file_index=row[PLACE[1]])
        table = _parquet(file, filters=[("episode_index", "=", row["episode_index"])]).sort_by("frame_index")
        index = table["frame_index"].to_numpy()
        if not np.array_equal(index, np.arange(row["length"])):
            raise DataError(
                f"{where} should have frames 0 .. {row['length'] - 1}, {file} has {len(index)} of them", FIX
            )
        columns = {}
        for name, feature in self.info["features"].items():
            if name in table.column_names and feature["dtype"] not in ("video", "string"):
                column = table[name].to_pylist()
                columns[name] = _images(column, where) if feature["dtype"] == "image" else np.array(column)
        return columns

    def _observation(self, key: str, row: dict[str, Any], table: dict[str, np.ndarray], where: str) -> np.ndarray:
        shape = self.spec.obs.spaces[key.removeprefix(PREFIX)].shape or ()
        if self.seen[key]["dtype"] == "video":
            return self._video(key, row, shape, where)
        if key not in table:
            raise DataError(f"{where} has no {key}", FIX)
        return table[key].reshape(len(table[key]), *shape)

    def _video(self, key: str, row: dict[str, Any], shape: tuple[int, ...], where: str) -> np.ndarray:
        """The frames of an episode out of a file that holds many, by their times."""
        place = {k: row[f"videos/{key}/{k}"] for k in ("chunk_index", "file_index")}
        start, stop = (row[f"videos/{key}/{k}_timestamp"] for k in ("from", "to"))
        file = self._inside("video_path", video_key=key, **place)
        count = row["length"]
        out, found = np.zeros((count, *shape), np.uint8), np.zeros(count, bool)
        for time, frame in frames.decode(file, shape[0], shape[1], start, stop, slack=0.5 / self.rate):
            number = round((time - start) * self.rate)
            if 0 <= number < count:
                out[number], found[number] = frame, True
        if not found.all():
            lost = np.flatnonzero(~found)
            raise DataError(f"{where}: {file} lacks {len(lost)} frames of {key}, the first is frame {lost[0]}", FIX)
        return out

    def _inside(self, key: str, **place: Any) -> Path:
        """A file by the pattern in info.json, which must not lead out of the folder."""
        file = self.path / str(self.info[key]).format(**place)
        if not file.resolve().is_relative_to(self.path.resolve()):
            raise DataError(f"{key} of {self.path}/meta/info.json leads out of the data set: {file}", FIX)
        return file


def _info(path: Path) -> dict[str, Any]:
    file = path / "meta" / "info.json"
    try:
        info = json.loads(file.read_bytes())
        version = str(info["codebase_version"])
        wanted = {"fps", "features", "data_path"} - set(info)
    except FileNotFoundError as error:
        raise DataError(f"{path} is no LeRobot data set: there is no meta/info.json", "give its folder") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{file} cannot be understood: {error!r}", FIX) from error
    if not version.startswith("v3."):
        fix = "convert it with LeRobot: python -m lerobot.scripts.convert_dataset_v21_to_v30"
        raise DataError(f"{path} is in LeRobot format {version}; craik reads v3", fix)
    if wanted:
        raise DataError(f"{file} has no {', '.join(sorted(wanted))}", FIX)
    return info


def _space(feature: dict[str, Any]) -> spaces.Box:
    shape = tuple(int(n) for n in feature["shape"])
    if feature["dtype"] not in ("video", "image"):
        return spaces.Box(-np.inf, np.inf, shape, np.float32)
    names = [str(n) for n in feature.get("names") or ()]
    if names and names[0].startswith("channel"):
        shape = (*shape[1:], shape[0])
    return spaces.Box(0, 255, (shape[0], shape[1], 3), np.uint8)


def _parquet(file: Path, skip: str | None = None, **options: Any) -> Any:
    pyarrow, parquet = need("pyarrow", "lerobot"), need("pyarrow.parquet", "lerobot")
    try:
        if skip is not None:
            options["columns"] = [c for c in parquet.read_schema(file).names if not c.startswith(skip)]
        return parquet.read_table(file, partitioning=None, **options)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{file} cannot be read: {error}", FIX) from error


def _images(column: list[dict[str, Any]], where: str) -> np.ndarray:
    """Frames that lie in the table itself, as encoded images: [N, h, w, 3] uint8."""
    out = []
    for number, each in enumerate(column):
        try:
            image = Image.open(io.BytesIO(each["bytes"]), formats=("PNG", "JPEG"))
            if image.width * image.height > frames.MAX_PIXELS:
                raise DataError(f"frame {number} of {where} is {image.width} x {image.height}", "scale it down")
            out.append(np.asarray(image.convert("RGB")))
        except (OSError, TypeError, KeyError, Image.DecompressionBombError) as error:
            raise DataError(f"frame {number} of {where} is no image: {error!r}", FIX) from error
    return np.stack(out)
