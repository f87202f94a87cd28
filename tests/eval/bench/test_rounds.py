"""Rounds: what is joined is what one round over all would have found, and what is cut short says so."""

import itertools

import numpy as np
import pytest

from craik.core.errors import UnknownName
from craik.eval.bench.rounds import ALONE, FEWEST, SHARES, grade_within, join, next_round, pools
from craik.eval.card.card import read, save
from craik.eval.card.dreams import dream_scores
from craik.eval.card.grade import AXES, SIZES, Size, grade, prepare
from craik.eval.card.practice import Practice
from craik.eval.pretenders.actions import Lag
from craik.eval.pretenders.laws import Drifting
from craik.worlds.oracle import Oracle
from tests.eval.bench.made_up import score

SWING = "craik/Swing-v0"


@pytest.fixture(scope="module")
def sitting():
    return prepare(Drifting(Oracle.of(SWING)), SWING)


@pytest.mark.parametrize("axis", ["S", "A", "C"])
def test_two_rounds_of_twelve_are_one_of_twenty_four(sitting, axis):
    whole = {s.id: s for s in sitting.ask(axis)}
    joined = {s.id: s for s in join([(12, sitting.ask(axis, slice(0, 12))), (12, sitting.ask(axis, slice(12, 24)))])}
    assert set(joined) == set(whole)
    for id, one in whole.items():
        both = joined[id]
        if id.startswith("voe."):  # scales of what is seen are of a round
            assert both.mean == pytest.approx(one.mean, abs=0.1)
            continue
        if id.startswith("act.idm"):  # its regression is learned on a round
            assert not pools(one, 24)
            continue
        assert pools(one, 24), id
        np.testing.assert_allclose(both.values, one.values, atol=1e-9, err_msg=id)
        assert both.mean == pytest.approx(one.mean)
        assert both.null == pytest.approx(one.null)
        assert both.interval().low == pytest.approx(one.interval().low)


def test_what_is_no_mean_is_that_of_the_largest_round():
    drawn = {"drawn": np.linspace(0, 1, 100)}
    small = [score("dec.policy_r:ar", "D", [0.0] * 12, **drawn), score("fid.rfd:ar", "F", [9, 9])]
    large = [score("dec.policy_r:ar", "D", [1.0] * 12, **drawn), score("fid.rfd:ar", "F", [5, 6])]
    small += [score("cal.coverage@50:ar", "C", [0.0] * 12), score("fid.rkd:ar", "F", [1.0] * 6)]
    large += [score("cal.coverage@50:ar", "C", [1.0] * 16), score("fid.rkd:ar", "F", [2.0] * 8)]
    found = {s.id: s for s in join([(12, small), (16, large)])}
    assert found["dec.policy_r:ar"].mean == 1
    assert found["cal.coverage@50:ar"].mean == 1
    assert found["fid.rfd:ar"].values.tolist() == [5, 6]
    assert "of the largest round, 16 moments" in found["fid.rfd:ar"].says
    assert found["fid.rkd:ar"].n == 14
    assert found["fid.rkd:ar"].mean == pytest.approx(22 / 14)


def test_the_magnitude_that_surprises_is_found_from_all_rounds():
    def told(eighth, whole, delta):
        magnitudes = {"0.125": eighth, "1": whole}
        rows = [score(f"voe.action@{m}:tf", "C", v, more=True, null=0.5) for m, v in magnitudes.items()]
        return [*rows, score("voe.delta50.action:tf", "C", [delta], null=2.0)]

    found = {s.id: s for s in join([(2, told([0, 1], [1, 1], 0.2)), (2, told([0, 0], [1, 1], 0.6))])}
    # 1/8 told apart in 1/4 of the pairs, 1 in all: 3/4 lies 2/3 of the way in the logarithm from 1/8 to 1.
    assert found["voe.delta50.action:tf"].mean == pytest.approx(0.125 * 8 ** (2 / 3))
    assert found["voe.delta50.action:tf"].null == 2.0


def test_what_has_a_value_for_each_moment_pools_unless_it_is_known_not_to():
    assert pools(score("state.err@8:ar", "S", [1.0] * 12), 12)
    assert pools(score("act.false_success@24:ar", "A", [1.0] * 48), 12)
    assert not pools(score("cal.pit:ar", "C", [1.0]), 12)
    assert not any(pools(score(f"{name}x", "D", [1.0] * 12), 12) for name in ALONE)


