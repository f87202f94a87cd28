"""A player's card is of the same moments as a model's, can be put beside it, and says that there is no model."""

import json
import math

import numpy as np
import pytest

from craik.cli.main import main
from craik.core.errors import SpecError
from craik.eval.bench.compare import compare
from craik.eval.bench.deck import deck
from craik.eval.bench.page import render
from craik.eval.card.card import read, save
from craik.eval.card.grade import grade
from craik.eval.players.grade import Pupil, cost_of_deciding, grade_player
from craik.eval.players.learn import learn
from craik.eval.players.lessons import gather
from craik.worlds.oracle import Oracle
from craik.worlds.splits import splits
from craik.worlds.tiers import collect_tier

WORLD = "craik/SwingBins-v0"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("tier") / "bins"
    collect_tier(splits(WORLD)["train"], path, steps=600)
    return path


@pytest.fixture(scope="module")
def pupil(data):
    player, facts = learn("clone", gather(data), updates=20)
    return Pupil("clone-1", player, WORLD, facts)


def test_moments_truth_and_nulls_are_those_of_models(pupil, tmp_path):
    split = splits(WORLD)["test-iid"]
    card = grade_player(pupil, WORLD, axes="SAD", split=split)
    other = grade(Oracle.of(WORLD), WORLD, name="oracle", axes="D", split=split)
    for id in ("dec.return:cl", "dec.regret:cl"):
        mine, its = card[id], other[id]
        np.testing.assert_array_equal(mine.floor, its.floor)
        assert set(mine.nulls) == set(its.nulls)
        for name, values in its.nulls.items():
            np.testing.assert_array_equal(mine.nulls[name], values)
        assert (mine.instrument, mine.more) == (its.instrument, its.more)
    assert {s.axis for s in card.scores} == {"D"}
    assert card.facts["asked"] == card.facts["done"] == {"D": 24}
    assert card.facts["model"] == "none"
    assert card.facts["train_updates"] == 20
    one, two = (deck(save(c, tmp_path / c.name)) for c in (card, other))
    assert read(tmp_path / "clone-1").facts == card.facts
    found = {d.id: d for d in compare(one, two)}
    assert found["dec.return:cl"].how == "paired"
    assert found["dec.return:cl"].better is False
    assert "clone-1" in render([one, two])


def test_in_rounds_it_is_the_same_and_elsewhere_it_knows_nothing(pupil):
    ticks = iter(range(1000))
    cut = grade_player(pupil, WORLD, 4.0, axes="D", now=lambda: float(next(ticks)))
    assert cut.facts["done"]["D"] < 24
    assert cut["dec.return:cl"].n == cut.facts["done"]["D"]
    with pytest.raises(SpecError, match="has learned from data of craik/SwingBins"):
        grade_player(pupil, "craik/Swing-v0")


def test_the_cost_is_that_of_a_decision(pupil):
    from craik.eval.card.exam import sit

    found = {s.id: s for s in cost_of_deciding(pupil.player, sit(WORLD, 4, seed=3, horizon=4, views=("state",)))}
    assert found["cost.decision_p50"].mean <= found["cost.decision_p95"].mean
    assert found["cost.parameters"].mean == sum(p.numel() for p in pupil.player.parameters())
    short = cost_of_deciding(pupil.player, sit(WORLD, 4, seed=3, horizon=4, views=("state",)), 1e-9)
    assert "; 1 timed" in short[0].says
    assert math.isfinite(short[0].mean)


def test_the_command_lets_it_learn_and_asks_in_its_own_world(data, tmp_path, capsys):
    words = f"bench smoke --player iql --data {data} --worlds swingbins swing --updates 5 --axes D --out {tmp_path}"
    main(words.split())
    told = capsys.readouterr().out
    assert "skipped: craik/Swing-v0: iql-1 has learned from data of craik/SwingBins-v0" in told
    facts = json.loads((tmp_path / "iql-1" / "swingbins-smoke-1.json").read_text())["facts"]
    assert (facts["player"], facts["model"], facts["split"]) == ("iql", "none", "test-iid")
    assert facts["train_steps"] >= 600
    assert len(facts["distance"]) == 3


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--player clon --data x", "did you mean clone"),
        ("--player clone", "learns from data"),
        ("--player clone --data /nowhere", "no craik data set"),
        ("", "one is graded at a time"),
        ("--player clone --run frozen", "one is graded at a time"),
    ],
)
def test_what_is_missing_is_said(words, says, capsys):
    with pytest.raises(SystemExit):
        main(["bench", "smoke", *words.split()])
    assert says in capsys.readouterr().err


def test_its_own_world_has_to_be_among_those_asked(data, capsys, tmp_path):
    words = f"bench smoke --player clone --data {data} --worlds swing --updates 1 --out {tmp_path}"
    with pytest.raises(SystemExit):
        main(words.split())
    assert "--worlds swingbins" in capsys.readouterr().err
