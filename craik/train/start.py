"""One call that trains: a recipe on a world, or on a data set; in a run directory, or in memory."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from craik import worlds
from craik.core.errors import UnknownName
from craik.core.registry import recipe as find_recipe
from craik.core.spec import Spec, is_image
from craik.data.collect import Act, Collector
from craik.data.replay import Replay
from craik.data.store import EpisodeStore
from craik.train import checkpoint, settings
from craik.train.learner import Learner
from craik.train.lock import Lock
from craik.train.log import Listener
from craik.train.loop import Evaluate, Loop, Open, derive
from craik.train.run import Run, RunConfig, assemble, open_folder, write_config
from craik.train.training import Training

Changes = Mapping[str, tuple[Any, Any]]
"""Setting -> (then, now)."""


def learn(
    recipe: str,
    world: str,
    *,
    size: str = "tiny",
    obs: str = "state",
    image_size: int = 64,
    steps: int | None = None,
    seed: int = 0,
    dir: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    progress: Listener | Sequence[Listener] = (),
    evaluate: Evaluate | None = None,
    every: int = 1000,
    bf16: bool = False,
    compile: bool = False,
    device: str = "cpu",
) -> Run:
    """Trains a recipe on a world, gathering and learning in turn; in a directory that has begun, goes on.

    Args:
        recipe: its name.
        world: any id that `craik.worlds.make` takes.
        size: one of the recipe's SIZES.
        obs: "state", "pixels" or "both".
        image_size: height and width of pixels.
        steps: environment steps in all; None for what the recipe says.
        seed: everything random in the run is derived from it.
        dir: the run's directory (`craik.train.run`); None to keep all in memory and no checkpoint.
        overrides: setting -> value: fields of the recipe's Config, and with "training." before them of its Training.
        progress: who gets reports (`craik.train.log`).
        evaluate: judges the run at every checkpoint; its figures are logged.
        every: updates between checkpoints, where unfinished episodes are cut; the same numbers come out with and
            without a directory.
        bf16: whether losses are computed under bfloat16 autocast.
        compile: whether the model's loss is compiled.
        device: where the model lives.

    Returns:
        The run, trained to the end, in evaluation mode.

    Raises:
        UnknownName, BadSetting: for a recipe, world, size or setting that does not exist, or a value of another type.
        RunLocked, ConfigChanged: if the directory is in use, or was trained as something else.
        Stopped: after a signal, all saved (with a directory only).
        Diverged: if training left the finite.
    """
    extra = {"training.steps": steps} if steps is not None else {}
    probe = worlds.make(world, 1, seed=0, obs=obs, size=image_size)
    with closing(probe):
        spec = Spec.of(probe.single_observation_space, probe.single_action_space)
        fps = probe.metadata.get("render_fps")
    config = configure(recipe, spec, size, {**(overrides or {}), **extra})
    config = dataclasses.replace(config, world=world, obs=obs, image_size=image_size, seed=seed, bf16=bf16, every=every)
    run = assemble(config, device)

    def segment(act: Act | None, number: int) -> Collector:
        def remake() -> Any:
            return worlds.make(world, run.training.num_envs, seed=number, obs=obs, size=image_size)

        return Collector(remake(), spec, act, number, remake=remake, hold=run.training.hold)

    with ExitStack() as stack:
        changed = _enter(stack, run, dir)
        store = _open_store(stack, run, spec, fps)
        replay = Replay(store, spec, run.training.capacity, ids=() if store is not None else None)
        return _train(run, replay, segment, changed, progress, evaluate, compile)


def learn_offline(
    recipe: str,
    data: str | Path | Replay,
    *,
    size: str = "tiny",
    obs: str = "state",
    updates: int | None = None,
    seed: int = 0,
    dir: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    progress: Listener | Sequence[Listener] = (),
    evaluate: Evaluate | None = None,
    every: int = 1000,
    bf16: bool = False,
    compile: bool = False,
    device: str = "cpu",
) -> Run:
    """Trains a recipe on experience that is there already.

    Args:
        recipe: its name.
        data: a data set's folder, or a replay.
        size: one of the recipe's SIZES.
        obs: which of a data set's observations to learn from: "state" (all that are not images), "pixels" (the
            images) or "both". A replay is taken as it is.
        updates: optimiser updates in all; None for what the recipe says.
        seed: everything random in the run is derived from it.
        dir: the run's directory; None to keep all in memory.
        overrides: as in `learn`.
        progress: as in `learn`.
        evaluate: as in `learn`.
        every: updates between checkpoints.
        bf16: whether losses are computed under bfloat16 autocast.
        compile: whether the model's loss is compiled.
        device: where the model lives.

    Returns:
        The run, trained to the end, in evaluation mode.

    Raises:
        DataError: if the data set cannot be read.
        Others: as `learn` does.
    """
    replay = data if isinstance(data, Replay) else _open_data(Path(data), obs)
    extra = {"training.updates": updates} if updates is not None else {}
    config = configure(recipe, replay.spec, size, {**(overrides or {}), **extra})
    where = str(replay.store.path.resolve()) if replay.store is not None else "memory"
    config = dataclasses.replace(config, data=where, obs=obs, seed=seed, bf16=bf16, every=every)
    run = assemble(config, device)
    with ExitStack() as stack:
        changed = _enter(stack, run, dir)
        return _train(run, replay, None, changed, progress, evaluate, compile)


def configure(recipe: str, spec: Spec, size: str, overrides: Mapping[str, Any]) -> RunConfig:
    """The config of a run of this recipe: its size's settings and its training, with overrides.

    Raises:
        UnknownName, BadSetting: if there is no such recipe, size or setting, or a value is of another type.
    """
    module = find_recipe(recipe)
    if size not in module.SIZES:
        raise UnknownName(f"size of {recipe}", size, module.SIZES)
    ours = {k: v for k, v in overrides.items() if not k.startswith("training.")}
    theirs = {k.removeprefix("training."): v for k, v in overrides.items() if k.startswith("training.")}
    cfg = settings.override(module.SIZES[size], ours, f"{recipe}.Config")
    training = module.training(cfg) if "training" in vars(module) else Training(weights={})
    training = settings.override(training, theirs, "training")
    return RunConfig(
        recipe=recipe.replace("-", "_"),
        size=size,
        settings=settings.plain(cfg),
        training=settings.plain(training),
        spec=spec.describe(),
    )


def _enter(stack: ExitStack, run: Run, dir: str | Path | None) -> Changes:
    """Takes the run's directory, if it is to have one; returns the settings that changed since it was last trained."""
    if dir is None:
        return {}
    run.path = Path(dir)
    run.path.mkdir(parents=True, exist_ok=True)
    stack.enter_context(Lock(run.path))
    return open_folder(run.path, run.config)


