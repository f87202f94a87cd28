"""What score cards cost here: `python benchmarks/cards.py smoke [core card] [--recipe td_mpc2 --size small]`.

A model of a recipe, before training, is graded in the worlds of each benchmark: how well it does is no matter. Prints
processor seconds by axis, all threads together, and wall seconds. Setting the exam, floors and nulls are included (in
"all", and the first in F as well); loading craik, a few seconds, is not.
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from craik.core.model import WorldModel
from craik.core.registry import recipe, where
from craik.core.spec import Spec
from craik.eval.bench.rounds import grade_within
from craik.eval.bench.worlds import BENCHES, short_name, world_id
from craik.eval.card.grade import AXES
from craik.worlds import make


def untrained(name: str, size: str, world: str, obs: str) -> WorldModel:
    """A model of a recipe for a world, with its first weights."""
    shown, module = make(world, obs=obs), recipe(name)
    torch.manual_seed(0)
    return module.build(module.SIZES[size], Spec.of(shown.single_observation_space, shown.single_action_space))


def timed(model: WorldModel, world: str, size: str) -> tuple[dict[str, float], float]:
    """Processor seconds by axis, with "set" for what comes before, and wall seconds of all."""
    begun, last, spent = time.perf_counter(), time.process_time(), {}

    def tell(axis: str, done: int, asked: int) -> None:
        nonlocal last
        now = time.process_time()
        spent[axis] = spent.get(axis, 0.0) + now - last
        last = now

    start = time.process_time()
    grade_within(model, world, size=size, tell=tell)
    spent = {"all": time.process_time() - start, **spent}
    return spent, time.perf_counter() - begun


def main() -> None:
    """Prints one line a world, and the sum of each benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("benches", nargs="*", default=["smoke"], choices=BENCHES)
    parser.add_argument("--recipe", default="td_mpc2", choices=where())
    parser.add_argument("--size", default="small")
    parser.add_argument("--obs", default="state")
    asked = parser.parse_args()
    for bench in asked.benches:
        cpu = wall = 0.0
        print(f"{bench}: {asked.recipe} ({asked.size}, {asked.obs}), {torch.get_num_threads()} threads of torch")
        print(f"{'world':10} {'CPU s':>7} {'wall s':>7} " + "".join(f"{axis:>7}" for axis in AXES))
        for name in BENCHES[bench].worlds:
            world = world_id(name)
            spent, seconds = timed(untrained(asked.recipe, asked.size, world, asked.obs), world, BENCHES[bench].size)
            parts = "".join(f"{spent.get(axis, 0.0):7.1f}" for axis in AXES)
            print(f"{short_name(world):10} {spent['all']:7.1f} {seconds:7.1f} {parts}", flush=True)
            cpu, wall = cpu + spent["all"], wall + seconds
        print(f"{'sum':10} {cpu:7.1f} {wall:7.1f}\n")


if __name__ == "__main__":
    main()
