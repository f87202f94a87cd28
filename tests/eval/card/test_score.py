import numpy as np
import pytest

from craik.eval.card.score import Score


def score(value, floor, null, more=False):
    return Score(
        "state.err@8:ar", "S", np.array([value]), more, "", floor=np.array([floor]), nulls={"a": np.array([null])}
    )


def test_no_better_than_nothing_is_0_and_the_truth_is_1_for_errors_and_for_gains():
    assert [score(x, 0.2, 1.0).normalised for x in (1.0, 0.6, 0.2, 1.4)] == pytest.approx([0, 0.5, 1, -0.5])
    assert [score(x, 0.9, 0.1, more=True).normalised for x in (0.1, 0.5, 0.9)] == pytest.approx([0, 0.5, 1])


def test_who_is_read_through_an_instrument_that_sees_nothing_does_not_look_good_by_it():
    """A probe that reads the truth worse than a guess is off: beside it any error would look like that of the truth."""
    for value in (0.3, 0.9, 1.2, 5.0):
        assert score(value, 1.1, 0.6).normalised == 0
    for value in (-1.0, 0.2):
        assert score(value, -0.5, 0.0, more=True).normalised == 0
    assert np.isnan(score(np.nan, 1.1, 0.6).normalised)


def test_where_truth_and_nothing_are_alike_there_is_no_score():
    assert np.isnan(score(0.3, 0.5, 0.5).normalised)


def test_resamples_are_scaled_as_their_mean_is():
    found = score(0.6, 0.2, 1.0).scaled(np.array([[1.0, 0.2], [np.nan, 0.6]]))
    assert np.allclose(found, [[0, 1], [np.nan, 0.5]], equal_nan=True)
