"""The evaluator's own exam: every pretender in two worlds, and what the score card must say of each."""

import numpy as np
import pytest

from craik.core.errors import DataError, UnknownName
from craik.eval.card.grade import grade
from craik.eval.card.table import HEADLINES, markdown
from craik.eval.pretenders.known import pretender, pretenders
from craik.worlds.ours import OURS

ROOMS = "craik/Rooms-v0"
PLAN = ("oracle", "frozen", "ignored", "shuffled", "mirrored", "optimist")
SAT = (*PLAN, "straight", "replayer", "blurred", "noisy")


@pytest.fixture(scope="module")
def cards():
    known = pretenders(ROOMS)
    return {name: grade(known[name](), ROOMS, name=name, axes="SAD" if name in PLAN else "SA") for name in SAT}


def test_nobody_who_ignores_actions_looks_good_where_it_matters(cards):
    for name in ("frozen", "ignored", "straight", "replayer"):
        card = cards[name]
        assert card["act.retrieval@4,8:ar"].mean == pytest.approx(0.25), name
        assert card["act.effect_r2@8:ar"].mean <= 0.01, name
    for name in ("shuffled", "mirrored"):
        assert cards[name]["act.effect_r2@8:ar"].mean < -0.5, name
    for name in ("frozen", "ignored", "shuffled", "mirrored"):
        assert cards[name]["dec.regret:cl"].normalised < 0.5, name


def test_the_truth_is_best_at_everything(cards):
    for score in cards["oracle"].scores:
        best = score.normalised
        assert np.isfinite(score.values).any(), score.id
        assert np.isnan(best) or best == pytest.approx(1, abs=0.02), score.id


def test_bad_drawing_costs_nothing_but_looks(cards):
    for name in ("blurred", "noisy"):
        for score in cards[name].scores:
            score = cards["oracle"][score.id]
            assert cards[name][score.id].mean == pytest.approx(score.mean, abs=1e-9), (name, score.id)
    seen = {name: grade(pretender(name, ROOMS), ROOMS, axes="F") for name in ("blurred", "noisy")}
    assert seen["blurred"]["fid.psnr@8:ar"].mean < 35
    assert seen["noisy"]["fid.ssim@8:ar"].mean < 0.7


def test_an_optimist_promises_more_than_comes(cards):
    assert cards["optimist"]["dec.gap:cl"].mean > 0.05
    assert cards["oracle"]["dec.gap:cl"].mean == pytest.approx(0, abs=0.02)
    assert cards["optimist"]["act.false_success@24:ar"].mean > 0.15


def test_one_table_holds_cards_that_were_graded_alike(cards):
    told = markdown(list(cards.values()))
    assert len(told.splitlines()) == len(cards) + 2
    assert all(name in told for name in cards)
    other = grade(pretender("oracle", ROOMS), ROOMS, seed=2, axes="A")
    with pytest.raises(DataError, match="one table"):
        markdown([cards["oracle"], other])
    assert len(set(HEADLINES)) == len(HEADLINES)


def test_every_exact_world_has_its_pretenders():
    for world, entry in OURS.items():
        if entry.exact:
            assert {"oracle", "frozen", "shuffled", "memoriser"} <= set(pretenders(world))
    with pytest.raises(UnknownName, match="pretender"):
        pretender("frosen", ROOMS)
