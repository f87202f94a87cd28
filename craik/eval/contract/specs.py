"""The worlds' shapes on which a recipe is tried, and the case a recipe makes of one."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import torch
from gymnasium import spaces

from craik.behave.agent import Agent
from craik.core.errors import UnknownName
from craik.core.model import WorldModel
from craik.core.spec import Spec
from craik.eval.contract.clause import Case

_SEEN: dict[str, dict[str, spaces.Space]] = {
    "vector": {"state": spaces.Box(-np.inf, np.inf, (5,), np.float32)},
    "pixels": {"pixels": spaces.Box(0, 255, (64, 64, 3), np.uint8)},
    "mixed": {
        "state": spaces.Box(-1, 1, (3,), np.float32),
        "pixels": spaces.Box(0, 255, (64, 64, 3), np.uint8),
        "phase": spaces.Discrete(4),
    },
}
_DONE: dict[str, spaces.Space] = {
    "discrete": spaces.Discrete(4),
    "box": spaces.Box(np.array([-2.0, 0.0], np.float32), np.array([2.0, 1.0], np.float32)),
    "multidiscrete": spaces.MultiDiscrete([2, 3]),
}
KINDS = ("vector-discrete", "vector-box", "vector-multidiscrete", "pixels-discrete", "pixels-box", "mixed-box")
"""What is seen, and what can be done: every recipe is tried on each kind it takes."""


def spec_of(kind: str) -> Spec:
    """The spec of a kind.

    Raises:
        UnknownName: if it is not in `KINDS`.
    """
    if kind not in KINDS:
        raise UnknownName("spec kind", kind, KINDS)
    seen, done = kind.split("-")
    return Spec.of(spaces.Dict(_SEEN[seen]), _DONE[done])


def kinds_taken(module: ModuleType) -> tuple[str, ...]:
    """The kinds a recipe takes: its `TAKES` may name what it sees and what it does; of the rest it takes all.

    Raises:
        UnknownName: if `TAKES` holds a word that is neither.
    """
    words = tuple(getattr(module, "TAKES", ()))
    for word in words:
        if word not in (*_SEEN, *_DONE):
            raise UnknownName("kind of spec", word, (*_SEEN, *_DONE), f"mend TAKES in {module.__name__}")
    seen = {w for w in words if w in _SEEN} or set(_SEEN)
    done = {w for w in words if w in _DONE} or set(_DONE)
    return tuple(k for k in KINDS if k.split("-")[0] in seen and k.split("-")[1] in done)


def case_of(module: ModuleType, kind: str, *, size: str = "tiny", seed: int = 0) -> Case:
    """A recipe's model and agent, built for a kind of spec, as a case.

    Args:
        module: a recipe (`craik.recipe(name)`).
        kind: one of `KINDS`.
        size: a name in the recipe's `SIZES`.
        seed: of the parameters and of the experience.
    """
    cfg, spec = module.SIZES[size], spec_of(kind)
    training, agent_of = getattr(module, "training", None), getattr(module, "agent", None)

    def build() -> tuple[WorldModel, Agent | None]:
        model = module.build(cfg, spec)
        return model, agent_of(model, cfg) if agent_of else None

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model, agent = build()
    return Case(model, agent, training(cfg).weights if training else None, build, seed)
