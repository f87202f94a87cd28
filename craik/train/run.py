"""A run: what was trained, on what, with which numbers; in memory or in a directory.

runs/swing-dreamer-v3-tiny-seed0/
    config.json     recipe, size, world, every setting (`RunConfig`)
    command.txt     the commands that trained here      env.json   versions, commit, processor
    log.jsonl       progress                            episodes/  everything gathered
    checkpoints/    `craik.train.checkpoint`            crash/     reports of runs that diverged
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

import craik
from craik.behave.agent import Agent, Random
from craik.core.errors import CheckpointError, CraikError
from craik.core.model import WorldModel
from craik.core.registry import recipe
from craik.core.spec import Spec
from craik.data.durable import write
from craik.train import checkpoint, settings
from craik.train.learner import load_module
from craik.train.training import Training

FORMAT = 1
"""The version of `config.json` this craik writes."""

FIXED = ("recipe", "world", "obs", "image_size", "seed", "data", "spec", "training.optimizer")
"""What cannot change when a run is resumed."""


class ConfigChanged(CraikError):
    """A run directory was asked to go on as something else."""


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """Everything that says what a run is. All of it is in `config.json`.

    Attributes:
        recipe: the recipe's name.
        size: which of its sizes it began from.
        settings: the recipe's Config, field by field, overrides included.
        training: the Training, field by field.
        spec: `Spec.describe()` of the model.
        world: the id of the world gathered from; "" when trained from a data set.
        data: the data set's folder; "" when gathered.
        obs: "state", "pixels" or "both".
        image_size: height and width of pixels.
        seed: from which every other seed of the run is derived.
        bf16: whether losses run under bfloat16 autocast.
        every: updates between checkpoints.
        format: of `config.json`.
    """

    recipe: str
    size: str
    settings: dict[str, Any]
    training: dict[str, Any]
    spec: dict[str, Any]
    world: str = ""
    data: str = ""
    obs: str = "state"
    image_size: int = 64
    seed: int = 0
    bf16: bool = False
    every: int = 1000
    format: int = FORMAT


@dataclasses.dataclass
class Run:
    """A model, the agent that acts by it, and where they come from.

    Attributes:
        config: what the run is.
        model: the world model.
        agent: what decides; uniformly random where the recipe has none.
        training: the numbers of its training.
        path: its directory; None in memory.
        updates: updates made.
        steps: environment steps gathered.
    """

    config: RunConfig
    model: WorldModel
    agent: Agent
    training: Training
    path: Path | None = None
    updates: int = 0
    steps: int = 0

    @property
    def spec(self) -> Spec:
        """The contract between world and model."""
        return self.model.spec

    @property
    def world(self) -> str:
        """The id of the world; "" when trained from a data set."""
        return self.config.world


def assemble(config: RunConfig, device: str = "cpu") -> Run:
    """Builds model, agent and training from what a config says; weights depend on its seed alone.

    Raises:
        UnknownName, BadSetting: if the config does not fit the recipe.
    """
    module = recipe(config.recipe)
    cfg = settings.parse(module.Config, config.settings, f"{config.recipe}.Config")
    training = settings.parse(Training, config.training, "training")
    spec = Spec.parse(config.spec).offering()
    with torch.random.fork_rng(devices=[]):  # layers draw their first weights from the global source; lend them ours
        torch.manual_seed(config.seed)
        model = module.build(cfg, spec).to(device)
        agent = module.agent(model, cfg) if "agent" in vars(module) else Random(spec)
    return Run(config, model, agent.to(device), training)


def load(path: str | Path, *, step: int | None = None, device: str = "cpu") -> Run:
    """A trained model and its agent, from a run directory.

    Args:
        path: the directory.
        step: which checkpoint; None for the newest that verifies.
        device: where to put them.

    Raises:
        CheckpointError: if there is no checkpoint, or it does not fit the config.
        IncompleteCheckpoint: if all there is was never finished.
        CraikError: if the directory is no run.
    """
    path = Path(path)
    run = assemble(read_config(path), device)
    place = find(path) if step is None else path / "checkpoints" / f"step-{step:08d}"
    tensors, facts = checkpoint.read(place, device)
    load_module(run.model, tensors["model"], "model")
    load_module(run.agent, tensors["agent"], "agent")
    run.path, run.updates, run.steps = path, checkpoint.step_of(place), facts["loop"]["steps"]
    return run


def find(path: Path) -> Path:
    """The newest checkpoint of a run that verifies.

    Raises:
        CheckpointError, IncompleteCheckpoint: if there is none.
    """
    folder = path / "checkpoints"
    place = checkpoint.newest(folder)
    if place is not None:
        return place
    left = checkpoint.unfinished(folder) + checkpoint.steps(folder)
    if left:
        raise checkpoint.IncompleteCheckpoint(
            f"{left[-1]} is no whole checkpoint, and there is no other", "train again"
        )
    raise CheckpointError(f"{path} has no checkpoint yet", "train it: the same command as in its command.txt resumes")


def read_config(path: Path) -> RunConfig:
    """The config of a run directory.

    Raises:
        CraikError: if there is none, or a newer craik wrote it.
        UnknownName, BadSetting: if it does not hold what it should.
    """
    file = path / "config.json"
    try:
        data = json.loads(file.read_bytes())
    except FileNotFoundError as error:
        raise CraikError(f"{path} is no run: it has no config.json", "craik train makes one under runs/") from error
    except ValueError as error:
        raise CraikError(f"{file} is not JSON: {error}", "restore it, or train in another directory") from error
    if not isinstance(data, dict) or not isinstance(data.get("format"), int):
        raise CraikError(f"{file} is not a run's config", "restore it, or train in another directory")
    if data["format"] > FORMAT:
        raise CraikError(f"{file} is in format {data['format']}, this craik reads {FORMAT}", "pip install -U craik")
    return settings.parse(RunConfig, data, "config.json")


def open_folder(path: Path, config: RunConfig) -> dict[str, tuple[Any, Any]]:
    """Makes a run directory, or checks that the one there can go on as `config`.

    Returns:
        The settings that differ from those it was last trained with: dotted key -> (then, now).

    Raises:
        ConfigChanged: if something differs that cannot, with all that differs.
        CraikError: if the directory holds something else.
    """
    if (path / "config.json").exists():
        differs = settings.changes(settings.plain(read_config(path)), settings.plain(config))
        if [k for k in differs if any(k == f or k.startswith(f + ".") for f in FIXED)]:
            shown = "\n    ".join(f"{k}: {a!r} then, {b!r} now" for k, (a, b) in differs.items())
            raise ConfigChanged(
                f"{path} was trained as something else:\n    {shown}",
                "train in another directory, or ask for what config.json says",
            )
        return differs
    if path.exists() and {p.name for p in path.iterdir()} - {"lock"}:
        raise CraikError(f"{path} exists and is no run", "choose another directory")
    path.mkdir(parents=True, exist_ok=True)
    write(path / "config.json", json.dumps(settings.plain(config), indent=1).encode())
    return {}


def write_config(path: Path, config: RunConfig) -> None:
    """Writes `config.json` and `env.json`, and adds the command to `command.txt`."""
    write(path / "config.json", json.dumps(settings.plain(config), indent=1).encode())
    write(path / "env.json", json.dumps(environment(), indent=1).encode())
    with (path / "command.txt").open("a") as out:
        out.write(shlex.join(sys.argv) + "\n")


def environment() -> dict[str, Any]:
    """What the figures of a run depend on beside its config."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "craik": craik.__version__,
        "commit": commit(),
        "platform": platform.platform(),
        "processor": _processor(),
        "threads": torch.get_num_threads(),
    }


def commit() -> str | None:
    """The commit of the checkout that craik runs from; None if it is not a checkout."""
    root, git = Path(craik.__file__).parents[1], shutil.which("git")
    if git is None or not (root / ".git").exists():
        return None
    command = [git, "-C", str(root), "rev-parse", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip() or None


def folder_name(world: str, name: str, size: str, seed: int, overrides: Mapping[str, Any]) -> str:
    """The directory a run has if none is named: the same for the same command, another for another."""
    short = world.split("/")[-1].rsplit("-v", 1)[0].lower()
    slug = f"{short}-{name.replace('_', '-')}-{size}-seed{seed}"
    if overrides:
        slug += "-" + hashlib.sha256(json.dumps(dict(overrides), sort_keys=True).encode()).hexdigest()[:6]
    return slug


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
