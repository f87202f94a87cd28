"""`craik collect`: record episodes into a data set."""

from __future__ import annotations

from pathlib import Path

import torch
import tyro
from rich.progress import Progress

from craik.core.spec import Spec
from craik.data.collect import Act, Collector
from craik.data.store import EpisodeStore
from craik.worlds import make
from craik.worlds.splits import split_of
from craik.worlds.tiers import TIERS, collect_tier, told


def run(argv: list[str]) -> None:
    """Parses the command line and records."""
    tyro.cli(collect, args=argv, prog="craik collect")


def collect(
    world: tyro.conf.Positional[str],
    path: tyro.conf.Positional[Path],
    steps: int = 10_000,
    obs: str = "state",
    image_size: int = 64,
    agent: Path | None = None,
    num_envs: int = 4,
    seed: int = 0,
    tier: str = "",
    split: str = "train",
    rule: str = "",
) -> None:
    """Records whole episodes; each is on disk before the next begins. Goes on with a data set that is there.

    With a tier, it is data of a standard size and making (of exact worlds): scripted players, constants and seeds as
    the split says, and beside the data what it is and what it covers.

    Args:
        world: a Gymnasium id or one of craik's.
        path: the data set's folder.
        steps: environment steps to record.
        obs: state, pixels or both.
        image_size: height and width of pictures.
        agent: a run whose model and agent act; random actions without.
        num_envs: worlds side by side.
        seed: of the worlds and the actions.
        tier: S, M or L (20k, 100k, 1M steps) of a split, instead of `steps`, `agent`, `num_envs` and `seed`.
        split: which one; see `craik.worlds.splits`.
        rule: what its players never do: region, magnitude, composition or duration; each world has a usual one.
    """
    if tier:
        collect_standard(world, path, tier, split, rule, obs, image_size)
        return
    env = make(world, num_envs, obs=obs, size=image_size)
    spec = Spec.of(env.single_observation_space, env.single_action_space)
    there = (path / "dataset.json").exists()
    store = EpisodeStore.open(path) if there else EpisodeStore.create(path, spec, fps=env.metadata.get("render_fps"))
    collector = Collector(env, spec, acting(agent, num_envs, seed) if agent else None, seed)
    with store, Progress() as progress:
        bar = progress.add_task("recording", total=steps)
        while collector.num_steps < steps:
            for episode in collector.collect(min(1_000, steps - collector.num_steps)):
                store.append(episode)
            progress.update(bar, completed=collector.num_steps)
        for episode in collector.flush():
            store.append(episode)
    for fault in collector.faults:
        print(f"thrown away at step {fault.step}: {fault.reason}")
    print(f"{path}: {len(store)} episodes, {store.num_steps} steps\n  look: craik data inspect {path}")


def collect_standard(world: str, path: Path, tier: str, split: str, rule: str, obs: str, size: int) -> None:
    """A tier of data."""
    asked = split_of(world, split, rule)
    with Progress() as progress:
        bar = progress.add_task("recording", total=TIERS.get(tier))
        store = collect_tier(asked, path, tier, obs=obs, size=size, tell=lambda n: progress.update(bar, completed=n))
    about = told(path)
    assert about is not None
    print(f"{path}: {len(store)} episodes, {store.num_steps} steps of {split}, {about['mixture']}")


def acting(run: Path, num_envs: int, seed: int) -> Act:
    """The model and agent of a run as something that acts."""
    from craik.behave.agent import Player
    from craik.train.run import load

    loaded = load(run)
    generator = torch.Generator().manual_seed(seed)
    return Player(loaded.model, loaded.agent, num_envs, generator=generator, explore=True).act
