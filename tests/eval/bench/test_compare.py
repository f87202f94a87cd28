"""Comparisons of cards made up so that the answer is known."""

import numpy as np
import pytest

from craik.core.errors import DataError
from craik.eval.bench.compare import compare, difference, draws, improvement, shared, summed, unmatched
from craik.eval.bench.deck import Exercise, deck, decks
from craik.eval.bench.worlds import BENCHES, short_name, world_id
from craik.eval.card.card import save
from craik.eval.stats import holm
from craik.worlds import make
from craik.worlds.exact import ExactWorld
from tests.eval.bench.made_up import card, hand, score

RNG = np.random.default_rng(0)
HARD = RNG.normal(3, 1, 40)
"""How hard each of 40 moments is."""


def noisy(shift, n=40):
    return HARD[:n] + shift + RNG.normal(0, 0.1, n)


def test_pairs_take_out_how_hard_a_moment_is():
    ours, theirs = score("state.err@8:ar", "S", noisy(0)), score("state.err@8:ar", "S", noisy(0.3))
    gap, how, p = difference(ours, theirs)
    assert how == "paired"
    assert gap.value == pytest.approx(ours.mean - theirs.mean)
    assert -0.4 < gap.low < gap.high < -0.2
    assert p < 1e-3
    other, how, p = difference(ours, score("state.err@8:ar", "S", noisy(0.3, 30)))
    assert how == "unpaired"
    assert other.low < 0 < other.high
    assert p > 0.05


def test_moments_that_do_not_apply_to_both_are_left_out():
    theirs = np.array([1.0, np.nan, 3.0, 5.0])
    gap, how, _ = difference(score("x:ar", "S", [np.nan, 9.0, 4.0, 7.0]), score("x:ar", "S", theirs))
    assert (gap.value, gap.n, how) == (1.5, 2, "paired")


def test_a_weighted_mean_differs_by_what_its_means_do():
    weights = RNG.uniform(0, 5, 40)
    truth = score("act.effect_r2@8:ar", "A", np.ones(40), more=True, weights=weights)
    blind = score("act.effect_r2@8:ar", "A", np.zeros(40), more=True, weights=weights)
    gap, _, _ = difference(truth, blind)
    assert (gap.low, gap.value, gap.high) == pytest.approx((1, 1, 1))  # whatever the weights
    half = score("act.effect_r2@8:ar", "A", RNG.normal(0.5, 0.2, 40), more=True, weights=weights)
    gap, _, _ = difference(truth, half)
    assert gap.value == pytest.approx(truth.mean - half.mean)
    assert gap.high - gap.low == pytest.approx(half.interval().high - half.interval().low, rel=0.15)


def test_correlations_differ_by_their_resamples():
    drawn = RNG.normal(0.5, 0.1, 1000)
    ours = score("dec.policy_r:ar", "D", [0.9], more=True, drawn=drawn + 0.4)
    gap, how, p = difference(ours, score("dec.policy_r:ar", "D", [0.5], more=True, drawn=drawn))
    assert how == "resampled"
    assert (gap.low, gap.high) == pytest.approx((0.4, 0.4))
    assert p == pytest.approx(2 / 1001)


def test_only_what_was_not_named_beforehand_pays_for_its_number():
    ids = ["state.err@8:ar", "state.err@4:ar", "state.err@2:ar", "state.err@1:ar"]
    shifts = [0.05, 0.05, 0.02, 0.0]
    ours = card("a", [score(id, "S", noisy(0)) for id in ids] + [score("cost.steps@1", "E", [9.0] * 5)])
    theirs = card("b", [score(i, "S", noisy(s)) for i, s in zip(ids, shifts)] + [score("cost.steps@1", "E", [1.0] * 5)])
    found = {d.id: d for d in compare(hand("a", ours), hand("b", theirs))}
    assert found["state.err@8:ar"].primary
    assert found["state.err@8:ar"].adjusted == found["state.err@8:ar"].p
    rest = [found[id] for id in ids[1:]]
    assert [d.adjusted for d in rest] == pytest.approx(list(holm(np.array([d.p for d in rest]))))
    assert np.isnan(found["cost.steps@1"].p)
    assert found["cost.steps@1"].better is False  # less is better there, as it was made up


def test_what_was_read_otherwise_is_compared_by_its_score():
    ours = score("state.err@8:ar", "S", [0.1] * 8, floor=0.0, null=0.2, instrument="parsed")
    theirs = score("state.err@8:ar", "S", [0.5] * 8, floor=0.0, null=2.0, instrument="told")
    (found,) = compare(hand("a", card("a", [ours])), hand("b", card("b", [theirs])))
    assert found.of == "scores"
    assert found.gap.value == pytest.approx(0.5 - 0.75)
    assert found.better is False
    lone = score("state.err@8:ar", "S", [0.5] * 8, null=None, instrument="told")
    assert compare(hand("a", card("a", [ours])), hand("b", card("b", [lone]))) == []


