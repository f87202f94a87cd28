import sys

import pytest

from craik.eval.reach import fingerprint, reach

FILES = {
    "__init__": "",
    "first": '"""Text."""\nfrom farm import second\nimport json\n\n\ndef f():\n    from .barn.third import cow\n',
    "second": "x = 1\n",
    "alone": "y = 1\n",
    "barn/__init__": "",
    "barn/third": "from ..fourth import z\ncow = 1\n",
    "fourth": "z = 1\n",
    "pages/__init__": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from farm.pages.one import One\n"
    "    from farm.pages.two import Two\n",
    "pages/one": "class One: ...\n",
    "pages/two": "class Two: ...\n",
    "reader": "from farm.pages import Two\n",
}


@pytest.fixture
def farm(tmp_path, monkeypatch):
    for name, text in FILES.items():
        path = tmp_path / "farm" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path / "farm"
    for name in [n for n in sys.modules if n.split(".")[0] == "farm"]:
        del sys.modules[name]


def test_it_reaches_what_is_imported_anywhere_and_nothing_else(farm):
    assert list(reach("farm.first")) == [
        "farm",
        "farm.barn",
        "farm.barn.third",
        "farm.first",
        "farm.fourth",
        "farm.second",
    ]


def test_only_code_that_is_reached_changes_the_fingerprint(farm):
    before = fingerprint("farm.first")
    (farm / "alone.py").write_text("y = 2\n")
    (farm / "first.py").write_text(FILES["first"].replace("Text", "Other text") + "\n\n# a comment\n")
    assert fingerprint("farm.first") == before
    (farm / "fourth.py").write_text("z = 2\n")
    assert fingerprint("farm.first") != before


def test_a_recipe_reaches_its_parts_and_no_other_recipe():
    found = reach("craik.recipes.embedding.le_wm")
    assert {"craik.core.model", "craik.families.embedding", "craik.ops.sigreg"} <= set(found)
    assert [n for n in found if n.count(".") == 3 and n.startswith("craik.recipes.")] == [
        "craik.recipes.embedding.le_wm"
    ]


def test_of_a_front_page_only_the_names_asked_for_are_followed(farm):
    assert list(reach("farm.reader")) == ["farm", "farm.pages", "farm.pages.two", "farm.reader"]


def test_a_trial_depends_on_its_own_world_and_on_no_other():
    recipe = "craik.recipes.embedding.le_wm"
    worlds = {name for name in reach(recipe, "craik/Push-v0") if name.startswith("craik.worlds.")}
    assert "craik.worlds.push" in worlds
    assert not worlds & {"craik.worlds.rooms", "craik.worlds.bounce", "craik.worlds.story"}
    assert fingerprint(recipe, "craik/Push-v0") != fingerprint(recipe, "craik/PushBox-v0")  # one module, two lines


def test_another_world_in_the_table_changes_nothing(monkeypatch):
    from craik.worlds import ours

    before = fingerprint("craik.worlds.push", "craik/Push-v0")
    monkeypatch.setitem(ours.OURS, "craik/New-v0", ours.Entry("craik.worlds.rooms:Rooms", "a new one"))
    assert fingerprint("craik.worlds.push", "craik/Push-v0") == before
    monkeypatch.setitem(ours.OURS, "craik/Push-v0", ours.Entry("craik.worlds.push:Push", "a new one", {"shape": "L"}))
    assert fingerprint("craik.worlds.push", "craik/Push-v0") != before
