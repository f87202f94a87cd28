"""That a wrong shape is refused while craik is tested, and that nothing is checked otherwise."""

from __future__ import annotations

import random
import subprocess
import sys

import numpy as np
import pytest
import torch
from gymnasium import spaces
from jaxtyping import TypeCheckError

from craik.core.data import Batch
from craik.core.registry import recipe
from craik.core.spec import Spec
from craik.ops.returns import lambda_returns
from craik.ops.two_hot import expectation, symexp_bins
from craik.parts.beliefs.rssm import Belief


def test_axes_of_one_name_are_of_one_size():
    lambda_returns(torch.zeros(2, 5), torch.ones(2, 5), torch.zeros(2, 5), 0.9)
    with pytest.raises(TypeCheckError, match=r"value is not .*N H"):
        lambda_returns(torch.zeros(2, 5), torch.ones(2, 5), torch.zeros(2, 6), 0.9)


def test_a_type_of_number_that_was_not_stated_is_refused():
    with pytest.raises(TypeCheckError, match="logits"):
        expectation(torch.zeros(4, 7, dtype=torch.int64), symexp_bins(7))


def test_fields_of_a_dataclass_are_checked():
    obs, action, reward = {"state": torch.zeros(2, 4, 3)}, torch.zeros(2, 3, 1), torch.zeros(2, 3)
    Batch(obs, action, reward, reward.bool(), torch.zeros(2, 4).bool())
    with pytest.raises(TypeCheckError, match="first"):
        Batch(obs, action, reward, reward.bool(), torch.zeros(2, 3).bool())
    with pytest.raises(TypeCheckError, match="stoch"):
        Belief(torch.zeros(2, 3), torch.zeros(3, 4))


def test_a_method_that_states_no_shape_is_held_to_the_one_it_overrides():
    spec = Spec.of(spaces.Box(-1, 1, (3,), np.float32), spaces.Box(-1, 1, (2,), np.float32))
    found = recipe("dreamer_v3")
    model = found.build(found.SIZES["tiny"], spec)
    with pytest.raises(TypeCheckError, match="action"):
        model.observe(model.start(4), torch.zeros(5, 2), {"state": torch.zeros(4, 3)})


def test_checks_draw_no_random_numbers():
    before = random.getstate()
    lambda_returns(torch.zeros(2, 5), torch.ones(2, 5), torch.zeros(2, 5), 0.9)
    assert random.getstate() == before


def test_a_compiled_function_is_not_checked():
    checked = torch.compile(lambda_returns, backend="eager", fullgraph=True)
    assert checked(torch.zeros(2, 5), torch.ones(2, 5), torch.zeros(2, 5), 0.9).shape == (2, 5)


def test_nothing_is_checked_outside_the_tests():
    code = "from craik.ops.returns import lambda_returns as f; assert not hasattr(f, '__wrapped__')"
    assert subprocess.run([sys.executable, "-c", code], timeout=120, check=False).returncode == 0