def test_only_the_same_moments_are_compared():
    ours = hand("a", card("a", [score("x:ar", "S", [1.0] * 4)], seed=1), card("a", [score("x:ar", "S", [1.0])], seed=2))
    theirs = hand("b", card("b", [score("x:ar", "S", [1.0] * 4)], seed=1))
    assert {d.exercise[2] for d in compare(ours, theirs)} == {1}
    assert unmatched(ours, theirs) == [Exercise("craik/Swing-v0", "smoke", 2)]


def worlds(name, scores):
    """A hand of one metric, one value a world: the score itself."""
    return hand(
        name,
        *(card(name, [score("state.err@8:ar", "S", np.full(8, 1 - s))], f"craik/W{i}") for i, s in enumerate(scores)),
    )


def test_an_axis_is_summed_up_by_the_middle_half_of_what_all_have():
    ours, theirs = worlds("a", [0.1, 0.2, 0.4, -9.0]), worlds("b", [0.1, 0.1, 0.5, 0.0, 0.7])
    keys = shared([ours, theirs], "S")
    assert len(keys) == 4  # the fifth world is of one alone
    found = summed(ours, "S", keys)
    assert found.value == pytest.approx((0.1 + 0.2) / 2)
    assert (found.low, found.high) == pytest.approx((0.15, 0.15))  # every moment alike
    assert summed(ours, "F", shared([ours, theirs], "F")) is None
    won = improvement(ours, theirs, "S")
    assert won.value == pytest.approx((0.5 + 1 + 0 + 0) / 4)
    assert improvement(ours, theirs, "F") is None


def test_the_interval_of_an_axis_is_that_of_its_moments():
    values = RNG.normal(0.4, 0.3, 60)
    one = hand("a", card("a", [score("state.err@8:ar", "S", values)]))
    found = summed(one, "S", shared([one], "S"))
    half = 1.96 * values.std() / np.sqrt(60)
    assert found.value == pytest.approx(1 - values.mean())
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.1)


def test_models_are_resampled_alike_in_a_world_and_otherwise_in_another():
    one, two = score("state.err@8:ar", "S", HARD), score("state.err@8:ar", "S", HARD + 1)
    here, there = Exercise("craik/A", "smoke", 1), Exercise("craik/B", "smoke", 1)
    np.testing.assert_allclose(draws(here, one) - draws(here, two), 1)
    assert abs(np.corrcoef(draws(here, one), draws(there, one))[0, 1]) < 0.2


def test_cards_are_dealt_by_model(tmp_path):
    for name, seed in (("a", 1), ("a", 2), ("b", 1)):
        save(card(name, [score("x:ar", "S", [1.0])], seed=seed), tmp_path / name / f"swing-{seed}")
    assert [(d.name, len(d.cards)) for d in decks([tmp_path])] == [("a", 2), ("b", 1)]
    assert deck(tmp_path / "a" / "swing-2.json").name == "a"
    with pytest.raises(DataError, match="2 models"):
        deck(tmp_path)
    with pytest.raises(DataError, match="second card"):
        decks([tmp_path, tmp_path / "b"])
    with pytest.raises(DataError, match="no score card"):
        deck(tmp_path / "c")


def test_benchmarks_name_worlds_that_are_exact():
    assert len(BENCHES["card"].worlds) == 12
    assert set(BENCHES["core"].worlds) | set(BENCHES["smoke"].worlds) <= set(BENCHES["card"].worlds)
    for name in BENCHES["card"].worlds:
        assert isinstance(make(world_id(name)), ExactWorld)
        assert short_name(world_id(name)) == name
    assert world_id("craik/Rooms-v0") == world_id("Rooms-v0") == world_id("rooms") == "craik/Rooms-v0"


def test_cards_of_other_splits_are_of_other_moments():
    usual = hand("a", card("a", [score("state.err@8:ar", "S", [0.1, 0.2])]))
    far = hand("b", card("b", [score("state.err@8:ar", "S", [0.3, 0.4])], split="test-extrap", constants="drawn"))
    assert compare(usual, far) == []
    (one, other) = sorted(unmatched(usual, far))
    assert str(one) == "swing, smoke, exam 1"
    assert str(other) == "swing, smoke, exam 1, test-extrap, drawn constants, rule none, salt 0"
