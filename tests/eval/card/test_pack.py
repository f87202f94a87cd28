import numpy as np

from craik.eval.card.pack import NUMBERS, pack, unpack


def test_rows_come_back_as_they_were_and_equal_ones_are_kept_once():
    rows = {"one": np.array([1.0, np.nan, -0.0]), "none": np.zeros(0), "again": np.array([1.0, np.nan, -0.0])}
    rows |= {"zero": np.array([0.0]), "less": np.array([-0.0])}
    held = pack(rows)
    assert len(held[NUMBERS]) == 3 + 1 + 1
    found = unpack(held)
    assert list(found) == list(rows)
    for name, row in rows.items():
        assert np.array_equal(found[name], row, equal_nan=True)
        assert np.array_equal(np.signbit(found[name]), np.signbit(row))


def test_nothing_can_be_packed():
    assert unpack(pack({})) == {}
