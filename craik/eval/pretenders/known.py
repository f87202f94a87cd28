"""Every pretender by name, over any exact world: who sits the exam that examines the evaluator."""

from __future__ import annotations

from collections.abc import Callable

from gymnasium import spaces

from craik.core.errors import UnknownName
from craik.core.model import WorldModel
from craik.eval.card.exam import Exam, sit
from craik.eval.pretend import Frozen, IgnoredActions, ShuffledActions
from craik.eval.pretenders.actions import Gain, Lag, Mirrored
from craik.eval.pretenders.clothes import InGaussians, InLatent
from craik.eval.pretenders.laws import Drifting, Optimist, WrongLaw
from craik.eval.pretenders.looks import Blurred, Noisy, Vanished
from craik.eval.pretenders.memory import Memoriser, Replayer, Straight
from craik.eval.pretenders.words import Babbler, Forgetful, InText, Literal, Stubborn, Swapped
from craik.worlds import make
from craik.worlds.exact import ExactWorld
from craik.worlds.oracle import Oracle
from craik.worlds.words import Worded

Make = Callable[[Oracle], WorldModel]

ALIKE: dict[str, Make] = {
    "oracle": lambda oracle: oracle,
    "frozen": Frozen,
    "ignored": IgnoredActions,
    "shuffled": ShuffledActions,
    "mirrored": Mirrored,
    "half-gain": lambda oracle: Gain(oracle, 0.5),
    "late": Lag,
    "straight": Straight,
    "drifting": Drifting,
}
"""Those that exist for every world."""

DRAWN: dict[str, Make] = {"blurred": Blurred, "noisy": Noisy}
"""Those that draw badly."""

SPOKEN: dict[str, Make] = {
    "in-text": InText,
    "forgetful": Forgetful,
    "stubborn": Stubborn,
    "babbler": Babbler,
    "swapped": Swapped,
}
"""Those that speak, rightly and wrongly."""


def pretenders(world: str, size: int = 64) -> dict[str, Callable[[], WorldModel]]:
    """Everyone who can sit an exam in this world: name -> what makes the model.

    Args:
        world: the id of an exact world.
        size: height and width of pictures, for those that draw.
    """

    def over(make: Make, obs: str = "state") -> Callable[[], WorldModel]:
        return lambda: make(Oracle.of(world, obs=obs, size=size))

    there = make(world)
    assert isinstance(there, ExactWorld)
    found = {name: over(each) for name, each in ALIKE.items()}
    if isinstance(there.single_action_space, spaces.Discrete):
        del found["half-gain"]  # a choice has no size
    if there.HAS_GOAL:
        found["optimist"] = over(Optimist)
    for name, factor in there.FACTORS.items():
        if factor.kind == "physical" and factor.default:
            found[f"half-{name}"] = over(lambda oracle, name=name: WrongLaw(oracle, {name: 0.5}))  # type: ignore[misc]
    found["memoriser"] = over(lambda oracle: Memoriser(oracle, lessons(world)))
    found["replayer"] = over(lambda oracle: Replayer(oracle, lessons(world)))
    found["in-latent"] = over(lambda oracle: InLatent(oracle, lessons(world).scale))
    found |= {name: over(each, "both") for name, each in DRAWN.items()}
    if there.POINTS:
        found["vanished"] = over(Vanished, "both")
        found["in-gaussians"] = over(InGaussians, "both")
    if isinstance(there, Worded):
        found |= {name: over(each) for name, each in SPOKEN.items()}
        if there.REWORDED:
            found["literal"] = over(Literal)
    return found


def pretender(name: str, world: str) -> WorldModel:
    """One of them.

    Raises:
        UnknownName: if there is none of that name in this world.
    """
    known = pretenders(world)
    if name not in known:
        raise UnknownName(f"pretender in {world}", name, known)
    return known[name]()


def lessons(world: str) -> Exam:
    """What those that learn by heart were shown."""
    return sit(world, 64, seed=7, views=("state",), horizon=32, futures=1)
