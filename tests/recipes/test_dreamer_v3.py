"""DreamerV3's published sizes, counted a second time from the shapes of the authors' public code."""

import math

import numpy as np
import pytest
import torch
from gymnasium import spaces

import craik
from craik.core.spec import Spec

recipe = craik.recipe("dreamer_v3")
PUBLISHED = [name for name in recipe.SIZES if name.endswith("m")]


def linear(inputs: int, outputs: int) -> int:
    return inputs * outputs + outputs


def blocks(inputs: int, outputs: int, number: int) -> int:
    return inputs * outputs // number + outputs


def mlp(inputs: int, units: int, layers: int, outputs: int) -> int:
    """Hidden layers with a bias and a norm's scale each, and the last map."""
    total = 0
    for _ in range(layers):
        total += linear(inputs, units) + units
        inputs = units
    return total + linear(inputs, outputs)


def reference_count(deter: int, hidden: int, classes: int, depth: int, actions: int) -> int:
    """Parameters that the authors' code (danijar/dreamerv3, rssm.py and configs.yaml of 2025) trains.

    Assumed: one picture of 64 x 64 x 3 and one Discrete action; units = hidden, 32 choices, 8 blocks, kernel 5, one
    hidden layer in the reward and continue heads, three in policy and value, 255 bins; the averaged value network is
    not counted, because it is not trained.
    """
    units, stoch, bins = hidden, 32 * classes, 255
    conv = [depth * m for m in (2, 3, 4, 4)]
    smallest = 4 * 4 * conv[-1]
    latent = deter + stoch
    total = 0
    for before, after in zip([3, *conv], conv):  # encoder
        total += 25 * before * after + after + after
    for inputs in (deter, stoch, actions):  # dynin0 .. dynin2
        total += linear(inputs, hidden) + hidden
    total += blocks(deter + 8 * 3 * hidden, deter, 8) + deter  # dynhid0
    total += blocks(deter, 3 * deter, 8)  # dyngru
    total += mlp(deter, hidden, 2, stoch)  # prior
    total += mlp(deter + smallest, hidden, 1, stoch)  # posterior
    total += blocks(deter, smallest, 8)  # decoder: sp0
    total += mlp(stoch, 2 * units, 1, smallest) + conv[-1]  # sp1, sp2, spnorm
    for before, after in zip(conv[:0:-1], conv[-2::-1]):
        total += 25 * before * after + after + after
    total += 25 * conv[0] * 3 + 3
    total += mlp(latent, units, 1, bins) + mlp(latent, units, 1, 1)  # reward, continue
    return total + mlp(latent, units, 3, actions) + mlp(latent, units, 3, bins)  # policy, value


def count(name: str, actions: int) -> int:
    spec = Spec.of(spaces.Dict(pixels=spaces.Box(0, 255, (64, 64, 3), np.uint8)), spaces.Discrete(actions))
    with torch.device("meta"):
        model = recipe.build(recipe.SIZES[name], spec)
        agent = recipe.agent(model, recipe.SIZES[name])
    return sum(p.numel() for module in (model, agent) for p in module.parameters() if p.requires_grad)


# Of the authors' configs.yaml: size -> deter, hidden, classes, depth.
SHAPES = {
    "12m": (2048, 256, 16, 16),
    "25m": (3072, 384, 24, 24),
    "50m": (4096, 512, 32, 32),
    "100m": (6144, 768, 48, 48),
    "200m": (8192, 1024, 64, 64),
    "400m": (12288, 1536, 96, 96),
}


@pytest.mark.parametrize("name", SHAPES)
def test_published_sizes_within_two_percent(name):
    """The names are nominal: the authors' own code has 10.5 million parameters at "12m" and 166 million at "200m"."""
    assert set(SHAPES) == set(PUBLISHED)
    ours, theirs = count(name, 17), reference_count(*SHAPES[name], 17)
    assert math.isclose(ours, theirs, rel_tol=0.02)
    assert 0.8 < ours / (int(name[:-1]) * 1e6) < 1.02


def test_the_default_table_is_a_published_size():
    assert recipe.Config() == recipe.SIZES["200m"]


def test_weights_are_the_papers():
    weights = recipe.training(recipe.Config()).weights
    assert weights == {
        **dict.fromkeys(("obs", "reward", "proceed", "dyn", "actor", "critic"), 1.0),
        "rep": 0.1,
        "replay_critic": 0.3,
    }
