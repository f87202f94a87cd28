"""Checkpoints under kills, broken files and full disks."""

import errno
import json
import multiprocessing
import os
import random
import time
import warnings

import pytest
import torch

from craik.core.errors import CheckpointError
from craik.train import checkpoint
from craik.train.checkpoint import DiskFull, IncompleteCheckpoint

pytestmark = pytest.mark.faults


def tensors(step: int, size: int = 1000):
    return {"model": {"w": torch.full((size,), float(step))}, "optimizer": {"w/mean": torch.arange(size) * step}}


def save(folder, step, **options):
    return checkpoint.save(folder, step, tensors(step), {"step": step}, **options)


FORK = multiprocessing.get_context("fork")  # a child that has torch already


def save_for_ever(folder, step, acknowledge):
    while True:
        step += 1
        checkpoint.save(folder, step, {"model": {"w": torch.full((200_000,), float(step))}}, {"step": step})
        acknowledge.send(step)


def test_killed_at_any_moment_no_acknowledged_checkpoint_is_lost(tmp_path):
    folder, chance, step = tmp_path / "checkpoints", random.Random(0), 0
    for _ in range(20):
        here, there = FORK.Pipe(duplex=False)
        child = FORK.Process(target=save_for_ever, args=(folder, step, there))
        child.start()
        there.close()
        for _ in range(chance.randint(1, 3)):
            step = here.recv()
        time.sleep(chance.random() * 0.02)
        child.kill()
        child.join()
        while here.poll():
            try:
                step = here.recv()
            except EOFError:
                break
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what was being written is still about
            place = checkpoint.newest(folder)
        assert checkpoint.step_of(place) in (step, step + 1)
        held, facts = checkpoint.read(place)
        step = facts["step"]
        assert torch.equal(held["model"]["w"], torch.full((200_000,), float(step)))


@pytest.mark.parametrize("happened", [False, True])
def test_a_rename_that_fails_leaves_the_older_ones_and_the_draft(tmp_path, monkeypatch, happened):
    save(tmp_path, 1)
    rename = os.rename

    def broken(old, new):
        if happened:
            rename(old, new)
        raise OSError(errno.EIO, "the disk said no")

    monkeypatch.setattr(os, "rename", broken)
    with pytest.raises(CheckpointError, match="the disk said no"):
        save(tmp_path, 2)
    if happened:
        assert checkpoint.step_of(checkpoint.newest(tmp_path)) == 2
        return
    (draft,) = checkpoint.unfinished(tmp_path)
    with pytest.warns(UserWarning, match="never finished"):
        assert checkpoint.step_of(checkpoint.newest(tmp_path)) == 1
    (draft / "MANIFEST.json").unlink()
    with pytest.raises(IncompleteCheckpoint, match=r"\.tmp-step-00000002"):
        checkpoint.read(draft)


def test_one_flipped_byte_is_found_and_the_one_before_is_used(tmp_path):
    save(tmp_path, 1)
    file = save(tmp_path, 2) / "model.safetensors"
    wanted = json.loads((file.parent / "MANIFEST.json").read_text())["files"]["model.safetensors"]["sha256"]
    data = bytearray(file.read_bytes())
    data[-7] ^= 1
    file.write_bytes(data)
    with pytest.raises(CheckpointError, match=rf"model\.safetensors is damaged: its sha256 is [0-9a-f]+.*{wanted}"):
        checkpoint.read(file.parent)
    with pytest.warns(UserWarning, match="damaged"):
        assert checkpoint.step_of(checkpoint.newest(tmp_path)) == 1
    assert save(tmp_path, 2).name == "step-00000002"  # the same step again: the damaged one gives way
    assert checkpoint.step_of(checkpoint.newest(tmp_path)) == 2


