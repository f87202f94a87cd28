import pytest

from craik.core import registry
from tests.train import toy_recipe


@pytest.fixture(autouse=True)
def _toy(monkeypatch):
    """The toy recipe is known by name."""
    monkeypatch.setattr(registry, "where", registry.where)
    toy_recipe.enter()
