"""The RSSM beside a plain retelling of its equations, and the family's losses on packed windows."""

import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from gymnasium import spaces
from torch import nn

import craik
from craik.core.errors import SpecError
from craik.core.spec import Spec
from craik.eval.contract.experience import random_batch
from craik.parts.beliefs.rssm import RSSM, Belief

STATE = spaces.Box(-np.inf, np.inf, (3,), np.float32)
PIXELS = spaces.Box(0, 255, (64, 64, 3), np.uint8)


def build(obs: dict, **changes):
    recipe = craik.recipe("dreamer_v3")
    torch.manual_seed(0)
    return recipe.build(
        dataclasses.replace(recipe.SIZES["tiny"], **changes), Spec.of(spaces.Dict(obs), spaces.Discrete(3))
    )


def dense(x, weight, bias=None):
    return x @ weight.T + (0 if bias is None else bias)


def layer(x, stack):
    """Linear, norm, SiLU, written out."""
    x = dense(x, stack[0].weight, stack[0].bias)
    x = (x - x.mean(-1, keepdim=True)) / (x.var(-1, unbiased=False, keepdim=True) + stack[1].eps).sqrt()
    x = x * stack[1].weight + stack[1].bias
    return x * torch.sigmoid(x)


def plain_cell(rssm, deter, stoch, vector):
    """The paper's recurrent cell, block by block in a loop."""
    cell, blocks = rssm.cell, rssm.cell.blocks
    told = torch.cat(
        [layer(deter, rssm.from_memory), layer(stoch, rssm.from_choices), layer(vector, rssm.from_action)], -1
    )
    size = deter.shape[-1] // blocks
    mixed = [
        dense(torch.cat([deter[:, i * size : (i + 1) * size], told], -1), cell.mix.weight[i], cell.mix.bias[i])
        for i in range(blocks)
    ]
    mixed = F.silu(F.layer_norm(torch.cat(mixed, -1), (deter.shape[-1],), cell.norm.weight, cell.norm.bias))
    after = []
    for i in range(blocks):
        part = slice(i * size, (i + 1) * size)
        gates = dense(mixed[:, part], cell.gates.weight[i], cell.gates.bias[i])
        reset, candidate, update = gates[:, :size], gates[:, size : 2 * size], gates[:, 2 * size :]
        candidate = torch.tanh(torch.sigmoid(reset) * candidate)
        update = torch.sigmoid(update - 1)
        after.append(update * candidate + (1 - update) * deter[:, part])
    return torch.cat(after, -1)


@pytest.mark.parametrize("blocks", [1, 4])
def test_twin_of_the_rssm(blocks):
    torch.manual_seed(0)
    rssm = RSSM(2, 5, deter=16, hidden=8, stoch=3, classes=4, blocks=blocks, norm=nn.LayerNorm)
    for parameter in rssm.parameters():  # biases begin at zero, where a forgotten one would not be noticed
        nn.init.normal_(parameter, std=0.5)
    belief = Belief(torch.randn(6, 16), F.one_hot(torch.randint(4, (6, 3)), 4).float().flatten(1))
    vector, seen = torch.randn(6, 2), torch.randn(6, 5)
    deter = plain_cell(rssm, belief.deter, belief.stoch, vector)

    ahead = rssm.step(belief, vector, None)
    assert torch.allclose(ahead.deter, deter, atol=1e-5)
    hidden = layer(layer(deter, rssm.prior.hidden[:3]), rssm.prior.hidden[3:])
    prior = dense(hidden, rssm.prior.out.weight, rssm.prior.out.bias)
    assert torch.equal(ahead.stoch.unflatten(-1, (3, 4)).argmax(-1), prior.unflatten(-1, (3, 4)).argmax(-1))

    opens = torch.zeros(6, 1, dtype=torch.bool)
    after, logits = rssm.follow(belief, vector[:, None], seen[:, None], opens, None)
    joined = nn.Linear(16 + 5, 8)
    joined.bias = rssm.from_seen.bias
    joined.weight = nn.Parameter(torch.cat([rssm.to_seen.weight, rssm.from_seen.weight], 1))
    hidden = layer(torch.cat([deter, seen], -1), nn.Sequential(joined, rssm.norm))
    posterior = dense(hidden, rssm.posterior.weight, rssm.posterior.bias).unflatten(-1, (3, 4))
    assert torch.allclose(logits[:, 0], posterior, atol=1e-5)
    assert torch.allclose(after.deter[:, 0], deter, atol=1e-5)
    assert torch.equal(after.stoch[:, 0].unflatten(-1, (3, 4)).argmax(-1), posterior.argmax(-1))


