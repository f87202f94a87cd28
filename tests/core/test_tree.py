"""Trees of tensors."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from craik.core import tree
from craik.core.state import Nothing, State


@dataclasses.dataclass(frozen=True)
class Inner(State):
    x: torch.Tensor


@dataclasses.dataclass(frozen=True)
class Outer(State):
    inner: Inner
    extra: dict
    ring: tuple
    nothing: None = None


def example(rows=3):
    count = torch.arange(rows)
    return Outer(Inner(count[:, None] * torch.ones(2)), {"a": count.clone(), "b": count > 1}, (count + 10.0,))


def test_flatten_names_every_leaf():
    names = [name for name, _ in tree.flatten(example())]
    assert names == ["inner.x", "extra.a", "extra.b", "ring.0"]
    assert tree.leaves(Nothing()) == []


def test_a_bare_tensor_has_an_empty_name():
    assert [name for name, _ in tree.flatten(torch.zeros(1))] == [""]


def test_map_builds_the_same_tree_and_leaves_its_argument_alone():
    before = example()
    after = tree.map(lambda x: x + x, before)
    assert isinstance(after, Outer)
    assert isinstance(after.ring, tuple)
    assert after.extra["a"].tolist() == [0, 2, 4]
    assert before.extra["a"].tolist() == [0, 1, 2]


def test_a_leaf_of_another_kind_is_refused():
    with pytest.raises(TypeError, match="not int"):
        tree.map(lambda x: x, {"a": 3})
    with pytest.raises(TypeError, match="not str"):
        tree.leaves(["a"])


def test_index_picks_rows_and_steps():
    state = example(4)
    assert state.batch == 4
    assert state[1:3].extra["a"].tolist() == [1, 2]
    assert state[torch.tensor([3, 0])].extra["a"].tolist() == [3, 0]
    stacked = tree.stack([state, tree.map(lambda x: ~x if x.dtype == torch.bool else -x, state)], 1)
    assert stacked.extra["a"].shape == (4, 2)
    assert stacked[:, 1].extra["a"].tolist() == [0, -1, -2, -3]


def test_repeat_keeps_copies_together():
    assert tree.repeat(example(2), 3).extra["a"].tolist() == [0, 0, 0, 1, 1, 1]


def test_cat_joins_rows():
    assert tree.cat([example(2), example(3)]).extra["a"].tolist() == [0, 1, 0, 1, 2]


def test_where_chooses_row_by_row_at_any_depth():
    state, other = example(3), tree.map(lambda x: torch.zeros_like(x), example(3))
    mixed = tree.where(torch.tensor([True, False, True]), state, other)
    assert mixed.inner.x.tolist() == [[0, 0], [0, 0], [2, 2]]
    assert mixed.extra["b"].tolist() == [False, False, True]


@given(b=st.integers(1, 4), t=st.integers(1, 4))
def test_split_undoes_merge(b, t):
    x = {"x": torch.arange(b * t * 2).reshape(b, t, 2)}
    assert tree.merge(x)["x"].shape == (b * t, 2)
    assert torch.equal(tree.split(tree.merge(x), b)["x"], x["x"])


def test_detach_cuts_and_to_casts():
    leaf = torch.ones(2, requires_grad=True)
    assert not tree.detach({"x": leaf * 2})["x"].requires_grad
    assert tree.to({"x": leaf}, torch.float64)["x"].dtype == torch.float64
