import shutil

import pytest
import torch

from craik.core.data import masked_mean
from craik.core.errors import CheckpointError, UnknownName
from craik.train.learner import Learner, named_parameters
from tests.train.toy import WEIGHTS, ToyAgent, ToyModel, toy_batch, toy_training


def learner(**changes) -> Learner:
    model = ToyModel()
    return Learner(model, ToyAgent(model), toy_training(**changes), seed=3)


def test_an_update_is_the_gradient_of_the_weighted_masked_losses():
    one, batch = learner(warmup=0), toy_batch()
    twin, agent = ToyModel(), None
    agent = ToyAgent(twin)
    g = torch.Generator().manual_seed(3)
    terms = {**twin.loss(batch, generator=g), **agent.loss(twin, batch, generator=g)}
    total = sum(WEIGHTS[k] * masked_mean(v, batch) for k, v in terms.items())
    total.backward()
    parameters = [*twin.parameters(), *(p for p in agent.parameters() if p.requires_grad)]
    inner = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.0)
    figures = one.update(batch)
    inner.step()
    assert figures["total"] == pytest.approx(total.item(), rel=1e-6)
    norm = torch.cat([p.grad.flatten() for p in parameters]).norm().item()
    assert figures["grad_norm"] == pytest.approx(norm, rel=1e-5)
    for (name, a), b in zip(one.optimizer.named.items(), parameters):
        torch.testing.assert_close(a, b, msg=name)


def test_losses_are_reported_unweighted_and_after_step_is_called():
    one = learner()
    figures = one.update(toy_batch())
    assert set(figures) == {*WEIGHTS, "total", "grad_norm", "skipped", "spiked"}
    assert figures["total"] == pytest.approx(sum(WEIGHTS[k] * figures[k] for k in WEIGHTS), rel=1e-5)
    assert one.model.steps.item() == 1
    assert not torch.equal(one.agent.target.weight, ToyAgent(one.model).target.weight)


def test_learning_lowers_the_losses():
    one = learner(lr=1e-2)
    first = one.update(toy_batch())["reward"]
    for _ in range(150):
        last = one.update(toy_batch())["reward"]
    assert last < 0.7 * first


def test_what_is_across_episodes_teaches_nothing():
    a, b = toy_batch(), toy_batch()
    b.reward[0, 2] = 1e6  # transition 2 of row 0 leads into the next episode, which is first at 3
    one, other = learner(), learner()
    assert one.update(a) == other.update(b)


def test_a_loss_without_a_weight_and_a_weight_without_a_loss_are_named():
    with pytest.raises(UnknownName, match=r"weight in Training\.weights for the loss called 'predict'"):
        learner(weights={"predct": 1.0, "reward": 1.0, "act": 1.0}).update(toy_batch())
    with pytest.raises(UnknownName, match=r"called 'rewards'; did you mean reward\?"):
        learner(weights={**WEIGHTS, "rewards": 1.0}).update(toy_batch())


def test_the_same_seed_gives_the_same_numbers_and_the_global_source_is_not_touched():
    before = torch.get_rng_state()
    figures = [learner().update(toy_batch()) for _ in range(2)]
    assert figures[0] == figures[1]
    assert torch.equal(before, torch.get_rng_state())


def test_bfloat16_stays_near_and_keeps_parameters_in_float32():
    model = ToyModel()
    low = Learner(model, ToyAgent(model), toy_training(), 3, bf16=True)
    figures, exact = low.update(toy_batch()), learner().update(toy_batch())
    assert figures["total"] == pytest.approx(exact["total"], rel=0.05)
    assert figures["total"] != exact["total"]
    assert all(p.dtype == torch.float32 for _, p in named_parameters(low.model, low.agent))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_compiled_losses_are_the_same_losses():
    class Still(ToyModel):
        def loss(self, batch, *, generator=None):
            return super().loss(batch, generator=torch.Generator().manual_seed(0))

    model = ToyModel()
    fast = Learner(model, ToyAgent(model), toy_training(), 3, compile=True)
    assert fast.update(toy_batch())["reward"] == pytest.approx(learner().update(toy_batch())["reward"], rel=1e-4)


def test_a_state_of_another_width_is_refused_with_the_difference():
    wide = ToyModel(width=16)
    state = Learner(wide, ToyAgent(wide), toy_training(), 0).state_dict()
    with pytest.raises(CheckpointError, match=r"encode\.weight: \(16, 3\) .* saved, \(8, 3\) .* now"):
        learner().load_state_dict(state)


def test_a_parameter_that_both_hold_is_trained_once():
    model = ToyModel()
    agent = ToyAgent(model)
    agent.shared = model.encode
    names = [n for n, _ in named_parameters(model, agent)]
    assert "model.encode.weight" in names
    assert "agent.shared.weight" not in names


def test_not_finite_names_the_tensor():
    one = learner()
    assert one.not_finite() is None
    one.model.register_buffer("mask", torch.full((2,), -torch.inf))
    assert one.not_finite() is None
    one.model.scale.fill_(torch.nan)
    assert one.not_finite() == "model.scale"
    one.model.move.weight.data[0, 0] = torch.inf
    assert one.not_finite() == "model.move.weight"
