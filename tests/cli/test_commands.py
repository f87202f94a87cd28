"""The commands, one after the other, as a newcomer would type them."""

from __future__ import annotations

import json

import pytest

from craik.cli.main import main
from craik.cli.train_command import parse
from craik.train.start import learn_offline
from craik.worlds.tiers import TIERS


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    runs = tmp_path_factory.mktemp("runs")
    words = (
        "train dreamer_v3 --world craik/Swing-v0 --size tiny --steps 440 --every 20 --name first training.ratio=0.25"
    )
    main([*words.split(), "training.prefill=400", "--runs", str(runs)])
    return runs / "first"


def test_train_leaves_a_run(run, capsys):
    assert json.loads((run / "config.json").read_text())["training"]["ratio"] == 0.25
    assert (run / "log.jsonl").exists()
    assert list((run / "checkpoints").glob("step-*"))


def test_eval_scores_it(run, capsys):
    main(["eval", str(run), "--episodes", "3"])
    out = capsys.readouterr().out
    assert "random" in out
    facts = json.loads((run / "eval.json").read_text())
    assert facts["returns"]["agent"]["low"] <= facts["returns"]["agent"]["mean"] <= facts["returns"]["agent"]["high"]
    assert {"model", "copy last"} <= set(facts["horizon"]["state"])


@pytest.mark.slow
def test_dream_films_it_though_it_dreams_in_numbers(run, capsys):
    main(["dream", str(run), "--drawing", "5", "--length", "12"])
    assert (run / "dream.gif").read_bytes()[:3] == b"GIF"
    assert (run / "dream.png").stat().st_size > 1000


def test_data_is_collected_inspected_broken_and_mended(tmp_path, capsys):
    home = tmp_path / "swing"
    main(["collect", "craik/Swing-v0", str(home), "--steps", "900"])
    main(["data", "inspect", str(home)])
    assert "episodes" in capsys.readouterr().out
    with pytest.raises(SystemExit) as sound:
        main(["data", "verify", str(home)])
    assert sound.value.code == 0
    victim = sorted((home / "episodes").glob("*.safetensors"))[0]
    victim.write_bytes(victim.read_bytes()[:100])
    with pytest.raises(SystemExit) as broken:
        main(["data", "verify", str(home)])
    assert broken.value.code == 1
    out = capsys.readouterr().out
    assert victim.name in out
    assert "craik data repair" in out
    main(["data", "repair", str(home)])
    with pytest.raises(SystemExit) as mended:
        main(["data", "verify", str(home)])
    assert mended.value.code == 0


def test_a_wrong_setting_says_what_was_meant(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["train", "td_mpc2", "--world", "craik/Swing-v0", "--runs", str(tmp_path), "latnt=3"])
    err = capsys.readouterr().err
    assert "latent" in err
    assert "Traceback" not in err


def test_a_run_that_is_none_is_said_to_be_none(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["eval", str(tmp_path)])
    assert "fix:" in capsys.readouterr().err


def test_settings_are_json_where_they_can_be():
    assert parse("training.lr=3e-4") == ("training.lr", 3e-4)
    assert parse("act=mish") == ("act", "mish")


def test_list_show_worlds_systems_cite(capsys):
    for words in ("list", "worlds", "systems --status verified", "cite td_mpc2", "show le_wm"):
        main(words.split())
    out = capsys.readouterr().out
    assert "@article" in out
    assert "craik/Push-v0" in out


def test_score_grades_runs_and_pretenders(run, tmp_path, capsys):
    main(["score", str(run), "--axes", "SA", "--out", str(tmp_path)])
    told = json.loads((tmp_path / "first-Swing-v0-smoke-1.json").read_text())
    assert told["instrument"] == "told"
    assert {"state.err@8:ar", "act.retrieval@4,8:ar"} <= {s["id"] for s in told["scores"]}
    assert (tmp_path / "first-Swing-v0-smoke-1.npz").exists()
    assert "null: the best of those that know nothing" in capsys.readouterr().out
    main(["score", "half-gain", "--world", "craik/Swing-v0", "--shifts"])
    assert "score lost" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["score", "frosen", "--world", "craik/Swing-v0"])
    assert "did you mean" in capsys.readouterr().err


def test_bench_grades_a_run_where_it_fits(run, tmp_path, capsys):
    words = ["bench", "smoke", "--run", str(run), "--axes", "S", "--out", str(tmp_path)]
    with pytest.raises(SystemExit):
        main(words)
    told = capsys.readouterr()
    assert "skipped: craik/Bounce-v0: this model" in told.out
    assert "it was trained in craik/Swing-v0: --worlds swing" in told.err
    main([*words, "--worlds", "swing", "bounce"])
    assert "skipped: craik/Bounce-v0: this model" in capsys.readouterr().out
    facts = json.loads((tmp_path / "first" / "swing-smoke-1.json").read_text())["facts"]
    assert facts["recipe"] == "dreamer_v3"
    assert facts["data"] == "craik/Swing-v0"


def test_score_asks_by_splits_as_far_as_training_left_something_out(run, tmp_path, capsys, monkeypatch):
    main(
        [
            "score",
            "oracle",
            "--world",
            "craik/Swing-v0",
            "--split",
            "test-extrap",
            "--axes",
            "S",
            "--out",
            str(tmp_path),
        ]
    )
    told = json.loads((tmp_path / "oracle-Swing-v0-smoke-1-test-extrap.json").read_text())
    assert told["facts"]["constants"] == "drawn"
    assert "exam 1 of test-extrap" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["score", str(run), "--split", "test-action", "--out", str(tmp_path)])
    assert "left out nothing" in capsys.readouterr().err
    monkeypatch.setitem(TIERS, "S", 600)
    main(["collect", "craik/Swing-v0", str(tmp_path / "data"), "--tier", "S", "--rule", "duration"])
    learn_offline("td_mpc2", tmp_path / "data", updates=3, dir=tmp_path / "tiered")
    main(["score", str(tmp_path / "tiered"), "--axes", "A", "--split", "test-action", "--out", str(tmp_path)])
    told = json.loads((tmp_path / "tiered-Swing-v0-smoke-1-test-action.json").read_text())
    facts = told["facts"]
    assert (facts["rule"], facts["train_updates"]) == ("duration", 3)
    assert len(facts["distance"]) == 3
    assert "act.heldout.retrieval@4,8:ar" in {s["id"] for s in told["scores"]}
