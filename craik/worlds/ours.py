"""craik's own worlds: a line for each."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from typing import Any

from gymnasium.vector import VectorEnv


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
