"""A run directory under signals, kills, a second process and a full disk."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import pytest
import torch

from craik.core import registry
from craik.train import checkpoint, log, loop
from craik.train.checkpoint import DiskFull, IncompleteCheckpoint
from craik.train.learner import module_tensors
from craik.train.lock import Lock, RunLocked, boot_id, holder
from craik.train.run import load
from craik.train.start import learn
from tests.train import toy_recipe

pytestmark = pytest.mark.faults

ROOT = Path(toy_recipe.__file__).parents[2]

CHILD = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from tests.train import toy_recipe
toy_recipe.enter()
from craik.train.start import learn
def tell(progress):
    print(progress.phase, progress.updates, flush=True)
learn("toy", "Pendulum-v1", steps=int(sys.argv[2]), dir=sys.argv[1], every=40, progress=tell)
"""


@pytest.fixture(autouse=True)
def _toy(monkeypatch):
    monkeypatch.setattr(registry, "where", registry.where)
    toy_recipe.enter()


def start(path, steps=100_000):
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), str(steps)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (line := child.stdout.readline()).startswith("train"):
        assert line, child.stderr.read()
    return child


def drain(child):
    threading.Thread(target=child.stdout.read, daemon=True).start()


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGUSR1, 138)])
def test_a_signal_saves_and_leaves_with_its_code(tmp_path, signum, code):
    child = start(tmp_path / "run")
    child.send_signal(signum)
    out, err = child.communicate(timeout=60)
    assert child.returncode == code, err
    done = max(int(line.split()[1]) for line in out.splitlines() or ["train 25"])
    run = load(tmp_path / "run")
    assert run.updates >= done
    again = learn("toy", "Pendulum-v1", steps=run.steps + 40, dir=tmp_path / "run", every=40)
    assert again.updates > run.updates


def test_a_second_interrupt_leaves_at_once(tmp_path):
    code = """
import os, signal, time
from craik.train.stop import Signals
with Signals():
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=50, check=False).returncode == 130


def test_killed_and_resumed_a_run_equals_one_that_was_not(tmp_path):
    child = start(tmp_path / "run", steps=1000)
    drain(child)
    while not (tmp_path / "run" / "checkpoints" / "step-00000080").exists():
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert holder(tmp_path / "run") is None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an unfinished checkpoint may be about
        killed = learn("toy", "Pendulum-v1", steps=1000, dir=tmp_path / "run", every=40)
    whole = learn("toy", "Pendulum-v1", steps=1000, every=40)
    for key, value in module_tensors(whole.model).items():
        assert torch.equal(value, module_tensors(killed.model)[key]), key
    updates = [r["updates"] for r in log.read(tmp_path / "run" / "log.jsonl") if r.get("phase") == "train"]
    assert updates == list(range(25, 226, 25))


def test_a_second_process_is_told_who_holds_the_run(tmp_path):
    child = start(tmp_path / "run")
    drain(child)
    try:
        assert holder(tmp_path / "run") == child.pid
        with pytest.raises(RunLocked, match=f"pid {child.pid}"):
            learn("toy", "Pendulum-v1", steps=200, dir=tmp_path / "run")
    finally:
        child.kill()
        child.wait()


def test_a_stale_lock_is_taken_over(tmp_path):
    for stale in ({"pid": 2**22 - 1, "boot": boot_id()}, {"pid": os.getpid(), "boot": "another"}):
        (tmp_path / "lock").write_text(json.dumps(stale))
        assert holder(tmp_path) is None
        with Lock(tmp_path):
            assert holder(tmp_path) == os.getpid()
            with pytest.raises(RunLocked), Lock(tmp_path):
                pass
        assert holder(tmp_path) is None


def test_a_full_disk_is_lived_with_twice(tmp_path, monkeypatch):
    path, save, calls = tmp_path / "run", checkpoint.save, []

    def full_for_two(*args, **options):
        calls.append(1)
        if len(calls) in (2, 3):
            raise DiskFull("no space", "make some")
        return save(*args, **options)

    monkeypatch.setattr(loop.checkpoint, "save", full_for_two)
    with pytest.warns(UserWarning, match="going on without this checkpoint"):
        run = learn("toy", "Pendulum-v1", dir=path, every=15)
    assert load(path).updates == run.updates == 75
    assert [r["updates"] for r in log.read(path / "log.jsonl") if r.get("event") == "no space"] == [30, 45]


def test_a_disk_that_stays_full_stops_the_run_and_keeps_what_there_is(tmp_path, monkeypatch):
    path = tmp_path / "run"
    learn("toy", "Pendulum-v1", steps=200, dir=path, every=10)
    before = load(path).updates
    fsync = os.fsync

    def full(handle):
        if "checkpoints" in os.readlink(f"/proc/self/fd/{handle}"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(handle)

    with monkeypatch.context() as patch, warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        patch.setattr(os, "fsync", full)
        with pytest.raises(DiskFull):
            learn("toy", "Pendulum-v1", steps=400, dir=path, every=10)
    assert sum("going on without" in str(w.message) for w in said) == 2
    assert load(path).updates == before
    assert checkpoint.unfinished(path / "checkpoints") == []


def test_only_unfinished_checkpoints_are_an_error_that_names_them(tmp_path):
    path = tmp_path / "run"
    learn("toy", "Pendulum-v1", steps=150, dir=path)
    for place in checkpoint.steps(path / "checkpoints"):
        (place / "MANIFEST.json").unlink()
        place.rename(path / "checkpoints" / f".tmp-{place.name}-1")
    with pytest.warns(UserWarning, match="never finished"), pytest.raises(IncompleteCheckpoint, match=r"\.tmp-step-"):
        load(path)
