"""The time convention, hop by hop: a world that sees its own clock goes from collector to dream.

`action[t]` leaves `obs[t]`; `reward[t]` and `terminated[t]` belong to the arrival at `obs[t + 1]`.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode
from torch import Tensor, nn

from craik.core import tree
from craik.core.imagine import encode, imagine
from craik.core.model import WorldModel
from craik.core.spec import Spec
from craik.core.state import State
from craik.data.collect import Collector
from craik.data.replay import Replay
from craik.data.store import EpisodeStore
from craik.worlds.counter import LENGTHS, Counter
from craik.worlds.dream import DreamVectorEnv, contexts

STEP, EPISODE, ACTION = 0, 1, 2  # columns of what a counter shows
END = 12  # steps at which the recorder thinks an episode is over
MODES = list(AutoresetMode)


@dataclasses.dataclass(frozen=True)
class Record(State):
    """What the recorder was told last."""

    shown: Tensor  # [B, 3] what a counter would show now
    action: Tensor  # [B, 1] the action that came with it
    told: Tensor  # [B] calls of `observe` since the start
    dreamt: Tensor  # [B] calls of `step` since the start


class Recorder(WorldModel[Record]):
    """Writes down what it is given, and with eyes closed counts on. It knows nothing but the convention."""

    def __init__(self, spec):
        super().__init__(spec.offering("obs", "reward", "proceed"))
        self.place = nn.Parameter(torch.zeros(1))

    def start(self, batch):
        return Record(torch.zeros(batch, 3), torch.zeros(batch, 1), torch.zeros(batch), torch.zeros(batch))

    def observe(self, state, action, obs, *, generator=None):
        return Record(obs["state"], action, state.told + 1, state.dreamt)

    def step(self, state, action, *, generator=None):
        step, episode = state.shown[:, STEP] + 1, state.shown[:, EPISODE]
        return Record(torch.stack([step, episode, action[:, 0]], -1), action, state.told, state.dreamt + 1)

    def read(self, state, query=None):
        step = state.shown[:, STEP]
        return {"obs": {"state": state.shown}, "reward": step, "proceed": (step < END).float()}

    def loss(self, batch, *, generator=None):
        return {"nothing": self.place.sum()}


def by_the_clock(obs, first):
    """Acts (step + 1) / 100: what leaves step t is told from every other."""
    assert torch.equal(first, obs["state"][:, STEP] == 0)
    return (obs["state"][:, STEP : STEP + 1] + 1) / 100


@pytest.fixture(params=MODES, ids=lambda mode: mode.name)
def mode(request):
    return request.param


@pytest.fixture
def gathered(mode):
    env = Counter(2, autoreset=mode)
    spec = Spec.of(env.single_observation_space, env.single_action_space)
    return spec, Collector(env, spec, by_the_clock, seed=0).collect(60)


def right(episode, terminates):
    """Asserts the convention within one episode."""
    length, shown = episode.num_steps, episode.obs["state"]
    np.testing.assert_array_equal(shown[:, STEP], np.arange(length + 1))
    np.testing.assert_allclose(episode.action[:, 0], np.arange(1, length + 1) / 100)
    np.testing.assert_allclose(shown[1:, ACTION], episode.action[:, 0])
    assert shown[0, ACTION] == -1
    np.testing.assert_array_equal(episode.reward, np.arange(1, length + 1))
    np.testing.assert_array_equal(episode.terminated, [False] * (length - 1) + [terminates])
    np.testing.assert_array_equal(episode.truncated, [False] * (length - 1) + [not terminates])
    assert len(set(shown[:, EPISODE])) == 1


def test_collector(gathered):
    _, episodes = gathered
    assert len(episodes) >= 12
    for episode in episodes:
        number = int(episode.obs["state"][0, EPISODE])
        assert episode.num_steps == LENGTHS[number % len(LENGTHS)]
        right(episode, terminates=number % 2 == 0)
    numbers = sorted(int(e.obs["state"][0, EPISODE]) for e in episodes)
    assert numbers == [n for n in range(len(episodes) // 2) for _ in range(2)]  # none is lost, none is twice


def stored(gathered, path):
    spec, episodes = gathered
    with EpisodeStore.create(path, spec, fps=1) as store:
        ids = [store.append(e) for e in episodes]
        for id, episode in zip(ids, episodes):
            right(store.read(id), terminates=bool(episode.terminated[-1]))
        return sampled(Replay(store, spec, None))


def sampled(replay):
    return replay.sample(64, 9, np.random.default_rng(0))


def test_store_and_sampler(gathered, tmp_path):
    batch = stored(gathered, tmp_path / "data")
    shown, happened = batch.obs["state"], batch.valid
    assert batch.first.any()
    assert torch.equal(batch.first, shown[..., STEP] == 0)
    before, after = shown[:, :-1], shown[:, 1:]
    assert torch.equal((after[..., STEP] - before[..., STEP])[happened], torch.ones(int(happened.sum())))
    assert torch.equal(after[..., ACTION][happened], batch.action[..., 0][happened])
    assert torch.equal(batch.reward[happened], after[..., STEP][happened])
    number = after[..., EPISODE].long()
    last = after[..., STEP] == torch.tensor(LENGTHS)[number % len(LENGTHS)]
    assert torch.equal(batch.terminated, last & (number % 2 == 0) & happened)
    assert batch.terminated.any()
    assert not batch.action[~happened].any()
    assert not batch.reward[~happened].any()


def test_follow(gathered, tmp_path):
    batch = stored(gathered, tmp_path / "data")
    record = Recorder(gathered[0]).follow(batch)
    shown = batch.obs["state"]
    assert torch.equal(record.shown, shown)
    inside = ~batch.first
    inside[:, 0] = False  # what led to a row's first observation is not in the row
    assert torch.equal(record.action[..., 0][inside], shown[..., ACTION][inside])
    assert not record.action[~inside].any()
    since = torch.arange(10).expand(64, -1)
    opened = torch.where(batch.first, since, 0).cummax(1).values
    assert torch.equal(record.told, (since - opened + 1).float())


def test_imagination(gathered, tmp_path):
    batch, model = stored(gathered, tmp_path / "data"), Recorder(gathered[0])
    belief = model.follow(batch)[:, 4]
    plan = torch.arange(64 * 3).reshape(64, 3, 1) / 200
    ahead, taken = imagine(model, belief, plan)
    assert torch.equal(taken, plan)
    assert torch.equal(ahead.shown[..., STEP], batch.obs["state"][:, 4, STEP, None] + torch.arange(1, 4))
    assert torch.equal(ahead.shown[..., ACTION], plan[..., 0])
    assert torch.equal(ahead.dreamt, torch.arange(1.0, 4).expand(64, 3))
    ahead, taken = imagine(model, belief, lambda s: (s.shown[:, STEP : STEP + 1] + 1) / 100, 3)
    assert torch.allclose(taken[..., 0] * 100, batch.obs["state"][:, 4, STEP, None] + torch.arange(1, 4))
    assert torch.allclose(ahead.shown[..., ACTION], taken[..., 0])
    alone = encode(model, {"state": batch.obs["state"][:, 3:5]}, batch.action[:, 3:4])
    assert torch.equal(alone.shown, belief.shown)


def test_dream(gathered, tmp_path, mode):
    """Collected once more, from the dream: the clock goes on where the experience stopped, and stops at END."""
    batch, model = stored(gathered, tmp_path / "data"), Recorder(gathered[0])
    env = DreamVectorEnv(model, contexts(batch), 3, horizon=9, autoreset=mode)
    begun = batch.obs["state"][torch.arange(64), 9 - batch.terminated[:, -1].long()]
    collector = Collector(env, gathered[0], lambda obs, first: (obs["state"][:, :1] + 1) / 100, seed=0)
    dreams = collector.collect(200)
    assert len(dreams) >= 15
    assert {bool(d.terminated[-1]) for d in dreams} == {True, False}
    for dream in dreams:
        shown, length = dream.obs["state"], dream.num_steps
        assert (torch.from_numpy(shown[0]) == begun).all(-1).any()
        np.testing.assert_array_equal(shown[:, STEP], shown[0, STEP] + np.arange(length + 1))
        np.testing.assert_allclose(shown[1:, ACTION], dream.action[:, 0])
        np.testing.assert_allclose(dream.action[:, 0] * 100, shown[1:, STEP], rtol=1e-5)
        np.testing.assert_array_equal(dream.reward, shown[1:, STEP])
        assert dream.terminated[-1] == (shown[-1, STEP] == END)
        assert dream.truncated[-1] == (length == 9)
        assert len(dream.terminated) == min(9, END - int(shown[0, STEP]))


def test_one_row_is_reset_alone():
    env = Counter(1)
    spec = Spec.of(env.single_observation_space, env.single_action_space)
    replay = Replay(None, spec, None)
    for episode in Collector(env, spec, None, seed=0).collect(20):
        replay.add(episode)
    env = DreamVectorEnv(Recorder(spec), contexts(replay, 3), 2, horizon=50, autoreset=AutoresetMode.DISABLED)
    before, _ = env.reset(seed=0)
    env.step(np.zeros((2, 1), np.float32))
    after, _ = env.reset(options={"reset_mask": np.array([True, False])})
    assert after["state"][1, STEP] == before["state"][1, STEP] + 1
    assert env.steps.tolist() == [0, 1]
    assert tree.leaves(env.state)[-1].tolist() == [0, 1]  # only row 1 has dreamt a step
