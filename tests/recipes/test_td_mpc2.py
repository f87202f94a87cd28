"""TD-MPC2's published sizes, and what its agent is made of."""

import itertools

import pytest
import torch
from gymnasium import spaces

from craik.behave.mppi import MPPI
from craik.core.spec import Spec
from craik.recipes.latent import td_mpc2

OBS, ACTIONS, TASKS, TASK = 39, 6, 80, 96
"""The 80-task setting that the paper's sizes are given for: widest observation, widest action, tasks, task features."""

PUBLISHED = {"1m": 1, "5m": 5, "19m": 19, "48m": 48, "317m": 317}
"""Millions of parameters, as the paper's table names them."""


def official(latent, encoder, encoder_layers, units, num_q, task):
    """The count of the released code, layer by layer: each Linear has a bias, each hidden one a LayerNorm."""

    def mlp(inputs, hidden, outputs, normed):
        widths = [inputs, *hidden, outputs]
        total = sum(i * o + o for i, o in itertools.pairwise(widths)) + sum(2 * h for h in hidden)
        return total + (2 * outputs if normed else 0)

    hidden = [units, units]
    total = mlp(OBS + task, [encoder] * max(encoder_layers - 1, 1), latent, True)
    total += mlp(latent + ACTIONS + task, hidden, latent, True)
    total += (1 + num_q) * mlp(latent + ACTIONS + task, hidden, 101, False)
    total += mlp(latent + task, hidden, 2 * ACTIONS, False)
    return total + (TASKS * task if task else 0)


TABLE = {
    "1m": (128, 256, 2, 384, 2),
    "5m": (512, 256, 2, 512, 5),
    "19m": (768, 1024, 3, 1024, 5),
    "48m": (768, 1792, 4, 1792, 5),
    "317m": (1376, 4096, 5, 4096, 8),
}
"""Latent, encoder width, encoder layers, width, value networks (appendix H, table of model configurations)."""


@pytest.mark.parametrize("size", PUBLISHED)
def test_the_official_count_is_the_published_one(size):
    """The paper names sizes in whole millions, for 80 tasks; 5M is its agent for one task, and 1M has one digit."""
    count = official(*TABLE[size], 0 if size == "5m" else TASK) / 1e6
    if size == "1m":
        assert int(count) == 1
    else:
        assert count == pytest.approx(PUBLISHED[size], rel=0.02)


@pytest.mark.parametrize("size", PUBLISHED)
def test_our_count_is_the_official_one(size):
    """For one task: we leave the task embedding out."""
    with torch.device("meta"):
        spec = Spec.of(spaces.Box(-1, 1, (OBS,)), spaces.Box(-1, 1, (ACTIONS,)))
        model = td_mpc2.build(td_mpc2.SIZES[size], spec)
    ours = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert ours == pytest.approx(official(*TABLE[size], 0), rel=0.02)


def test_the_agent_plans_with_mppi_and_the_prior():
    cfg = td_mpc2.SIZES["tiny"]
    model = td_mpc2.build(cfg, Spec.of(spaces.Box(-1, 1, (3,)), spaces.Box(-1, 1, (2,))))
    agent = td_mpc2.agent(model, cfg)
    assert isinstance(agent.planner, MPPI)
    assert agent.planner.prior(model, model.start(2), torch.Generator().manual_seed(0)).shape == (2, 4, 3, 2)


def test_paper_numbers():
    cfg = td_mpc2.SIZES["5m"]
    assert (cfg.samples, cfg.rounds, cfg.elites, cfg.prior, cfg.horizon) == (512, 6, 64, 24, 3)
    assert (cfg.min_std, cfg.max_std, cfg.temperature) == (0.05, 2.0, 0.5)
    weights = td_mpc2.training(cfg).weights
    assert (weights["consistency"], weights["reward"], weights["value"]) == (20.0, 0.1, 0.1)
