"""A folder of video files as episodes without actions: what passive and latent-action models learn from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gymnasium import spaces

from craik.core.errors import DataError
from craik.core.spec import Spec
from craik.data import frames
from craik.data.episode import Episode
from craik.data.source import Source

NO_ACTION = spaces.Box(-1.0, 1.0, (0,), np.float32)
"""The action space of a world that is only watched: vectors of no numbers."""


class Videos(Source):
    """Each video file of a folder is an episode: `pixels`, an action of no numbers, no reward, truncated at its end.

    Args:
        path: the folder; its sub-folders count.
        size: pixels of a side, to which frames are scaled; None for the first file's own width and height, which the
            others must then share.

    Raises:
        DataError: if there is no video in it, or the first one cannot be read.
    """

    def __init__(self, path: str | Path, size: int | None = None):
        self.path = Path(path)
        files = sorted(p for p in self.path.rglob("*") if p.suffix.lower() in frames.CONTAINERS)
        if not files:
            kinds = ", ".join(frames.CONTAINERS)
            raise DataError(f"{path} holds no video files ({kinds})", "give the folder that holds them")
        self.names = [str(p.relative_to(self.path)) for p in files]
        first = frames.probe(files[0])
        self.size, self.fps = size, first.fps
        self.height, self.width = (size, size) if size is not None else (first.height, first.width)
        self.spec = Spec.of(spaces.Box(0, 255, (self.height, self.width, 3), np.uint8), NO_ACTION)

    def read(self, name: str) -> Episode:
        """See `Source.read`."""
        file = self.path / name
        clip = frames.probe(file)
        if self.size is None and (clip.height, clip.width) != (self.height, self.width):
            raise DataError(
                f"{file} is {clip.width} x {clip.height}, the first file is {self.width} x {self.height}",
                "choose one size for all: --size 64",
            )
        pixels = [x for _, x in frames.decode(file, self.height, self.width)]
        steps = len(pixels) - 1
        if steps < 1:
            raise DataError(f"{file} has {len(pixels)} frames; an episode is at least two", "leave it out")
        end = np.arange(steps) == steps - 1
        meta = {"source": "video", "file": name, "fps": clip.fps}
        action, zeros = np.zeros((steps, 0)), np.zeros(steps)
        return Episode.of(self.spec, {"pixels": np.stack(pixels)}, action, zeros, zeros, end, meta, str(file))
