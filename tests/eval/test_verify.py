import dataclasses
import json
import math

import pytest

from craik.core.errors import DataError, UnknownName
from craik.eval import evidence, verify
from craik.eval.check import Check, Claim, Trial
from tests.eval import toy_check


@pytest.fixture
def toy(monkeypatch, tmp_path):
    monkeypatch.setattr(verify, "where", lambda: {"toy": toy_check.__name__})
    monkeypatch.setattr(verify, "DEVELOPMENT", tmp_path / "development")

    def run(trials, **settings):
        steps = []
        found = verify.verify("toy", trials=trials, home=tmp_path, progress=steps.append, **settings)
        return found, [(s.trial, s.seed, s.outcome) for s in steps]

    return run


def record(code="same", error=None, **figures):
    return {
        "figures": figures,
        "error": error,
        "cpu_minutes": 0.5,
        "started": "2026-01-01",
        "code": code,
        "environment": {},
    }


def trial(name="one", *claims, minutes=1.0):
    return Trial(name, "none", lambda seed: {}, claims, minutes)


def file(trials, runs, seeds=(1, 2)):
    return evidence.assemble("toy", "toy", Check(tuple(trials), seeds=(1, 2)), runs, seeds)


@pytest.mark.slow
def test_a_run_is_kept_only_while_its_code_is_the_same(toy, tmp_path, monkeypatch):
    found, steps = toy(["good"])
    assert [s for s in steps if s[2] == "finished"] == [("good", 101, "finished"), ("good", 102, "finished")]
    one = found["trials"]["good"]
    assert one["means"] == {"score": 11.5, "base": 1.0}
    assert one["runs"]["101"]["environment"]["torch"]
    assert one["runs"]["101"]["environment"]["threads"] == 1
    assert json.loads((tmp_path / "toy.json").read_text())["trials"] == found["trials"]
    assert found["verdict"] == "incomplete"  # the other trials have not run

    assert toy(["good"])[1] == [("good", 101, "kept"), ("good", 102, "kept")]
    monkeypatch.setattr(verify, "fingerprint", lambda module, world: "another")
    assert [s[2] for s in toy(["good"], seeds=[102])[1]] == ["begins", "finished"]


@pytest.mark.slow
def test_what_was_interrupted_goes_on(toy, tmp_path):
    toy(["good"], seeds=[101])
    found, steps = toy(["good"])
    assert steps[0] == ("good", 101, "kept")
    assert steps[-1] == ("good", 102, "finished")
    assert found["trials"]["good"]["complete"]


@pytest.mark.slow
def test_a_crash_an_error_and_an_endless_run_are_results(toy):
    found, steps = toy(["crash", "error", "endless"], seeds=[102], jobs=2)
    assert {s[2] for s in steps} == {"begins", "failed"}
    errors = {k: t["runs"]["102"]["error"] for k, t in found["trials"].items() if t["runs"]}
    assert errors["crash"] == "the process was killed by signal 9"
    assert errors["error"].startswith("ValueError: no such luck (at toy_check.py:")
    assert errors["endless"] == "stopped after 0.015 CPU minutes, 3 times what it may take"
    assert found["verdict"] == "fails its check"
    assert not any(c["holds"] for t in found["trials"].values() if t["runs"] for c in t["claims"])
    assert toy(["crash"], seeds=[102])[1][0] == ("crash", 102, "begins")  # what failed is tried again


def test_a_failed_claim_shows_its_figure(toy):
    found, _ = toy(["poor"])
    claim = found["trials"]["poor"]["claims"][0]
    assert (claim["value"], claim["bound"], claim["holds"]) == (11.5, 100.0, False)
    assert found["verdict"] == "fails its check"


@pytest.mark.slow
def test_other_seeds_are_no_evidence(toy, tmp_path):
    found, _ = toy(["good"], seeds=[7])
    assert found["verdict"] == "development seeds"
    assert not (tmp_path / "toy.json").exists()
    assert (tmp_path / "development" / "toy.json").exists()


