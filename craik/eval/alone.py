"""One trial on one seed in a process of its own, with one thread: honest CPU minutes, and a crash is a result."""

from __future__ import annotations

import importlib
import json
import math
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path

import torch

import craik
from craik.data.durable import write
from craik.eval.check import Trial
from craik.eval.evidence import Record
from craik.eval.reach import fingerprint
from craik.train.run import environment

TOO_LONG = 3
"""Times its minutes after which a run is stopped."""

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")

_CHILD = "import sys; from craik.eval.alone import child; child(*sys.argv[1:])"


def run_alone(module: str, trial: Trial, seed: int) -> Record:
    """Runs a trial of a recipe's module on a seed in a new process, and says how it went.

    Returns:
        `figures` (name -> number), `error` (None, or what happened), `cpu_minutes` and `wall_minutes`, `code` (the
        fingerprint of what ran), `started`, `environment` (versions, commit, whether the checkout had changes, CPU).
    """
    started, begin = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="craik-verify-") as folder:
        answer, words = Path(folder) / "answer.json", Path(folder) / "words.txt"
        command = [sys.executable, "-c", _CHILD, module, trial.name, str(seed), str(answer)]
        with words.open("wb") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, **ONE_THREAD})  # noqa: S603
            try:
                code = process.wait(timeout=60 + 2 * TOO_LONG * 60 * trial.minutes)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
        if answer.exists():
            record = json.loads(answer.read_text())
        else:
            tail = words.read_text(errors="replace").strip().splitlines()[-5:]
            record = _silent(_ending(code, trial), tail, fingerprint(module, trial.world))
    return record | {"started": started, "wall_minutes": round((time.monotonic() - begin) / 60, 3)}


def child(module: str, name: str, seed: str, answer: str) -> None:
    """The other side: runs the trial here and writes the answer."""
    torch.set_num_threads(1)
    trial = next(t for t in importlib.import_module(module).CHECK.trials if t.name == name)
    code = fingerprint(module, trial.world)  # of what is imported now, before anybody changes it
    limit = int(TOO_LONG * trial.minutes * 60) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 30))
    figures: dict[str, float | None] = {}
    error = None
    try:
        found = {k: float(v) for k, v in trial.run(int(seed)).items()}
        figures = {k: v if math.isfinite(v) else None for k, v in found.items()}
    except Exception as problem:  # whatever a trial raises is its result, in words
        where = traceback.extract_tb(problem.__traceback__)[-1]
        error = f"{type(problem).__name__}: {problem} (at {Path(where.filename).name}:{where.lineno})"
    record = {
        "figures": figures,
        "error": error,
        "cpu_minutes": round(time.process_time() / 60, 3),
        "code": code,
        "environment": _surroundings(),
    }
    write(Path(answer), json.dumps(record, allow_nan=False).encode())


def _ending(code: int | None, trial: Trial) -> str:
    if code is None:
        return f"stopped after {2 * TOO_LONG * trial.minutes + 1:g} minutes without an end"
    if code == -signal.SIGXCPU:
        return f"stopped after {TOO_LONG * trial.minutes:g} CPU minutes, {TOO_LONG} times what it may take"
    return f"the process was killed by signal {-code}" if code < 0 else f"the process left with code {code}"


def _silent(ending: str, tail: list[str], code: str) -> Record:
    """The record of a run that could not answer."""
    error = "; ".join([ending, *tail])
    return {
        "figures": {},
        "error": error,
        "cpu_minutes": None,
        "code": code,
        "environment": _surroundings(),
    }


def _surroundings() -> dict:
    """Versions, commit, processor, and whether the checkout's code differs from its commit."""
    return environment() | {"dirty": _dirty()}


def _dirty() -> bool | None:
    """Whether craik's files differ from the commit; None if it is not a checkout."""
    root, git = Path(craik.__file__).parents[1], shutil.which("git")
    if git is None or not (root / ".git").exists():
        return None
    command = [git, "-C", str(root), "status", "--porcelain", "--", "craik"]
    return bool(subprocess.run(command, capture_output=True, check=True).stdout.strip())  # noqa: S603
