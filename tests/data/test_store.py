import json
import os

import numpy as np
import pytest
from gymnasium import spaces

from craik.core.errors import DataError
from craik.data import durable
from craik.data.store import EpisodeStore, read_index
from tests.data.synthetic import box, make_episode, make_spec, same


@pytest.fixture
def store(tmp_path, spec):
    with EpisodeStore.create(tmp_path / "set", spec, fps=30) as store:
        yield store


@pytest.mark.parametrize(
    "spec",
    [
        make_spec(),
        make_spec(spaces.Discrete(4, start=2), pixels=spaces.Box(0, 255, (8, 8, 3), np.uint8), state=box(2)),
        make_spec(spaces.MultiDiscrete([2, 3]), key=spaces.Discrete(5)),
        make_spec(spaces.Box(-1, 1, (0,), np.float32)),
        make_spec(spaces.Box(np.array([-2, -1], np.float32), np.array([2, np.inf], np.float32))),
    ],
    ids=["box", "discrete", "multi", "no action", "uneven bounds"],
)
def test_what_goes_in_comes_out(tmp_path, spec):
    episodes = [make_episode(spec, steps, seed=steps, name=f"é{steps}") for steps in (1, 7, 30)]
    with EpisodeStore.create(tmp_path, spec, fps=20) as store:
        ids = [store.append(e) for e in episodes]
    again = EpisodeStore.open(tmp_path)
    assert again.ids == ids == ["ep-000000", "ep-000001", "ep-000002"]
    assert all(same(again.read(i), e) for i, e in zip(ids, episodes))
    assert again.spec.describe() == spec.describe()
    assert (again.fps, again.num_steps, len(again)) == (20, 38, 3)
    assert [e.steps for e in again.entries] == [1, 7, 30]


def test_another_reader_sees_what_was_there_and_a_writer_continues(store, spec):
    store.append(make_episode(spec, 3))
    reader = EpisodeStore.open(store.path)
    store.append(make_episode(spec, 4))
    store.close()
    assert reader.num_steps == 3
    assert reader.append(make_episode(spec, 5)) == "ep-000002"
    assert reader.num_steps == 12
    reader.close()


def test_a_second_writer_is_refused(store, spec):
    store.append(make_episode(spec, 3))
    other = EpisodeStore.open(store.path)
    with pytest.raises(DataError, match="another process is recording"):
        other.append(make_episode(spec, 3))
    store.close()
    assert other.append(make_episode(spec, 3)) == "ep-000001"
    other.close()


def test_read_only_means_it(store, spec):
    with pytest.raises(DataError, match="read only"):
        EpisodeStore.open(store.path, read_only=True).append(make_episode(spec, 3))
    assert not (store.path / "lock").exists()


def test_a_bad_episode_is_refused_and_costs_nothing(store, spec):
    store.append(make_episode(spec, 3))
    broken = make_episode(spec, 3)
    broken.reward[1] = np.nan
    before = sorted(p.name for p in store.path.rglob("*"))
    with pytest.raises(DataError, match=r"reward .* nan at step 1"):
        store.append(broken)
    assert sorted(p.name for p in store.path.rglob("*")) == before
    assert store.append(make_episode(spec, 3)) == "ep-000001"


def test_missing_existing_and_unknown(store, tmp_path, spec):
    with pytest.raises(DataError, match=r"no dataset\.json"):
        EpisodeStore.open(tmp_path / "nowhere")
    with pytest.raises(DataError, match="is a data set already"):
        EpisodeStore.create(store.path, spec)
    with pytest.raises(DataError, match="no episode 'ep-000009'"):
        store.read("ep-000009")


def test_a_torn_last_line_is_dropped_and_cut(store, spec):
    store.append(make_episode(spec, 3))
    second = make_episode(spec, 4)
    store.append(second)
    store.close()
    index = store.path / "index.jsonl"
    index.write_bytes(index.read_bytes()[:-5])
    again = EpisodeStore.open(store.path)
    assert again.ids == ["ep-000000"]
    assert again.append(second) == "ep-000002", "the unacknowledged file keeps its name"
    again.close()
    assert [e.id for e in read_index(store.path)[0]] == ["ep-000000", "ep-000002"]


