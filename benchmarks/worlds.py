"""Rates of the exact worlds on one core: `python benchmarks/worlds.py`. Processor time, so other load matters less."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import time

from craik.worlds import ExactWorld, make
from craik.worlds.ours import OURS

NUM_ENVS, STEPS, REPEATS = 512, 100, 5


def steps_per_second(id: str) -> float:
    """Steps under random actions, resets included: the median of a few runs."""
    world = make(id, NUM_ENVS, seed=0)
    world.reset()
    world.action_space.seed(0)
    actions = [world.action_space.sample() for _ in range(STEPS)]
    rates = []
    for _ in range(REPEATS):
        began = time.process_time()
        for action in actions:
            world.step(action)
        rates.append(NUM_ENVS * STEPS / (time.process_time() - began))
    return sorted(rates)[REPEATS // 2]


def frames_per_second(id: str) -> float:
    """64 x 64 pictures of different states."""
    world = make(id, NUM_ENVS, seed=0)
    world.reset()
    world.render()
    rates = []
    for _ in range(REPEATS):
        began = time.process_time()
        world.render()
        rates.append(NUM_ENVS / (time.process_time() - began))
    return sorted(rates)[REPEATS // 2]


if __name__ == "__main__":
    print(f"{'world':26} {'steps/s':>12} {'frames/s':>12}")
    for name in OURS:
        if isinstance(make(name), ExactWorld):
            print(f"{name:26} {steps_per_second(name):12,.0f} {frames_per_second(name):12,.0f}")
