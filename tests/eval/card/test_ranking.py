"""Axis D, policy evaluation: statistics by hand, and players told apart by who knows them."""

import numpy as np
import pytest

from craik.eval.card.exam import sit
from craik.eval.card.perform import crew, perform
from craik.eval.card.ranking import (
    kendall,
    mmrv,
    pearson,
    ranking_scores,
    ranks,
    reversal,
    selection_regret,
    spearman,
    two_level,
)
from craik.eval.pretend import Frozen, IgnoredActions
from craik.eval.pretenders.actions import Gain, ShuffledActions
from craik.eval.pretenders.laws import Optimist

from .faults import candidate, named

WORLDS = ("craik/Bounce-v0", "craik/Rooms-v0", "craik/SwingBins-v0")


@pytest.fixture(scope="module")
def exams():
    return {w: sit(w, 24, seed=2_000_021, horizon=8, views=("state",)) for w in WORLDS}


def scores(exam, make):
    subject, instrument, nulls = candidate(exam, make)
    return named(ranking_scores(subject, exam, instrument, nulls))


def test_rank_violations_by_hand():
    # Three players. The guess swaps the last two, which truly differ by 0.3:
    # row 0 none; rows 1 and 2 have 0.3 as their worst. (0 + 0.3 + 0.3) / 3 = 0.2.
    true, guess = np.array([0.1, 0.4, 0.7]), np.array([0.0, 0.9, 0.5])
    np.testing.assert_allclose(mmrv(guess=guess, true=true), [0, 0.3, 0.3])
    assert mmrv(guess=guess, true=true).mean() == pytest.approx(0.2)
    # The other way round the same pair is off by 0.4: the true values are the weight.
    assert mmrv(guess=true, true=guess).mean() == pytest.approx(0.8 / 3)
    assert mmrv(guess=true, true=true).mean() == 0
    with pytest.raises(TypeError):
        mmrv(guess, true)


def test_the_worst_reversal_by_hand():
    # The worst pair counts, and ties never do.
    true, guess = np.array([0.1, 0.3, 0.6]), np.array([0.5, 0.9, 0.2])
    np.testing.assert_allclose(reversal(guess=guess, true=true), [0.5])  # the last is said to be worst of all
    np.testing.assert_allclose(reversal(guess=np.array([0.2, 0.1, 0.9]), true=true), [0.2])
    assert reversal(guess=true, true=true) == reversal(guess=np.ones(3), true=true) == [0]


def test_a_constant_guess_violates_every_rank_and_has_no_correlation():
    true, same = np.array([0.1, 0.4, 0.7]), np.full(3, 0.5)
    # (G_i > G_j) is never so: i is violated by all that it truly beats, and by those that truly beat it as j.
    # Row 0 beats none: 0. Row 1 beats 0: 0.3. Row 2: 0.6.
    np.testing.assert_allclose(mmrv(guess=same, true=true), [0, 0.3, 0.6])
    for statistic in (pearson, spearman, kendall):
        assert (statistic(guess=same, true=true) == 0).all()
        assert (statistic(guess=true, true=same) == 0).all()
        assert (statistic(guess=same + 1e-17 * np.arange(3), true=true) == 0).all()


def test_correlations_by_hand():
    guess, true = np.array([1.0, 2.0, 3.0, 6.0]), np.array([2.0, 1.0, 4.0, 5.0])
    # Deviations (-2, -1, 0, 3) and (-1, -2, 1, 2): products sum to 10, squares to 14 and 10.
    assert pearson(guess=guess, true=true).mean() == pytest.approx(10 / np.sqrt(140))
    # Ranks (0, 1, 2, 3) and (1, 0, 2, 3): 1 - 6 * 2 / (4 * 15) = 0.8; one of six pairs is discordant.
    assert spearman(guess=guess, true=true).mean() == pytest.approx(0.8)
    assert kendall(guess=guess, true=true).mean() == pytest.approx(4 / 6)
    # With a tie: 5 pairs of 6 differ in one, all agree. tau-b = 5 / sqrt(5 * 6).
    assert kendall(guess=np.array([1.0, 1, 2, 3]), true=np.array([1.0, 2, 3, 4])).mean() == pytest.approx(5 / 30**0.5)
    assert ranks(np.array([3.0, 1, 3, 0])).tolist() == [2.5, 1, 2.5, 0]