def test_unknown_names_and_spoilt_files_are_said(toy, tmp_path):
    with pytest.raises(UnknownName, match="good"):
        toy(["goood"])
    with pytest.raises(UnknownName, match="recipe"):
        verify.verify("tooy", home=tmp_path)
    (tmp_path / "toy.json").write_text("{")
    with pytest.raises(DataError, match="not JSON"):
        toy(["good"])


def test_claims_by_hand():
    means = {"a": 10.0, "b": 4.0, "bad": math.nan}
    for claim, bound, holds in (
        (Claim("a", 9.0, ""), 9.0, True),
        (Claim("a", "b", "", factor=2.0, margin=2.0), 10.0, True),
        (Claim("a", "b", "", factor=2.0, margin=2.1), 10.1, False),
        (Claim("a", 10.0, "", below=True), 10.0, True),
        (Claim("a", 9.0, "", below=True), 9.0, False),
        (Claim("bad", 0.0, ""), 0.0, False),
        (Claim("gone", 0.0, "", below=True), 0.0, False),
        (Claim("a", "gone", ""), None, False),
    ):
        found = evidence.judge(claim, means)
        assert (found["bound"], found["holds"]) == (bound, holds), claim


def test_the_verdict():
    claim = Claim("x", 1.0, "")
    good, bad = {s: record(x=2.0) for s in (1, 2)}, {s: record(x=0.0) for s in (1, 2)}
    two = [trial("one", claim), trial("two", claim)]
    assert file(two, {"one": good, "two": good})["verdict"] == "verified"
    assert file(two, {"one": good})["verdict"] == "incomplete"
    assert file(two, {"one": bad})["verdict"] == "fails its check"
    assert file(two, {"one": good, "two": {1: record(x=0.0)}})["verdict"] == "incomplete"
    assert file(two, {"one": good, "two": {1: record(x=2.0), 2: record(error="it broke")}})["verdict"] == (
        "fails its check"
    )
    assert file([], {})["verdict"] == "incomplete"


def test_runs_of_two_codes_are_not_averaged():
    old, new = record(x=0.0) | {"code": "old"}, record(x=2.0) | {"code": "new", "started": "2026-02-01"}
    found = file([trial("one", Claim("x", 1.0, ""))], {"one": {1: old, 2: new}})
    assert found["verdict"] == "incomplete"
    assert found["trials"]["one"]["means"] == {"x": 2.0}
    assert set(found["trials"]["one"]["runs"]) == {"1", "2"}


def test_taking_too_long_fails_by_itself():
    slow = {1: record(x=2.0), 2: record(x=2.0) | {"cpu_minutes": 1.2}}
    found = file([trial("one", Claim("x", 1.0, ""))], {"one": slow})
    assert [c["holds"] for c in found["trials"]["one"]["claims"]] == [True, False]
    assert found["trials"]["one"]["claims"][1]["value"] == 1.2


def test_a_figure_that_one_seed_lacks_has_no_mean():
    runs = {1: record(x=2.0, y=1.0), 2: record(x=4.0)}
    assert file([trial("one")], {"one": runs})["trials"]["one"]["means"] == {"x": 3.0}
    runs = {1: record(x=2.0), 2: record(x=None)}
    one = file([trial("one", Claim("x", 0.0, ""))], {"one": runs})["trials"]["one"]
    assert (one["means"], one["claims"][0]["holds"]) == ({"x": None}, False)


def test_a_claim_is_judged_anew_from_the_figures():
    runs = {"one": {s: record(x=2.0) for s in (1, 2)}}
    loose = trial("one", Claim("x", 1.0, ""))
    strict = dataclasses.replace(loose, claims=(Claim("x", 3.0, ""),))
    again = evidence.runs_of(file([loose], runs))
    assert file([strict], again)["verdict"] == "fails its check"
