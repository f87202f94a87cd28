"""A dream is a Gymnasium environment, by Gymnasium's own checker."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

from craik.core.errors import SpecError
from craik.core.registry import recipe, where
from craik.eval.contract import case_of, kinds_taken, spec_of
from craik.eval.contract.experience import random_batch
from craik.worlds.dream import DreamEnv, DreamVectorEnv, contexts
from tests.contract.honest import Honest

KINDS = ("vector-discrete", "vector-box", "pixels-box")


def honest(kind="vector-box"):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Honest(spec_of(kind)).eval()


def begin(model):
    return contexts(random_batch(model.spec, 6, 7, [0]))


def passes(model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # advice on unbounded and unregistered spaces
        check_env(DreamEnv(model, begin(model), horizon=20), skip_render_check=True)


@pytest.mark.parametrize("kind", [k for k in KINDS if k.startswith("vector")])
def test_a_dream_of_the_honest_model_passes_the_checker(kind):
    passes(honest(kind))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", where())
def test_a_dream_of_every_recipe_passes_the_checker(name, kind):
    module = recipe(name)
    if kind not in kinds_taken(module):
        pytest.skip(f"{name} takes {', '.join(module.TAKES)}")
    passes(case_of(module, kind).model.eval())


def test_a_model_that_draws_nothing_shows_its_latent():
    model = honest()
    model.spec = model.spec.offering("latent")
    env = DreamEnv(model, begin(model))
    obs, _ = env.reset(seed=1)
    assert env.observation_space.contains(obs)
    assert obs["latent"].shape == (16,)
    assert env.step(env.action_space.sample())[1] == 0.0


def test_a_model_with_nothing_to_look_at_is_refused_in_words():
    model = honest()
    model.spec = model.spec.offering("reward", "value")
    with pytest.raises(SpecError, match="offers reward, value"):
        DreamEnv(model, begin(model))


@pytest.mark.parametrize("mode", AutoresetMode, ids=lambda m: m.name)
def test_one_seed_one_dream(mode):
    model = honest()

    def dreamt():
        env = DreamVectorEnv(model, begin(model), 3, horizon=4, autoreset=mode)
        rng = np.random.default_rng(0)
        seen = [env.reset(seed=5)[0]["state"]]
        for _ in range(12):
            obs, reward, terminated, truncated, _ = env.step(rng.uniform(0, 1, (3, 2)).astype(np.float32))
            seen += [obs["state"], reward]
            if mode == AutoresetMode.DISABLED and (terminated | truncated).any():
                seen.append(env.reset(options={"reset_mask": terminated | truncated})[0]["state"])
        return np.concatenate([np.ravel(x) for x in seen])

    np.testing.assert_array_equal(dreamt(), dreamt())


def test_a_step_past_the_end_is_refused():
    model = honest()
    env = DreamEnv(model, begin(model), horizon=1)
    env.reset(seed=0)
    action = np.zeros(2, np.float32)
    assert env.step(action)[3]
    with pytest.raises(SpecError, match="over"):
        env.step(action)