def test_a_missing_file_is_named(tmp_path):
    place = save(tmp_path, 1)
    (place / "optimizer.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"optimizer\.safetensors is missing"):
        checkpoint.read(place)


@pytest.mark.parametrize(
    "content", [b"", b'{"format": 1, "fi', b"[]", b'{"format": 1}', b'{"format": "x"}', b"\xff\x00"]
)
def test_a_broken_manifest_is_an_incomplete_checkpoint(tmp_path, content):
    save(tmp_path, 1)
    place = save(tmp_path, 2)
    (place / "MANIFEST.json").write_bytes(content)
    with pytest.raises(IncompleteCheckpoint, match="step-00000002"):
        checkpoint.read(place)
    with pytest.warns(UserWarning, match="step-00000002"):
        assert checkpoint.step_of(checkpoint.newest(tmp_path)) == 1


def test_a_manifest_from_the_future_says_which_version_it_needs(tmp_path):
    place = save(tmp_path, 1)
    manifest = json.loads((place / "MANIFEST.json").read_text())
    (place / "MANIFEST.json").write_text(json.dumps({**manifest, "format": 99, "craik": "9.1"}))
    with pytest.raises(CheckpointError, match=r"needs craik >= 9\.1"):
        checkpoint.verify(place)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_no_space_removes_only_what_was_being_written(tmp_path, monkeypatch, code):
    save(tmp_path, 1)

    def full(handle):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull, match="step-00000002"):
        save(tmp_path, 2)
    monkeypatch.undo()
    assert checkpoint.unfinished(tmp_path) == []
    assert checkpoint.step_of(checkpoint.newest(tmp_path)) == 1


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.EIO])
def test_what_cannot_be_written_is_an_error_and_never_a_success(tmp_path, monkeypatch, code):
    save(tmp_path, 1)

    def refuse(*args, **kwargs):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(checkpoint.Path, "mkdir", refuse)
    with pytest.raises(CheckpointError, match="cannot be written"):
        save(tmp_path, 2)
    monkeypatch.undo()
    assert [checkpoint.step_of(p) for p in checkpoint.steps(tmp_path)] == [1]


def test_what_does_not_read_back_is_an_error_and_deletes_nothing(tmp_path, monkeypatch):
    save(tmp_path, 1)
    save(tmp_path, 2)
    monkeypatch.setattr(checkpoint, "save_file", lambda held, file: file.write_bytes(b"x" * 10))
    digest = checkpoint._digest
    monkeypatch.setattr(checkpoint, "_digest", lambda f: "0" * 64 if ".tmp-" in str(f) else digest(f))
    with pytest.raises(CheckpointError, match="damaged"):
        save(tmp_path, 3)
    monkeypatch.undo()
    assert [checkpoint.step_of(p) for p in checkpoint.steps(tmp_path)] == [1, 2, 3]
    with pytest.warns(UserWarning, match="step-00000003"):
        assert checkpoint.step_of(checkpoint.newest(tmp_path)) == 2


def test_two_are_kept_and_a_directory_without_a_manifest_is_not_deleted(tmp_path):
    (tmp_path / "step-00000000").mkdir()
    for step in range(1, 6):
        save(tmp_path, step)
    assert [checkpoint.step_of(p) for p in checkpoint.steps(tmp_path)] == [0, 4, 5]
    assert (tmp_path / "latest").read_text() == "step-00000005\n"
    assert not list(tmp_path.glob(".t*"))
    with pytest.raises(CheckpointError, match="at least 2"):
        save(tmp_path, 6, keep=1)


def test_nan_is_not_saved(tmp_path):
    save(tmp_path, 1)
    with pytest.raises(CheckpointError, match="w holds NaN"):
        checkpoint.save(tmp_path, 2, {"model": {"w": torch.tensor([1.0, torch.nan])}}, {})
    assert checkpoint.unfinished(tmp_path) == []
    assert checkpoint.step_of(checkpoint.newest(tmp_path)) == 1


def test_tensors_that_share_memory_or_are_views_come_back_equal(tmp_path):
    x = torch.arange(12.0).reshape(3, 4)
    held = {"a": x, "b": x, "turned": x.T, "row": x[1], "empty": torch.zeros(0), "also_empty": torch.zeros(0, 2)}
    back, _ = checkpoint.read(checkpoint.save(tmp_path, 1, {"model": held}, {}))
    assert back["model"].keys() == held.keys()
    for key, value in held.items():
        assert torch.equal(back["model"][key], value), key
