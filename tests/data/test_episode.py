import dataclasses

import numpy as np
import pytest
from gymnasium import spaces

from craik.core.errors import DataError
from craik.data.episode import Episode
from tests.data.synthetic import box, make_episode, make_spec, same


def test_of_converts_to_the_dtypes_held():
    spec = make_spec(spaces.Discrete(3), state=box(2), pixels=spaces.Box(0, 255, (4, 4, 3), np.uint8))
    episode = make_episode(spec, 5)
    kinds = {k: str(v.dtype) for k, v in episode.arrays().items()}
    assert kinds == {
        "obs.state": "float32",
        "obs.pixels": "uint8",
        "action": "int64",
        "reward": "float32",
        "terminated": "bool",
        "truncated": "bool",
    }
    assert episode.num_steps == 5
    assert same(Episode.of_arrays(episode.arrays(), episode.meta, "x", "y"), episode)


def test_one_step_is_the_shortest(spec):
    assert make_episode(spec, 1).num_steps == 1
    with pytest.raises(DataError, match="no step"):
        make_episode(spec, 0)


@pytest.mark.parametrize(
    ("field", "change", "says"),
    [
        ("reward", lambda x: np.where(np.arange(len(x)) == 2, np.nan, x).astype(np.float32), "nan at step 2"),
        ("action", lambda x: x * np.float32(np.inf), "at step 0"),
        ("action", lambda x: x[:-1], r"shape \(6, 3\), expected \(5, 3\)"),
        ("action", lambda x: x[:, :1], r"shape \(5, 1\), expected \(5, 2\)"),
        ("action", lambda x: x.astype(np.float64), "is float64, expected float32"),
        ("terminated", lambda x: ~x, "goes on after it"),
        ("truncated", lambda x: x.astype(np.uint8), "expected bool"),
        ("obs", lambda x: {}, "observations"),
        ("obs", lambda x: {"state": x["state"][:-1]}, r"expected \(6, 3\)"),
        ("obs", lambda x: {"state": x["state"] / 0}, "obs.state of ep-7"),
        ("meta", lambda x: {"a": float("nan")}, "not JSON"),
        ("meta", lambda x: {"a": object()}, "not JSON"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_check_names_the_cause(spec, field, change, says):
    episode = make_episode(spec, 5)
    broken = dataclasses.replace(episode, **{field: change(getattr(episode, field))})
    with pytest.raises(DataError, match=says):
        broken.check(spec, "ep-7")


@pytest.mark.parametrize(
    ("space", "bad"),
    [
        (spaces.Discrete(3), -1),
        (spaces.Discrete(3), 3),
        (spaces.Discrete(3, start=5), 4),
        (spaces.MultiDiscrete([2, 4]), 3),
    ],
)
def test_indices_out_of_range_are_refused(space, bad):
    spec = make_spec(space)
    episode = make_episode(spec, 4)
    episode.action[2] = bad
    with pytest.raises(DataError, match=f"is {bad} at step 2, outside"):
        episode.check(spec)
