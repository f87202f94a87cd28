"""TD-MPC2: plan in a decoder-free latent model, with a learned value at the horizon."""

from __future__ import annotations

import dataclasses
from typing import Literal

import torch
from torch import nn

from craik.behave.mppi import MPPI
from craik.behave.objectives import Reward
from craik.behave.plan import PlanConfig
from craik.behave.planner_agent import PlannerAgent
from craik.behave.shooting import RandomShooting
from craik.core.card import Card
from craik.core.model import WorldModel
from craik.core.spec import Spec
from craik.eval.check import Check, Claim, Trial
from craik.eval.trials import online_return
from craik.families.latent import Goals, Latent
from craik.nets.ensemble import EnsembleMLP
from craik.nets.init import fan_in_linears
from craik.nets.mlp import MLP
from craik.parts.actions.vector import ActionVector
from craik.parts.heads.policies import Choices, SquashedGaussian
from craik.parts.heads.q_ensemble import QEnsemble
from craik.parts.senses.encoder import Encoder
from craik.train.training import Training

CARD = Card(
    system="td-mpc2",
    title="TD-MPC2: Scalable, Robust World Models for Continuous Control",
    authors="Nicklas Hansen, Hao Su, Xiaolong Wang",
    year=2024,
    venue="ICLR 2024, arXiv 2310.16828",
    url="https://arxiv.org/abs/2310.16828",
    claim="One set of numbers learns 104 continuous control tasks, and the agent grows better with model size, up to "
    "317M parameters for 80 tasks.",
    mechanism="Latents on simplices are predicted under consistency, reward and value losses, without a decoder; MPPI "
    "searches a few steps ahead in them, helped by a policy prior, and a value ensemble judges where it ends.",
    differs=(
        "Discrete and MultiDiscrete actions: a categorical prior, exact expectations over it, and MPPI over categories",
        "the episode's end is learned (a head with one hidden layer) and discounts plans; the paper's tasks never end",
        "one task: no task embedding",
        "one optimiser steps model and policy together, with one gradient norm",
        "the answer of MPPI is the elites' weighted mean; theirs is one elite, drawn by weight",
        "the prior's plans follow its mode, all but one with the least spread as noise; theirs are sampled from it",
        "values read by the planner are the mean of the first two members, not of two random ones",
        "numbers are squeezed by symlog; the encoder's activation is SiLU, as everywhere in sizes tiny and small",
        "the policy also learns at the arrivals but the last, and its scale from all of them; no random image shifts",
        "dynamics give the change of the simplices' logits, and begin with none; theirs give the next latent anew",
        "networks see latents about the middle of their simplices; weights begin at unit output variance, not at 0.02",
        "linear maps before a norm have no bias; a constant one stands beside the observed numbers instead",
    ),
    space="latent",
)


@dataclasses.dataclass(frozen=True)
class Config:
    """The table: the paper's appendix H, for its default agent of 5M parameters."""

    latent: int = 512  # features of the latent
    simplex: int = 8  # features of one simplex
    encoder_units: int = 256  # width of the encoder's hidden layers
    encoder_depth: int = 1  # how many of them
    channels: tuple[int, ...] = (32, 32, 32, 32)  # of the encoder's convolutions, for pictures
    units: int = 512  # width of the two hidden layers of every other network
    num_q: int = 5  # value networks
    dropout: float = 0.01  # in their first layer, while learning
    bins: int = 101  # classes of rewards and values
    reach: float = 10.0  # the outermost classes, in symlog space
    proceed_units: int = 64  # hidden layer of the head that foresees the end (ours)
    act: Literal["mish", "silu"] = "mish"  # activation
    horizon: int = 3  # steps of prediction while learning
    plan_horizon: int = 3  # steps of a plan
    rho: float = 0.5  # weight of a step of prediction relative to the one before
    discount: float = 0.99  # theirs: from 0.95 to 0.995, by the length of the task's episodes
    slow_rate: float = 0.01  # of the averaged value networks, and of the values' scale
    entropy: float = 1e-4  # weight of the policy's entropy
    consistency_weight: float = 20.0
    reward_weight: float = 0.1
    value_weight: float = 0.1
    proceed_weight: float = 1.0
    samples: int = 512  # MPPI: plans of a round
    rounds: int = 6  # MPPI: rounds
    elites: int = 64  # MPPI: the best, that the next round is fitted to
    prior: int = 24  # MPPI: plans of the policy prior
    temperature: float = 0.5  # MPPI: sharpness of the elites' weights
    min_std: float = 0.05  # MPPI: least spread
    max_std: float = 2.0  # MPPI: first and largest spread
    noise: float = 1.0  # while exploring: how much of the plan's final spread is added to numbers
    flips: float = 0.1  # while exploring: how many choices are drawn from the plan's final chances (ours)
    steps: int = 1_000_000  # environment steps
    prefill: int = 2_500  # random ones before learning; theirs: five episodes
    num_envs: int = 1
    ratio: float = 1.0  # updates per environment step
    batch: int = 256
    lr: float = 3e-4
    encoder_lr: float = 0.3  # the encoder's learning rate, relative to lr
    cosine: bool = False  # whether the learning rate falls to nothing along half a cosine (ours)
    clip_norm: float = 20.0
    capacity: int = 1_000_000


