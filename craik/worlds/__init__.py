"""Worlds: exact ones, Gymnasium's, and a model as one.

`make` opens any of them as one vector environment. Importing this package registers craik's own worlds with Gymnasium,
so that `gymnasium.make("craik/Swing-v0")` works as well.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from craik.worlds.registry import known, make, register

_HOMES = {
    "Blocks": "craik.worlds.blocks",
    "Bounce": "craik.worlds.bounce",
    "CartPoleSwing": "craik.worlds.cartpole",
    "Counter": "craik.worlds.counter",
    "DreamEnv": "craik.worlds.dream",
    "ExactWorld": "craik.worlds.exact",
    "GymWorld": "craik.worlds.gym",
    "Levers": "craik.worlds.levers",
    "Lane": "craik.worlds.lane",
    "Oracle": "craik.worlds.oracle",
    "Paddle": "craik.worlds.paddle",
    "Push": "craik.worlds.push",
    "Race": "craik.worlds.race",
    "RayCode": "craik.worlds.raycode",
    "RayDodge": "craik.worlds.raydodge",
    "RayFind": "craik.worlds.rayfind",
    "Rooms": "craik.worlds.rooms",
    "Story": "craik.worlds.story",
    "Swing": "craik.worlds.swing",
    "Tiles": "craik.worlds.tiles",
    "describe": "craik.worlds.catalogue",
    "film": "craik.worlds.catalogue",
}
"""Public name -> the module that holds it."""

__all__ = [
    "Blocks",
    "Bounce",
    "CartPoleSwing",
    "Counter",
    "DreamEnv",
    "ExactWorld",
    "GymWorld",
    "Lane",
    "Levers",
    "Oracle",
    "Paddle",
    "Push",
    "Race",
    "RayCode",
    "RayDodge",
    "RayFind",
    "Rooms",
    "Story",
    "Swing",
    "Tiles",
    "describe",
    "film",
    "known",
    "make",
    "register",
]

if TYPE_CHECKING:
    from craik.worlds.blocks import Blocks
    from craik.worlds.bounce import Bounce
    from craik.worlds.cartpole import CartPoleSwing
    from craik.worlds.catalogue import describe, film
    from craik.worlds.counter import Counter
    from craik.worlds.dream import DreamEnv
    from craik.worlds.exact import ExactWorld
    from craik.worlds.gym import GymWorld
    from craik.worlds.lane import Lane
    from craik.worlds.levers import Levers
    from craik.worlds.oracle import Oracle
    from craik.worlds.paddle import Paddle
    from craik.worlds.push import Push
    from craik.worlds.race import Race
    from craik.worlds.raycode import RayCode
    from craik.worlds.raydodge import RayDodge
    from craik.worlds.rayfind import RayFind
    from craik.worlds.rooms import Rooms
    from craik.worlds.story import Story
    from craik.worlds.swing import Swing
    from craik.worlds.tiles import Tiles


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'craik.worlds' has no attribute {name!r}; it has {', '.join(__all__)}")


register()
