import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces

from craik.behave.agent import Agent, Random
from craik.core.errors import SpecError
from craik.core.spec import Spec
from craik.eval.pretend import Blind, Nothing, ShuffledActions
from craik.eval.returns import evaluate, nothing_returns, random_returns, spec_of
from craik.eval.trials import ceiling_returns, quick_planner
from craik.worlds.oracle import Oracle


class Ends(gymnasium.Env):
    """Each episode lasts 1, 2, 4 or 8 steps, as its start says, and pays 1 a step. It can be seen at the start only."""

    observation_space = spaces.Box(0, 8, (1,), np.float32)
    action_space = spaces.Discrete(2)

    def __init__(self, endless: bool = False):
        self.endless = endless

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.left = int(2 ** self.np_random.integers(4))
        return np.array([self.left], np.float32), {}

    def step(self, action):
        self.left -= 1
        return np.zeros(1, np.float32), 1.0, self.left == 0 and not self.endless, False, {}


@pytest.fixture(autouse=True, scope="module")
def _ends():
    gymnasium.register("test/Ends-v0", lambda **k: Ends())
    gymnasium.register("test/Endless-v0", lambda **k: Ends(endless=True))
    yield
    del gymnasium.registry["test/Ends-v0"], gymnasium.registry["test/Endless-v0"]


class Watching(Agent):
    """Keeps what the model sees, to check that rows stay together as they thin out."""

    def __init__(self):
        super().__init__()
        self.rows = []

    def act(self, model, state, memory, *, generator=None, explore=False):
        self.rows.append(state.batch)
        return torch.zeros(state.batch, dtype=torch.int64), memory


def test_each_start_counts_once_however_long_its_episode():
    found = random_returns("test/Ends-v0", 400, 0)
    share = [np.mean(found.lengths == n) for n in (1, 2, 4, 8)]
    assert np.allclose(share, 0.25, atol=0.08)  # counting the first to finish would give far more ones
    assert found.returns.tolist() == found.lengths.tolist()
    assert found.terminated.all()


def test_rows_that_are_over_are_no_longer_thought_about():
    agent = Watching()
    found = evaluate(Blind(spec_of("test/Ends-v0")), agent, "test/Ends-v0", 50, 1)
    assert sum(agent.rows) == found.lengths.sum()
    assert agent.rows[0] == 50


def test_starts_depend_on_the_seed_and_groups_alone():
    a, b = (nothing_returns("Pendulum-v1", 5, seed).returns for seed in (3, 3))
    assert a.tolist() == b.tolist()
    assert a.tolist() != nothing_returns("Pendulum-v1", 5, 4).returns.tolist()
    grouped = evaluate(Blind(spec_of("Pendulum-v1")), Nothing(spec_of("Pendulum-v1")), "Pendulum-v1", 5, 3, num_envs=2)
    assert len(set(grouped.returns.tolist())) == 5
    assert grouped.lengths.tolist() == [200] * 5


def test_an_episode_without_end_is_an_error():
    spec = spec_of("test/Endless-v0")
    with pytest.raises(SpecError, match="had not ended after 20"):
        evaluate(Blind(spec), Random(spec), "test/Endless-v0", 2, 0, limit=20)


def test_the_model_is_left_in_the_mode_it_came_in():
    spec = spec_of("test/Ends-v0")
    model, agent = Blind(spec).train(), Random(spec).eval()
    evaluate(model, agent, "test/Ends-v0", 2, 0)
    assert model.training
    assert not agent.training


def test_the_exact_simulator_plans_and_its_shuffled_twin_does_not():
    world = "Pendulum-v1"
    ceiling = ceiling_returns(world, quick_planner, 4, 7)
    wrong = evaluate(ShuffledActions(Oracle.of(world)), quick_planner(spec_of(world)), world, 4, 7)
    nothing = nothing_returns(world, 4, 7)
    assert ceiling.returns.max() < 0
    assert ceiling.mean > -400
    assert wrong.mean < ceiling.mean - 500
    assert nothing.mean < ceiling.mean - 500


def test_nothing_is_the_middle_or_the_first():
    for space, idle in (
        (spaces.Box(np.array([0.0, -1]), np.array([4.0, 1])), [2.0, 0.0]),
        (spaces.Box(-np.inf, np.inf, (2,)), [0.0, 0.0]),
        (spaces.Discrete(3, start=2), 2),
        (spaces.MultiDiscrete([3, 2]), [0, 0]),
    ):
        spec = Spec.of(spaces.Box(-1, 1, (1,)), space)
        model, agent = Blind(spec), Nothing(spec)
        action, _ = agent.act(model, model.start(2), agent.start(2))
        assert action.tolist() == [idle, idle]