def test_correlations_are_numpys():
    rng = np.random.default_rng(0)
    guess, true = rng.normal(size=(2, 12))
    assert pearson(guess=guess, true=true).mean() == pytest.approx(np.corrcoef(guess, true)[0, 1])
    order = np.corrcoef(np.argsort(np.argsort(guess)), np.argsort(np.argsort(true)))[0, 1]
    assert spearman(guess=guess, true=true).mean() == pytest.approx(order)


def test_choosing_by_a_guess():
    true = np.array([[1.0, 2.0, 4.0], [1.0, 2.0, 4.0]])
    assert selection_regret(np.array([[0, 9.0, 1], [0, 9, 1]]), true).tolist() == [2, 2]
    assert selection_regret(true, true).tolist() == [0, 0]
    assert selection_regret(np.ones((2, 3)), true).tolist() == pytest.approx([4 - 7 / 3] * 2)


def test_the_interval_covers_the_value():
    rng = np.random.default_rng(1)
    true = np.arange(12) / 12 + rng.normal(0, 0.1, (20, 12))
    guess = true + rng.normal(0, 0.1, (20, 12))
    found = two_level(pearson, guess=guess, true=true, resamples=200)
    low, high = np.quantile(found, [0.025, 0.975])
    assert 0.5 < low < pearson(guess=guess.mean(0), true=true.mean(0)).mean() < high <= 1


@pytest.mark.parametrize("world", WORLDS)
def test_players_differ_in_what_they_earn(exams, world):
    tour = perform(exams[world], crew(exams[world].world, 1), 24)
    assert tour.shape == (24, 12, 24)
    assert np.unique(tour.rewards.mean((0, 2)).round(6)).size == 12
    again = perform(exams[world], crew(exams[world].world, 1), 24)
    np.testing.assert_array_equal(tour.states, again.states)


@pytest.mark.parametrize("world", WORLDS)
def test_the_oracle_is_perfect(exams, world):
    found = scores(exams[world], lambda o: o)
    for name in ("dec.policy_r", "dec.policy_rho", "dec.policy_tau"):
        assert found[name].mean == pytest.approx(1)
    for name in ("dec.mmrv", "dec.reversal", "dec.policy_bias", "dec.selection_regret"):
        assert found[name].mean == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("make", [Frozen, IgnoredActions])
def test_who_sees_no_action_tells_nobody_apart(exams, world, make):
    found = scores(exams[world], make)
    for name in ("dec.policy_r", "dec.policy_rho", "dec.policy_tau"):
        assert found[name].mean == 0
    assert found["dec.mmrv"].normalised == pytest.approx(0)
    assert found["dec.reversal"].mean == 0  # who says the same of all reverses nobody


def test_exchanged_actions_are_ranked_wrongly(exams):
    exam = exams["craik/Rooms-v0"]
    right, wrong = scores(exam, lambda o: Gain(o, 0.9)), scores(exam, ShuffledActions)
    assert right["dec.policy_r"].mean > 0.9
    assert wrong["dec.policy_r"].mean < 0.5
    assert wrong["dec.mmrv"].mean > 0.05 > right["dec.mmrv"].mean
    assert wrong["dec.reversal"].mean > 0.1 > right["dec.reversal"].mean
    assert wrong["dec.reversal"].interval().low > 0


def test_a_wishful_model_expects_too_much_of_everyone_and_ranks_them_well(exams):
    wish = scores(exams["craik/Bounce-v0"], Optimist)
    assert wish["dec.policy_bias"].mean > 0.05
    assert wish["dec.policy_rho"].mean > 0.9
