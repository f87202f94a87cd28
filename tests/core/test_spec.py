"""Specs: what they accept, and that they survive being written down."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st

from craik.core.errors import SpecError
from craik.core.spec import Spec, is_image, tensor_dtype

IMAGE = spaces.Box(0, 255, (8, 8, 3), np.uint8)
VECTOR = spaces.Box(-1, 1, (3,), np.float32)


def box(lows, span, shape, dtype):
    low = np.resize(np.array(lows, dtype), shape)
    return spaces.Box(low, np.maximum(low, 0) + np.array(span, dtype), shape, dtype)


BOXES = st.builds(
    box,
    st.lists(st.sampled_from([-np.inf, -1.5, 0.0, 2.0]), min_size=1, max_size=3),
    st.sampled_from([1.0, np.inf]),
    st.sampled_from([(1,), (3,), (2, 2)]),
    st.sampled_from([np.float32, np.float64]),
)
ACTIONS = st.one_of(
    st.builds(lambda n, start: spaces.Discrete(n, start=start), st.integers(1, 9), st.integers(-2, 3)),
    st.builds(spaces.MultiDiscrete, st.lists(st.integers(1, 5), min_size=1, max_size=4)),
    st.just(spaces.Box(np.array([-2.0, 0.0], np.float32), np.array([2.0, np.inf], np.float32))),
)


@given(box=BOXES, action=ACTIONS, reads=st.sets(st.sampled_from(["obs", "reward", "latent"])))
def test_parse_undoes_describe_even_through_json(box, action, reads):
    spec = Spec.of(
        spaces.Dict({"a": box, "eye": IMAGE, "n": spaces.Discrete(4, start=1)}), action, tuple(sorted(reads))
    )
    again = Spec.parse(json.loads(json.dumps(spec.describe(), allow_nan=False)))
    assert again.obs == spec.obs
    assert again.action == spec.action
    assert again.reads == spec.reads


def test_a_bare_space_gets_a_name():
    assert list(Spec.of(VECTOR, VECTOR).obs.spaces) == ["state"]
    assert list(Spec.of(IMAGE, VECTOR).obs.spaces) == ["pixels"]


def test_images_are_known_by_their_space():
    spec = Spec.of(spaces.Dict({"b": IMAGE, "a": VECTOR}), VECTOR)
    assert spec.images() == ("b",)
    assert not is_image(spaces.Box(0, 1, (8, 8, 3), np.float32))
    assert not is_image(spaces.Box(0, 255, (8,), np.uint8))


@pytest.mark.parametrize(
    ("observation", "action", "reads", "words"),
    [
        (spaces.Dict({"t": spaces.Text(3)}), VECTOR, (), "observation 't' is a Text"),
        (VECTOR, spaces.Box(-1, 1, (2, 2)), (), "a Box with one axis"),
        (VECTOR, spaces.MultiBinary(3), (), "the action is a MultiBinary"),
        (VECTOR, VECTOR, ("colour",), "unknown readings"),
    ],
)
def test_what_no_model_takes_is_refused_in_words(observation, action, reads, words):
    with pytest.raises(SpecError, match=words) as caught:
        Spec.of(observation, action, reads)
    assert caught.value.fix in str(caught.value)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"kind": "box", "low": 0, "high": 1, "shape": [1], "dtype": "object"}, "dtype 'object'"),
        ({}, "space kind None"),
    ],
)
def test_a_description_from_elsewhere_is_refused_in_words(part, words):
    description = Spec.of(VECTOR, VECTOR).describe()
    with pytest.raises(SpecError, match=words):
        Spec.parse({**description, "action": part})


def test_offering_claims_readings_and_leaves_the_world_alone():
    bare = Spec.of(VECTOR, VECTOR)
    assert bare.offering("reward").reads == ("reward",)
    assert bare.reads == ()


@pytest.mark.parametrize(
    ("action", "null"),
    [
        (VECTOR, torch.zeros(2, 3)),
        (spaces.Discrete(4), torch.tensor([-1, -1])),
        (spaces.MultiDiscrete([2, 3]), torch.full((2, 2), -1)),
    ],
)
def test_null_action(action, null):
    assert torch.equal(Spec.of(VECTOR, action).null_action(2), null)


def test_dtypes():
    boxes = [IMAGE, VECTOR, spaces.Box(-1, 1, (3,), np.float64), spaces.Discrete(3), spaces.MultiDiscrete([2])]
    assert [tensor_dtype(s) for s in boxes] == [torch.uint8, torch.float32, torch.float32, torch.int64, torch.int64]
