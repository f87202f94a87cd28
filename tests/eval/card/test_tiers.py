"""Data of a standard size: who is in it, from which seeds, what it covers, and how far an exam is from it."""

import json

import numpy as np
import pytest
from gymnasium import spaces

from craik.cli.main import main
from craik.core.errors import DataError, UnknownName
from craik.data.coverage import Coverage, coverage, scaled
from craik.eval.card.covered import distances, explained
from craik.eval.card.exam import sit
from craik.eval.card.grade import grade
from craik.worlds import make
from craik.worlds.oracle import Oracle
from craik.worlds.splits import splits
from craik.worlds.tiers import FILE, TABLE, TIERS, collect_tier, mixture_id, play, told
from craik.worlds.withheld import rule

ROOMS, BINS = "craik/Rooms-v0", "craik/SwingBins-v0"
BOX = spaces.Box(-2, 2, (2,), np.float32)


@pytest.fixture(scope="module")
def gathered(tmp_path_factory):
    path = tmp_path_factory.mktemp("tier")
    return collect_tier(splits(ROOMS)["train"], path / "rooms", steps=3_000)


def test_a_tier_holds_the_episodes_of_its_split_and_says_what_it_is(gathered):
    split, about = splits(ROOMS)["train"], told(gathered.path)
    episodes = [gathered.read(id) for id in gathered.ids]
    assert gathered.num_steps >= 3_000
    assert about["mixture"] == "wander:0.40+still:0.10+seek:0.30+expert:0.20-without-region"
    assert about["split"]["name"] == "train"
    assert (gathered.path / TABLE).exists()
    assert len({(e.meta["seed"], e.meta["row"]) for e in episodes}) == len(episodes)
    assert all(e.meta["seed"] in split.seeds for e in episodes)
    held = rule(make(ROOMS), "region")
    assert not any(held.broken(e.action[None]).any() for e in episodes)
    gains = {e.meta["factors"]["gain"] for e in episodes}
    assert len(gains) == len(episodes)


def test_stopped_and_gone_on_it_is_the_same(gathered, tmp_path):
    split = splits(ROOMS)["train"]
    part = collect_tier(split, tmp_path / "rooms", steps=500)
    assert 500 <= part.num_steps < 600
    again = collect_tier(split, tmp_path / "rooms", steps=3_000)
    for id in gathered.ids:
        np.testing.assert_array_equal(again.read(id).obs["state"], gathered.read(id).obs["state"])
    with pytest.raises(DataError, match="other data"):
        collect_tier(splits(ROOMS)["val"], tmp_path / "rooms")
    with pytest.raises(UnknownName, match="tier"):
        collect_tier(split, tmp_path / "new", "XL")


def test_worlds_without_a_goal_give_the_seekers_share_to_the_expert():
    assert mixture_id(splits(BINS)["train"]) == "wander:0.40+still:0.10+expert:0.50-without-composition"
    assert "erratic:0.50+spoiler:0.50" in mixture_id(splits(BINS)["test-policy"])
    assert list(TIERS.values()) == [20_000, 100_000, 1_000_000]


def test_no_episode_is_longer_than_the_limit():
    for episode in play(splits("craik/Paddle-v0")["train"], 0, rows=2):
        assert episode.num_steps <= 256


def test_distance_is_that_to_the_kth_neighbour():
    rng = np.random.default_rng(0)
    states, actions = rng.normal(size=(300, 3)), rng.uniform(-2, 2, (300, 2))
    known = Coverage.of(states, actions, BOX)
    asked, done = rng.normal(size=(4, 5, 3)), rng.uniform(-2, 2, (4, 5, 2))
    found = known.distance(asked, done, k=3)
    pairs = np.concatenate([(states - states.mean(0)) / states.std(0), actions / 2], 1)
    here = np.concatenate([(asked - states.mean(0)) / states.std(0), done / 2], -1)
    far = np.sort(np.linalg.norm(here[:, :, None] - pairs, axis=-1), -1)[..., 2]
    np.testing.assert_allclose(found, far, atol=2e-3)
    np.testing.assert_allclose(known.distance(states[:7], actions[:7], k=1), 0, atol=2e-3)


def test_choices_are_columns_and_the_histogram_counts_everything():
    choice = spaces.Discrete(3, start=1)
    np.testing.assert_array_equal(scaled(np.array([1, 3]), choice), [[1, 0, 0], [0, 0, 1]])
    rng = np.random.default_rng(0)
    known = Coverage.of(rng.normal(size=(200, 5)), rng.integers(1, 4, 200), choice)
    counts, edges, axes = known.histogram()
    assert counts.sum() == 200
    assert counts.shape == (6, 6, 6, 3)
    assert [len(e) for e in edges] == [7, 7, 7, 4]
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-6)
    spread = Coverage.of(rng.uniform(-9, 9, (200, 5)), rng.integers(1, 4, 200), choice)
    assert np.median(known.density()) > 0
    assert known.density().shape == spread.density().shape == (200,)
    with pytest.raises(DataError, match="no episode"):
        coverage([], choice)


def test_held_out_actions_are_far_from_the_data_and_others_are_not(gathered):
    known = coverage((gathered.read(id) for id in gathered.ids), gathered.spec.action)
    split = splits(ROOMS)["test-action"]
    exam = sit(ROOMS, 16, seed=split.seed(1), horizon=8, views=("state",), split=split)
    far, near = distances(exam, known), distances(exam.usual, known)
    assert far.shape == (16, 4, 8)
    assert np.median(far) > 1.1 * np.median(near)
    assert explained(np.arange(9.0), np.arange(9.0) ** 2) == pytest.approx(1)
    assert explained(np.ones(9), np.arange(9.0)) == 0
    card = grade(Oracle.of(ROOMS), ROOMS, axes="S", split=split, known=known)
    assert card.facts["distance"] == sorted(card.facts["distance"])
    assert "state.err@8:ar" in card.facts["distance_rho"]


def test_the_command_collects_a_tier(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(TIERS, "S", 400)
    main(["collect", BINS, str(tmp_path / "bins"), "--tier", "S", "--split", "val", "--rule", "duration"])
    assert "of val" in capsys.readouterr().out
    about = json.loads((tmp_path / "bins" / FILE).read_text())
    assert about["tier"] == "S"
    assert about["split"]["rule"] == "duration"
    assert about["steps"] >= 400
