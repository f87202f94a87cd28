"""DreamerV3: one configuration for many worlds."""

from __future__ import annotations

import dataclasses

from torch import nn

from craik.behave.actor_critic import ActorCritic
from craik.core.card import Card
from craik.core.model import WorldModel
from craik.core.spec import Spec
from craik.eval.check import Check, Claim, Trial
from craik.eval.trials import online_return
from craik.families.recurrent import Recurrent
from craik.nets.init import fan_in_linears
from craik.nets.mlp import MLP
from craik.parts.actions.vector import ActionVector
from craik.parts.beliefs.rssm import RSSM
from craik.parts.heads.actors import BoundedNormal, MixedChoices
from craik.parts.heads.decoder import BlockStem, Decoder
from craik.parts.heads.numbers import Chance, TwoHot
from craik.parts.senses.encoder import Encoder
from craik.train.training import Training

CARD = Card(
    system="dreamer-v3",
    title="Mastering Diverse Domains through World Models",
    authors="Danijar Hafner, Jurgis Pasukonis, Jimmy Ba, Timothy Lillicrap",
    year=2023,
    venue="Nature 640 (2025); arXiv 2301.04104",
    url="https://arxiv.org/abs/2301.04104",
    claim="One algorithm with one set of numbers masters over 150 tasks, from Atari to diamonds in Minecraft.",
    mechanism="A recurrent state-space model with categorical choices is learned by reconstruction; an actor and a "
    "critic learn in its imagination; symlog, two-hot classes, free nats and percentile scaling make scales harmless.",
    differs=(
        "LayerNorm, as in the paper's first version, where its last has RMSNorm: a quarter of the time on a CPU",
        "convolutions of stride 2 in place of pooling and upsampling: the same parameters, a quarter of the work",
        "a window opens with an empty belief: replay does not keep the beliefs of earlier passes",
        "the critic's loss on replayed experience does not train the world model, as both are separate modules",
        "first layers over raw numbers begin with random biases: under a norm, sizes would else go unseen at first",
        "the actor does well by its mode; the paper's draws from it also when it is judged",
        "sizes tiny and small are ours: larger lr that falls, discount 0.99, shorter windows, few of them to imagine "
        "from and twice as far, some of the pictures drawn, half as many classes over half the reach, ten times the "
        "entropy, first random actions that are held for 8 steps on average (a pendulum pushed anew at every step "
        "never leaves the bottom), a tenth of the free nats, and errors of numbers weighted 1000: what is small in "
        "squared error (a cart a tenth of a metre from the edge) would else cost less to leave out than to remember",
    ),
    space="latent",
)


@dataclasses.dataclass(frozen=True)
class Config:
    """The paper's table (size200m), and what the budget of a small computer asks for."""

    deter: int = 8192  # numbers of the memory, "recurrent units"
    hidden: int = 1024  # width of the layers around it
    stoch: int = 32  # choices of a belief
    classes: int = 64  # options of each
    blocks: int = 8  # blocks of the recurrent cell
    units: int = 1024  # width of every MLP
    channels: tuple[int, ...] = (128, 192, 256, 256)  # of the convolutions: depth x (2, 3, 4, 4)
    kernel: int = 5  # their side
    eyes: int = 3  # layers of the MLP that reads and of the one that draws numbers
    heads: int = 1  # hidden layers of reward and proceed
    minds: int = 3  # hidden layers of actor and critic
    bins: int = 255  # of the two-hot classes
    reach: float = 20.0  # the outermost of them, in symlog space
    share: float = 0.01  # of every choice is uniform, "unimix"
    free: float = 1.0  # nats of KL that cost nothing
    precision: float = 1.0  # weight of squared errors of numbers (not of pixels)
    glimpses: float = 1.0  # share of a batch's pictures that are drawn for the loss

    horizon: int = 15  # imagined steps
    rows: int | None = None  # rows of a batch that are imagined from; None for all
    discount: float = 1 - 1 / 333  # a step
    lam: float = 0.95  # of the lambda-returns
    entropy: float = 3e-4  # weight of the actor's entropy
    slow_rate: float = 0.02  # of the averaged critic
    scale_rate: float = 0.01  # of the averaged spread of returns
    spread: tuple[float, float] = (0.1, 1.0)  # bounds of the standard deviation of continuous actions

    lr: float = 4e-5  # learning rate
    betas: tuple[float, float] = (0.9, 0.999)  # of LaProp: momentum, mean square
    eps: float = 1e-20  # of LaProp
    clip_ratio: float = 0.3  # adaptive gradient clipping
    warmup: int = 1000  # updates
    cosine: bool = False  # whether the learning rate then falls to nothing along half a cosine (ours)
    batch: int = 16  # rows
    length: int = 64  # arrivals of a row
    capacity: int = 5_000_000  # steps of replay
    prefill: int = 1000  # random steps before learning
    hold: float = 1  # steps for which each of them is kept, on average
    num_envs: int = 16  # worlds at once
    ratio: float = 1 / 32  # updates a step: the paper's replay ratio 32 over 1024 arrivals an update
    steps: int = 1_000_000  # environment steps


