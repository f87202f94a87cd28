"""Gymnasium's environments behind craik's conventions."""

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from craik.core.errors import SpecError, UnknownName
from craik.worlds import make
from craik.worlds.gym import shrink


@pytest.mark.parametrize("id", ["CartPole-v1", "Pendulum-v1", "craik/Swing-v0", "craik/Counter-v0"])
def test_worlds_know_their_name(id):
    assert make(id, 2).spec.id == id


def test_unknown_worlds_get_a_hint():
    with pytest.raises(UnknownName, match="CartPole-v1"):
        make("CartPol-v1")
    with pytest.raises(UnknownName, match="craik/Swing-v0"):
        make("craik/Swin-v0")
    with pytest.raises(SpecError, match="pixel"):
        make("CartPole-v1", obs="pixel")


@pytest.mark.parametrize("id", ["CartPole-v1", "Pendulum-v1", "MountainCarContinuous-v0", "Acrobot-v1"])
@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_numbers_are_a_dict_of_float32(id, mode):
    world = make(id, 2, seed=1, autoreset=mode)
    obs, _ = world.reset()
    assert list(world.single_observation_space.spaces) == ["state"]
    assert obs["state"].dtype == np.float32
    assert world.observation_space.contains(obs)
    assert world.metadata["autoreset_mode"] is mode
    world.action_space.seed(0)
    obs, reward, terminated, truncated, _ = world.step(world.action_space.sample())
    assert world.observation_space.contains(obs)
    assert reward.shape == terminated.shape == truncated.shape == (2,)


def test_numbers_are_gymnasiums_own():
    world, env = make("Pendulum-v1", 1, autoreset="SameStep"), gymnasium.make("Pendulum-v1")
    seed = int(np.random.SeedSequence(5).generate_state(1)[0])
    np.testing.assert_array_equal(world.reset(seed=5)[0]["state"][0], env.reset(seed=seed)[0])
    for t in range(200):
        action = np.array([np.sin(t)], np.float32)
        obs, reward, terminated, truncated, info = world.step(action[None])
        expected = env.step(action)
        last = obs["state"][0] if t < 199 else info["final_obs"][0]["state"]
        np.testing.assert_array_equal(last, expected[0])
        assert reward[0] == expected[1]
        assert not terminated[0]
        assert truncated[0] == (t == 199)


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_falling_terminates_and_the_clock_truncates(mode):
    fall = make("CartPole-v1", 1, seed=0, autoreset=mode)
    fall.reset()
    ends = [fall.step(np.array([1]))[2:4] for _ in range(20)]
    assert any(terminated[0] for terminated, _ in ends)
    assert not any(truncated[0] for _, truncated in ends)


def test_seeds():
    for id in ("CartPole-v1", "Pendulum-v1"):
        one, two, other = (make(id, 3, seed=s).reset()[0]["state"] for s in (4, 4, 5))
        np.testing.assert_array_equal(one, two)
        assert (one != other).any(1).all()
        assert (one[0] != one[1]).any()
    world = make("Pendulum-v1", 1, seed=4)
    first, second = world.reset()[0]["state"], world.reset()[0]["state"]
    assert (first != second).any()


def test_pixels_are_what_gymnasium_draws():
    pytest.importorskip("pygame")
    world = make("Pendulum-v1", 2, seed=1, obs="both", size=64, autoreset="SameStep")
    obs, _ = world.reset()
    assert obs["pixels"].shape == (2, 64, 64, 3)
    assert obs["pixels"].dtype == np.uint8
    assert (obs["pixels"][0] != obs["pixels"][1]).any()
    env = gymnasium.make("Pendulum-v1", render_mode="rgb_array")
    env.reset(seed=int(np.random.SeedSequence(1).generate_state(1)[0]))
    np.testing.assert_array_equal(obs["pixels"][0], shrink(env.render(), 64))


def test_pixels_of_the_last_moment_survive_same_step_resets():
    pytest.importorskip("pygame")
    world = make("CartPole-v1", 1, seed=0, obs="both", size=16, autoreset="SameStep")
    world.reset()
    for _ in range(20):
        obs, _, terminated, _, info = world.step(np.array([1]))
        if terminated[0]:
            break
    final = info["final_obs"][0]
    assert abs(final["state"][2]) > 0.2
    assert abs(obs["state"][0, 2]) < 0.06
    assert (final["pixels"] != obs["pixels"][0]).any()


def test_shrink_averages_areas():
    frame = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    plain = frame.reshape(20, 2, 20, 3, 3).mean((1, 3))
    np.testing.assert_allclose(shrink(frame, 20), plain, atol=1.0)
    np.testing.assert_array_equal(shrink(frame[:, :40], 40), frame[:, :40])


def test_discrete_observations_stay_indices():
    world = make("FrozenLake-v1", 2, seed=0)
    obs, _ = world.reset()
    assert isinstance(world.single_observation_space["state"], gymnasium.spaces.Discrete)
    assert obs["state"].tolist() == [0, 0]
