"""Worlds by name: Gymnasium's registry and craik's own table."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import gymnasium
from gymnasium.vector import AutoresetMode, VectorEnv

from craik.core.errors import SpecError, UnknownName

OBS = ("state", "pixels", "both")
"""What a world may show: its numbers, a picture, or both at once."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """One of craik's own worlds.

    Attributes:
        home: "module:class".
        says: what it is, in a line.
        options: constructor arguments.
        exact: whether it is an `ExactWorld`.
    """

    home: str
    says: str
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    exact: bool = True

    def load(self) -> type[VectorEnv]:
        """The class."""
        module, name = self.home.split(":")
        return getattr(importlib.import_module(module), name)


OURS: dict[str, Entry] = {
    "craik/Bounce-v0": Entry("craik.worlds.bounce:Bounce", "billiards: push the red ball to a goal among others"),
    "craik/Swing-v0": Entry("craik.worlds.swing:Swing", "pendulum: swing it up and keep it there", {"task": "up"}),
    "craik/SwingBalance-v0": Entry(
        "craik.worlds.swing:Swing", "pendulum: starts near upright, keep it there", {"task": "balance"}
    ),
    "craik/SwingBins-v0": Entry(
        "craik.worlds.swing:Swing", "pendulum swing-up with three torques to choose from", {"task": "up", "bins": 3}
    ),
    "craik/CartPoleSwing-v0": Entry("craik.worlds.cartpole:CartPoleSwing", "cart-pole: swing the pole up from below"),
    "craik/Push-v0": Entry("craik.worlds.push:Push", "push a T-shaped block to a goal pose", {"shape": "T"}),
    "craik/PushBox-v0": Entry("craik.worlds.push:Push", "push a square block to a goal pose", {"shape": "box"}),
    "craik/PushDisc-v0": Entry("craik.worlds.push:Push", "push a disc to a goal place", {"shape": "disc"}),
    "craik/PushL-v0": Entry("craik.worlds.push:Push", "push an L-shaped block to a goal pose", {"shape": "L"}),
    "craik/Rooms-v0": Entry("craik.worlds.rooms:Rooms", "point mass in two rooms: reach a goal through the door"),
    "craik/Levers-v0": Entry("craik.worlds.levers:Levers", "levers and lights on hidden wires: light the ones wanted"),
    "craik/Tiles-v0": Entry("craik.worlds.tiles:Tiles", "grid of rooms: switches, a key, a lock, a gem, and a mover"),
    "craik/Paddle-v0": Entry("craik.worlds.paddle:Paddle", "Pong: return the ball past the other paddle"),
    "craik/Lane-v0": Entry("craik.worlds.lane:Lane", "traffic: drive on among cars, and mind who steps out"),
    "craik/Story-v0": Entry("craik.worlds.story:Story", "a household in words: recipes and errands by commands"),
    "craik/Blocks-v0": Entry("craik.worlds.blocks:Blocks", "3-D: push a box to a place, or knock a tower down"),
    "craik/RayFind-v0": Entry("craik.worlds.rayfind:RayFind", "first person: find the place that the goal shows"),
    "craik/RayDodge-v0": Entry("craik.worlds.raydodge:RayDodge", "first person: stay alive among fireballs"),
    "craik/RayCode-v0": Entry("craik.worlds.raycode:RayCode", "first person: enter the door of the colour seen before"),
    "craik/Race-v0": Entry("craik.worlds.race:Race", "drive a car round a track seen from above"),
    "craik/Counter-v0": Entry(
        "craik.worlds.counter:Counter", "sees its own step counter: tests of the time convention", exact=False
    ),
}
"""Every world of craik's, by id."""


def register() -> None:
    """Enters craik's worlds in Gymnasium's registry (once; again changes nothing)."""
    for name in OURS:
        if name not in gymnasium.registry:
            gymnasium.register(
                id=name,
                entry_point="craik.worlds.single:Single",
                vector_entry_point="craik.worlds.registry:make",
                kwargs={"id": name},
                order_enforce=False,
            )


def known() -> list[str]:
    """Every id that `make` takes, Gymnasium's (of the packages installed) and craik's."""
    if find_spec("ale_py") is not None:
        import ale_py

        gymnasium.register_envs(ale_py)
    return sorted(gymnasium.registry)


def make(
    id: str,
    num_envs: int = 1,
    *,
    seed: int | None = None,
    obs: str = "state",
    size: int = 64,
    autoreset: AutoresetMode | str = AutoresetMode.NEXT_STEP,
    **options: Any,
) -> VectorEnv:
    """Opens `num_envs` worlds side by side.

    Observations are always a dict: "state" (float32 numbers) and/or "pixels" (uint8 `[size, size, 3]`).

    Args:
        id: a Gymnasium id ("CartPole-v1") or one of craik's ("craik/Swing-v0").
        num_envs: how many.
        seed: of the first `reset` that is given none; world i's numbers do not depend on how many there are (except
            where Gymnasium brings a vector environment of its own, CartPole's, which draws for all from one source).
        obs: "state", "pixels" or "both"; of an exact world also other views (`ExactWorld.VIEWS`), as "pixels+depth".
        size: height and width of the picture.
        autoreset: what happens when an episode ends: NEXT_STEP, SAME_STEP or DISABLED.
        options: passed to the world's constructor (for craik's: `factors`, `max_steps` and more).

    Raises:
        UnknownName: if there is no such world, with the nearest names.
        SpecError: if `obs` is something else, or this world cannot be shown that way.
    """
    mode = AutoresetMode(autoreset)
    exact = id in OURS and OURS[id].exact
    if obs not in OBS and not exact:
        raise SpecError(f"worlds are shown as 'state', 'pixels' or 'both', not {obs!r}", 'pass obs="state"')
    if id in OURS:
        entry = OURS[id]
        settings = {**entry.options, **options}
        world = entry.load()(num_envs, seed=seed, obs=obs, size=size, autoreset=mode, **settings)  # type: ignore[call-arg]
        world.spec = gymnasium.spec(id)
        return world
    if id not in gymnasium.registry:
        names = known()
        if id not in names:
            raise UnknownName("world", id, names, "see them all: craik worlds")
    from craik.worlds.gym import open_gym

    return open_gym(id, num_envs, seed=seed, obs=obs, size=size, autoreset=mode, **options)