def published(deter: int, hidden: int, classes: int, depth: int) -> Config:
    """One of the paper's sizes."""
    channels = tuple(depth * m for m in (2, 3, 4, 4))
    return Config(deter=deter, hidden=hidden, classes=classes, units=hidden, channels=channels)


SMALL = Config(
    deter=128,
    hidden=64,
    stoch=8,
    classes=16,
    blocks=1,
    units=64,
    channels=(8, 16, 24, 32),
    kernel=4,
    eyes=1,
    minds=2,
    glimpses=0.125,
    horizon=30,
    rows=4,
    lam=0.97,
    free=0.1,
    precision=1000.0,
    bins=127,
    reach=10.0,
    entropy=3e-3,
    lr=1e-3,
    discount=0.99,
    warmup=100,
    cosine=True,
    length=16,
    capacity=200_000,
    prefill=4_000,
    hold=8,
    num_envs=8,
    ratio=0.125,
    steps=33_000,
)

SIZES = {
    "tiny": dataclasses.replace(
        SMALL,
        deter=32,
        hidden=16,
        stoch=4,
        classes=8,
        blocks=2,
        units=32,
        channels=(8, 8, 16, 16),
        bins=63,
        glimpses=1.0,
        horizon=15,
        rows=8,
        prefill=1_000,
    ),
    "small": SMALL,
    "12m": published(2048, 256, 16, 16),
    "25m": published(3072, 384, 24, 24),
    "50m": published(4096, 512, 32, 32),
    "100m": published(6144, 768, 48, 48),
    "200m": published(8192, 1024, 64, 64),
    "400m": published(12288, 1536, 96, 96),
}

NORM = nn.LayerNorm
"""One norm throughout (see `CARD.differs`)."""


def build(cfg: Config, spec: Spec) -> WorldModel:
    """The world model."""
    stoch = cfg.stoch * cfg.classes
    latent = cfg.deter + stoch
    sight = {"units": cfg.units, "depth": cfg.eyes, "channels": cfg.channels, "kernel": cfg.kernel, "norm": NORM}
    head = {"units": cfg.units, "depth": cfg.heads, "norm": NORM}
    encoder = Encoder(spec.obs, **sight)  # type: ignore[arg-type]
    rssm = RSSM(
        ActionVector(spec.action).size,
        encoder.size,
        deter=cfg.deter,
        hidden=cfg.hidden,
        stoch=cfg.stoch,
        classes=cfg.classes,
        blocks=cfg.blocks,
        share=cfg.share,
        norm=NORM,
    )

    def stem(outputs: int) -> nn.Module:
        return BlockStem(cfg.deter, stoch, outputs, 2 * cfg.units, cfg.blocks, NORM)

    return Recurrent(
        spec,
        encoder,
        rssm,
        Decoder(spec.obs, latent, stem=stem, precision=cfg.precision, **sight),  # type: ignore[arg-type]
        TwoHot(latent, bins=cfg.bins, reach=cfg.reach, **head),  # type: ignore[arg-type]
        Chance(latent, **head),  # type: ignore[arg-type]
        free=cfg.free,
        glimpses=cfg.glimpses,
    )