def test_gradients_reach_the_encoder_through_time():
    model = build({"state": STATE})
    batch = random_batch(model.spec, 2, 6, [0])
    batch = dataclasses.replace(batch, first=torch.zeros_like(batch.first))
    states = batch.obs["state"].clone().requires_grad_()
    beliefs = model.follow(dataclasses.replace(batch, obs={"state": states}))
    beliefs.deter[:, -1].sum().backward()
    assert states.grad[:, 0].abs().sum() > 0


def test_reward_and_proceed_are_of_the_arrival():
    """A reward that is written in the observation arrived at is learned; the same one a step late would not be."""
    model = build({"state": STATE})
    optimiser = torch.optim.Adam(model.parameters(), 2e-2)
    for i in range(100):
        batch = random_batch(model.spec, 24, 5, [i])
        batch = dataclasses.replace(
            batch,
            reward=batch.obs["state"][:, 1:, 0].sign(),
            terminated=batch.obs["state"][:, 1:, 1] > 0.5,
            first=torch.zeros_like(batch.first),
        )
        losses = model.loss(batch, generator=torch.Generator().manual_seed(i))
        optimiser.zero_grad()
        sum(v.mean() for v in losses.values()).backward()
        optimiser.step()
    readings = model.read(model.follow(batch)[:, -1])
    assert ((readings["reward"] > 0) == (batch.reward[:, -1] > 0)).float().mean() > 0.85
    assert ((readings["proceed"] < 0.5) == batch.terminated[:, -1]).float().mean() > 0.85


def test_glimpses_estimate_the_whole_loss():
    whole, some = build({"pixels": PIXELS}), build({"pixels": PIXELS}, glimpses=0.25)
    batch = random_batch(whole.spec, 3, 7, [0])
    every = whole.loss(batch)["obs"]
    assert torch.allclose(some.loss(batch)["obs"], every)  # without a generator nothing is left out
    latent = some.follow(batch).latent
    draws = [some.reconstruction(latent, batch, torch.Generator().manual_seed(i)) for i in range(100)]
    assert (draws[0] == 0).float().mean() == 0.75
    assert torch.allclose(torch.stack(draws).mean(), every.mean(), rtol=0.03)


def test_decoded_observations_keep_to_their_space():
    bounded = spaces.Box(np.array([-1, 0, 2], np.float32), np.array([1, 1, 3], np.float32))
    model = build({"state": bounded, "phase": spaces.Discrete(3, start=5), "pixels": PIXELS})
    with torch.no_grad():
        seen = model.read(model.start(4))["obs"]
    for name, space in model.spec.obs.spaces.items():
        assert all(space.contains(x) for x in seen[name].numpy())


def test_pictures_that_cannot_be_halved_are_refused():
    with pytest.raises(SpecError, match="cannot be halved"):
        build({"pixels": spaces.Box(0, 255, (60, 60, 3), np.uint8)})


def test_the_size_of_numbers_and_actions_is_not_lost_in_norms():
    model = build({"state": STATE})
    one = torch.tensor([[0.1, -0.2, 0.05]])
    features = model.encoder({"state": torch.cat([one, 2 * one])})
    assert (features[0] - features[1]).abs().max() > 0.05
    effort = model.rssm.from_action(torch.tensor([[0.2, 0.0, 0.0], [0.4, 0.0, 0.0]]))
    assert (effort[0] - effort[1]).abs().max() > 0.05
