"""Worlds in the middle of things, for tests."""

import numpy as np

from craik.worlds import make
from craik.worlds.policies import Seek


def played(id, num, steps, seed=3, **settings):
    """Worlds after some steps of their pilot, with a little noise."""
    world = make(id, num, seed=seed, **settings)
    world.reset()
    pilot = Seek(world, seed, (0.8, 0.8))
    for t in range(steps):
        world.step(pilot.decide(np.full(num, t == 0), np.ones(num, bool)))
    return world
