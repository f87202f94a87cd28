import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from craik.eval.chart import Level, Line, chart, short
from craik.eval.report import Curve, ReportInput, number, render, save
from tests.eval.made_up import made_up, thinking


class Balanced(HTMLParser):
    """Raises where a tag is closed that is not open."""

    def __init__(self):
        super().__init__()
        self.open, self.text = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, self.getpos()

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def report():
    return made_up(size=16)


@pytest.fixture(scope="module")
def page(report):
    return render(report)


def parsed(page):
    parser = Balanced()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return " ".join(" ".join(parser.text).split())


def test_the_page_is_whole_and_needs_nothing_else(page):
    text = parsed(page)
    assert not re.search(r"https?://|<script|url\(|@import|\bnan\b", page.split("</style>")[1])
    assert "http" not in page.split("</style>")[0]
    for title in ("earns", "dreams", "How far ahead", "plans", "learned", "this again", "try next"):
        assert title in text
    assert "95% interval" in text
    assert "prefers-color-scheme: dark" in page


def test_its_figures_are_those_it_was_given(report, page):
    text = parsed(page)
    for x in (report.score.value, report.score.low, report.score.high, *(m.value for m in report.marks)):
        assert number(x) in text
    for command in report.commands:
        assert command in text


def test_its_pictures_are_pictures(report, page):
    found = re.findall(r'src="data:image/(\w+);base64,([^"]+)"', page)
    assert [kind for kind, _ in found] == ["gif", "png"]
    moving = Image.open(io.BytesIO(base64.b64decode(found[0][1])))
    assert moving.n_frames == len(report.film.real)


def test_what_is_not_given_is_left_out_and_words_are_escaped():
    page = render(ReportInput("a < b", "<b>& so on</b>"))
    assert "a < b <b>& so on</b> made by craik" in parsed(page)
    assert "<section>" not in page


def test_it_is_saved_whole(tmp_path, report, page):
    save(report, tmp_path / "deep" / "report.html")
    assert (tmp_path / "deep" / "report.html").read_text() == page


def coordinates(svg, style):
    points = re.search(rf'class="line {style}" points="([^"]+)"', svg).group(1)
    return np.array([[float(v) for v in p.split(",")] for p in points.split()])


def test_a_chart_puts_points_where_they_belong():
    svg = chart([Line("a", [0, 1, 2], [0, 5, 10])], "x", "y")
    points = coordinates(svg, "one")
    assert np.allclose(np.diff(points[:, 0]), np.diff(points[:, 0])[0])
    assert np.allclose(np.diff(points[:, 1]), np.diff(points[:, 1])[0], atol=0.11)
    assert points[0, 1] > points[-1, 1]  # up is more
    log = coordinates(chart([Line("a", [1, 10, 100], [0.1, 1, 10])], "x", "y", log_x=True, log_y=True), "one")
    assert np.allclose(np.diff(log, axis=0)[0], np.diff(log, axis=0)[1], atol=0.11)


def test_a_chart_leaves_out_what_cannot_be_drawn():
    svg = chart([Line("a", [1, 2, 3], [np.nan, 0.0, 4.0])], "x", "y", log_y=True)
    assert len(coordinates(svg, "one")) == 1
    assert "nothing to draw" in chart([Line("a", [1.0], [np.nan])], "x", "y")
    constant = chart([Line("a", [1, 2], [3, 3])], "x", "y", levels=[Level("here", 3.0)])
    assert "nan" not in constant


def test_numbers_are_short():
    assert [short(x) for x in (0.0, 0.05, 12.0, -1500.0, 20_000.0, 3e6)] == [
        "0",
        "0.05",
        "12",
        "\u22121.5k",
        "20k",
        "3M",
    ]
    assert [number(x) for x in (-212.4, 35.26, 0.512)] == ["\u2212212", "35.3", "0.51"]


def test_thinking_narrows_and_improves():
    found = thinking(num_steps=6)
    assert found.tried.shape == (7, 16, 20, 1)
    assert found.expected.shape == (7, 16, 20)
    assert found.hoped.shape == (20,)
    assert found.tried[-1].std(0).mean() < 0.5 * found.tried[0].std(0).mean()
    assert found.best[-1] >= found.best[0]
    assert found.expected[-1].mean() > found.expected[0].mean()


def test_curves_may_have_bands_and_logarithms():
    report = ReportInput(
        "t", "s", curves=(Curve("loss", [1, 2], [10.0, 1.0], low=[0.0, 0.5], high=[20.0, 2], log=True),)
    )
    assert "band one" in render(report)
    assert "nan" not in render(report).split("</style>")[1]
