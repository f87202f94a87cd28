"""Blocks of steps: nothing is lost, doubled or moved."""

import numpy as np
import pytest
from gymnasium import spaces

from craik.core.errors import SpecError
from craik.core.spec import Spec
from craik.data.blocks import blocked, blocked_spec, unblocked
from craik.data.episode import Episode

SPEC = Spec.of(spaces.Box(-9, 99, (1,), np.float32), spaces.Box(-1, 1, (2,), np.float32))


def episode(t: int) -> Episode:
    count = np.arange(t + 1, dtype=np.float32)
    action = np.stack([count[:-1], -count[:-1]], 1) / 100
    end = np.arange(t) == t - 1
    return Episode.of(SPEC, {"state": count[:, None]}, action, 2.0 ** count[:-1], end, np.zeros(t))


def test_every_phase_tells_of_the_same_steps():
    whole, spec = episode(11), blocked_spec(SPEC, 3)
    made = blocked(whole, 3, discount=0.5)
    assert [e.num_steps for e in made] == [3, 3, 3]
    seen = np.concatenate([e.obs["state"][:, 0] for e in made])
    assert len(set(seen)) == len(seen) == 12
    for start, e in enumerate(made):
        e.check(spec)
        assert e.meta["phase"] == start
        for b in range(e.num_steps):
            first = int(e.obs["state"][b, 0])
            assert first == start + 3 * b
            assert e.obs["state"][b + 1, 0] == first + 3
            steps = unblocked(e.action[b : b + 1], SPEC.action, 3)[0]
            assert np.array_equal(steps, whole.action[first : first + 3])
            assert e.reward[b] == sum(0.5**i * whole.reward[first + i] for i in range(3))
        assert e.terminated.tolist() == [False, False, start == 2]  # only the last phase sees the last step


def test_too_short_for_a_block_makes_nothing_of_it():
    assert [e.num_steps for e in blocked(episode(4), 3)] == [1, 1]
    assert blocked(episode(2), 3) == []


def test_spaces_of_blocks():
    assert blocked_spec(SPEC, 3).action.shape == (6,)
    assert blocked_spec(Spec.of(SPEC.obs, spaces.Discrete(4)), 3).action == spaces.MultiDiscrete([4, 4, 4])
    many = blocked_spec(Spec.of(SPEC.obs, spaces.MultiDiscrete([2, 3])), 2).action
    assert many == spaces.MultiDiscrete([2, 3, 2, 3])
    with pytest.raises(SpecError, match="at least one"):
        blocked_spec(SPEC, 0)
    with pytest.raises(SpecError, match="start at 0"):
        blocked_spec(Spec.of(SPEC.obs, spaces.Discrete(4, start=1)), 2)
