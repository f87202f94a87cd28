import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from craik.core.errors import DataError
from craik.data import mapped
from craik.data.repair import inspect, repair, verify
from craik.data.split import split
from craik.data.store import TEMPORARY, EpisodeStore, lock
from tests.data.synthetic import make_episode, make_spec, same


@pytest.fixture
def folder(tmp_path, spec):
    with EpisodeStore.create(tmp_path / "set", spec, fps=10) as store:
        for seed in range(4):
            store.append(make_episode(spec, 5 + seed, seed))
    return store.path


def snapshot(folder):
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_inspect(folder):
    seen = inspect(folder)
    assert (seen.num_episodes, seen.num_steps, seen.shortest, seen.longest, seen.fps) == (4, 26, 5, 8, 10)
    assert seen.num_bytes == sum(p.stat().st_size for p in (folder / "episodes").iterdir())
    assert seen.obs["state"]["shape"] == [3]


def test_a_sound_set_is_left_alone(folder):
    before = snapshot(folder)
    for report in (verify(folder), repair(folder)):
        assert (report.num_sound, report.problems) == (4, ())
    assert snapshot(folder) | {"lock": b""} == before | {"lock": b""}


def test_a_lost_index_is_rebuilt_to_the_last_byte(folder):
    index = folder / "index.jsonl"
    before = index.read_bytes()
    for damage in (None, b"", before[:-10], b"garbage\n" + before):
        index.unlink() if damage is None else index.write_bytes(damage)
        assert verify(folder).problems
        repair(folder)
        assert index.read_bytes() == before
        assert verify(folder).problems == ()


def write(file, episode, version=mapped.FORMAT, arrays=None):
    arrays = arrays or episode.arrays()
    meta = {"episode": str(version), "meta": "{}", "sha256": mapped.digest(arrays, "{}")}
    file.write_bytes(save(arrays, meta))


def test_what_is_bad_is_set_aside_and_named_and_nothing_is_lost(folder, spec):
    kept = EpisodeStore.open(folder).read("ep-000000")
    episodes = folder / "episodes"
    flipped = episodes / "ep-000001.safetensors"
    data = bytearray(flipped.read_bytes())
    data[-3] ^= 4
    flipped.write_bytes(data)
    truncated = episodes / "ep-000002.safetensors"
    truncated.write_bytes(truncated.read_bytes()[:-7])
    (episodes / "ep-000003.safetensors").unlink()
    write(episodes / "ep-000004.safetensors", make_episode(spec, 6))  # sound, never acknowledged
    shape = make_episode(make_spec(spec.action, state=make_spec().obs["state"]), 6)
    shape.obs["state"] = shape.obs["state"][:, :2].copy()
    write(episodes / "ep-000005.safetensors", shape)
    nan = make_episode(spec, 6)
    nan.obs["state"][3, 1] = np.nan
    write(episodes / "ep-000006.safetensors", nan)
    one = make_episode(spec, 6)
    arrays = {k: v[: 1 if k.startswith("obs") else 0] for k, v in one.arrays().items()}
    write(episodes / "ep-000007.safetensors", one, arrays=arrays)
    (episodes / TEMPORARY).write_bytes(b"half")
    before = snapshot(folder)

    found = {p.file.split("/")[-1]: p for p in verify(folder).problems}
    assert snapshot(folder) == before, "verify changes nothing"
    causes = {
        "ep-000001.safetensors": "sha256",
        "ep-000002.safetensors": "sha256",
        "ep-000003.safetensors": "missing",
        "ep-000004.safetensors": "not in the index",
        "ep-000005.safetensors": "shape",
        "ep-000006.safetensors": "nan at step 3",
        "ep-000007.safetensors": "no step",
        TEMPORARY: "no episode",
    }
    assert found.keys() == causes.keys()
    for name, cause in causes.items():
        assert cause in found[name].cause
        assert f"craik data repair {folder}" in found[name].fix

    report = repair(folder)
    assert report.num_sound == 2
    assert {p.file.split("/")[-1] for p in report.problems} == causes.keys()
    after = snapshot(folder)
    assert {k: v for k, v in after.items() if "index" not in k} == {
        k: v for k, v in before.items() if "index" not in k
    } | {"lock": b""}, "files move, none changes, none goes"
    assert len(list((folder / "quarantine").iterdir())) == 6
    store = EpisodeStore.open(folder)
    assert store.ids == ["ep-000000", "ep-000004"]
    assert same(store.read("ep-000000"), kept)
    assert verify(folder).problems == ()
    assert repair(folder).problems == ()
    assert snapshot(folder) == after


