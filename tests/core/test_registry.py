"""Recipes by name, errors in words, and an import that is light."""

from __future__ import annotations

import subprocess
import sys

import pytest

import craik
from craik.core.errors import UnknownName
from craik.core.registry import family, recipe, where


def alone(code: str) -> None:
    """Runs code in a fresh interpreter."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_import_craik_does_not_import_torch():
    alone("import sys, craik; assert not {'torch', 'numpy', 'gymnasium'} & set(sys.modules)")


def test_listing_recipes_imports_none_of_them():
    alone("import sys; from craik.core.registry import where; where(); assert 'torch' not in sys.modules")


def test_every_public_name_is_there_and_stays_what_it_is():
    alone(
        "import craik\n"
        "for turn in range(2):\n"  # a subpackage of the same name takes the place of a function once it is imported
        "    for name in set(craik.__all__) - {'__version__'}:\n"
        "        assert callable(getattr(craik, name)), name"
    )


def test_a_wrong_public_name_gets_a_suggestion():
    with pytest.raises(AttributeError, match="Did you mean imagine"):
        craik.imagin  # noqa: B018


@pytest.mark.parametrize("name", where())
def test_every_recipe_has_what_a_recipe_has(name):
    module = recipe(name)
    assert {"CARD", "Config", "SIZES", "build"} <= set(vars(module))
    assert {"tiny", "small"} <= set(module.SIZES)
    assert all(isinstance(cfg, module.Config) for cfg in module.SIZES.values())
    assert family(name) in module.__name__.split(".")


def test_dashes_do_as_well():
    assert recipe("dreamer-v3") is recipe("dreamer_v3")


def test_a_wrong_recipe_gets_a_suggestion():
    with pytest.raises(UnknownName, match="did you mean dreamer_v3"):
        recipe("dreamer_v2")


def test_a_name_like_nothing_gets_the_list():
    with pytest.raises(UnknownName, match="known: ") as caught:
        recipe("qqqq")
    assert "craik list" in caught.value.fix