SIZES = {
    "tiny": Config(
        latent=16,
        encoder_units=16,
        channels=(8, 8, 8, 8),
        units=16,
        num_q=2,
        bins=21,
        proceed_units=16,
        act="silu",
        samples=16,
        rounds=2,
        elites=4,
        prior=4,
        steps=2_000,
        prefill=500,
        num_envs=4,
        batch=16,
        lr=1e-3,
    ),
    "small": Config(
        latent=64,
        encoder_units=64,
        channels=(16, 16, 32, 32),
        units=64,
        num_q=2,
        bins=41,
        reach=8.0,
        act="silu",
        plan_horizon=5,
        slow_rate=0.03,
        entropy=0.01,
        samples=24,
        rounds=2,
        elites=6,
        prior=8,
        steps=24_500,
        prefill=500,
        num_envs=4,
        ratio=0.5,
        batch=64,
        lr=2e-3,
        encoder_lr=1.0,
        cosine=True,
    ),
    "1m": Config(latent=128, units=384, num_q=2),
    "5m": Config(),
    "19m": Config(latent=768, encoder_units=1024, encoder_depth=2, units=1024),
    "48m": Config(latent=768, encoder_units=1792, encoder_depth=3, units=1792),
    "317m": Config(latent=1376, encoder_units=4096, encoder_depth=4, units=4096, num_q=8),
}

ACTIVATIONS = {"mish": nn.Mish, "silu": nn.SiLU}


def build(cfg: Config, spec: Spec) -> WorldModel:
    """The model of this size for this world."""
    vector, act = ActionVector(spec.action), ACTIVATIONS[cfg.act]
    size, both = cfg.latent, cfg.latent + vector.size

    def mlp(inputs: int, outputs: int) -> MLP:
        return MLP(inputs, (cfg.units, cfg.units), outputs, nn.LayerNorm, act)

    look = Encoder(
        spec.obs,
        units=cfg.encoder_units,
        depth=cfg.encoder_depth,
        channels=cfg.channels,
        kernel=4,
        norm=nn.LayerNorm,
        ones=1,
    )
    dynamics, reward = mlp(both, size), mlp(both, cfg.bins)
    values = EnsembleMLP(cfg.num_q, both, (cfg.units, cfg.units), cfg.bins, cfg.dropout, act)
    if vector.continuous:
        policy: SquashedGaussian | Choices = SquashedGaussian(mlp(size, 2 * vector.size))
    else:
        policy = Choices(mlp(size, vector.size), vector.sizes)
    model = Latent(
        spec,
        size=size,
        simplex=cfg.simplex,
        encoder=nn.Sequential(look, nn.Linear(look.size, size), nn.LayerNorm(size)),
        dynamics=dynamics,
        reward=reward,
        values=QEnsemble(values),
        policy=policy,
        proceed=MLP(size, (cfg.proceed_units,), 1, nn.LayerNorm, act),
        bins=torch.linspace(-cfg.reach, cfg.reach, cfg.bins),
        goals=Goals(
            horizon=cfg.horizon, rho=cfg.rho, discount=cfg.discount, slow_rate=cfg.slow_rate, entropy=cfg.entropy
        ),
    )
    for part in (model.encoder[1:], model.policy, model.proceed):  # type: ignore[index]
        fan_in_linears(part)
    for net in (dynamics, reward):
        fan_in_linears(net, net.out, 0.0)
    return model


def training(cfg: Config) -> Training:
    """How it is trained."""
    weights = {
        "consistency": cfg.consistency_weight,
        "reward": cfg.reward_weight,
        "value": cfg.value_weight,
        "proceed": cfg.proceed_weight,
        "policy": 1.0,
    }
    return Training(
        weights=weights,
        steps=cfg.steps,
        prefill=cfg.prefill,
        num_envs=cfg.num_envs,
        ratio=cfg.ratio,
        batch=cfg.batch,
        length=cfg.horizon,
        capacity=cfg.capacity,
        lr=cfg.lr,
        lr_scale={"model.encoder": cfg.encoder_lr},
        cosine=cfg.cosine,
        clip_norm=cfg.clip_norm,
    )


def agent(model: WorldModel, cfg: Config) -> PlannerAgent:
    """MPPI with the model's policy as prior; a search of all plans where there are no more than MPPI would draw."""
    space, config = model.spec.action, PlanConfig(horizon=cfg.plan_horizon)
    every = RandomShooting(space, config, num_samples=cfg.samples * cfg.rounds)
    if every.exhaustive:
        return PlannerAgent(every, Reward(cfg.discount), cfg.flips)
    planner = MPPI(
        space,
        config,
        num_samples=cfg.samples,
        num_steps=cfg.rounds,
        num_elites=cfg.elites,
        num_prior=cfg.prior,
        temperature=cfg.temperature,
        std=cfg.max_std,
        min_std=cfg.min_std,
        max_std=cfg.max_std,
    )
    return PlannerAgent(planner, Reward(cfg.discount), cfg.noise if planner.vector.continuous else cfg.flips)


def trial(world: str, figure: float, margin: float, source: str) -> Trial:
    """Learns a world online; the return must reach a figure, and beat doing nothing and random by a margin."""
    return online_return(
        "td_mpc2",
        world,
        claims=(
            Claim("return", figure, "the mean return is high", source=source),
            Claim("return", "random", "it does better than random actions", margin=margin),
            Claim("return", "nothing", "it does better than doing nothing", margin=margin),
            Claim("planned", "shuffled", "planning uses what actions mean to the model"),
        ),
        minutes=15,
    )


CHECK = Check(
    (
        trial("CartPole-v1", 450, 300, "Gymnasium calls 475 of 500 solved"),
        trial("Pendulum-v1", -250, 500, "upright within a few swings from most starts"),
        trial("craik/Swing-v0", 100, 50, "half of the 200 steps at rest upright"),
        trial("craik/SwingBalance-v0", 150, 50, "three quarters of the 200 steps at rest upright"),
    )
)
