"""Exams: what is said to follow does follow, in the world itself."""

import numpy as np
import pytest

from craik import worlds
from craik.core.errors import SpecError
from craik.eval.card.exam import sit


@pytest.mark.parametrize("id", ["craik/Bounce-v0", "craik/Push-v0", "craik/SwingBins-v0"])
def test_the_futures_are_the_worlds_own(id):
    exam = sit(id, 6, seed=5, horizon=8, futures=3, size=32)
    world = exam.world.fork(3)
    for t in range(8):
        _, reward, *_ = world.step(exam.actions.flatten(0, 1)[:, t].numpy())
        np.testing.assert_array_equal(world.state, exam.states[:, :, t].reshape(18, -1))
        np.testing.assert_allclose(reward, exam.rewards[:, :, t].reshape(-1))


def test_the_context_leads_to_the_moment():
    exam = sit("craik/Bounce-v0", 5, seed=5, size=32)
    lived = exam.lived(("state", "pixels"))
    assert lived.shape == (5, 20)
    np.testing.assert_allclose(lived.obs["state"][:, 4], exam.world.observe()["state"], atol=1e-6)
    np.testing.assert_array_equal(lived.obs["pixels"][:, 4], exam.world.render())
    assert lived.first[:, 0].all()
    assert not lived.first[:, 1:].any()


def test_the_same_seed_asks_the_same_and_another_another():
    one, two, other = (sit("craik/Rooms-v0", 5, seed=s, views=("state",)) for s in (5, 5, 6))
    np.testing.assert_array_equal(one.states, two.states)
    np.testing.assert_array_equal(one.actions, two.actions)
    assert (one.states != other.states).any()


def test_futures_differ_from_one_another():
    exam = sit("craik/Rooms-v0", 32, seed=5, views=("state",))
    last = exam.states[:, :, -1, :2]
    apart = np.linalg.norm(last[:, :, None] - last[:, None], axis=-1)[:, *np.triu_indices(4, 1)]
    assert (apart > 0.02).mean() > 0.95


def test_worlds_that_are_not_exact_are_refused():
    with pytest.raises(SpecError, match="no exact world"):
        sit("CartPole-v1", 4, seed=0, views=("state",))
    assert worlds.make("CartPole-v1") is not None
