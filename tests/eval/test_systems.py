import re
from types import SimpleNamespace

import pytest

from craik.eval import evidence, systems
from craik.eval.check import Check, Claim, Trial


@pytest.fixture
def stand(monkeypatch, tmp_path):
    """Two recipes of DreamerV3, with the evidence that is asked for."""
    names = {"one": "dreamer-v3", "two": "dreamer-v3"}
    monkeypatch.setattr(systems, "where", lambda: names)
    monkeypatch.setattr(systems, "recipe", lambda name: SimpleNamespace(CARD=SimpleNamespace(system=names[name])))

    def write(name, seeds, value, error=None):
        run = {
            "figures": {} if error else {"x": value},
            "error": error,
            "cpu_minutes": 0.1,
            "code": "c",
            "started": "2026-01-01",
        }
        trial = Trial("swing", "none", lambda seed: {}, (Claim("x", 1.0, ""),), 1.0)
        check = Check((trial,), seeds=(1, 2))
        data = evidence.assemble(name, "dreamer-v3", check, {"swing": dict.fromkeys(seeds, run)}, check.seeds)
        evidence.save(tmp_path / f"{name}.json", data)

    def look():
        found = {s.system.id: s for s in systems.standings(tmp_path)}
        return found["dreamer-v3"]

    return SimpleNamespace(write=write, look=look, home=tmp_path)


def test_the_table_is_whole():
    found = systems.table()
    ids = {s.id for s in found}
    assert len(found) == len(ids) == 391
    assert all(set(s.shares_with) <= ids and s.id not in s.shares_with for s in found)
    assert all(s.name and s.mechanism and 1900 < s.year < 2100 and re.fullmatch(r"[a-z0-9.+-]+", s.id) for s in found)
    assert {"dreamer-v3", "td-mpc2"} <= ids


def test_each_status_comes_from_the_evidence(stand):
    assert (stand.look().status, stand.look().recipe) == ("built, not verified", "one")
    stand.write("two", (1,), 2.0)
    assert stand.look().status == "built, not verified"
    stand.write("one", (1,), 2.0)
    assert stand.look().words == "1 of 2 runs done"
    stand.write("two", (1, 2), 0.5)
    assert stand.look() == systems.Standing(stand.look().system, "fails its check", "two", "swing: x 0.5 (at least 1)")
    stand.write("two", (1, 2), 0.0, "it broke")
    assert stand.look().words.endswith("swing: seed 1 failed; swing: seed 2 failed")
    stand.write("one", (1, 2), 2.0)
    assert stand.look().status == "verified"
    assert stand.look().words.startswith("swing: x 2 (at least 1)")


def test_the_page_counts_and_names_every_system(stand):
    found = systems.standings(stand.home)
    page = systems.as_markdown(found)
    assert "0 verified, 0 fails its check, 1 built, not verified" in page
    assert page.count("\n| ") == len(found) + 2 * len({s.system.house for s in found})
    assert "a survey of the field" in page
    assert "| DreamerV3 | 2023 | built, not verified | `one` | no evidence yet |" in page


def test_a_recipe_of_a_system_that_is_not_in_the_table_is_listed_too():
    (found,) = [s for s in systems.standings() if s.system.id == "le-wm"]
    assert (found.recipe, found.system.name, found.system.house) == ("le_wm", "LeWorldModel", "embedding")
