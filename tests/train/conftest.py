import pytest
import toy_recipe

from craik.core import registry


@pytest.fixture(autouse=True)
def _toy(monkeypatch):
    """The toy recipe is known by name."""
    monkeypatch.setattr(registry, "where", registry.where)
    toy_recipe.enter()
