"""The oracle's steps are the world's own."""

import gymnasium
import numpy as np
import pytest
import torch

from craik.behave.agent import Player, Random
from craik.core import tree
from craik.core.errors import SpecError, UnknownName
from craik.core.imagine import encode, imagine
from craik.worlds import Oracle, make
from tests.worlds.ids import EXACT


def actions_for(world, steps, seed=0):
    rng, space = np.random.default_rng(seed), world.single_action_space
    if isinstance(space, gymnasium.spaces.Discrete):
        return rng.integers(0, space.n, (steps, world.num_envs))
    return rng.uniform(space.low, space.high, (steps, world.num_envs, *space.shape)).astype(np.float32)


@pytest.mark.parametrize("id", EXACT)
def test_imagining_equals_living(id):
    ranges = {k: (f.low, f.high) for k, f in make(id).FACTORS.items() if k != "dt"}
    world = make(id, 4, seed=3, factors=ranges)
    world.reset()
    oracle = Oracle(world)
    belief = oracle.sync(world)
    actions = actions_for(world, 12)
    states, _ = imagine(oracle, belief, torch.as_tensor(actions).transpose(0, 1))
    for t, action in enumerate(actions):
        obs, reward, terminated, _, _ = world.step(action)
        read = oracle.read(states[:, t])
        np.testing.assert_array_equal(read["obs"]["state"].numpy(), obs["state"])
        np.testing.assert_allclose(read["reward"].numpy(), reward, rtol=1e-6)
        assert (read["proceed"].numpy() == ~terminated).all()


@pytest.mark.parametrize("id", EXACT)
def test_seeing_is_knowing(id):
    world = make(id, 3, seed=5, obs="both", size=16)
    obs, _ = world.reset()
    oracle = Oracle.of(id, obs="both", size=16)
    belief = encode(oracle, {k: torch.as_tensor(v)[:, None] for k, v in obs.items()}, _none(world))
    if world.LUCKY:  # all but luck is seen; told that too, the oracle knows what chance will bring
        belief.physics[:, -1] = torch.as_tensor(world.state[:, -1])
    actions = actions_for(world, 6)
    for action in actions:
        obs, *_ = world.step(action)
        belief = oracle.step(belief, torch.as_tensor(action))
    read = oracle.read(belief)
    np.testing.assert_allclose(read["obs"]["state"].numpy(), obs["state"], atol=2e-5)
    assert np.abs(read["obs"]["pixels"].numpy().astype(int) - obs["pixels"]).mean() < 0.1


def _none(world):
    space = world.single_action_space
    discrete = isinstance(space, gymnasium.spaces.Discrete)
    return (
        torch.zeros(world.num_envs, 0, dtype=torch.int64) if discrete else torch.zeros(world.num_envs, 0, *space.shape)
    )


@pytest.mark.parametrize("id", ["CartPole-v1", "Pendulum-v1"])
def test_the_laws_are_gymnasiums(id):
    env, oracle = gymnasium.make(id).unwrapped, Oracle.of(id)
    laws, rng = oracle.laws, np.random.default_rng(0)
    wide = np.array([2.3, 3, 0.2, 3]) if id == "CartPole-v1" else np.array([np.pi, 8])
    env.reset(seed=0)
    for _ in range(500):
        start = rng.uniform(-wide, wide)
        action = int(rng.integers(2)) if id == "CartPole-v1" else rng.uniform(-2, 2, 1).astype(np.float32)
        env.state, env.steps_beyond_terminated = start.copy(), None
        obs, reward, terminated, _, _ = env.step(action)
        effort = laws.effort(np.asarray(action)[None])
        after, _ = laws.move(start[None], effort, {})
        np.testing.assert_allclose(laws.numbers(after)[0], obs, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(laws.reward(start[None], effort, after, None, {})[0], reward, rtol=1e-6)
        assert laws.proceed(after)[0] != terminated


def test_it_plays_and_pays_nothing_after_the_end():
    world = make("CartPole-v1", 2, seed=0)
    obs, _ = world.reset()
    oracle = Oracle.of("CartPole-v1")
    player = Player(oracle, Random(oracle.spec), 2, generator=torch.Generator().manual_seed(0))
    first = torch.ones(2, dtype=torch.bool)
    for _ in range(5):
        action = player.act({"state": torch.as_tensor(obs["state"])}, first)
        obs, *_ = world.step(action.numpy())
        first = torch.zeros(2, dtype=torch.bool)
    states = oracle.rollout(player.belief, torch.ones(2, 40, dtype=torch.int64))
    read = oracle.read(tree.merge(states))
    reward, proceed = read["reward"].reshape(2, 40), read["proceed"].reshape(2, 40)
    for row in range(2):
        end = int((proceed[row] == 0).nonzero()[0])
        assert 0 < end < 39
        assert reward[row, : end + 1].eq(1).all()
        assert reward[row, end + 1 :].eq(0).all()
        assert proceed[row, end:].eq(0).all()


def test_goals_are_given_from_outside():
    world = make("craik/Rooms-v0", 2, seed=0)
    obs, _ = world.reset()
    oracle = Oracle(world)
    oracle.follow_goals(world.goal)
    belief = oracle.observe(oracle.start(2), torch.zeros(2, 2), {"state": torch.as_tensor(obs["state"])})
    action = np.full((2, 2), 0.3, np.float32)
    reward = world.step(action)[1]
    np.testing.assert_allclose(oracle.step(belief, torch.as_tensor(action)).reward.numpy(), reward, atol=1e-6)
    with pytest.raises(SpecError, match="2 goals"):
        oracle.start(3)


def test_what_it_cannot_know():
    with pytest.raises(UnknownName, match="CartPole-v1"):
        Oracle.of("CartPole-v3")
    with pytest.raises(SpecError, match="only pixels"):
        Oracle(make("craik/Swing-v0", obs="pixels"))


def test_a_step_leaves_the_world_alone():
    world = make("craik/Push-v0", 2, seed=0)
    world.reset()
    before = world.get_state()
    oracle = Oracle(world)
    belief = oracle.sync(world)
    kept = tree.map(torch.clone, belief)
    oracle.step(belief, torch.ones(2, 2))
    np.testing.assert_array_equal(world.state, before.state)
    for a, b in zip(tree.leaves(belief), tree.leaves(kept), strict=True):
        assert torch.equal(a, b)
