"""Axis E: what imagining costs: time, memory, arithmetic and, where it can be read, energy."""

from __future__ import annotations

import dataclasses
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from craik.core import tree
from craik.core.state import State
from craik.eval.card.exam import Exam
from craik.eval.card.score import Score
from craik.eval.card.subject import Subject

BATCHES = (1, 64)
"""Rows imagined at once."""

RAPL = Path("/sys/class/powercap/intel-rapl:0/energy_uj")
"""Where Linux counts the microjoules of the first processor (Running Average Power Limit)."""


@dataclasses.dataclass(frozen=True)
class Machine:
    """On what a time was taken; a time without it means nothing.

    Attributes:
        processor: its name.
        threads: of torch.
        load: processes that wanted to run in the last minute; above the number of cores, wall time is not the model's.
    """

    processor: str
    threads: int
    load: float

    @staticmethod
    def here() -> Machine:
        """This one, now."""
        name, told = platform.processor() or platform.machine(), Path("/proc/cpuinfo")
        if told.is_file():
            named = [x.partition(":")[2].strip() for x in told.read_text().splitlines() if x.startswith("model name")]
            name = named[0] if named else name
        return Machine(name, torch.get_num_threads(), os.getloadavg()[0])

    def __str__(self) -> str:
        return f"{self.processor}, {self.threads} threads, {os.cpu_count()} cores, load {self.load:.1f}"


@dataclasses.dataclass(frozen=True)
class Times:
    """Seconds of single steps.

    Attributes:
        wall: [repeats, steps] as a clock on the wall has it.
        work: [repeats, steps] as the processor was busy with them, all threads together.
    """

    wall: np.ndarray
    work: np.ndarray


def cost_scores(
    subject: Subject,
    exam: Exam,
    *,
    checkpoint: Path | None = None,
    steps: int = 200,
    repeats: int = 5,
    warm: int = 10,
) -> list[Score]:
    """`cost.steps@B`, `cost.work@B`, `cost.latency_p50`, `cost.latency_p95`, `cost.parameters`, `cost.bytes`, ...

    Values are the repeats'; each is a median over its steps, so that one hiccup costs nothing. They are good for
    comparing models on one machine at one time and for nothing else.

    Args:
        subject: whose.
        exam: lends moments and actions.
        checkpoint: a saved model, for its size; without one, that of its numbers in memory.
        steps: of a repeat.
        repeats: how many.
        warm: steps before the clock starts.
    """
    machine = Machine.here()
    scores = []
    for batch in BATCHES:
        taken = clock(subject, exam, batch, steps=steps, repeats=repeats, warm=warm)
        wall, work = (batch / np.maximum(np.median(x, 1), 1e-9) for x in (taken.wall, taken.work))
        scores.append(_score(f"steps@{batch}", wall, True, f"imagined steps a second at batch {batch}; on {machine}"))
        scores.append(_score(f"work@{batch}", work, True, f"steps a second of processor time at batch {batch}"))
        if batch == 1:
            for part in (50, 95):
                late = 1e3 * np.percentile(taken.wall, part, axis=1)
                says = f"milliseconds of one step at batch 1, {part} % are faster; on {machine}"
                scores.append(_score(f"latency_p{part}", late, False, says))
    numbers = [*subject.model.parameters(), *subject.model.buffers()]
    held = sum(x.numel() * x.element_size() for x in numbers)
    size = sum(f.stat().st_size for f in _files(checkpoint)) if checkpoint else held
    count = sum(p.numel() for p in subject.model.parameters())
    scores += [
        _score("parameters", np.array([count]), False, "numbers that are learned"),
        _score("bytes", np.array([size]), False, "of the checkpoint" if checkpoint else "of its numbers in memory"),
        _score("flops", np.array([flops(subject, exam)]), False, "multiplications and additions of one step, counted"),
        _score("joules", joules(subject, exam, steps), False, energy_says()),
    ]
    return scores


def clock(subject: Subject, exam: Exam, batch: int, *, steps: int, repeats: int, warm: int) -> Times:
    """Times `repeats` rollouts of `steps` steps, one by one, from beliefs of the exam."""
    go = _walker(subject, exam, batch)
    for t in range(warm):
        go(t)
    wall, work = np.zeros((repeats, steps)), np.zeros((repeats, steps))
    for r in range(repeats):
        for t in range(steps):
            begun, busy = time.perf_counter(), time.process_time()
            go(t)
            wall[r, t], work[r, t] = time.perf_counter() - begun, time.process_time() - busy
    return Times(wall, work)


def flops(subject: Subject, exam: Exam) -> int:
    """Floating-point operations of one imagined step at batch 1, of matrix products, convolutions and attention."""
    go = _walker(subject, exam, 1)
    with FlopCounterMode(display=False) as counted:
        go(0)
    return int(counted.get_total_flops())


def joules(subject: Subject, exam: Exam, steps: int) -> np.ndarray:
    """[1] joules a step at batch 1 beyond those of doing nothing as long; NaN where no counter can be read.

    The counter is the whole processor's: on a shared machine it counts what others do as well.
    """
    if not os.access(RAPL, os.R_OK):
        return np.full(1, np.nan)
    full, go = int(RAPL.with_name("max_energy_range_uj").read_text()), _walker(subject, exam, 1)
    begun, before = time.perf_counter(), int(RAPL.read_text())
    for t in range(steps):
        go(t)
    between, busy = time.perf_counter() - begun, int(RAPL.read_text())
    time.sleep(between)
    after = int(RAPL.read_text())
    return np.array([((busy - before) % full - (after - busy) % full) / 1e6 / steps])


def energy_says() -> str:
    """What `cost.joules` is here."""
    return "joules of one step, less those of idling" if os.access(RAPL, os.R_OK) else "joules: not available here"


def _walker(subject: Subject, exam: Exam, batch: int) -> Callable[[int], None]:
    """A function that imagines one step further, and waits until it is done."""
    rows = torch.arange(batch) % len(exam.states)
    actions = exam.actions[rows, 0].to(subject.model.device)
    here: list[State] = [tree.index(subject.believe(exam), rows.to(subject.model.device))]
    source = subject.generator()

    @torch.no_grad()
    def go(t: int) -> None:
        here[0] = subject.model.step(here[0], actions[:, t % actions.shape[1]], generator=source)
        if actions.is_cuda:
            torch.cuda.synchronize()

    return go


def _files(path: Path) -> list[Path]:
    return [f for f in path.rglob("*") if f.is_file()] if path.is_dir() else [path]


def _score(name: str, values: np.ndarray, more: bool, says: str) -> Score:
    return Score(f"cost.{name}", "E", np.asarray(values, float), more=more, says=says)
