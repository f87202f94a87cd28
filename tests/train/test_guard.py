"""What is not finite is skipped and counted; spikes are bounded; too much of either stops the run."""

import json

import pytest
import torch

from craik.train.guard import Diverged, Guard
from craik.train.learner import Learner
from tests.train.toy import ToyAgent, ToyModel, toy_batch, toy_training


def learner(**changes) -> Learner:
    model = ToyModel()
    return Learner(model, ToyAgent(model), toy_training(**changes), seed=3)


def broken(where: str, value: float):
    batch = toy_batch(1)
    target = batch.obs["state"] if where == "obs" else batch.reward
    target[1, 1] = value
    return batch


@pytest.mark.parametrize(("where", "value"), [("obs", torch.nan), ("reward", torch.inf)])
def test_a_step_that_is_not_finite_changes_nothing_and_is_counted(where, value):
    one = learner()
    one.update(toy_batch())
    before = one.state_dict()["tensors"]
    figures = one.update(broken(where, value))
    after = one.state_dict()["tensors"]
    assert figures["skipped"] == 1
    assert one.model.steps.item() == 1
    for name in ("model", "agent", "optimizer"):
        for key in before[name]:
            assert torch.equal(before[name][key], after[name][key]), key
    assert one.update(toy_batch())["skipped"] == 1


def test_six_in_a_row_stop_the_run_and_five_do_not():
    one = learner()
    one.update(toy_batch())
    for _ in range(2):
        for _ in range(5):
            one.update(broken("reward", torch.nan))
        one.update(toy_batch())
    one = learner()
    for _ in range(5):
        one.update(broken("reward", torch.nan))
    with pytest.raises(Diverged, match="6 updates in a row were not finite"):
        one.update(broken("reward", torch.nan))


def test_a_parameter_that_is_not_finite_stops_the_run():
    one = learner()
    one.model.reward.weight.data[0, 0] = torch.nan
    for _ in range(5):
        one.update(toy_batch())
    with pytest.raises(Diverged, match="6 updates in a row were not finite"):
        one.update(toy_batch())


def test_more_than_one_in_a_hundred_of_the_last_thousand_stop_the_run():
    guard = Guard()
    for step in range(1, 1099):  # one in 100, never two in a row: 10 of any 1000
        assert guard.look({}, torch.nan if step % 100 == 0 else 1.0, 1.0).skip == (step % 100 == 0)
    with pytest.raises(Diverged, match="11 of the last 1000"):
        guard.look({"a": 1.0}, torch.nan, 1.0)


def test_one_spike_is_bounded_to_the_usual_norm():
    one = learner(lr=1e-2, warmup=0)
    for i in range(40):
        usual = one.update(toy_batch(i))
    seen = []
    step = one.optimizer.step
    one.optimizer.step = lambda norm, longest=None: (seen.append(longest), step(norm, longest))
    spike = toy_batch(50)
    spike.reward.mul_(1e4)
    figures = one.update(spike)
    assert figures["spiked"] == 1
    assert figures["grad_norm"] > 1e3 * usual["grad_norm"]
    assert 0 < seen[0] < 10 * usual["grad_norm"]
    assert one.update(toy_batch(51))["total"] < 10 * usual["total"]
    assert seen[1] is None


def test_spike_upon_spike_stops_the_run_with_the_last_losses():
    one = learner()
    for i in range(40):
        one.update(toy_batch(i))
    spike = toy_batch(41)
    spike.reward.mul_(1e4)
    for _ in range(20):
        one.update(spike)
    with pytest.raises(Diverged, match="21 updates in a row") as caught:
        one.update(spike)
    bundle = json.loads(json.dumps(caught.value.bundle))
    assert bundle["updates"] == 61
    assert bundle["spiked"] == 21
    assert [set(x) >= {"reward", "total", "grad_norm"} for x in bundle["last_losses"]] == [True] * 3


def test_a_slow_change_of_scale_is_no_spike():
    guard = Guard()
    for step in range(2000):
        scale = 1.01**step
        assert guard.look({}, scale, scale).longest is None
    assert guard.spiked == 0


def test_the_guard_resumes_exactly():
    g = torch.Generator().manual_seed(0)
    numbers = torch.rand(100, generator=g).tolist()
    one, other = Guard(), Guard()
    for x in numbers[:50]:
        one.look({}, x, x / 3)
    other.load_state_dict(json.loads(json.dumps(one.state_dict())))
    for x in numbers[50:]:
        one.look({}, x, x / 3)
        other.look({}, x, x / 3)
    assert one.state_dict() == other.state_dict()
