"""Encode, imagine, decode over any model."""

from __future__ import annotations

import pytest
import torch

from craik.core import tree
from craik.core.errors import SpecError
from craik.core.imagine import decode, encode, imagine
from craik.eval.contract import spec_of
from tests.contract.honest import Honest


@pytest.fixture
def model():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Honest(spec_of("vector-box"))


def experience(length):
    generator = torch.Generator().manual_seed(0)
    obs = torch.randn(3, length + 1, 5, generator=generator)
    return {"state": obs}, torch.rand(3, length, 2, generator=generator)


def test_encode_is_observing_in_a_loop(model):
    obs, actions = experience(4)
    state, action = model.start(3), model.spec.null_action(3)
    for t in range(5):
        state = model.observe(state, action, {"state": obs["state"][:, t]})
        action = actions[:, t] if t < 4 else None
    assert torch.equal(encode(model, obs, actions).hidden, state.hidden)


def test_encode_one_observation(model):
    obs, actions = experience(0)
    seen = model.observe(model.start(3), model.spec.null_action(3), {"state": obs["state"][:, 0]})
    assert torch.equal(encode(model, obs, actions).hidden, seen.hidden)


def test_imagine_with_a_policy_gives_the_beliefs_its_actions_lead_to(model):
    begin = encode(model, *experience(2))
    states, actions = imagine(model, begin, lambda s: s.hidden[:, :2].sigmoid(), 4)
    assert states.batch == 3
    assert actions.shape == (3, 4, 2)
    assert torch.equal(actions[:, 0], begin.hidden[:, :2].sigmoid())
    assert torch.equal(actions[:, 1], states[:, 0].hidden[:, :2].sigmoid())
    again, same = imagine(model, begin, actions)
    assert same is actions
    assert torch.equal(again.hidden, states.hidden)


def test_imagine_needs_a_horizon_for_a_policy(model):
    with pytest.raises(SpecError, match="no horizon"):
        imagine(model, model.start(1), lambda s: s.hidden[:, :2])


def test_decode_is_the_reading_or_refused_in_words(model):
    state = encode(model, *experience(1))
    assert tree.leaves(decode(model, state))[0].shape == (3, 5)
    model.spec = model.spec.offering("reward", "latent")
    with pytest.raises(SpecError, match="it offers reward, latent"):
        decode(model, state)
