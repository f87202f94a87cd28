import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from craik.core.errors import DataError
from craik.core.spec import Spec
from craik.data.collect import MAX_RESTARTS, Collector
from tests.data.synthetic import same

MODES = list(AutoresetMode)


class Counter(gym.Env):
    """Shows [episode, t]; pays 10 * t on arrival; ends at `length`, for good in even episodes, by truncation in odd."""

    observation_space = spaces.Dict({"state": spaces.Box(0, 1e6, (2,), np.float32)})
    action_space = spaces.Box(-1, 1e6, (1,), np.float32)

    def __init__(self, length=4, row=0):
        self.length, self.row, self.episode, self.resets = length, row, -1, []

    def reset(self, *, seed=None, options=None):
        self.resets.append(seed)
        self.episode, self.t = self.episode + 1, 0
        return self.show(), {}

    def show(self):
        return {"state": np.array([self.episode, self.t], np.float32)}

    def step(self, action):
        assert action[0] == self.t, "the action that arrives was chosen for this very observation"
        self.t += 1
        over = self.t == self.length
        return self.show(), 10.0 * self.t, over and self.episode % 2 == 0, over and self.episode % 2 == 1, {}


def vector(mode, *makers):
    return SyncVectorEnv(list(makers), autoreset_mode=mode)


def spec_of(env):
    return Spec.of(env.single_observation_space, env.single_action_space)