def test_a_bad_line_inside_is_named(store, spec):
    for _ in range(3):
        store.append(make_episode(spec, 3))
    index = store.path / "index.jsonl"
    lines = index.read_bytes().splitlines(keepends=True)
    for bad in (b"}{\n", b'{"id": "../../etc/passwd", "steps": 1, "bytes": 1, "sha256": "", "meta": {}}\n'):
        index.write_bytes(b"".join([lines[0], bad, lines[2]]))
        with pytest.raises(DataError, match=r"index\.jsonl line 2.*\n  fix: craik data repair"):
            EpisodeStore.open(store.path)


def test_a_future_version_is_refused_in_words(store, spec):
    about = json.loads((store.path / "dataset.json").read_text())
    (store.path / "dataset.json").write_text(json.dumps(about | {"format": 99, "craik": "9.0"}))
    with pytest.raises(DataError, match=r"format 99, by craik 9\.0; this craik reads up to 1\n  fix: pip install"):
        EpisodeStore.open(store.path)
    for text in ("", "[]", '{"format": "x"}'):
        (store.path / "dataset.json").write_text(text)
        with pytest.raises(DataError, match="cannot be understood"):
            EpisodeStore.open(store.path)


@pytest.mark.parametrize("damage", ["truncate", "flip", "remove", "empty"])
def test_a_damaged_file_is_named_and_the_others_stay_readable(store, spec, damage):
    episodes = [make_episode(spec, 6, seed) for seed in range(3)]
    ids = [store.append(e) for e in episodes]
    file = store.file(ids[1])
    data = bytearray(file.read_bytes())
    if damage == "remove":
        file.unlink()
    else:
        data[len(data) // 2] ^= 1
        file.write_bytes({"truncate": data[:-9], "flip": data, "empty": b""}[damage])
    with pytest.raises(DataError, match=rf"{ids[1]}\.safetensors .*(\n.*)*fix: craik data repair {store.path}"):
        store.read(ids[1])
    assert same(store.read(ids[0]), episodes[0])
    assert same(store.read(ids[2]), episodes[2])


@pytest.mark.faults
@pytest.mark.parametrize("moment", ["write", "rename", "sync"])
def test_an_error_of_the_disk_is_raised_and_the_next_append_is_whole(store, spec, monkeypatch, moment):
    store.append(make_episode(spec, 3))

    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    if moment == "rename":
        monkeypatch.setattr("pathlib.Path.replace", fail)
    elif moment == "write":
        monkeypatch.setattr(durable, "write", fail)
    else:
        monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(DataError, match="No space left"):
        store.append(make_episode(spec, 4))
    monkeypatch.undo()
    episode = make_episode(spec, 5)
    assert same(store.read(store.append(episode)), episode)
    assert EpisodeStore.open(store.path).ids == store.ids
    assert len(store) == 2


@pytest.mark.faults
def test_a_half_written_line_is_cut_off_by_the_next_append(store, spec, monkeypatch):
    store.append(make_episode(spec, 3))
    real = os.fsync
    calls = []

    def fail_on_the_index(handle):
        calls.append(handle)
        if len(calls) == 3:  # file, folder, then the index: its line is already in the file
            raise OSError(5, "Input/output error")
        real(handle)

    monkeypatch.setattr(os, "fsync", fail_on_the_index)
    with pytest.raises(DataError, match="Input/output"):
        store.append(make_episode(spec, 4))
    monkeypatch.undo()
    index = store.path / "index.jsonl"
    index.write_bytes(index.read_bytes()[:-3])
    store.append(make_episode(spec, 5))
    assert EpisodeStore.open(store.path).ids == store.ids
    assert [store.read(i).num_steps for i in store.ids] == [3, 5]


@pytest.mark.faults
@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_raises(store, spec):
    store.path.chmod(0o500)
    try:
        with pytest.raises(DataError, match="cannot be written"):
            store.append(make_episode(spec, 3))
        with pytest.raises(DataError, match="cannot be written"):
            EpisodeStore.create(store.path / "inner", spec)
    finally:
        store.path.chmod(0o700)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a folder that nobody may write")
def test_a_folder_that_nobody_may_write_raises(spec):
    with pytest.raises(DataError, match="cannot be written"):
        EpisodeStore.create("/proc/set", spec)


def test_a_folder_that_is_a_file_raises(tmp_path, spec):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        EpisodeStore.create(tmp_path / "file" / "set", spec)
