"""Film strips on the page: each model beneath the truth, every picture where its column says."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from craik.eval.bench.page import render
from craik.eval.bench.reels import AGREED, APART, WRONG, film_strip, red_strip
from craik.eval.card.strips import Strips
from tests.eval.bench.made_up import card, hand, score
from tests.eval.test_report import parsed

SIDE, FUTURES, STEPS = 8, 2, (1, 2)


def strips(ours=None, says="drawn by the model", moment=3, actions=None):
    true = np.random.default_rng(0).integers(0, 255, (FUTURES, 1 + len(STEPS), SIDE, SIDE, 3)).astype(np.uint8)
    actions = np.linspace(-1, 1, FUTURES * 4 * 2).reshape(FUTURES, 4, 2) if actions is None else actions
    return Strips(moment, STEPS, says, actions, true, true[:0] if ours is None else ours(true))


def told(name, film, world="craik/Swing-v0"):
    one = card(name, [score("state.err@8:ar", "S", [0.5] * 8)], world)
    return hand(name, type(one)(**{**one.__dict__, "film": film}))


def pictures(page):
    found = re.findall(r'<img alt="([^"]+)" src="data:image/png;base64,([^"]+)"', page)
    return {alt: np.array(Image.open(io.BytesIO(base64.b64decode(data)))) for alt, data in found}


@pytest.fixture(scope="module")
def page():
    wrong = told("wrong <1>", strips(lambda true: true[::-1]))
    right = told("right", strips(lambda true: true, "drawn from what is read (told)"))
    blind = told("blind", strips(says="no pictures: it draws none"))
    return render([wrong, right, blind, hand("old", card("old", [], seed=2))])


def test_truth_is_drawn_once_and_every_model_beneath_it(page):
    text, found = parsed(page), pictures(page)
    assert "What follows from what is done" in text
    assert len(found) == FUTURES * (1 + 2 * 2)
    assert page.count("what truly follows in future A, now and after 1, 2 steps") == 1
    for words in ("wrong <1>", "drawn from what is read (told)", "no pictures: it draws none", "Moment 3 of the exam"):
        assert words in text
    assert page.count("no pictures: it draws none") == 1
    assert text.index("What follows") < text.index("World by world")


def test_pictures_stand_side_by_side_as_they_are(page):
    film, found = strips(lambda true: true[::-1]), pictures(page)
    wide = found["what truly follows in future B, now and after 1, 2 steps"]
    assert wide.shape == (SIDE, 3 * SIDE + 2 * APART, 4)
    for t in range(3):
        np.testing.assert_array_equal(wide[:, t * (SIDE + APART) :][:, :SIDE, :3], film.true[1, t])
    assert (wide[:, SIDE : SIDE + APART] == 0).all()  # clear between
    ours = found["what wrong &lt;1&gt; imagines in future A, now and after 1, 2 steps"]
    np.testing.assert_array_equal(ours[:, :SIDE, :3], film.true[1, 0])
    gap = found["what right imagines in future A less the truth, now and after 1, 2 steps"]
    assert (gap[:, :SIDE] == AGREED).all()


def test_red_is_where_it_differs():
    gaps = np.zeros((1, 4, 4))
    gaps[0, 1, 2] = 1
    drawn = np.array(Image.open(io.BytesIO(red_strip(gaps))))
    assert drawn[1, 2].tolist() == [*WRONG, 255]
    assert (drawn[0] == AGREED).all()
    film = np.full((2, 4, 4, 3), 7, np.uint8)
    assert np.array(Image.open(io.BytesIO(film_strip(film))))[0, 0].tolist() == [7, 7, 7, 255]


def test_what_is_done_is_drawn(page):
    assert page.count('class="a0"') == page.count('class="a1"') == FUTURES
    choices = np.eye(3)[[[0, 1, 2, 0], [2, 2, 2, 2]]]
    bars = render([told("a", strips(actions=choices))])
    assert bars.count("<rect x=") == FUTURES * STEPS[-1]
    assert "one row a choice" in parsed(bars)


def test_other_moments_are_shown_apart_and_none_without_films():
    both = render([told("a", strips(moment=1)), told("b", strips(moment=2))])
    assert both.count('class="reel"') == 2
    assert "What follows from what is done" not in render([told("a", None)])
