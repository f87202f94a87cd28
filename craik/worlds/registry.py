"""Worlds by name: Gymnasium's registry and craik's own table (`craik.worlds.ours`)."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import gymnasium
from gymnasium.vector import AutoresetMode, VectorEnv

from craik.core.errors import SpecError, UnknownName
from craik.worlds.ours import OURS

OBS = ("state", "pixels", "both")
"""What a world may show: its numbers, a picture, or both at once."""


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
