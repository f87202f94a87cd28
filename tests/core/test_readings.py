"""Readings are computed when asked for, once, and look like a dict in every way."""

import torch

from craik.core import tree
from craik.core.readings import Readings


def make():
    asked = []

    def way(name, value):
        return lambda: asked.append(name) or value

    ways = {"reward": way("reward", 1), "value": way("value", 2), "obs": way("obs", torch.ones(2))}
    return Readings(ways, ("obs", "reward")), asked


def test_only_what_is_asked_for_is_computed_and_once():
    readings, asked = make()
    assert set(readings) == {"obs", "reward"}
    assert "value" not in readings
    assert len(readings) == 2
    assert asked == []
    assert readings["reward"] == readings["reward"] == readings.get("reward") == 1
    assert asked == ["reward"]
    assert readings.get("value", 7) == 7


def test_copies_hold_values_not_functions():
    for copy in (dict, lambda r: {**r}, lambda r: dict(r.items()), lambda r: tree.map(lambda x: x, {"obs": r["obs"]})):
        assert torch.equal(copy(make()[0])["obs"], torch.ones(2))
    assert [type(v) for v in make()[0].values()] == [torch.Tensor, int]
