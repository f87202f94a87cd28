import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from craik.core.errors import DataError
from craik.data.replay import Replay
from craik.data.shelf import SMALL, Shelf
from craik.data.store import EpisodeStore
from tests.data.synthetic import box, make_episode, make_spec

SPACES = {
    "box": spaces.Box(-1, 1, (2,), np.float32),
    "discrete": spaces.Discrete(3),
    "multi": spaces.MultiDiscrete([2, 3]),
    "none": spaces.Box(-1, 1, (0,), np.float32),
}


def naive(spec, episodes, start, length):
    """A window by plain concatenation: the slow twin."""
    null = spec.null_action(1).numpy()
    seen = {k: np.concatenate([e.obs[k] for e in episodes]) for k in spec.obs.spaces}
    first = np.concatenate([np.arange(e.num_steps + 1) == 0 for e in episodes])
    action = np.concatenate([x for e in episodes for x in (e.action, null.astype(e.action.dtype))])
    reward = np.concatenate([x for e in episodes for x in (e.reward, [0.0])])
    terminated = np.concatenate([x for e in episodes for x in (e.terminated, [False])])
    a, b = start, start + length
    return {k: v[a : b + 1] for k, v in seen.items()}, action[a:b], reward[a:b], terminated[a:b], first[a : b + 1]


def check_window(replay, episodes, start, length):
    got, want = replay.window(start, length), naive(replay.spec, episodes, start, length)
    for name, x in want[0].items():
        np.testing.assert_array_equal(got.obs[name][0].numpy(), x)
    for name, x in zip(("action", "reward", "terminated", "first"), want[1:]):
        np.testing.assert_array_equal(getattr(got, name)[0].numpy(), x, err_msg=name)


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=5),
    action=st.sampled_from(sorted(SPACES)),
    data=st.data(),
)
def test_windows_are_slices_of_the_stream(lengths, action, data):
    spec = make_spec(SPACES[action], state=box(2), key=spaces.Discrete(4))
    episodes = [make_episode(spec, n, seed) for seed, n in enumerate(lengths)]
    replay = Replay(None, spec)
    for episode in episodes:
        replay.add(episode)
    total = sum(lengths) + len(lengths)
    length = data.draw(st.integers(1, total - 1))
    start = data.draw(st.integers(0, total - 1 - length))
    check_window(replay, episodes, start, length)
    with pytest.raises(DataError, match="no window"):
        replay.window(total - length, length)


@pytest.mark.parametrize("action", sorted(SPACES))
def test_files_and_memory_give_the_same(tmp_path, action):
    pixels = spaces.Box(0, 255, (64, 64, 3), np.uint8)
    spec = make_spec(SPACES[action], state=box(2), pixels=pixels)
    episodes = [make_episode(spec, n, seed) for seed, n in enumerate((3, 40, 1, 12))]  # the second is large: mapped
    memory = Replay(None, spec)
    with EpisodeStore.create(tmp_path, spec) as store:
        stored = Replay(store, spec)
        for episode in episodes:
            memory.add(episode)
            stored.add(episode)
    assert {store.entry(i).bytes > SMALL for i in store.ids} == {True, False}
    for start in range(0, 60 - 20, 3):
        check_window(stored, episodes, start, 19)
    a, b = (r.sample(8, 7, np.random.default_rng(1)) for r in (memory, stored))
    assert torch.equal(a.obs["pixels"], b.obs["pixels"])
    assert torch.equal(a.action, b.action)
    again = Replay(EpisodeStore.open(tmp_path), make_spec(SPACES[action], pixels=pixels))
    c = again.sample(8, 7, np.random.default_rng(1))
    assert set(c.obs) == {"pixels"}, "a spec may see less than the store holds"
    assert torch.equal(c.obs["pixels"], b.obs["pixels"])


def test_dtypes_and_shapes(spec):
    replay = Replay(None, spec)
    replay.add(make_episode(spec, 20))
    batch = replay.sample(4, 6, np.random.default_rng(0))
    assert batch.shape == (4, 6)
    assert batch.obs["state"].shape == (4, 7, 3)
    assert batch.first.shape == (4, 7)
    kinds = [
        batch.obs["state"].dtype,
        batch.action.dtype,
        batch.reward.dtype,
        batch.terminated.dtype,
        batch.first.dtype,
    ]
    assert kinds == [torch.float32, torch.float32, torch.float32, torch.bool, torch.bool]


def test_every_start_is_as_likely(spec):
    replay = Replay(None, spec)
    stream = []
    for seed, steps in enumerate((1, 9, 4, 2)):
        episode = make_episode(spec, steps, seed)
        stream.append(episode.obs["state"][:, 0])
        replay.add(episode)
    stream = np.concatenate(stream)[:-5]  # windows of 5 arrivals open at any but the last five observations
    drawn = replay.sample(30_000, 5, np.random.default_rng(0)).obs["state"][:, 0, 0].numpy()
    counts = np.array([(drawn == x).sum() for x in stream])
    assert counts.sum() == 30_000
    expected = 30_000 / len(stream)
    chi = ((counts - expected) ** 2 / expected).sum()
    assert chi < 35, "0.1 % of honest samplers exceed 36.1 with 14 degrees of freedom"


