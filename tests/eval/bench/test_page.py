"""The page of cards: whole, without a script, and dots where they belong."""

import re

import numpy as np
import pytest

from craik.core.errors import DataError
from craik.eval.bench.deck import Exercise
from craik.eval.bench.page import render, save
from craik.eval.bench.whiskers import Row, place, whiskers
from craik.eval.stats import Interval
from tests.eval.bench.made_up import card, hand, score
from tests.eval.test_report import coordinates, parsed


def curve(shift, level=0.2):
    rng = np.random.default_rng(1)
    return [score(f"state.err@{h}:ar", "S", rng.normal(level + shift * h, 0.05, 24), null=2.0) for h in (1, 2, 4, 8)]


def speed(x):
    return score("cost.steps@64", "E", [x] * 5, more=True, floor=None, null=None)


@pytest.fixture(scope="module")
def hands():
    regret, drawn = score("dec.regret:cl", "D", [0.3] * 8), score("fid.rkd:ar", "F", np.linspace(0, 0.8, 12))
    good = card("good <1>", [*curve(0.02), regret, drawn, speed(1e3)], equality="E2", recipe="made up")
    fast = card("fast", [*curve(0.1), score("dec.regret:cl", "D", [3.0] * 8), speed(1e5)], done={"S": 8})
    return [hand("good <1>", good), hand("fast", fast)]


@pytest.fixture(scope="module")
def page(hands):
    return render(hands)


def test_it_is_whole_and_needs_nothing_else(page):
    text = parsed(page)
    assert not re.search(r"https?://|<script|url\(|@import|\bnan\b", page.split("</style>")[1])
    assert "prefers-color-scheme: dark" in page
    for words in ("Axis by axis", "Drift", "What it costs", "World by world", "What it took", "good <1>"):
        assert words in text


def test_it_says_what_is_not_there_and_what_was_not_asked(page):
    text = parsed(page)
    assert "fast: no such axis" in text  # it draws no pictures
    assert "S 8 of 24" in text
    assert "different levels of equality: E1, E2" in text
    assert "grand" not in text


def test_its_figures_are_those_of_the_cards(hands, page):
    text = parsed(page)
    found = hands[0].cards[Exercise("craik/Swing-v0", "smoke", 1)]["dec.regret:cl"]
    assert f"{found.mean:.3g}" in text
    assert "0.3 to 0.3, n 8" in text
    assert "truth 0, null 1" in text
    assert "made up" in text


def test_drift_is_drawn_for_every_model(page):
    for style, shift in (("m0", 0.02), ("m1", 0.1)):
        points = coordinates(page, style)
        assert len(points) == 4
        assert points[0, 1] > points[-1, 1], shift  # it grows: up is more


def test_an_instrument_that_errs_is_drawn_with_its_error():
    def drawn(floor):
        return render([hand("a", card("a", [score(f"state.err@{h}:ar", "S", [0.5] * 8, floor=floor) for h in (1, 8)]))])

    assert len(coordinates(drawn(0.2), "m0 front")) == 2
    assert "m0 front" not in drawn(0.0)


def test_a_front_joins_those_that_none_beats(page):
    fronts = re.findall(r'class="line quiet front" points="([^"]+)"', page)
    assert [len(f.split()) for f in fronts] == [2, 2]  # one is better, the other faster


def test_scores_are_cut_off_in_the_drawing_alone():
    def mark(x):
        return whiskers([Row("here", [Interval(x, x - 0.1, x + 0.1, 8)])], ["m0"], ["a"])

    inside = float(re.search(r'cx="([\d.]+)"', mark(0.5)).group(1))
    assert inside == pytest.approx(place(0.5), abs=0.1)
    assert place(0.0) < place(0.5) < place(1.0) == place(1.7)
    assert place(-0.25) == place(-80.0)
    assert "<polygon" not in mark(0.5)
    assert "<polygon" in mark(1.7)
    assert "1.7 (1.6 to 1.8)" in mark(1.7)


def test_it_is_saved_whole_and_holds_eight_models(hands, page, tmp_path):
    save(hands, tmp_path / "deep" / "report.html")
    assert (tmp_path / "deep" / "report.html").read_text() == page
    with pytest.raises(DataError, match="9 models"):
        render([hand(str(i), card(str(i), [])) for i in range(9)])
