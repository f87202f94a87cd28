"""What players learn from: hindsight by the definition, written again; and which worlds hide their goal."""

import numpy as np
import pytest

from craik.core.errors import CraikError, DataError
from craik.eval.players.lessons import Lessons, about, gather, hidden_goal
from craik.worlds import make
from craik.worlds.splits import splits
from craik.worlds.tiers import collect_tier, play

ROOMS, SWING = "craik/Rooms-v0", "craik/Swing-v0"


@pytest.fixture(scope="module")
def episodes():
    return list(play(splits(ROOMS)["train"], 0, rows=4))


@pytest.fixture(scope="module")
def lessons(episodes):
    return Lessons.of(make(ROOMS), episodes)


def found_in(lessons, row):
    return int(np.flatnonzero((lessons.seen == row.numpy()).all(1))[0])


def test_steps_are_those_of_the_episodes(lessons, episodes):
    assert len(lessons) == sum(e.num_steps for e in episodes)
    begin = 0
    for episode in episodes:
        rows = slice(begin, begin + episode.num_steps)
        begin = rows.stop
        np.testing.assert_array_equal(lessons.after[rows], episode.obs["state"][1:])
        np.testing.assert_array_equal(lessons.action[rows], episode.action)
        assert (lessons.last[rows] == rows.stop - 1).all()
        assert (lessons.factors["gain"][rows] == episode.meta["factors"]["gain"]).all()


def test_a_goal_is_what_the_same_episode_came_to_later(lessons):
    steps = lessons.steps(np.random.default_rng(0), 400, 0.0)
    ahead = []
    for i in range(400):
        row = found_in(lessons, steps.seen[i])
        later = lessons.after[row : lessons.last[row] + 1]
        at = np.flatnonzero((later == steps.goal[i].numpy()).all(1))
        assert len(at)
        ahead.append(at[0] / len(later))
    assert 0.4 < np.mean(ahead) < 0.6  # evenly over what is left of the episode


def test_foreign_goals_are_from_anywhere(lessons):
    steps = lessons.steps(np.random.default_rng(0), 400, 1.0)
    assert not steps.own.any()
    own = 0
    for i in range(400):
        row = found_in(lessons, steps.seen[i])
        later = lessons.after[row : lessons.last[row] + 1]
        own += (later == steps.goal[i].numpy()).all(1).any()
    assert own < 100  # of four episodes of a hundred steps, an eighth of what is drawn is later in one's own


def test_rewards_are_the_worlds_own_for_the_goal_told(lessons):
    world = lessons.world
    steps = lessons.steps(np.random.default_rng(1), 60, 0.5)
    for i in range(60):
        row = found_in(lessons, steps.seen[i])
        factors = {k: v[row : row + 1] for k, v in lessons.factors.items()}
        goal = steps.goal[i : i + 1].numpy()
        way = world.way(steps.after[i : i + 1].numpy().astype(float), goal, factors)[0]
        assert float(steps.reward[i]) == pytest.approx(max(1 - way / 3, 0), abs=1e-5)


def test_where_the_goal_is_known_nothing_is_told_and_rewards_are_those_of_the_data():
    lessons = Lessons.of(make(SWING), play(splits(SWING)["train"], 0, rows=2))
    steps = lessons.steps(np.random.default_rng(0), 50, 0.5)
    assert steps.goal.shape == (50, 0)
    for i in range(50):
        assert float(steps.reward[i]) == lessons.reward[found_in(lessons, steps.seen[i])]
    assert steps.own.all()


@pytest.mark.parametrize(
    ("name", "hidden"),
    [("Bounce", True), ("Push", True), ("Rooms", True), ("RayFind", True), ("Levers", True), ("Tiles", False),
     ("Story", False), ("Race", False), ("RayCode", False), ("Swing", False)],
)  # fmt: skip
def test_a_goal_is_hidden_where_one_start_has_several(name, hidden):
    assert hidden_goal(make(f"craik/{name}-v0")) is hidden


def test_what_is_no_tier_or_for_tests_is_refused(tmp_path):
    with pytest.raises(DataError, match="no craik data set"):
        gather(tmp_path)
    collect_tier(splits(SWING)["test-iid"], tmp_path / "tests", steps=200)
    with pytest.raises(CraikError, match="for tests"):
        about(tmp_path / "tests")
    (tmp_path / "tests" / "tier.json").unlink()
    with pytest.raises(DataError, match="is no tier"):
        about(tmp_path / "tests")
    with pytest.raises(DataError, match="learn from the state"):
        Lessons.of(make(SWING), [])
