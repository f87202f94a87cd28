"""`craik bench`, `compare` and `report`, one after the other."""

from __future__ import annotations

import json

import pytest

from craik.cli.main import main


@pytest.fixture(scope="module")
def cards(tmp_path_factory):
    out = tmp_path_factory.mktemp("cards")
    for who in ("half-gain", "frozen"):
        main(["bench", "smoke", "--run", who, "--worlds", "swing", "tiles", "--axes", "SA", "--out", str(out)])
    return out


def test_bench_writes_a_card_a_world(cards):
    found = json.loads((cards / "frozen" / "swing-smoke-1.json").read_text())
    assert found["world"] == "craik/Swing-v0"
    assert found["facts"]["done"] == found["facts"]["asked"] == {"S": 24, "A": 24}
    assert (cards / "frozen" / "tiles-smoke-1.npz").exists()


def test_what_does_not_fit_is_said_by_name(cards, capsys, tmp_path):
    assert not (cards / "half-gain" / "tiles-smoke-1.json").exists()
    words = f"bench core --run half-gain --worlds tiles --out {tmp_path}"
    with pytest.raises(SystemExit):
        main(words.split())
    told = capsys.readouterr()
    assert "skipped: craik/Tiles-v0: there is no pretender" in told.out
    assert "fits none of these worlds" in told.err


def test_exams_are_counted_and_cut_short_in_words(capsys, tmp_path):
    words = f"bench smoke --run frozen --worlds swing --seeds 2 --axes S --seconds 1e-6 --equality E1 --out {tmp_path}"
    main(words.split())
    assert sorted(p.stem for p in (tmp_path / "frozen").glob("*.json")) == ["swing-smoke-1", "swing-smoke-2"]
    assert "asked less in swing exam 2, for want of time: S 8 of 24" in capsys.readouterr().out
    assert json.loads((tmp_path / "frozen" / "swing-smoke-2.json").read_text())["facts"]["equality"] == "E1"


def test_compare_says_who_is_better(cards, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    main(["compare", str(cards / "half-gain"), str(cards / "frozen")])
    out = " ".join(capsys.readouterr().out.split())
    assert "left out, done by one of the two only: tiles, smoke, exam 1" in out
    assert "half-gain - frozen in swing, smoke, exam 1" in out
    assert "act.effect_r2@8:ar*" in out
    assert "better" in out
    assert "P(half-gain > frozen)" in out
    with pytest.raises(SystemExit):
        main(["compare", str(cards / "half-gain")])
    assert "nothing to compare" in capsys.readouterr().err


def test_report_writes_a_page(cards, capsys, tmp_path):
    main(["report", str(cards), "--out", str(tmp_path / "page.html")])
    assert "2 models, 3 cards" in capsys.readouterr().out
    assert "half-gain" in (tmp_path / "page.html").read_text()
