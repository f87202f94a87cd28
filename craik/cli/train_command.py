"""`craik train`: train a recipe in a world, or go on with a run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Literal

import tyro

from craik.cli.progress import Display
from craik.core.errors import CraikError
from craik.train.run import folder_name
from craik.train.start import learn, learn_offline


def run(argv: list[str]) -> None:
    """Parses the command line and trains."""
    tyro.cli(train_recipe, args=argv, prog="craik train")


def train_recipe(
    recipe: tyro.conf.Positional[str],
    overrides: tyro.conf.Positional[tuple[str, ...]] = (),
    world: str | None = None,
    data: Path | None = None,
    size: str = "small",
    obs: Literal["state", "pixels", "both"] = "state",
    image_size: int = 64,
    steps: int | None = None,
    updates: int | None = None,
    seed: int = 0,
    name: str | None = None,
    runs: Path = Path("runs"),
    every: int = 1000,
    bf16: bool = False,
    compile: bool = False,
    device: str = "cpu",
    fresh: bool = False,
) -> None:
    """Trains a recipe, in a world or from a data set. The same command again goes on where it stopped.

    Args:
        recipe: which, e.g. dreamer_v3 (all of them: craik list).
        overrides: settings as key=value: a field of the recipe's table (deter=512), or of its training
            (training.lr=3e-4).
        world: a Gymnasium id or one of craik's (all of them: craik worlds --all).
        data: a data set's folder, instead of a world.
        size: one of the recipe's sizes.
        obs: what to see of the world.
        image_size: height and width of pictures of the world; a data set's are as they are.
        steps: environment steps in all.
        updates: updates in all, from a data set.
        seed: from which everything random is derived.
        name: the run's folder; by default made of world, recipe, size and seed.
        runs: where run folders are.
        every: updates between checkpoints.
        bf16: compute losses in bfloat16.
        compile: compile the model's loss; pays on long runs.
        device: cpu, cuda, ...
        fresh: set an earlier run of this name aside and start over.
    """
    if (world is None) == (data is None):
        raise CraikError("nothing to learn from: neither a world nor data" if world is None else "a world and data",
                         f"craik train {recipe} --world CartPole-v1, or --data FOLDER")  # fmt: skip
    changes = dict(parse(text) for text in overrides)
    place = runs / (name or folder_name(world or f"data-{(data or Path()).name}", recipe, size, seed, changes))
    if fresh and place.exists():
        set_aside(place)
    with Display(f"{recipe} ({size}) in {world or data}") as display:
        shared: dict[str, Any] = {
            "size": size, "obs": obs, "seed": seed, "dir": place, "overrides": changes, "progress": display,
            "every": every, "bf16": bf16, "compile": compile, "device": device,
        }  # fmt: skip
        if world is not None:
            learn(recipe, world, steps=steps, image_size=image_size, **shared)
        else:
            learn_offline(recipe, str(data), updates=updates, **shared)
    print(f"\ntrained: {place}\n  score it: craik eval {place}\n  see it:   craik dream {place}")


def parse(text: str) -> tuple[str, Any]:
    """`key=value`: the value as JSON where it is JSON, else as it stands.

    Raises:
        CraikError: without an equals sign.
    """
    key, equals, value = text.partition("=")
    if not equals:
        raise CraikError(f"{text!r} is no setting", "write key=value, e.g. training.lr=3e-4")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def set_aside(place: Path) -> None:
    """Moves an earlier run out of the way; deletes nothing."""
    number = 1
    while (old := place.with_name(f"{place.name}.old{number}")).exists():
        number += 1
    shutil.move(place, old)
    print(f"the earlier run is now {old}")
