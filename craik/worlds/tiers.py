"""Data of a standard size and making: so many steps of one split of an exact world, by the usual players."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from craik.core.errors import DataError, UnknownName
from craik.core.spec import Spec
from craik.data.coverage import coverage
from craik.data.draft import Draft
from craik.data.durable import write
from craik.data.episode import Episode
from craik.data.store import EpisodeStore
from craik.worlds.exact import ExactWorld
from craik.worlds.policies import Mixture
from craik.worlds.registry import make
from craik.worlds.splits import Split
from craik.worlds.withheld import Obedient

TIERS = {"S": 20_000, "M": 100_000, "L": 1_000_000}
"""Steps of each."""

ROWS = 32
"""Episodes of one seed, played side by side."""

LONGEST = 256
"""Steps after which an episode is cut, or the world's own limit if that is less."""

COVERED = 100_000
"""Steps that the coverage beside the data is of, at most."""

FILE, TABLE = "tier.json", "coverage.npz"
"""What lies beside the data."""


def collect_tier(
    split: Split,
    path: str | Path,
    tier: str = "S",
    *,
    obs: str = "state",
    size: int = 64,
    steps: int | None = None,
    tell: Callable[[int], None] = lambda steps: None,
) -> EpisodeStore:
    """Fills a data set with the episodes of a split, one seed after the other, until there are enough steps.

    Stopped and called again, it goes on where it was. Beside the data, `tier.json` says what it is, and `coverage.npz`
    which states and actions are in it (`craik.data.coverage`).

    Args:
        split: which episodes (`craik.worlds.splits`).
        path: the data set's folder.
        tier: one of `TIERS`.
        obs: what they show; coverage needs the state.
        size: height and width of pictures.
        steps: how many instead of the tier's.
        tell: is told the number of steps now and then.

    Raises:
        UnknownName: if there is no such tier.
        DataError: if the folder holds something else.
    """
    if tier not in TIERS:
        raise UnknownName("tier of data", tier, TIERS)
    path, goal = Path(path), TIERS[tier] if steps is None else steps
    store = _opened(path, split, obs, size)
    with store:
        while store.num_steps < goal:
            number, skip = divmod(len(store), ROWS)
            for episode in islice(play(split, number, obs, size), skip, None):
                if store.num_steps < goal:
                    store.append(episode)
            tell(store.num_steps)
    _describe(store, split, tier)
    return store


def play(split: Split, number: int, obs: str = "state", size: int = 64, rows: int = ROWS) -> Iterator[Episode]:
    """The episodes of one seed of a split. What they say of themselves is their seed, row and constants."""
    seed = split.seed(number)
    world = _world(split.world, obs, size, rows, seed)
    seen, _ = world.reset(options={"factors": split.constants(seed, rows)})
    who, spec = split.acting(world, seed), _spec(world)
    drafts = [Draft(spec, {k: v[i] for k, v in seen.items()}, _meta(split, world, seed, i)) for i in range(rows)]
    episodes: list[Episode | None] = [None] * rows
    first, going = np.ones(rows, bool), np.ones(rows, bool)
    while going.any():
        action = who.decide(first, going)
        world.over = np.zeros(rows, bool)  # those that are over go on and are not looked at
        seen, reward, terminated, truncated, _ = world.step(action)
        for i in np.flatnonzero(going):
            drafts[i].add(action[i], {k: v[i] for k, v in seen.items()}, float(reward[i]))
            if terminated[i] or truncated[i]:
                episodes[i] = drafts[i].finish(bool(terminated[i]), bool(truncated[i]))
        first, going = np.zeros(rows, bool), going & ~terminated & ~truncated
    yield from (e for e in episodes if e is not None)


def mixture_id(split: Split) -> str:
    """Who acts in a split and what they may not do, as "wander:0.40+...-without-region"."""
    world = _world(split.world, "state", 64, 1, 0)
    who = split.acting(world, 0)
    mixture = who.other if isinstance(who, Obedient) else who
    assert isinstance(mixture, Mixture)
    return mixture.id + (f"-without-{split.rule}" if split.rule else "")


def told(path: str | Path) -> dict[str, Any] | None:
    """What `tier.json` says of a data set; None where there is none.

    Raises:
        DataError: if it cannot be understood.
    """
    file = Path(path) / FILE
    if not file.exists():
        return None
    try:
        return json.loads(file.read_text())
    except ValueError as error:
        raise DataError(f"{file} is not JSON: {error}", "collect the data again") from error


def _world(id: str, obs: str, size: int, rows: int, seed: int) -> ExactWorld:
    settings: dict[str, Any] = {"obs": obs, "size": size, "seed": seed, "autoreset": AutoresetMode.DISABLED}
    world = make(id, rows, **settings)
    assert isinstance(world, ExactWorld)
    world.max_steps = min(world.max_steps, LONGEST)
    return world


def _spec(world: ExactWorld) -> Spec:
    assert isinstance(world.single_observation_space, spaces.Dict)
    return Spec.of(world.single_observation_space, world.single_action_space)


def _meta(split: Split, world: ExactWorld, seed: int, row: int) -> dict[str, Any]:
    constants = {k: round(float(v[row]), 6) for k, v in world.factors.items()}
    return {"world": split.world, "split": split.name, "seed": seed, "row": row, "factors": constants}


def _opened(path: Path, split: Split, obs: str, size: int) -> EpisodeStore:
    world = _world(split.world, obs, size, 1, 0)
    about = json.loads(json.dumps(split.facts()))
    if (path / "dataset.json").exists():
        there = told(path)
        if there is None or there["split"] != about:
            raise DataError(f"{path} holds other data", "choose another folder")
        return EpisodeStore.open(path)
    store = EpisodeStore.create(path, _spec(world), fps=world.metadata["render_fps"])
    write(path / FILE, json.dumps({"split": about, "mixture": mixture_id(split)}, indent=1).encode())
    return store


def _describe(store: EpisodeStore, split: Split, tier: str) -> None:
    """Writes what the data set is, now that it is whole, and what it covers."""
    about: dict[str, Any] = {"split": split.facts(), "mixture": mixture_id(split), "tier": tier}
    about |= {"steps": store.num_steps, "episodes": len(store)}
    if "state" in store.spec.obs.spaces:
        found = coverage(_some(store), store.spec.action)
        found.save(store.path / TABLE)
        about["density"] = [float(f"{x:.4g}") for x in np.quantile(found.density(), (0.1, 0.5, 0.9))]
    write(store.path / FILE, json.dumps(about, indent=1).encode())


def _some(store: EpisodeStore) -> Iterator[Episode]:
    """Episodes at even distances, of `COVERED` steps about."""
    every = max(1, store.num_steps // COVERED)
    return (store.read(id) for id in store.ids[::every])
