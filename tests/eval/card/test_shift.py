"""Shifts: who knows the constants loses nothing; who takes them for granted loses by those that matter."""

import pytest

from craik.eval.card.shift import drops
from craik.eval.pretenders.laws import Usual
from craik.worlds.oracle import Oracle

ROOMS = "craik/Rooms-v0"


def test_who_knows_the_constants_loses_nothing():
    for drop in drops(Oracle.of(ROOMS), ROOMS, factors=("drag", "gain")):
        assert drop.drop.value == pytest.approx(0, abs=0.02), drop


def test_who_takes_them_for_granted_loses_where_they_differ():
    found = {(d.factor, d.id): d for d in drops(Usual(Oracle.of(ROOMS)), ROOMS, factors=("drag", "gain", "width"))}
    for factor in ("drag", "gain"):
        drop = found[factor, "state.err@8:ar"]
        assert drop.drop.low > 0.03, drop
        assert drop.kind == "physical"
    assert found["width", "state.err@8:ar"].kind == "geometric"
    assert found["width", "state.err@8:ar"].drop.value < found["drag", "state.err@8:ar"].drop.value