def _open_store(stack: ExitStack, run: Run, spec: Spec, fps: float | None) -> EpisodeStore | None:
    """The store of everything the run gathers; None in memory."""
    if run.path is None:
        return None
    home = run.path / "episodes"
    there = (home / "dataset.json").exists()
    return stack.enter_context(EpisodeStore.open(home) if there else EpisodeStore.create(home, spec, fps=fps))


def _train(
    run: Run,
    replay: Replay,
    worlds: Open | None,
    changed: Changes,
    progress: Listener | Sequence[Listener],
    evaluate: Evaluate | None,
    compile: bool,
) -> Run:
    listeners = list(progress) if isinstance(progress, Sequence) else [progress]
    seed = derive(run.config.seed, "learner")
    num_updates = run.training.num_updates(online=worlds is not None)
    learner = Learner(
        run.model, run.agent, run.training, seed, bf16=run.config.bf16, compile=compile, num_updates=num_updates
    )
    loop = Loop(run, learner, replay, worlds, listeners=listeners, evaluate=evaluate)
    if run.path is not None:
        _resume(loop, run.path, changed)
    loop.train()
    run.model.eval()
    run.agent.eval()
    return run


def _resume(loop: Loop, path: Path, changed: Changes) -> None:
    """Goes on from the newest checkpoint that verifies, and notes settings that changed since."""
    place = checkpoint.newest(path / "checkpoints")
    if place is not None:
        loop.resume(*checkpoint.read(place, str(loop.run.model.device)))
    elif checkpoint.steps(path / "checkpoints"):
        warnings.warn(f"{path} has no checkpoint that verifies; training begins anew", stacklevel=2)
    assert loop.log is not None
    for key, (then, now) in changed.items():
        loop.log.event("override", updates=loop.run.updates, key=key, then=then, now=now)
    write_config(path, loop.run.config)


def _open_data(path: Path, obs: str) -> Replay:
    store = EpisodeStore.open(path, read_only=True)
    spaces = store.spec.obs.spaces
    wanted = {k: s for k, s in spaces.items() if obs == "both" or is_image(s) == (obs == "pixels")}
    if not wanted:
        raise UnknownName(f"kind of observation in {path}", obs, spaces)
    return Replay(store, Spec.of(type(store.spec.obs)(wanted), store.spec.action))
