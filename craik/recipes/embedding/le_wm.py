"""LeWorldModel: an end-to-end joint-embedding predictive world model with one regulariser."""

from __future__ import annotations

import dataclasses

import torch
from torch import nn

from craik.behave.cem import CEM
from craik.behave.objectives import GoalLatent
from craik.behave.plan import PlanConfig
from craik.behave.planner_agent import PlannerAgent
from craik.core.card import Card
from craik.core.model import WorldModel
from craik.core.spec import Spec
from craik.families.embedding import Embedding
from craik.nets.vit import ViT
from craik.parts.actions.vector import ActionVector
from craik.parts.predictors.causal import CausalPredictor
from craik.parts.regularisers.gaussian import SIGReg
from craik.parts.senses.glance import Glance
from craik.parts.senses.strided import Strided
from craik.train.training import Training

CARD = Card(
    system="le-wm",
    title="LeWorldModel: Stable End-to-End Joint-Embedding Predictive Architecture from Pixels",
    authors="Lucas Maes, Quentin Le Lidec, Damien Scieur, Yann LeCun, Randall Balestriero",
    year=2026,
    venue="arXiv 2603.19312",
    url="https://arxiv.org/abs/2603.19312",
    claim="A world model of embeddings trains end to end from pixels with two loss terms, does not collapse, and "
    "plans to image goals.",
    mechanism="An encoder and a causal predictor share the squared error of the next embedding, with no gradient "
    "stopped; SIGReg holds the embeddings of each time step to N(0, I); CEM searches for actions whose predicted "
    "embedding ends at the goal's.",
    differs=(
        "LayerNorm instead of BatchNorm inside the two projectors, so that rows of a batch never mix outside SIGReg",
        "dropout acts on each branch's output, not on attention weights or inside the MLPs, and draws from a generator",
        "one norm before each branch of a predictor block, where the released code has two in a row",
        "the learning rate stays constant after its warm-up (theirs decays along a cosine)",
        "sizes tiny and small look through strided convolutions instead of a vision transformer",
    ),
    space="representation",
)


@dataclasses.dataclass(frozen=True)
class Patches:
    """A vision transformer: its patch (pixels), depth and heads."""

    patch: int
    depth: int
    heads: int


@dataclasses.dataclass(frozen=True)
class Convolutions:
    """Strided convolutions: channels after each."""

    channels: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Config:
    """The table: the paper's appendix and the released configuration."""

    look: Patches | Convolutions = Patches(14, 12, 3)  # the eye: ViT-tiny for images of 224 x 224
    width: int = 192  # features of the eye and of the predictor
    latent: int = 192  # numbers of an embedding
    project: int = 2048  # hidden features of both projectors
    history: int = 3  # embeddings that the predictor sees
    depth: int = 6  # blocks of the predictor
    heads: int = 16  # heads of each
    head_width: int = 64  # features of each head
    hidden: int = 2048  # features inside each block's MLP
    dropout: float = 0.1  # in the predictor, while training
    regularity: float = 0.09  # lambda, the weight of SIGReg: the one number to tune
    directions: int = 1024  # random directions of SIGReg
    knots: int = 17  # points of its quadrature
    lr: float = 5e-5  # AdamW
    weight_decay: float = 1e-3
    warmup: int = 500  # updates
    clip_norm: float = 1.0
    batch: int = 128
    updates: int = 100_000
    horizon: int = 5  # decisions in a plan
    receding_horizon: int = 5  # decisions carried out before planning again
    action_block: int = 1  # steps that a decision is held
    samples: int = 300  # CEM's candidates
    rounds: int = 30  # CEM's rounds
    elites: int = 30  # CEM's elites


SIZES = {
    "tiny": Config(
        look=Convolutions((8, 16)),
        width=16,
        latent=8,
        project=32,
        depth=1,
        heads=2,
        head_width=8,
        hidden=32,
        directions=32,
        lr=1e-3,
        warmup=0,
        batch=8,
        updates=200,
        samples=16,
        rounds=3,
        elites=4,
    ),
    "small": Config(
        look=Convolutions((16, 32, 64)),
        width=128,
        latent=32,
        project=256,
        depth=2,
        heads=4,
        head_width=32,
        hidden=256,
        directions=256,
        lr=1e-3,
        warmup=100,
        batch=128,
        updates=2_000,
        samples=128,
        rounds=8,
        elites=16,
    ),
    "vit_tiny": Config(),
}


def build(cfg: Config, spec: Spec) -> WorldModel:
    """An eye, a predictor and SIGReg."""

    def look(shape: tuple[int, int, int]) -> nn.Module:
        if isinstance(cfg.look, Patches):
            return ViT(shape, cfg.look.patch, cfg.width, cfg.look.depth, cfg.look.heads)
        return Strided(shape, cfg.look.channels, cfg.width)

    encoder = Glance(spec.obs, look, width=cfg.width, latent=cfg.latent, project=cfg.project)
    predictor = CausalPredictor(
        cfg.latent,
        ActionVector(spec.action).size,
        history=cfg.history,
        width=cfg.width,
        depth=cfg.depth,
        heads=cfg.heads,
        head_width=cfg.head_width,
        hidden=cfg.hidden,
        project=cfg.project,
        dropout=cfg.dropout,
    )
    return Embedding(spec, encoder, predictor, SIGReg(cfg.directions, cfg.knots), cfg.latent, cfg.history)


def training(cfg: Config) -> Training:
    """Windows of `history` transitions, as in the paper."""
    return Training(
        weights={"prediction": 1.0, "regularity": cfg.regularity},
        updates=cfg.updates,
        batch=cfg.batch,
        length=cfg.history,
        lr=cfg.lr,
        weight_decay=cfg.weight_decay,
        warmup=cfg.warmup,
        clip_norm=cfg.clip_norm,
    )


def agent(model: WorldModel, cfg: Config) -> PlannerAgent:
    """CEM towards a goal's embedding. Set `agent.objective = GoalLatent(goal)`; until then the goal is the mean, zero."""
    config = PlanConfig(cfg.horizon, cfg.receding_horizon, cfg.action_block)
    planner = CEM(
        model.spec.action, config, num_samples=cfg.samples, num_steps=cfg.rounds, num_elites=cfg.elites, min_std=0.05
    )
    return PlannerAgent(planner, GoalLatent(torch.zeros(1, cfg.latent, device=model.device)))