def agent(model: WorldModel, cfg: Config) -> ActorCritic:
    """The actor-critic that learns in its imagination."""
    vector = ActionVector(model.spec.action)
    latent = cfg.deter + cfg.stoch * cfg.classes
    net = MLP(latent, [cfg.units] * cfg.minds, vector.size * (2 if vector.continuous else 1), NORM)
    fan_in_linears(net, net.out, 0.01)
    actor = BoundedNormal(net, *cfg.spread) if vector.continuous else MixedChoices(net, vector.sizes, cfg.share)
    return ActorCritic(
        vector,
        actor,
        TwoHot(latent, units=cfg.units, depth=cfg.minds, bins=cfg.bins, reach=cfg.reach, norm=NORM),
        horizon=cfg.horizon,
        rows=cfg.rows,
        discount=cfg.discount,
        lam=cfg.lam,
        entropy=cfg.entropy,
        slow_rate=cfg.slow_rate,
        scale_rate=cfg.scale_rate,
    )


def training(cfg: Config) -> Training:
    """How both are trained, with the paper's loss weights."""
    return Training(
        weights={
            "obs": 1.0,
            "reward": 1.0,
            "proceed": 1.0,
            "dyn": 1.0,
            "rep": 0.1,
            "actor": 1.0,
            "critic": 1.0,
            "replay_critic": 0.3,
        },
        steps=cfg.steps,
        prefill=cfg.prefill,
        hold=cfg.hold,
        num_envs=cfg.num_envs,
        ratio=cfg.ratio,
        batch=cfg.batch,
        length=cfg.length,
        capacity=cfg.capacity,
        optimizer="laprop",
        lr=cfg.lr,
        betas=cfg.betas,
        eps=cfg.eps,
        warmup=cfg.warmup,
        cosine=cfg.cosine,
        clip_ratio=cfg.clip_ratio,
    )


def trial(world: str, claims: tuple[Claim, ...], minutes: float, obs: str = "state") -> Trial:
    """Learns a world online with the table of size small, the same for all; it must beat doing nothing by far."""
    beyond = (
        Claim("planned", "shuffled", "planning uses what actions mean to the model"),
        Claim("return", "random", "it does better than random actions", margin=MARGINS[world]),
        Claim("return", "nothing", "it does better than doing nothing", margin=MARGINS[world]),
    )
    return online_return("dreamer_v3", world, claims=(*claims, *beyond), minutes=minutes, obs=obs, planned_episodes=5)


MARGINS = {"CartPole-v1": 300, "Pendulum-v1": 300, "craik/Swing-v0": 30, "craik/SwingBalance-v0": 30}
"""What separates learning from luck: several times the spread of the baselines' means."""

BALANCES = Claim("return", 450, "it balances", source="Gymnasium calls 475 of 500 solved")
SWINGS_UP = Claim("return", -250, "it swings up", source="upright within a few swings from most starts")
GETS_UP = Claim("return", 100, "it gets up and stays", source="half of the 200 steps at rest upright")
STAYS_UP = Claim("return", 150, "it stays up", source="three quarters of the 200 steps at rest upright")

# From pixels it is asked to balance, not to swing up: Pendulum-v1 from pixels was not learned within the budget
# (docs/log.md, px1 and px2), and one world from pixels is what is claimed.
CHECK = Check(
    (
        trial("CartPole-v1", (BALANCES,), 15),
        trial("Pendulum-v1", (SWINGS_UP,), 15),
        trial("craik/Swing-v0", (GETS_UP,), 15),
        trial("craik/SwingBalance-v0", (STAYS_UP,), 15),
        trial("craik/SwingBalance-v0", (), 15, obs="pixels"),
    )
)
