"""Made-up inputs for a report."""

import numpy as np
import torch

from craik import worlds
from craik.behave.agent import random_actions
from craik.behave.icem import ICEM
from craik.behave.objectives import Reward
from craik.behave.plan import PlanConfig
from craik.core.spec import Spec
from craik.data.collect import Collector
from craik.eval.film import film
from craik.eval.horizon import open_loop
from craik.eval.pretend import ShuffledActions
from craik.eval.report import Curve, Mark, ReportInput
from craik.eval.stats import bootstrap_mean
from craik.eval.thinking import think
from craik.worlds.oracle import Oracle

WORLD = "craik/Swing-v0"


def episodes(num=6, size=64, max_steps=80):
    env = worlds.make(WORLD, num, seed=3, obs="both", size=size, max_steps=max_steps)
    spec = Spec.of(env.single_observation_space, env.single_action_space)
    return Collector(env, spec, None, 3).collect(num * max_steps)


def thinking(num_steps=4, space=None):
    model = Oracle.of(WORLD)
    planner = ICEM(model.spec.action, PlanConfig(horizon=20), num_samples=64, num_steps=num_steps, num_elites=8)
    generator = torch.Generator().manual_seed(0)
    state = model.step(model.start(1), random_actions(model.spec.action, (1,), generator))
    return think(model, state, planner, Reward(), generator=generator, num=16)


def made_up(size=64):
    rng = np.random.default_rng(0)
    data = episodes(size=size)
    model = ShuffledActions(Oracle.of(WORLD, "both", size))
    x = np.arange(0, 20_001, 1000)
    y = -1200 + 1000 / (1 + np.exp(-(x - 8000) / 2000)) + rng.normal(0, 30, len(x))
    return ReportInput(
        title="A world model of a pendulum, learned in four minutes",
        sentence="A recurrent world model watched 20,000 steps of a pendulum it had never seen, learned to imagine "
        "what its own torque would do, and now swings it up by planning in that imagination.",
        score=bootstrap_mean(rng.normal(-210, 80, 50)),
        score_says="The recipe's own agent, one episode from each of 50 starts it was not trained on. Interval: "
        "percentile bootstrap over episodes.",
        marks=(
            Mark("random", -1230.0, "uniform torques"),
            Mark("doing nothing", -1190.0, "no torque"),
            Mark("actions exchanged", -1260.0, "the same planner, told the wrong torque"),
            Mark("exact simulator", -160.0, "the same planner with the true laws", ceiling=True),
        ),
        curves=(
            Curve("return", x, y, low=y - 60, high=y + 60, levels={"random": -1230.0}),
            Curve("loss of the picture", x[1:], 40 * np.exp(-x[1:] / 5000) + 1, log=True),
        ),
        horizon=tuple(open_loop(model, data).values()),
        film=film(model, data[0], context=5, length=60),
        thinking=thinking(),
        action_name="torque",
        commands=("pip install 'craik[classic]'", "craik demo --seed 0"),
        facts={
            "world": "Pendulum-v1, 64 x 64 pixels",
            "recipe": "dreamer_v3, size small, 1.2 M parameters",
            "seed": "0",
            "versions": "craik 0.1.0, torch 2.13.0+cpu, gymnasium 1.4.0, Python 3.11.2",
            "commit": "621385c",
            "machine": "a made-up processor, 2 cores, no GPU; 4.2 minutes",
        },
        next=(
            ("craik dream runs/demo", "Film more of its dreams, as gif and mp4."),
            ("craik train td_mpc2 --world Pendulum-v1", "Train another family on the same world."),
        ),
    )
