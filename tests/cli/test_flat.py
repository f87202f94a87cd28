"""The flat view of a recipe runs by itself, and is the same program."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import torch
from gymnasium import spaces

from craik.cli.flat import flatten
from craik.core import tree
from craik.core.data import Batch
from craik.core.registry import recipe, where
from craik.core.spec import Spec


def spec_and_batch():
    obs = spaces.Dict({"pixels": spaces.Box(0, 255, (64, 64, 3), np.uint8)})
    spec = Spec.of(obs, spaces.Box(-1, 1, (2,)))
    g = torch.Generator().manual_seed(0)
    b, t = 2, 6
    first = torch.zeros(b, t + 1, dtype=torch.bool)
    first[:, 0] = True
    pixels = torch.randint(0, 256, (b, t + 1, 64, 64, 3), generator=g, dtype=torch.uint8)
    actions, reward = torch.rand(b, t, 2, generator=g) * 2 - 1, torch.rand(b, t, generator=g)
    return spec, Batch({"pixels": pixels}, actions, reward, torch.zeros(b, t, dtype=torch.bool), first)


def losses(module):
    spec, batch = spec_and_batch()
    torch.manual_seed(0)
    model = module.build(module.SIZES["tiny"], spec)
    return {k: v.detach() for k, v in model.loss(batch, generator=torch.Generator().manual_seed(1)).items()}


@pytest.mark.parametrize("name", sorted(where()))
def test_the_flat_recipe_computes_the_same_losses(name, tmp_path, monkeypatch):
    module = recipe(name)
    text = flatten(module)
    assert "import craik" not in text
    assert "from craik" not in text
    (tmp_path / f"flat_{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    a, b = losses(module), losses(importlib.import_module(f"flat_{name}"))
    assert a.keys() == b.keys()
    for key in a:
        assert torch.equal(a[key], b[key]), key


def test_comments_and_docstrings_stay():
    text = flatten(recipe("dreamer_v3"))
    assert '"""' in text
    assert "# ---" in text


def test_tree_is_a_module_of_functions():
    """The flattener renames `tree.map`, which shadows a builtin; this test fails if the reason goes away."""
    assert tree.map is not map
