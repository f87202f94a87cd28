"""What worlds there are, in words and in pictures."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from gymnasium import spaces
from PIL import Image

from craik.core.errors import UnknownName
from craik.worlds.draw import PAPER
from craik.worlds.exact import ExactWorld
from craik.worlds.ours import OURS
from craik.worlds.policies import Expert, Seek
from craik.worlds.registry import make


@dataclasses.dataclass(frozen=True)
class Line:
    """One of craik's worlds, as a person wants to see it in a list.

    Attributes:
        id: for `craik.worlds.make`.
        says: what it is.
        state: names of the numbers of its physical state; none if it is not an exact world.
        numbers: how many numbers "state" shows.
        action: the action space in words.
        factors: its constants, "name (default; low to high) what it is".
        steps: after how many steps an episode is cut.
        goal: whether it has one.
    """

    id: str
    says: str
    state: tuple[str, ...]
    numbers: int
    action: str
    factors: tuple[str, ...]
    steps: int | None
    goal: bool


def describe() -> list[Line]:
    """A line for each of craik's worlds."""
    lines = []
    for id, entry in OURS.items():
        world = make(id)
        shown = world.single_observation_space
        assert isinstance(shown, spaces.Dict)
        numbers, action = shown["state"].shape, _words(world.single_action_space)
        assert numbers is not None
        if isinstance(world, ExactWorld):
            factors = tuple(f"{k} ({f.default:g}; {f.low:g} to {f.high:g}) {f.says}" for k, f in world.FACTORS.items())
            lines.append(
                Line(id, entry.says, world.FIELDS, numbers[0], action, factors, world.max_steps, world.HAS_GOAL)
            )
        else:
            lines.append(Line(id, entry.says, (), numbers[0], action, (), None, False))
    return lines


def film(path: str | Path, id: str | None = None, *, frames: int = 10, size: int = 64, zoom: int = 2) -> Path:
    """Writes a contact sheet: a strip for each exact world, played by its pilot or a planner, and its goal at the end.

    Args:
        path: of the PNG.
        id: one world only.
        frames: pictures in a strip, evenly spread over an episode.
        size: of a picture as the models see it.
        zoom: how many times larger each is shown, pixel by pixel.

    Raises:
        UnknownName: if `id` is not an exact world.
    """
    exact = [k for k in OURS if isinstance(make(k), ExactWorld)]
    if id is not None and id not in exact:
        raise UnknownName("exact world", id, exact)
    strips = [_strip(k, frames, size) for k in ([id] if id else exact)]
    gap = max(size // 16, 1)
    sheet = np.full((len(strips) * (size + gap) + gap, (frames + 1) * (size + gap) + 2 * gap, 3), PAPER, np.uint8)
    for row, strip in enumerate(strips):
        for column, picture in enumerate(strip):
            aside = gap if column == frames else 0
            y, x = gap + row * (size + gap), gap + aside + column * (size + gap)
            sheet[y : y + size, x : x + size] = picture
    path = Path(path)
    Image.fromarray(np.kron(sheet, np.ones((zoom, zoom, 1), np.uint8))).save(path)
    return path


def _strip(id: str, frames: int, size: int) -> list[np.ndarray]:
    """Pictures over an episode, and the goal's where there is one."""
    world = make(id, 1, seed=3, obs="both", size=size)
    assert isinstance(world, ExactWorld)
    world.reset()
    player = Seek(world, 0, (1.0, 1.0)) if world.has_pilot else Expert(world, 0)
    shown = set(np.linspace(0, world.max_steps * 3 // 5, frames).astype(int).tolist())
    strip, first = [], np.ones(1, bool)
    for t in range(world.max_steps):
        if t in shown:
            strip.append(world.render()[0])
        world.step(player.decide(first, np.ones(1, bool)))
        first = np.zeros(1, bool)
    if world.HAS_GOAL:
        strip.append(world.goal_obs()["pixels"][0])
    return strip


def _words(space: spaces.Space) -> str:
    if isinstance(space, spaces.Discrete):
        return f"one of {space.n}"
    assert isinstance(space, spaces.Box)
    return f"{space.shape[0]} in [{space.low.min():g}, {space.high.max():g}]"
