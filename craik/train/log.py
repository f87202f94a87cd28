"""What a run tells: progress reports to whoever listens, JSON lines always, TensorBoard for those who have it."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from craik.core.errors import CraikError, DataError


@dataclasses.dataclass(frozen=True)
class Progress:
    """Where a run stands.

    Attributes:
        phase: "prefill", "train" or "done".
        steps: environment steps taken, of `total_steps` (0 when training from a data set).
        updates: optimiser updates made, of `total_updates`.
        losses: name -> mean since the last report; with `total` and `grad_norm`.
        returns: mean return of the last 10 whole episodes gathered; None before the first.
        episodes: whole episodes gathered.
        figures: what the periodic evaluation said, if it has just run.
        env_rate: environment steps per second, while gathering.
        train_rate: updates per second, while learning.
        eta: seconds until done, from the pace since this process began; None before it can be told.
        seconds: since this process began training.
    """

    phase: str
    steps: int
    total_steps: int
    updates: int
    total_updates: int
    losses: Mapping[str, float]
    returns: float | None
    episodes: int
    figures: Mapping[str, float]
    env_rate: float
    train_rate: float
    eta: float | None
    seconds: float


class Listener(Protocol):
    """Whoever wants to know: called with each report, in the training thread, so it should be quick."""

    def __call__(self, progress: Progress) -> None:
        """Takes notice."""


class Meter:
    """Gathers what a report says: means of losses, returns, paces. Times are monotonic."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.returns: deque[float] = deque(maxlen=10)
        self.episodes = 0
        self._sums: dict[str, float] = {}
        self._count = 0
        self._gathering = self._learning = 0.0
        self._steps = self._updates = 0
        self._first: tuple[int, int] | None = None

    def gathered(self, steps: int, seconds: float) -> None:
        """Notes environment steps taken."""
        self._steps += steps
        self._gathering += seconds

    def learned(self, losses: Mapping[str, float], seconds: float) -> None:
        """Notes an update."""
        for name, value in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._count += 1
        self._updates += 1
        self._learning += seconds

    def episode(self, total: float) -> None:
        """Notes the return of a whole episode."""
        self.returns.append(total)
        self.episodes += 1

    def report(
        self, phase: str, steps: tuple[int, int], updates: tuple[int, int], figures: Mapping[str, float]
    ) -> Progress:
        """A report, with (done, of) steps and updates; the means begin anew."""
        now = time.monotonic() - self.began
        done, of = updates if updates[1] else steps
        self._first = self._first or (done, of)
        fresh = done - self._first[0]
        losses = {k: v / self._count for k, v in self._sums.items()} if self._count else {}
        self._sums, self._count = {}, 0
        return Progress(
            phase,
            *steps,
            *updates,
            losses,
            sum(self.returns) / len(self.returns) if self.returns else None,
            self.episodes,
            figures,
            self._steps / self._gathering if self._gathering else 0.0,
            self._updates / self._learning if self._learning else 0.0,
            now * (of - done) / fresh if fresh else None,
            now,
        )

    def state_dict(self) -> dict[str, Any]:
        """What outlives a process, ready for JSON: the last returns, the number of episodes, sums since a report."""
        return {
            "returns": list(self.returns),
            "episodes": self.episodes,
            "sums": dict(self._sums),
            "count": self._count,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Undoes `state_dict`."""
        self.returns.extend(state["returns"])
        self.episodes = state["episodes"]
        self._sums, self._count = dict(state["sums"]), state["count"]


class JsonLines:
    """Appends one line of JSON a report, and one an event, to a file.

    Args:
        file: e.g. `log.jsonl` of a run.
    """

    def __init__(self, file: Path):
        self.file = file
        if file.exists():  # a line torn by a kill would swallow the next one
            os.truncate(file, file.read_bytes().rfind(b"\n") + 1)

    def __call__(self, progress: Progress) -> None:
        """Writes a report."""
        self._write(dataclasses.asdict(progress))

    def event(self, name: str, **facts: Any) -> None:
        """Writes that something happened."""
        self._write({"event": name, **facts})

    def _write(self, record: Mapping[str, Any]) -> None:
        with self.file.open("a") as out:
            out.write(json.dumps(_finite(record), allow_nan=False) + "\n")


class TensorBoard:
    """Writes losses, returns, figures and paces for TensorBoard, by update.

    Args:
        folder: where.

    Raises:
        CraikError: if TensorBoard is not installed.
    """

    def __init__(self, folder: Path):
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise CraikError("TensorBoard is not installed", "pip install 'craik[tensorboard]'") from error
        self.writer = SummaryWriter(str(folder))

    def __call__(self, progress: Progress) -> None:
        """Writes a report."""
        named = {f"loss/{k}": v for k, v in progress.losses.items()}
        named |= {f"eval/{k}": v for k, v in progress.figures.items()}
        named |= {"pace/env": progress.env_rate, "pace/train": progress.train_rate}
        if progress.returns is not None:
            named["return"] = progress.returns
        for name, value in named.items():
            self.writer.add_scalar(name, value, progress.updates)
        self.writer.flush()


def read(file: Path) -> list[dict[str, Any]]:
    """The lines of a log, without what a resumption made again or went on from, and without a torn last line.

    Raises:
        DataError: if a line before the last is not JSON.
    """
    lines = file.read_bytes().split(b"\n")
    records: list[dict[str, Any]] = []
    for number, line in enumerate(lines[:-1], 1):
        try:
            record = json.loads(line)
        except ValueError as error:
            raise DataError(f"{file} line {number} is not JSON: {error}", "delete that line") from error
        if record.get("event") == "resume":
            records = [r for r in records if r.get("updates", 0) <= record["updates"] and r.get("phase") != "done"]
        records.append(record)
    return records


def _finite(value: Any) -> Any:
    """Numbers JSON can hold: those that are not finite become strings."""
    if isinstance(value, Mapping):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