def test_without_an_index_a_file_vouches_for_itself(folder):
    file = folder / "episodes" / "ep-000001.safetensors"
    data = bytearray(file.read_bytes())
    data[-3] ^= 4
    file.write_bytes(data)
    (folder / "index.jsonl").unlink()
    report = repair(folder)
    assert report.num_sound == 3
    assert "digest" in report.problems[0].cause


def test_a_file_set_aside_never_replaces_another(folder):
    for _ in range(3):
        (folder / "episodes" / "stray.txt").write_text("x")
        repair(folder)
    assert sorted(p.name for p in (folder / "quarantine").iterdir()) == ["stray.txt", "stray.txt.1", "stray.txt.2"]


def test_a_newer_file_stops_repair(folder, spec):
    write(folder / "episodes" / "ep-000009.safetensors", make_episode(spec, 6), version=99)
    before = snapshot(folder)
    assert "episode format 99" in verify(folder).problems[0].cause
    with pytest.raises(DataError, match="episode format 99; this craik reads up to 1\n  fix: pip install"):
        repair(folder)
    assert snapshot(folder) | {"lock": b""} == before | {"lock": b""}


def test_repair_waits_for_no_one(folder):
    with lock(folder), pytest.raises(DataError, match="another process is recording"):
        repair(folder)


def file_of(table, payload=b""):
    head = json.dumps(table).encode()
    return np.frombuffer(len(head).to_bytes(8, "little") + head + payload, np.uint8)


ABOUT = {"__metadata__": {"episode": "1", "meta": "{}", "sha256": ""}}


def field(start, stop, shape, dtype="U8"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (np.zeros(3, np.uint8), "truncated: it has 3 bytes"),
        (np.full(64, 255, np.uint8), "its header claims"),
        (np.frombuffer((60).to_bytes(8, "little"), np.uint8), "truncated: its header takes 60"),
        (file_of([1]), "cannot be understood"),
        (file_of({}), "cannot be understood"),
        (file_of(ABOUT | {"a": 3}), "cannot be understood"),
        (file_of(ABOUT | {"a": field(0, 2, [2], "F64")}, b"xx"), "cannot be understood"),
        (file_of(ABOUT | {"a": field(0, 2, [3])}, b"xx"), "its shape"),
        (file_of(ABOUT | {"a": field(1, 3, [2])}, b"xxx"), "does not begin where"),
        (file_of(ABOUT | {"a": field(0, 2, [2]), "b": field(1, 3, [2])}, b"xxx"), "does not begin where"),
        (file_of(ABOUT | {"a": field(0, 4, [-2, -2])}, b"xxxx"), "does not begin where"),
        (file_of(ABOUT | {"a": field(0, 9, [9])}, b"xx"), "truncated"),
        (file_of(ABOUT | {"a": field(0, 2, [2])}, b"xxxxx"), "bytes to spare"),
        (file_of(ABOUT | {"a": field(0, 2, [2])}, b"xx"), "digest"),
    ],
)
def test_crafted_headers_are_refused(data, says):
    with pytest.raises(DataError, match=says):
        mapped.decode(data, "x.safetensors", "fix")


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_change_to_a_file_is_noticed(data):
    good = mapped.encode(make_episode(make_spec(), 2, note="a"))
    position = data.draw(st.integers(0, len(good) - 1))
    bad = bytearray(good)
    bad[position] ^= data.draw(st.integers(1, 255))
    try:
        episode = mapped.decode(np.frombuffer(bytes(bad), np.uint8), "x", "fix")
    except DataError:
        return
    assert same(episode, make_episode(make_spec(), 2, note="a")), "a change that is accepted changed nothing"


@settings(max_examples=50, deadline=None)
@given(count=st.integers(3, 60), seed=st.integers(0, 5), share=st.floats(0.01, 0.9))
def test_split_deals_every_episode_once(count, seed, share):
    ids = [f"ep-{i:06d}" for i in range(count)]
    fractions = {"train": share, "check": (1 - share) / 2, "test": (1 - share) / 2}
    parts = split(ids, fractions, seed)
    assert sorted(i for part in parts.values() for i in part) == ids
    assert parts == split(reversed(ids), fractions, seed)
    for name, part in parts.items():
        assert len(part) >= 1
        assert abs(len(part) - fractions[name] * count) <= 2


def test_split_refuses(spec):
    with pytest.raises(DataError, match="shares of a whole"):
        split(["a", "b"], {"x": 0.5, "y": 0.6}, 0)
    with pytest.raises(DataError, match="cannot be split"):
        split(["a"], {"x": 0.5, "y": 0.5}, 0)
    assert split([str(i) for i in range(50)], {"x": 0.5, "y": 0.5}, 0) != split(
        [str(i) for i in range(50)], {"x": 0.5, "y": 0.5}, 1
    )
