import numpy as np
import pytest

from craik.eval.stats import (
    bootstrap_mean,
    holm,
    iqm,
    paired_difference,
    permutation,
    probability_of_improvement,
    sign_flip,
    unpaired_difference,
    wilson,
)


def test_wilson_against_hand_values():
    # Newcombe (1998), table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    for (successes, n), low, high in (
        ((81, 263), 0.2553, 0.3662),
        ((15, 148), 0.0624, 0.1605),
        ((0, 20), 0.0, 0.1611),
        ((1, 29), 0.0061, 0.1718),
    ):
        interval = wilson(successes, n)
        assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)
        assert interval.value == successes / n


def test_wilson_is_where_the_score_test_turns():
    # The definition: the ends are the shares p0 with |p - p0| = z sqrt(p0 (1 - p0) / n).
    interval = wilson(7, 40)
    for p0 in (interval.low, interval.high):
        assert abs(7 / 40 - p0) == pytest.approx(1.959964 * np.sqrt(p0 * (1 - p0) / 40), rel=1e-5)


def test_wilson_covers_simulated_binomials():
    rng = np.random.default_rng(0)
    for p, n in ((0.1, 50), (0.5, 30), (0.8, 100)):
        found = [wilson(int(k), n) for k in rng.binomial(n, p, 2000)]
        covered = np.mean([i.low <= p <= i.high for i in found])
        assert 0.93 <= covered <= 0.975, (p, n, covered)


def test_wilson_refuses_what_is_no_share():
    for bad in ((3, 2), (-1, 2), (0, 0)):
        with pytest.raises(ValueError, match="share"):
            wilson(*bad)


def test_bootstrap_covers_simulated_normals():
    rng = np.random.default_rng(1)
    covered = [i.low <= 3 <= i.high for i in (bootstrap_mean(rng.normal(3, 2, 60), resamples=600) for _ in range(800))]
    assert 0.92 <= np.mean(covered) <= 0.97


def test_bootstrap_agrees_with_the_normal_interval_and_with_itself():
    values = np.random.default_rng(2).normal(0, 1, 400)
    interval = bootstrap_mean(values, seed=3)
    half = 1.96 * values.std() / 20
    assert interval.value == pytest.approx(values.mean())
    assert interval.low == pytest.approx(values.mean() - half, abs=0.01)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.01)
    assert interval == bootstrap_mean(values, seed=3)
    assert interval != bootstrap_mean(values, seed=4)


def test_bootstrap_in_pieces_equals_a_constant_and_refuses_nothing_and_nan():
    assert bootstrap_mean(np.full(9000, 2.5)).low == 2.5  # 9000 x 5000 is drawn in pieces
    with pytest.raises(ValueError, match="finite"):
        bootstrap_mean(np.array([]))
    with pytest.raises(ValueError, match="finite"):
        bootstrap_mean(np.array([1.0, np.nan]))


def test_iqm_by_hand():
    assert iqm(np.array([100.0, 1, 2, 3, 4, 5, 6, -100])) == 3.5  # 8 values: two fall at either end
    assert iqm(np.array([1.0, 2, 9])) == 4.0  # 3 // 4 = 0: nothing falls
    assert iqm(np.array([[0.0, 9, 9, 0], [1, 2, 3, 4]]), axis=1).tolist() == [4.5, 2.5]


def test_probability_of_improvement_by_hand():
    assert probability_of_improvement(np.array([1.0, 2]), np.array([0.0, 2])) == (1 + 0 + 1 + 0.5) / 4
    assert probability_of_improvement(np.ones(3), np.ones(3)) == 0.5
    two = probability_of_improvement(np.array([[2.0], [0.0]]), np.array([[1.0], [1.0]]))
    assert two == 0.5


def test_pairing_takes_the_starts_out():
    rng = np.random.default_rng(5)
    starts = rng.normal(0, 10, 50)
    ours, theirs = starts + 1 + rng.normal(0, 0.1, 50), starts + rng.normal(0, 0.1, 50)
    paired = paired_difference(ours, theirs)
    assert paired.low > 0.9
    assert paired.high < 1.1
    with pytest.raises(ValueError, match="pairs"):
        paired_difference(ours, theirs[:-1])


def test_holm_by_hand():
    # Sorted .005 .01 .03 .04: times 4, 3, 2, 1 is .02 .03 .06 .04; none below one before it.
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.5, 0.9, 0.4])) == pytest.approx([1.0, 1.0, 1.0])  # .4 * 3 = 1.2
    assert holm(np.zeros(0)).shape == (0,)


def test_holm_rarely_finds_what_is_not_there():
    rng = np.random.default_rng(0)
    found = [(holm(rng.random(10)) < 0.05).any() for _ in range(2000)]
    assert 0.03 < np.mean(found) < 0.07


def test_signs_flipped_by_hand():
    assert sign_flip(np.array([1.0, 2.0, 3.0])) == 2 / 8  # itself and its mirror image
    assert sign_flip(np.array([1.0, 2.0, -3.0])) == 1.0  # a mean of 0 is as far as all
    assert sign_flip(np.array([3.0, 1.0, 1.0, -1.0])) == 8 / 16  # |sum| of at least 4, of the 16
    assert sign_flip(np.zeros(30)) == 1.0


def test_drawn_signs_agree_with_all_of_them():
    values = np.arange(16) - 5.0
    turned = 1 - 2 * (np.arange(2**16)[:, None] >> np.arange(16) & 1)
    exact = (np.abs(turned @ values) >= abs(values.sum()) - 1e-12).mean()
    assert 0.03 < exact < 0.1
    assert sign_flip(values) == pytest.approx(exact, rel=0.2)
    assert sign_flip(values + 100) == pytest.approx(2 / 2**16, abs=3e-5)


def test_dealing_out_anew_by_hand_and_by_chance():
    assert permutation(np.array([5.0, 6.0]), np.array([1.0, 2.0])) == pytest.approx(2 / 6, abs=0.02)  # of 6 deals
    rng = np.random.default_rng(4)
    found = [permutation(rng.normal(0, 1, 12), rng.normal(0, 1, 20), resamples=1000) < 0.1 for _ in range(300)]
    assert 0.05 < np.mean(found) < 0.16


def test_unpaired_differences_have_the_width_of_both():
    rng = np.random.default_rng(6)
    ours, theirs = rng.normal(1, 1, 100), rng.normal(0, 2, 400)
    interval = unpaired_difference(ours, theirs)
    half = 1.96 * np.sqrt(ours.var() / 100 + theirs.var() / 400)
    assert interval.value == pytest.approx(ours.mean() - theirs.mean())
    assert (interval.high - interval.low) / 2 == pytest.approx(half, rel=0.1)
    assert interval.n == 100
