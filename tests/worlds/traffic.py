"""Lanes in the middle of traffic, for tests."""

import numpy as np

from craik.worlds import make

ID = "craik/Lane-v0"
REAL = {k: (f.low, f.high) for k, f in make(ID).FACTORS.items() if f.kind not in ("visual", "sensory")}


def some(num=24, seed=0, steps=40, **factors):
    """Worlds of all laws amid traffic, driven by a noisy pilot; nobody begins anew."""
    world = make(ID, num, seed=seed, factors={**REAL, **factors}, max_steps=10_000)
    world.reset()
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        world.state[:, -2] = 0
        world.over[:] = False
        world.step(np.clip(world.guide() + rng.normal(0, 0.1, (num, 2)), -1, 1))
    return world