class Watch:
    """Answers with t, and remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, obs, first):
        self.asked.append((obs["state"].clone(), first.clone()))
        return obs["state"][:, 1:].clone()


@pytest.mark.parametrize("mode", MODES)
def test_no_index_is_off_by_one(mode):
    env = vector(mode, lambda: Counter(4), lambda: Counter(3), lambda: Counter(1))
    watch = Watch()
    collector = Collector(env, spec_of(env), watch, seed=0)
    episodes = collector.collect(60)
    assert 60 <= collector.num_steps < 63
    assert collector.faults == []
    assert {e.meta["row"] for e in episodes} == {0, 1, 2}
    for row, length in enumerate((4, 3, 1)):
        mine = [e for e in episodes if e.meta["row"] == row]
        for number, e in enumerate(mine):
            assert e.num_steps == length
            np.testing.assert_array_equal(e.obs["state"][:, 0], number)
            np.testing.assert_array_equal(e.obs["state"][:, 1], np.arange(length + 1))
            np.testing.assert_array_equal(e.action[:, 0], np.arange(length))
            np.testing.assert_array_equal(e.reward, 10.0 * np.arange(1, length + 1))
            assert e.terminated.tolist() == [False] * (length - 1) + [number % 2 == 0]
            assert e.truncated.tolist() == [False] * (length - 1) + [number % 2 == 1]
    for state, first in watch.asked:
        assert torch.equal(first, state[:, 1] == 0), "first is true where an episode opens, and nowhere else"
    rest = collector.flush()
    assert sum(e.num_steps for e in episodes + rest) == collector.num_steps, "every step is in one episode"
    assert all(e.truncated[-1] and not e.terminated[-1] for e in rest)


@pytest.mark.parametrize("mode", MODES)
def test_in_parts_or_at_once(mode):
    def run(parts):
        env = gym.make_vec("CartPole-v1", 3, vectorization_mode="sync", vector_kwargs={"autoreset_mode": mode})
        collector = Collector(env, spec_of(env), None, seed=7)
        return [e for n in parts for e in collector.collect(n)]

    whole, parts = run([90]), run([30, 3, 57])
    assert len(whole) == len(parts) > 1
    assert all(same(a, b) for a, b in zip(whole, parts))


@pytest.mark.parametrize("mode", MODES)
def test_restart_forgets_everything_but_the_seed(mode):
    env = gym.make_vec("Pendulum-v1", 2, vectorization_mode="sync", vector_kwargs={"autoreset_mode": mode})
    collector = Collector(env, spec_of(env), None, seed=7)
    fresh = collector.collect(450)
    collector.collect(77)
    collector.restart(7)
    again = collector.collect(450)
    assert len(fresh) == 2
    assert all(same(a, b) for a, b in zip(fresh, again))
    collector.restart(8)
    assert not same(collector.collect(450)[0], fresh[0])


def test_random_actions_are_held():
    def runs(hold):
        env = gym.make_vec("Pendulum-v1", 4, vectorization_mode="sync")
        episodes = Collector(env, spec_of(env), None, seed=7, hold=hold).collect(4 * 200)
        fresh = np.concatenate([(e.action[1:] != e.action[:-1]).any(1) for e in episodes])
        return [e.action[0] for e in episodes], 1 / fresh.mean()

    openings, held = runs(8)
    assert 6.5 < held < 9.5, "each is kept for 8 steps on average"
    assert len(np.unique(np.concatenate(openings))) == len(openings), "and drawn anew where an episode opens"
    assert runs(1)[1] == 1


@pytest.mark.parametrize("mode", MODES)
def test_held_actions_end_with_their_episode(mode):
    env = gym.make_vec("CartPole-v1", 3, vectorization_mode="sync", vector_kwargs={"autoreset_mode": mode})
    episodes = Collector(env, spec_of(env), None, seed=7, hold=1e9).collect(300)
    assert all(len(np.unique(e.action)) == 1 for e in episodes)
    assert {int(e.action[0]) for e in episodes} == {0, 1}


def test_flush_resets():
    env = vector(AutoresetMode.NEXT_STEP, Counter, lambda: Counter(3))
    collector = Collector(env, spec_of(env), Watch(), seed=0)
    done = collector.collect(6)  # the second just ended and waits for its reset
    assert [e.num_steps for e in done] == [3]
    assert [e.num_steps for e in collector.flush()] == [3]
    assert collector.flush() == []
    assert all(e.obs["state"][0, 1] == 0 for e in collector.collect(14))


def test_random_actions_fill_the_space():
    env = gym.make_vec("Pendulum-v1", 4, vectorization_mode="sync")
    collector = Collector(env, spec_of(env), None, seed=0)
    action = np.concatenate([e.action for e in collector.collect(1000)])
    assert -2 <= action.min() < -1.8 < 1.8 < action.max() <= 2


def test_a_bare_observation_gets_the_only_name():
    env = gym.make_vec("CartPole-v1", 2, vectorization_mode="sync")
    assert set(Collector(env, spec_of(env), None, seed=0).collect(80)[0].obs) == {"state"}


class Faulty(Counter):
    """Breaks at the steps of its life that `when` names."""

    def __init__(self, how, when, length=4):
        super().__init__(length)
        self.how, self.when, self.life = how, when, 0

    def step(self, action):
        obs, *rest = super().step(action)
        self.life += 1
        if self.life in self.when:
            if self.how == "raise":
                raise RuntimeError("the simulator diverged")
            if self.how == "shape":
                obs = {"state": np.zeros(5, np.float32)}
            if self.how == "reward":
                rest[0] = np.nan
            if self.how == "nan":
                obs["state"][1] = np.nan
        return obs, *rest


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("how", ["raise", "shape", "nan", "reward"])
def test_a_broken_episode_is_thrown_away_with_the_reason(mode, how):
    env = vector(mode, lambda: Faulty(how, {6}), lambda: Counter(50))
    collector = Collector(env, spec_of(env), Watch(), seed=0)
    episodes = collector.collect(100) + collector.flush()
    assert len(collector.faults) == 1
    fault = collector.faults[0]
    words = {"raise": "the simulator diverged", "shape": "shape", "nan": "observation 'state' of environment 0"}
    assert words.get(how, "a reward of environment 0 is not finite") in fault.reason
    mine = [e for e in episodes if e.meta["row"] == 0]
    assert mine[0].num_steps == 4
    assert all(e.obs["state"][0, 1] == 0 for e in episodes), "no episode opens in its middle"
    assert all(np.isfinite(e.obs["state"]).all() for e in episodes)
    if how in ("nan", "reward"):
        others = [e for e in episodes if e.meta["row"] == 1]
        assert others[0].truncated[-1], "the others' experience is kept, cut there"
        assert others[0].num_steps >= 5


@pytest.mark.parametrize("mode", MODES)
def test_an_environment_that_goes_on_breaking_is_given_up(mode):
    env = vector(mode, lambda: Faulty("nan", range(3, 1000)))
    made = []

    def remake():
        made.append(1)
        return vector(mode, lambda: Faulty("nan", {3}))

    collector = Collector(env, spec_of(env), Watch(), seed=0)
    with pytest.raises(DataError, match=r"SyncVectorEnv broke 4 times in a row, last at step \d+: observation 'state'"):
        collector.collect(100)
    assert len(collector.faults) == MAX_RESTARTS + 1
    collector = Collector(env, spec_of(env), Watch(), seed=0, remake=remake)
    with pytest.raises(DataError, match="broke 4 times"):
        collector.collect(100)
    assert len(made) == MAX_RESTARTS
    assert env.closed, "the one that broke is closed"


def test_rare_faults_do_not_add_up():
    env = vector(AutoresetMode.SAME_STEP, lambda: Faulty("raise", set(range(15, 1000, 15))))
    collector = Collector(env, spec_of(env), Watch(), seed=0)
    collector.collect(200)
    assert len(collector.faults) > MAX_RESTARTS


def test_an_agent_that_breaks_is_named():
    env = gym.make_vec("Pendulum-v1", 2, vectorization_mode="sync")
    for action in (torch.full((2, 1), torch.nan), torch.zeros(2)):
        with pytest.raises(DataError, match="the agent chose actions"):
            Collector(env, spec_of(env), lambda obs, first, a=action: a, seed=0).collect(5)
