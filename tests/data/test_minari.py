import json

import numpy as np
import pytest
from gymnasium import spaces

from craik.core.errors import DataError, SpecError
from craik.data import minari
from craik.data.foreign import bring_in
from craik.data.minari import Minari, export
from craik.data.store import EpisodeStore
from tests.data.synthetic import box, make_episode, make_spec, same

h5py = pytest.importorskip("h5py")

CARTPOLE = {
    "observation_space": json.dumps(
        {"type": "Box", "dtype": "float32", "shape": [2], "low": [-1, -np.inf], "high": [1, np.inf]}
    ),
    "action_space": json.dumps({"type": "Discrete", "dtype": "int64", "start": 0, "n": 2}),
    "data_format": "hdf5",
}


def write(folder, about=CARTPOLE, lengths=(3, 5), **extra):
    """A data set as Minari lays it out."""
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "metadata.json").write_text(json.dumps(about))
    with h5py.File(folder / "data" / "main_data.hdf5", "w") as file:
        for number, steps in enumerate(lengths):
            group = file.create_group(f"episode_{number}")
            group.attrs.update({"id": number, "seed": 7 + number, "total_steps": steps})
            group["observations"] = np.arange(2 * (steps + 1), dtype=np.float32).reshape(-1, 2) + 100 * number
            group["actions"] = np.arange(steps) % 2
            group["rewards"] = np.arange(steps, dtype=np.float64)
            group["terminations"] = np.arange(steps) == steps - 1
            group["truncations"] = np.zeros(steps, bool)
    return folder


def test_minari_in(tmp_path):
    folder = write(tmp_path / "set", lengths=[3] * 11)
    source = Minari(folder)
    assert source.names[-2:] == ["episode_9", "episode_10"], "by number, not by letters"
    assert source.spec.obs["state"].low.tolist() == [-1, -np.inf]
    episode = source.read("episode_10")
    np.testing.assert_array_equal(episode.obs["state"][:, 0], 1000 + 2 * np.arange(4))
    assert episode.action.tolist() == [0, 1, 0]
    assert episode.terminated.tolist() == [False, False, True]
    assert episode.meta == {"source": "minari", "episode": "episode_10", "seed": 17}
    for path in (folder / "data", folder / "data" / "main_data.hdf5"):
        assert Minari(path).names == source.names


def test_nested_observations_are_joined(tmp_path):
    nested = {
        "type": "Dict",
        "subspaces": {
            "agent": {"type": "Dict", "subspaces": {"x": json.loads(CARTPOLE["observation_space"])}},
            "key": {"type": "Discrete", "n": 3, "start": 0},
        },
    }
    folder = write(tmp_path / "set", CARTPOLE | {"observation_space": json.dumps(nested)}, lengths=[2])
    with h5py.File(folder / "data" / "main_data.hdf5", "a") as file:
        del file["episode_0/observations"]
        file["episode_0/observations/agent/x"] = np.ones((3, 2))
        file["episode_0/observations/key"] = np.array([0, 2, 1])
    obs = Minari(folder).read("episode_0").obs
    assert obs["agent.x"].shape == (3, 2)
    assert obs["key"].tolist() == [0, 2, 1]


@pytest.mark.parametrize(
    "spec",
    [
        make_spec(spaces.Discrete(4, start=1), pixels=spaces.Box(0, 255, (8, 8, 3), np.uint8), state=box(2)),
        make_spec(spaces.MultiDiscrete([2, 3])),
        make_spec(spaces.Box(-2, np.array([1, np.inf], np.float32), (2,), np.float32), key=spaces.Discrete(5)),
    ],
    ids=["pixels", "multi", "box"],
)
def test_out_and_in_again(tmp_path, spec):
    episodes = [make_episode(spec, n, n, terminated=n % 2 == 0) for n in (1, 4, 9)]
    with EpisodeStore.create(tmp_path / "a", spec) as store:
        for episode in episodes:
            store.append(episode)
    export(store, tmp_path / "minari", "craik/test-v0")
    with pytest.raises(DataError, match="holds a data set already"):
        export(store, tmp_path / "minari", "craik/test-v0")
    report = bring_in(tmp_path / "minari", tmp_path / "b")
    assert (report.num_episodes, report.num_steps, report.problems) == (3, 14, ())
    again = EpisodeStore.open(tmp_path / "b")
    assert again.spec.describe() == spec.describe()
    for id, episode in zip(again.ids, episodes):
        back = again.read(id)
        assert same(back, type(back)(**{**vars(episode), "meta": back.meta}))


def test_a_bad_episode_is_left_out_and_named(tmp_path):
    folder = write(tmp_path / "set", lengths=(3, 4, 5, 0))
    with h5py.File(folder / "data" / "main_data.hdf5", "a") as file:
        file["episode_1/rewards"][2] = np.nan
    report = bring_in(folder, tmp_path / "store")
    assert report.num_episodes == 2
    assert [p.file for p in report.problems] == ["episode_1", "episode_3"]
    assert "nan at step 2" in report.problems[0].cause
    assert "no step" in report.problems[1].cause
    assert [e.steps for e in EpisodeStore.open(tmp_path / "store").entries] == [3, 5]


def test_links_to_other_files_are_not_followed(tmp_path):
    folder = write(tmp_path / "set")
    secret = tmp_path / "secret.hdf5"
    with h5py.File(secret, "w") as file:
        file["x"] = np.arange(3)
    with h5py.File(folder / "data" / "main_data.hdf5", "a") as file:
        del file["episode_0/rewards"]
        file["episode_0/rewards"] = h5py.ExternalLink(str(secret), "/x")
        del file["episode_1/rewards"]
        (tmp_path / "raw").write_bytes(np.arange(5.0).tobytes())
        file["episode_1"].create_dataset("rewards", (5,), float, external=[(str(tmp_path / "raw"), 0, 40)])
    source = Minari(folder)
    with pytest.raises(DataError, match="is a link elsewhere"):
        source.read("episode_0")
    with pytest.raises(DataError, match="is no array in this file"):
        source.read("episode_1")


def test_what_cannot_be_read_is_named(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="no Minari data set"):
        Minari(tmp_path)
    folder = write(tmp_path / "set")
    file = folder / "data" / "main_data.hdf5"
    monkeypatch.setattr(minari, "MAX_BYTES", 10)
    with pytest.raises(DataError, match="would take"):
        Minari(folder).read("episode_0")
    file.write_bytes(file.read_bytes()[:700])
    with pytest.raises(DataError, match=r"main_data\.hdf5 cannot be opened as HDF5"):
        Minari(folder)
    for number, about in enumerate(
        ({}, CARTPOLE | {"observation_space": "{}"}, CARTPOLE | {"action_space": "nonsense"})
    ):
        with pytest.raises(DataError, match=r"does not say its|cannot be understood"):
            Minari(write(tmp_path / f"bad{number}", about))
    pair = '{"type": "Tuple", "subspaces": [%s, %s]}' % ((CARTPOLE["action_space"],) * 2)
    with pytest.raises(SpecError, match="is a Tuple"):
        Minari(write(tmp_path / "tuple", CARTPOLE | {"observation_space": pair}))
