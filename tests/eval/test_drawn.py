"""A decoder learned afterwards adds sight and changes nothing else."""

from __future__ import annotations

import pytest
import torch

from craik.core import tree
from craik.core.spec import Spec
from craik.data.collect import Collector
from craik.eval.drawn import learn_to_draw
from craik.train.start import learn
from craik.worlds import make


@pytest.fixture(scope="module")
def seen():
    env = make("craik/Swing-v0", 2, obs="both")
    spec = Spec.of(env.single_observation_space, env.single_action_space)
    return spec, Collector(env, spec, None, 3).collect(800)


@pytest.fixture(scope="module")
def model():
    return learn("td_mpc2", "craik/Swing-v0", size="tiny", steps=600, seed=1).model


def test_it_believes_what_the_model_believes(model, seen):
    spec, episodes = seen
    before = {k: v.clone() for k, v in model.state_dict().items()}
    drawn = learn_to_draw(model, episodes[:1], spec, updates=3, channels=(4, 4, 4))
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    obs = {k: torch.as_tensor(v[:5]) for k, v in episodes[0].obs.items()}
    null = spec.null_action(5)
    ours = drawn.observe(drawn.start(5), null, obs)
    theirs = model.observe(model.start(5), null, {"state": obs["state"]})
    assert all(torch.equal(a, b) for a, b in zip(tree.leaves(ours), tree.leaves(theirs)))
    assert set(drawn.read(ours)) == {*model.spec.reads, "obs"}
    assert drawn.read(ours)["obs"]["pixels"].dtype == torch.uint8


@pytest.mark.slow
def test_it_draws_better_than_the_mean_picture(model, seen):
    spec, episodes = seen
    drawn = learn_to_draw(model, episodes[1:], spec, updates=200, seed=2)
    obs = {k: torch.as_tensor(v) for k, v in episodes[0].obs.items()}
    count = len(obs["state"])
    told = drawn.read(drawn.observe(drawn.start(count), spec.null_action(count), obs))["obs"]["pixels"]
    truth = obs["pixels"].float()
    error = (told.float() - truth).square().mean()
    assert error < 0.5 * (truth - truth.mean(0)).square().mean()
