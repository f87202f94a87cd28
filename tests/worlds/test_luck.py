"""Chance as a number: even, without pattern, the same again, and different for neighbours."""

import numpy as np

from craik.worlds import luck


def test_throws_are_even_and_tell_nothing_of_one_another():
    start = np.arange(20_000, dtype=np.float64)
    numbers, after = luck.throw(start, 4)
    assert numbers.shape == (20_000, 4)
    assert ((numbers >= 0) & (numbers < 1)).all()
    for column in numbers.T:
        counts = np.histogram(column, 20, (0, 1))[0]
        assert ((counts - 1000) ** 2 / 1000).sum() < 43.8  # chi-square, 19 degrees of freedom, p = 0.001
    assert np.abs(np.corrcoef(numbers.T) - np.eye(4)).max() < 0.03
    assert np.abs(np.corrcoef(numbers[1:, 0], numbers[:-1, 0])[0, 1]) < 0.03
    assert len(set(after)) == 20_000
    assert ((after >= 0) & (after < luck.LIMIT) & (after == np.floor(after))).all()


def test_equal_luck_brings_equal_numbers():
    start = luck.fresh(np.random.default_rng(0), 8)
    one, two = luck.throw(start, 3), luck.throw(start, 3)
    np.testing.assert_array_equal(one[0], two[0])
    np.testing.assert_array_equal(one[1], two[1])
    again, _ = luck.throw(one[1], 3)
    assert (again != one[0]).all()
    many, _ = luck.throw(start, 5)
    np.testing.assert_array_equal(many[:, :3], one[0])
