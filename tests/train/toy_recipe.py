"""A recipe module over the toy model, entered in the registry by the tests that need one by name."""

from __future__ import annotations

import dataclasses

from craik.core import registry
from tests.train import toy


@dataclasses.dataclass(frozen=True)
class Head:
    width: int = 8


@dataclasses.dataclass(frozen=True)
class Config:
    width: int = 8
    lr: float = 1e-3
    hidden: tuple[int, ...] = (4, 4)
    head: Head = Head()
    name: str | None = None


SIZES = {"tiny": Config(), "small": Config(width=16)}


def build(cfg, spec):
    return toy.ToyModel(spec.offering("latent", "reward"), cfg.width)


def training(cfg):
    return toy.toy_training(lr=cfg.lr, steps=400, prefill=100, num_envs=2, ratio=0.25, updates=60)


def agent(model, cfg):
    return toy.ToyAgent(model)


def enter() -> None:
    """Enters this module in the registry of this process."""
    registry.where = lambda: {"toy": __name__}