def test_every_axis_has_a_share_of_the_time():
    assert set(SHARES) == set(AXES)


@pytest.mark.parametrize("moments", [6, 8, 12, 24, 32, 64])
def test_rounds_are_never_tiny_and_come_to_an_end(moments):
    for seconds, cost in itertools.product((0.0, 3.0, 10.0, 60.0), (0.01, 0.3, 2.0)):
        done, rounds = 0, []
        while done < moments:
            size = next_round(moments - done, seconds - done * cost, cost if done else None)
            if not size:
                break
            rounds.append(size)
            done += size
        assert rounds[0] >= min(FEWEST, moments)
        assert all(n >= FEWEST for n in rounds[1:])
        assert done == moments or seconds - done * cost < FEWEST * cost
        if done < moments:
            assert done * cost <= seconds + FEWEST * cost
    assert next_round(moments, float("inf"), None) == moments


def test_without_a_limit_it_is_the_card_of_grade():
    model = Lag(Oracle.of(SWING))
    ours, theirs = grade_within(model, SWING, axes="SAM"), grade(model, SWING, axes="SAM")
    assert [s.id for s in ours.scores] == [s.id for s in theirs.scores]
    for a, b in zip(ours.scores, theirs.scores):
        np.testing.assert_array_equal(a.values, b.values)
    assert ours.facts["done"] == ours.facts["asked"] == {"S": 24, "A": 24, "M": 24}


def test_for_want_of_time_less_is_asked_and_the_card_says_so(tmp_path):
    ticks = itertools.count()
    told = []
    model = Lag(Oracle.of(SWING))
    card = grade_within(
        model, SWING, 2.5, axes="SA", now=lambda: float(next(ticks)), equality="E3",
        tell=lambda *news: told.append(news),
    )  # fmt: skip
    assert card.facts["done"] == {"S": 8, "A": 8}
    assert card.facts["asked"] == {"S": 24, "A": 24}
    assert card.facts["equality"] == "E3"
    assert told == [("S", 8, 24), ("A", 8, 24)]
    whole = grade(model, SWING, axes="SA")
    assert {s.id for s in card.scores} == {s.id for s in whole.scores}
    one, other = card["state.err@8:ar"], whole["state.err@8:ar"]
    np.testing.assert_allclose(one.values, other.values[:8])  # the same moments, from the front
    width, full = (i.high - i.low for i in (one.interval(), other.interval()))
    assert width > full
    assert one.interval().low <= other.mean <= one.interval().high
    assert read(save(card, tmp_path / "late")).facts == card.facts


def test_the_cost_is_taken_in_less_steps():
    card = grade_within(Oracle.of(SWING), SWING, 1e-9, axes="E")
    assert "; 1 steps of 200 timed" in card["cost.steps@64"].says
    assert card["cost.steps@64"].n == 5
    assert card.facts["asked"] == {}  # it is about no moments


def test_names_are_checked():
    with pytest.raises(UnknownName, match="axis"):
        grade_within(Oracle.of(SWING), SWING, axes="Z")
    with pytest.raises(UnknownName, match="equality"):  # said before a world is made
        grade_within(Oracle.of(SWING), "craik/NoSuchWorld-v0", equality="E5")
    with pytest.raises(UnknownName, match="size"):
        grade_within(Oracle.of(SWING), SWING, size="huge")


def test_a_policy_learns_once_for_all_rounds(monkeypatch):
    practice = Practice(dreams=16, steps=6, rounds=2, shown=())
    monkeypatch.setitem(SIZES, "card", Size(24, 16, practice=practice))
    sitting = prepare(Oracle.of(SWING), SWING, size="card")
    found = [(8, sitting.ask("D", slice(0, 8))), (16, sitting.ask("D", slice(8, 24)))]
    assert sitting.school is sitting.school
    joined = {s.id: s for s in join(found)}
    for one in dream_scores(sitting.school, sitting.exam):
        np.testing.assert_allclose(joined[one.id].values, one.values, atol=1e-6)
        assert joined[one.id].mean == pytest.approx(one.mean, abs=1e-6)
    assert prepare(Oracle.of(SWING), SWING).school is None
