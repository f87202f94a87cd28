"""What a text tells is understood again, whole or in part, and nothing else is."""

import numpy as np
import pytest

from craik.worlds import make
from craik.worlds.words import Worded

WORDED = ("craik/Story-v0", "craik/Tiles-v0", "craik/Levers-v0", "craik/Paddle-v0")


def lived(id, steps=12, num=16):
    world = make(id, num, seed=5)
    world.reset()
    rng = np.random.default_rng(0)
    for t in range(steps):
        world.step(world.guide() if t % 2 else rng.integers(0, world.single_action_space.n, num))
    assert isinstance(world, Worded)
    return world


@pytest.mark.parametrize("id", WORDED)
def test_what_is_told_is_understood(id):
    world = lived(id)
    facts = world.facts(world.state, world.factors)
    assert facts.shape == (16, len(world.FACTS))
    text = world.look("text", world.state, world.factors)
    np.testing.assert_array_equal(world.tell(facts, world.factors), text)
    np.testing.assert_allclose(world.understand(text), facts, atol=5e-4)


@pytest.mark.parametrize("id", WORDED)
def test_what_is_not_told_is_not_understood(id):
    world = lived(id)
    facts = world.facts(world.state, world.factors)
    for i in range(facts.shape[1]):
        part = facts.copy()
        part[:, i] = np.nan
        again = world.understand(world.tell(part, world.factors))
        assert np.isnan(again[np.isfinite(facts[:, i]), i]).all() or set(again[:, i]) <= {0.0}  # caught: holds nothing
        known = np.isfinite(again)
        np.testing.assert_allclose(again[known], facts[known], atol=5e-4)
    nothing = world.understand(world.tell(np.full_like(facts, np.nan), world.factors))
    assert np.isnan(nothing).all()


@pytest.mark.parametrize("id", WORDED)
def test_what_cannot_be_the_case_is_not_understood(id):
    world = lived(id)
    low, high = (np.array([getattr(f, end) for f in world.FACTS.values()]) for end in ("low", "high"))
    understood = world.understand(world.look("text", world.state, world.factors))
    known = np.isfinite(understood)
    assert (understood >= low)[known].all()
    assert (understood <= high)[known].all()
    page = np.frombuffer(
        b"The kettle is at 900 degrees. You hold a cow. presses left: 99; won 9. Lights lit: 3 (red)", "u1"
    )
    assert np.isnan(world.understand(page[None])).all()
