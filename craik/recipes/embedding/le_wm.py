"""LeWorldModel: an end-to-end joint-embedding predictive world model with one regulariser."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
from torch import nn

from craik.behave.cem import CEM
from craik.behave.objectives import GoalLatent
from craik.behave.plan import PlanConfig
from craik.behave.planner_agent import PlannerAgent
from craik.core.card import Card
from craik.core.model import WorldModel
from craik.core.spec import Spec
from craik.eval.check import Check, Claim
from craik.eval.reaching import Course, goal_reaching
from craik.families.embedding import Embedding
from craik.nets.vit import ViT
from craik.parts.actions.vector import ActionVector
from craik.parts.predictors.causal import CausalPredictor
from craik.parts.regularisers.gaussian import SIGReg
from craik.parts.senses.glance import Glance
from craik.parts.senses.keypoints import Keypoints
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
        "the predictor adds a change to the present embedding instead of saying the next one outright",
        "sizes tiny and small look through a spatial soft-argmax and a linear projector instead of a ViT and an MLP, "
        "and embed into 8 and 16 numbers instead of 192",
        "the frame skip is a matter of the data (`craik.data.blocks`): the model takes the steps it is given",
    ),
    space="representation",
)


@dataclasses.dataclass(frozen=True)
class Patches:
    """An eye that is a vision transformer: its patch (pixels), width, depth and heads."""

    patch: int
    width: int
    depth: int
    heads: int


@dataclasses.dataclass(frozen=True)
class Points:
    """An eye that says where things are: channels after each convolution, the last being the number of points."""

    channels: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Config:
    """The table: the paper's appendix and the released configuration."""

    eye: Patches | Points = Patches(14, 192, 12, 3)  # ViT-tiny, for images of 224 x 224
    units: int = 192  # features made of numbers, where numbers are seen
    project: tuple[int, ...] = (2048,)  # hidden features of the encoder's projector; none for a linear map
    latent: int = 192  # numbers of an embedding
    history: int = 3  # embeddings that the predictor sees
    width: int = 192  # features of its tokens
    depth: int = 6  # its blocks
    heads: int = 16  # heads of each
    head_width: int = 64  # features of each head
    hidden: int = 2048  # features inside each block's MLP
    unproject: int = 2048  # hidden features of its own projector
    dropout: float = 0.1  # in the predictor, while training
    regularity: float = 0.09  # lambda, the weight of SIGReg: the one number to tune
    directions: int = 1024  # random directions of SIGReg
    knots: int = 17  # points of its quadrature
    lr: float = 5e-5  # AdamW
    weight_decay: float = 1e-3
    warmup: int = 500  # updates; then the rate falls along half a cosine to zero at the last one
    clip_norm: float = 1.0
    batch: int = 128
    updates: int = 100_000
    horizon: int = 5  # decisions in a plan
    receding_horizon: int = 5  # decisions carried out before planning again
    samples: int = 300  # CEM's candidates
    rounds: int = 30  # CEM's rounds
    elites: int = 30  # CEM's elites


SIZES = {
    "tiny": Config(
        eye=Points((4, 8)),
        units=16,
        project=(),
        latent=8,
        width=16,
        depth=1,
        heads=2,
        head_width=8,
        hidden=32,
        unproject=32,
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
        eye=Points((8, 24)),
        units=64,
        project=(),
        latent=16,
        width=64,
        depth=2,
        heads=2,
        head_width=32,
        hidden=128,
        unproject=128,
        directions=64,
        lr=5e-3,
        warmup=100,
        updates=1_500,
        samples=128,
        rounds=8,
        elites=16,
    ),
    "vit_tiny": Config(),
}


def build(cfg: Config, spec: Spec) -> WorldModel:
    """An encoder, a predictor and SIGReg."""
    encoder = Glance(spec.obs, eye_of(cfg.eye), units=cfg.units, latent=cfg.latent, project=cfg.project)
    predictor = CausalPredictor(
        cfg.latent,
        ActionVector(spec.action).size,
        history=cfg.history,
        width=cfg.width,
        depth=cfg.depth,
        heads=cfg.heads,
        head_width=cfg.head_width,
        hidden=cfg.hidden,
        project=cfg.unproject,
        dropout=cfg.dropout,
    )
    return Embedding(spec, encoder, predictor, SIGReg(cfg.directions, cfg.knots), cfg.latent, cfg.history)


def eye_of(kind: Patches | Points) -> Callable[[tuple[int, int, int]], nn.Module]:
    """What makes an eye for pictures of a shape."""
    if isinstance(kind, Patches):
        return lambda shape: ViT(shape, kind.patch, kind.width, kind.depth, kind.heads)
    return lambda shape: Keypoints(shape, kind.channels)


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
        cosine=True,
        clip_norm=cfg.clip_norm,
    )


def agent(model: WorldModel, cfg: Config) -> PlannerAgent:
    """CEM towards a goal's embedding: set `agent.objective = GoalLatent(goal)`. Until then the goal is the mean, 0."""
    config = PlanConfig(cfg.horizon, cfg.receding_horizon)
    planner = CEM(
        model.spec.action, config, num_samples=cfg.samples, num_steps=cfg.rounds, num_elites=cfg.elites, min_std=0.05
    )
    return PlannerAgent(planner, GoalLatent(torch.zeros(1, cfg.latent, device=model.device)))


CLAIMS = (
    Claim("success", "random", "reaches at least three times the goals that random actions do", factor=3.0),
    Claim("success", "shuffled", "reaches more goals than with the meaning of actions exchanged", margin=0.1),
    Claim("rank", 4.0, "embeddings fill several dimensions", source="paper, section 3: no collapse"),
    Claim("std", 0.5, "embeddings have about unit size", source="eq. 3: N(0, I)"),
    Claim("collapsed_std", "std", "without SIGReg all embeddings become one", factor=0.1, below=True, source="eq. 2"),
    Claim("success", "collapsed_success", "without SIGReg fewer goals are reached", margin=0.1),
)

ROOMS = Course("craik/Rooms-v0", data_length=50, wander=0.3, data_skill=(0.3, 1.0), distance=20, skill=(0.3, 1.0))
PUSH = Course("craik/Push-v0", data_length=30, data_skill=(0.6, 1.0), distance=25, skill=(0.8, 1.0))

CHECK = Check(
    (
        goal_reaching(
            "le_wm",
            ROOMS,
            claims=CLAIMS,
            minutes=10,
            overrides={"horizon": 4, "receding_horizon": 4},
            collapse={"regularity": 0.0},
        ),
        goal_reaching(
            "le_wm",
            PUSH,
            claims=CLAIMS,
            minutes=20,
            overrides={"updates": 1_800, "receding_horizon": 2, "samples": 192, "rounds": 12, "elites": 20},
            collapse={"regularity": 0.0},
        ),
    )
)
