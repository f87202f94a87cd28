import numpy as np
import pytest
from gymnasium import spaces

from craik import worlds
from craik.core.errors import DataError, SpecError
from craik.core.spec import Spec
from craik.data.collect import Collector
from craik.data.episode import Episode
from craik.eval.horizon import open_loop
from craik.eval.pretend import Blind, Frozen, IgnoredActions, ShuffledActions
from craik.worlds.oracle import Oracle
from tests.behave.points import Points, Spot

WORLD = "craik/Swing-v0"


def gather(world, num, obs="state", size=16, max_steps=60):
    env = worlds.make(world, num, seed=3, obs=obs, size=size, max_steps=max_steps)
    spec = Spec.of(env.single_observation_space, env.single_action_space)
    return Collector(env, spec, None, 3).collect(num * max_steps)


@pytest.fixture(scope="module")
def episodes():
    return gather(WORLD, 6)


def test_the_exact_simulator_is_right_and_pretenders_are_not(episodes):
    oracle = Oracle.of(WORLD)
    models = {
        "oracle": oracle,
        "frozen": Frozen(oracle),
        "shuffled": ShuffledActions(oracle),
        "ignored": IgnoredActions(oracle),
    }
    found = {kind: open_loop(model, episodes)["state"] for kind, model in models.items()}
    assert found["oracle"].mean("model").max() < 1e-3
    assert np.allclose(found["frozen"].errors["model"], found["frozen"].errors["copy last"], atol=1e-5, equal_nan=True)
    for kind in ("shuffled", "ignored"):
        assert (found[kind].mean("model")[-2:] > 0.1).all(), kind
    assert (found["oracle"].mean("constant velocity")[:2] < found["oracle"].mean("copy last")[:2]).all()
    assert found["oracle"].counts.tolist() == [6] * 6
    assert found["oracle"].errors["model"].shape == (6, 6)


def test_pixels_are_compared_in_zero_to_one():
    episodes = gather(WORLD, 3, obs="both")
    found = open_loop(Frozen(Oracle.of(WORLD, "both", 16)), episodes, horizons=(1, 8), windows=1, seed=1)
    assert set(found) == {"state", "pixels"}
    pixels = found["pixels"]
    assert np.allclose(pixels.errors["model"], pixels.errors["copy last"], atol=1e-3)
    assert 0 < pixels.mean("copy last")[1] < 0.5


def walk(at, steps):
    """An episode of `Points`: it moves by a quarter of each action, which reaches from -2 to 2."""
    action = np.full((steps, 2), 0.4, np.float32)
    state = np.concatenate([[at], at + 0.25 * action.cumsum(0)]).astype(np.float32)
    nothing = np.zeros(steps, bool)
    return Episode({"state": state}, action, np.zeros(steps, np.float32), nothing, nothing)


def test_by_hand_and_short_episodes_drop_out_where_they_end():
    class Stuck(Points):
        def step(self, state, action, *, generator=None):
            return Spot(state.at + 0.05, self.vector(action))

    episodes = [walk(np.zeros(2), 12), walk(np.ones(2), 5), walk(np.ones(2), 2)]
    found = open_loop(Stuck(spaces.Box(-2, 2, (2,))), episodes, context=2, horizons=(1, 2, 8), windows=3)["state"]
    assert found.counts[0] == 2  # the third has nothing after its context
    assert np.isnan(found.errors["model"][2]).all()
    assert np.isnan(found.errors["model"][1, 2])
    truth = open_loop(Points(spaces.Box(-2, 2, (2,))), episodes, context=2, horizons=(1, 2, 8), windows=3)["state"]
    assert np.nanmax(truth.errors["model"]) < 1e-6
    # It moves 0.05 a step instead of 0.1; copying moves 0: half the error, whatever the scale. A line is exact.
    assert np.allclose(found.errors["model"][0] * 2, found.errors["copy last"][0], rtol=1e-5, equal_nan=True)
    assert np.nanmax(found.errors["constant velocity"]) < 1e-5


def test_without_a_decoder_it_looks_at_the_latent(episodes):
    points = Points(spaces.Box(-2, 2, (2,)), reads=("reward", "latent"))
    found = open_loop(points, [walk(np.zeros(2), 12), walk(np.ones(2), 12)], context=2, horizons=(1, 4))
    assert list(found) == ["latent"]
    assert found["latent"].mean("model").max() < 1e-6
    assert found["latent"].mean("copy last").min() > 0.1


def test_it_says_what_cannot_be_compared(episodes):
    spec = Oracle.of(WORLD).spec
    with pytest.raises(SpecError, match="neither obs nor latent"):
        open_loop(Blind(spec), episodes)
    with pytest.raises(DataError, match="longer than the context of 60"):
        open_loop(Oracle.of(WORLD), episodes, context=60)
