"""Whole cards: the truth gets the same mark in other clothes, what is learned by heart does not; files come back."""

import json

import numpy as np
import pytest

from craik.core.errors import DataError
from craik.eval.card.card import read, save
from craik.eval.card.exam import sit
from craik.eval.card.grade import grade
from craik.eval.pretenders.clothes import InGaussians, InLatent
from craik.eval.pretenders.memory import Memoriser, Replayer, Straight
from craik.worlds.oracle import Oracle

BOUNCE = "craik/Bounce-v0"


@pytest.fixture(scope="module")
def truth():
    return grade(Oracle.of(BOUNCE), BOUNCE, axes="SA")


def test_the_truth_in_other_clothes_gets_the_same_mark(truth):
    scale = sit(BOUNCE, 24, seed=2_000_001, views=("state",), horizon=24).scale
    latent = grade(InLatent(Oracle.of(BOUNCE), scale), BOUNCE, axes="SA")
    assert latent.instrument == "probed"
    drawn = grade(InGaussians(Oracle.of(BOUNCE, obs="both")), BOUNCE, axes="SA")
    for card in (truth, latent, drawn):
        for id in ("act.retrieval@4,8:ar", "act.retrieval@4,16:ar"):
            assert card[id].normalised == pytest.approx(1, abs=0.05), (card.instrument, id)
        for id in ("state.err@8:ar", "state.err@16:ar", "act.effect_r2@8:ar"):
            assert card[id].normalised == pytest.approx(1, abs=0.05), (card.instrument, id)  # blobs parse too well


def test_what_is_learned_by_heart_does_not_hold_elsewhere(truth):
    lessons = sit("craik/Rooms-v0", 64, seed=3, views=("state",), horizon=24, futures=1)
    for make in (Replayer, Memoriser):
        card = grade(make(Oracle.of("craik/Rooms-v0"), lessons), "craik/Rooms-v0", axes="SA")
        assert card["act.effect_r2@8:ar"].mean < 0.9
        assert card["state.err@16:ar"].normalised < 0.9
    replay = grade(Replayer(Oracle.of("craik/Rooms-v0"), lessons), "craik/Rooms-v0", axes="SA")
    assert replay["act.retrieval@4,8:ar"].mean == pytest.approx(0.25)
    itself = grade(Straight(Oracle.of("craik/Rooms-v0")), "craik/Rooms-v0", axes="SA")
    assert itself["act.effect_r2@8:ar"].mean == pytest.approx(0, abs=1e-9)


def test_a_card_comes_back_from_its_file(truth, tmp_path):
    path = save(truth, tmp_path / "oracle")
    again = read(path)
    assert [s.id for s in again.scores] == [s.id for s in truth.scores]
    for a, b in zip(again.scores, truth.scores):
        np.testing.assert_array_equal(a.values, b.values)
        np.testing.assert_array_equal([a.interval().low, a.mean], [b.interval().low, b.mean])
    told = json.loads(path.read_text())
    assert all(row["low"] <= row["mean"] <= row["high"] for row in told["scores"] if row["n"])
    told["facts"]["evaluator"] = 0
    path.write_text(json.dumps(told))
    with pytest.raises(DataError, match="evaluator 0"):
        read(path)
    with pytest.raises(DataError, match="no score card"):
        read(tmp_path / "none")