def test_an_earlier_batch_can_be_filled_again(spec):
    replay = Replay(None, spec)
    for seed in range(4):
        replay.add(make_episode(spec, 5, seed))
    fresh = replay.sample(8, 7, np.random.default_rng(3))
    out = replay.sample(8, 7, np.random.default_rng(2))
    again = replay.sample(8, 7, np.random.default_rng(3), out=out)
    assert again is out
    for a, b in ((fresh.action, out.action), (fresh.first, out.first), (fresh.obs["state"], out.obs["state"])):
        assert torch.equal(a, b)
    with pytest.raises(DataError, match="out holds"):
        replay.sample(8, 6, np.random.default_rng(3), out=out)


def test_too_little_to_sample(spec):
    replay = Replay(None, spec)
    with pytest.raises(DataError, match="holds 0 observations; a row of 4 arrivals needs 5"):
        replay.sample(1, 4, np.random.default_rng(0))
    replay.add(make_episode(spec, 4))
    assert replay.sample(1, 4, np.random.default_rng(0)).first[0].tolist() == [True, False, False, False, False]


def test_capacity_drops_the_oldest(tmp_path, spec):
    episodes = [make_episode(spec, n, seed) for seed, n in enumerate((5, 6, 7, 30))]
    store = EpisodeStore.create(tmp_path, spec)
    for replay in (Replay(None, spec, 14), Replay(store, spec, 14)):
        for e in episodes[:3]:
            replay.add(e)
        assert replay.ids == ["ep-000001", "ep-000002"]
        assert replay.num_steps == 13
        check_window(replay, episodes[1:3], 2, 9)
        replay.add(episodes[3])
        assert replay.ids == ["ep-000003"], "the newest stays, however long"
        check_window(replay, episodes[3:], 4, 26)
    assert len(store) == 4, "nothing leaves the store"
    assert Replay(store, spec, 37).num_steps == 37
    store.close()


@pytest.mark.parametrize("kind", ["store", "memory"])
def test_state_brings_back_the_same_batches(tmp_path, spec, kind):
    store = EpisodeStore.create(tmp_path, spec) if kind == "store" else None
    replay = Replay(store, spec, 30)
    same_twice = make_episode(spec, 6, 1)
    for e in (make_episode(spec, 9, 0), same_twice, same_twice, make_episode(spec, 8, 2)):
        replay.add(e)
    state = replay.state_dict()
    want = replay.sample(16, 5, np.random.default_rng(5))
    if store is None:
        resumed = replay
    else:
        store.append(make_episode(spec, 9, 9))  # recorded after the state was taken
        resumed = Replay(EpisodeStore.open(tmp_path), spec, 30)
    resumed.load_state_dict(state)
    assert resumed.state_dict() == state
    got = resumed.sample(16, 5, np.random.default_rng(5))
    assert torch.equal(got.obs["state"], want.obs["state"])
    assert torch.equal(got.first, want.first)


def test_state_that_is_lost_is_refused(tmp_path, spec):
    replay = Replay(None, spec)
    replay.add(make_episode(spec, 4))
    empty = Replay(None, spec)
    with pytest.raises(DataError, match="not in memory"):
        empty.load_state_dict(replay.state_dict())
    stored = Replay(EpisodeStore.create(tmp_path, spec), spec)
    with pytest.raises(DataError, match="replay in memory"):
        stored.load_state_dict(replay.state_dict())
    with pytest.raises(DataError, match="no episode 'ep-000004'"):
        stored.load_state_dict({"ids": ["ep-000004"]})


def test_a_spec_that_does_not_fit(tmp_path, spec):
    store = EpisodeStore.create(tmp_path, spec)
    with pytest.raises(DataError, match="no observation 'pixels'"):
        Replay(store, make_spec(pixels=box(3)))
    with pytest.raises(DataError, match="observation 'state'"):
        Replay(store, make_spec(state=box(4)))
    with pytest.raises(DataError, match="actions of"):
        Replay(store, make_spec(spaces.Discrete(2)))
    with pytest.raises(DataError, match="given ids"):
        Replay(None, spec, ids=["ep-000000"])


def test_open_files_are_bounded(tmp_path):
    spec = make_spec(pixels=spaces.Box(0, 255, (64, 64, 3), np.uint8))
    with EpisodeStore.create(tmp_path, spec) as store:
        ids = [store.append(make_episode(spec, 25, seed)) for seed in range(5)]
        small = [store.append(make_episode(spec, 10, seed)) for seed in range(5)]
    shelf = Shelf(store, spec, max_maps=2, max_bytes=300_000)
    for _ in range(2):
        for seed, id in enumerate(ids):
            np.testing.assert_array_equal(shelf[id]["obs.pixels"], make_episode(spec, 25, seed).obs["pixels"])
        for id in small:
            shelf[id]
    assert shelf.num_maps == 2
    assert shelf.num_bytes <= 300_000


@pytest.mark.parametrize("steps", [4, 40])
def test_a_truncated_file_is_named_when_it_is_sampled(tmp_path, steps):
    spec = make_spec(pixels=spaces.Box(0, 255, (64, 64, 3), np.uint8))
    with EpisodeStore.create(tmp_path, spec) as store:
        id = store.append(make_episode(spec, steps))
    file = store.file(id)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(DataError, match=rf"{id}\.safetensors is truncated.*\n  fix: craik data repair {tmp_path}"):
        Replay(store, spec).sample(1, 2, np.random.default_rng(0))
