"""Data sets of other makers, read episode by episode, and bringing them into a store."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from pathlib import Path

from craik.core.errors import DataError
from craik.core.spec import Spec
from craik.data.episode import Episode
from craik.data.repair import Problem
from craik.data.store import EpisodeStore


class Source(ABC):
    """Episodes that lie somewhere in another format.

    Attributes:
        path: where.
        spec: the world they are from.
        fps: steps a second; None where the format does not say.
        names: the episodes, in order.
    """

    path: Path
    spec: Spec
    fps: float | None
    names: list[str]

    @abstractmethod
    def read(self, name: str) -> Episode:
        """One of the episodes.

        Raises:
            DataError: naming the file or episode and what is wrong with it.
        """


@dataclasses.dataclass(frozen=True)
class Imported:
    """What came in: the store's path, episodes and steps that did, and a problem for each episode that did not."""

    path: str
    num_episodes: int
    num_steps: int
    problems: tuple[Problem, ...]

    def __len__(self) -> int:
        return self.num_episodes


def bring(source: Source, target: str | Path) -> Imported:
    """Copies a source into a new store. An episode that is not sound is left out and named; the others come in.

    Raises:
        DataError: if the target is there already, cannot be written, or nothing at all could be read.
    """
    problems: list[Problem] = []
    with EpisodeStore.create(target, source.spec, fps=source.fps) as store:
        for name in source.names:
            try:
                episode = source.read(name)
                episode.check(source.spec, f"{name} of {source.path}")
            except DataError as error:
                problems.append(Problem(name, error.what, error.fix))
                continue
            store.append(episode)
    if not len(store):
        causes = "; ".join(p.cause for p in problems[:3]) or "it holds none"
        raise DataError(f"no episode of {source.path} could be read: {causes}", "see what the file should hold")
    return Imported(str(target), len(store), store.num_steps, tuple(problems))
