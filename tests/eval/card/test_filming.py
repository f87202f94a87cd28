"""Film strips: the truth is drawn as it is, who ignores actions draws one row, and who cannot be drawn is left out."""

import dataclasses
import json

import numpy as np
import pytest

from craik.core.state import State
from craik.eval.card.card import read, save
from craik.eval.card.exam import sit
from craik.eval.card.filming import FUTURES, STEPS, film, telling
from craik.eval.card.grade import prepare
from craik.eval.card.instrument import Told
from craik.eval.card.judge import as_states
from craik.eval.card.subject import Subject
from craik.eval.pretend import Pretender
from craik.eval.pretenders.actions import IgnoredActions, Lag
from craik.eval.pretenders.known import pretender
from craik.worlds.oracle import Oracle

ROOMS, TILES = "craik/Rooms-v0", "craik/Tiles-v0"


class Boaster(Pretender):
    """Says numbers far beyond all that there is."""

    def read(self, state: State, query=None):
        return {**self.model.read(state), "obs": {"state": 1e12 * self.model.read(state)["obs"]["state"]}}


@pytest.fixture(scope="module")
def exam():
    return sit(ROOMS, 8, seed=2_000_001, views=("state",), size=32)


def shot(model, exam):
    return film(Subject(model), exam, Told(exam))


@pytest.mark.parametrize("world", ["craik/Bounce-v0", TILES, "craik/RayFind-v0"])
def test_what_is_told_of_the_truth_is_drawn_as_the_truth(world):
    exam = sit(world, 8, seed=2_000_001, views=("state",))
    strips = shot(Oracle.of(world), exam)
    assert strips.says == "drawn from what is read (told)"
    assert strips.true.shape == (FUTURES, 1 + len(STEPS), 64, 64, 3)
    assert strips.difference.max() <= 1 / 255  # numbers are told in float32
    now = exam.look("pixels", exam.world.state[:, None])[strips.moment, 0]
    np.testing.assert_array_equal(strips.true[:, 0], np.stack([now] * FUTURES))
    after = exam.look("pixels", exam.states[:, 1, STEPS[2] - 1])[strips.moment]
    np.testing.assert_array_equal(strips.true[1, 3], after)


def test_who_ignores_actions_draws_one_row_and_who_is_late_an_early_one(exam):
    ignored, late = shot(IgnoredActions(Oracle.of(ROOMS)), exam), shot(Lag(Oracle.of(ROOMS), 4), exam)
    assert (ignored.ours[0] == ignored.ours[1:]).all()
    assert (ignored.true[0, -1] != ignored.true[1, -1]).any()
    assert (late.ours[0, :4] == late.ours[1, :4]).all()  # now, and after 1, 2 and 4 steps
    assert (late.ours[0, -1] != late.ours[1, -1]).any()
    np.testing.assert_array_equal(late.true, ignored.true)


def test_a_model_of_pictures_shows_its_own():
    strips = prepare(pretender("blurred", "craik/Swing-v0"), "craik/Swing-v0").film()
    assert strips.says == "drawn by the model"
    assert 0 < strips.difference[:, 0].max() < 0.8  # what it believes at the moment is blurred already
    assert strips.ours.shape == strips.true.shape


def test_who_cannot_be_drawn_is_left_out_with_a_word_why():
    strips = prepare(pretender("in-text", TILES), TILES).film()
    assert len(strips.ours) == 0 == len(strips.difference)
    assert strips.says.startswith("no pictures")
    assert len(strips.true) == FUTURES


def test_what_is_beyond_the_world_can_be_drawn(exam):
    strips = shot(Boaster(Oracle.of(ROOMS)), exam)
    assert strips.ours.shape == strips.true.shape
    assert strips.difference.max() > 0.1


def test_the_moment_is_the_one_whose_futures_differ(exam):
    assert telling(exam) == shot(IgnoredActions(Oracle.of(ROOMS)), exam).moment
    same = np.repeat(exam.states[:, :1], exam.shape[1], 1)
    for row in (2, 5):
        states = same.copy()
        states[row] = exam.states[row]
        assert telling(dataclasses.replace(exam, states=states)) == row
    over = np.zeros_like(exam.over)
    over[telling(exam)] = True
    assert telling(dataclasses.replace(exam, over=over)) != telling(exam)


def test_states_of_one_moment_are_those_of_all(exam):
    told, subject = Told(exam), Subject(Oracle.of(ROOMS))
    numbers = told.read(subject, subject.dream(subject.believe(exam), exam.actions[:, 0]))
    whole = as_states(exam, told, numbers)
    np.testing.assert_array_equal(as_states(exam, told, numbers[[3, 3]], np.array([3, 3])), whole[[3, 3]])


def test_a_film_comes_back_with_its_card_and_old_cards_have_none(tmp_path):
    sitting = prepare(pretender("late", ROOMS), ROOMS)
    path = save(sitting.card([], film=sitting.film()), tmp_path / "late")
    one, other = sitting.film(), read(path).film
    for field in dataclasses.fields(one):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))
    assert path.with_suffix(".npz").stat().st_size < 60_000
    assert sorted(p.name for p in tmp_path.iterdir()) == ["late.json", "late.npz"]
    told = json.loads(path.read_text())
    del told["film"]
    path.write_text(json.dumps(told))
    assert read(path).film is None
    assert read(save(sitting.card([]), tmp_path / "bare")).film is None
