"""The goal-reaching evaluation, tried on models whose worth is known: the exact simulator and its pretenders."""

import numpy as np
import pytest
import torch

from craik import worlds
from craik.behave.agent import Agent
from craik.behave.cem import CEM
from craik.behave.objectives import GoalLatent
from craik.behave.plan import PlanConfig
from craik.behave.planner_agent import PlannerAgent
from craik.core.errors import SpecError
from craik.eval.goals import Errands, Strides, errands, goal_latent, nothing_reach, random_reach, reach
from craik.eval.pretend import Frozen, ShuffledActions
from craik.worlds.oracle import Oracle

BLOCK = 5


def planner(model, horizon: int = 4) -> PlannerAgent:
    config = PlanConfig(horizon, receding_horizon=horizon)  # a plan that always begins anew never arrives
    cem = CEM(model.spec.action, config, num_samples=64, num_steps=6, num_elites=10)
    return PlannerAgent(cem, GoalLatent(torch.zeros(1, 1)))


@pytest.fixture(scope="module")
def tasks() -> Errands:
    return errands("craik/Rooms-v0", 24, 20, seed=11)


def test_the_exact_simulator_reaches_goals_and_its_pretenders_do_not(tasks):
    oracle = Strides(Oracle.of("craik/Rooms-v0"), BLOCK)
    best = reach(oracle, planner(oracle), tasks, 0, block=BLOCK)
    assert best.rate > 0.8
    for wrong in (ShuffledActions(oracle), Frozen(oracle)):
        assert reach(wrong, planner(wrong), tasks, 0, block=BLOCK).rate < best.rate - 0.4
    assert random_reach(tasks, 0).rate < best.rate - 0.4
    assert nothing_reach(tasks, 0).rate == 0
    assert best.interval.low < best.rate <= best.interval.high
    assert (best.steps[best.success] <= tasks.budget).all()
    assert (best.steps[~best.success] == tasks.budget).all()


def test_errands_are_pairs_of_one_episode_that_need_doing(tasks):
    assert len(tasks) == 24
    assert tasks.budget == 40
    assert 0 < tasks.idle < 1
    assert 0 < tasks.lucky < 1
    env = worlds.make("craik/Rooms-v0", 24, seed=0)
    env.reset(options={"state": tasks.start, "goal": tasks.goal})
    assert not env.success().any()
    # 20 steps of 0.1 s at the top speed of gain / drag = 1 per axis
    assert np.abs(tasks.goal[:, :2] - tasks.start[:, :2]).max() <= 2.0
    again = errands("craik/Rooms-v0", 24, 20, seed=11)
    assert np.array_equal(tasks.start, again.start)
    assert np.array_equal(tasks.goal, again.goal)
    assert not np.isin(errands("craik/Rooms-v0", 24, 20, seed=12).start[:, 0], tasks.start[:, 0]).any()


def test_what_luck_finds_is_left_out(monkeypatch):
    many = errands("craik/Rooms-v0", 96, 20, seed=3)
    monkeypatch.setattr("craik.eval.goals.LUCK", 0)
    with_luck = errands("craik/Rooms-v0", 96, 20, seed=3)
    assert with_luck.lucky == 0
    # players that no goal was left out by: what they reach is no matter of who was asked
    rates = [np.mean([random_reach(t, 100 + i).rate for i in range(8)]) for t in (many, with_luck)]
    assert rates[0] < 0.6 * rates[1]


class Noting(Agent):
    """Pushes right, and notes what it was shown."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def act(self, model, state, memory, *, generator=None, explore=False):
        self.calls += 1
        return torch.tensor([[1.0, 0.0] * BLOCK]).repeat(state.batch, 1), memory


def test_a_block_is_five_steps_and_success_counts_at_any_of_them():
    start = np.array([[-0.8, 0.0, 0.0, 0.0]])
    env = worlds.make("craik/Rooms-v0", 1, seed=0)
    env.reset(options={"state": start})
    passed = []
    for _ in range(12):
        env.step(np.array([[1.0, 0.0]]))
        passed.append(env.state.copy())
    goal = passed[8].copy()  # driven past, in the middle of the second block
    reached = [bool(env.reached(p, goal, env.factors)[0]) for p in passed]
    model = Strides(Oracle.of("craik/Rooms-v0"), BLOCK)
    agent = Noting()
    result = reach(model, agent, Errands("craik/Rooms-v0", start, goal, 12, 0.0, 0.0), 0, block=BLOCK)
    assert agent.calls == 3  # 5 + 5 + 2 steps
    assert result.success.all()
    assert result.steps[0] == reached.index(True) + 1
    assert 5 < result.steps[0] <= 9


def test_strides_walk_the_blocks_of_the_model_inside():
    oracle = Oracle.of("craik/Rooms-v0")
    strides = Strides(oracle, 3)
    assert strides.spec.action.shape == (6,)
    state = oracle.start(2)
    actions = torch.rand(2, 4, 6, generator=torch.Generator().manual_seed(0)) * 2 - 1
    single = oracle.rollout(state, actions.reshape(2, 12, 2))
    whole = strides.rollout(state, actions)
    assert torch.equal(whole.physics, single.physics[:, 2::3])
    assert torch.equal(strides.step(state, actions[:, 0]).physics, single.physics[:, 2])


def test_a_goal_is_read_as_seen_first():
    oracle = Oracle.of("craik/Rooms-v0")
    shown = torch.tensor([[0.5, -0.5, 0.0, 0.0]])
    assert torch.allclose(goal_latent(oracle, {"state": shown}), shown)


def test_errors_say_what_to_do():
    with pytest.raises(SpecError, match="no goals that can be set"):
        errands("craik/Swing-v0", 4, 10, seed=0)
    with pytest.raises(SpecError, match="needed nothing done"):
        errands("craik/Rooms-v0", 4, 1, seed=0, skill=(1.0, 1.0), length=3)
    with pytest.raises(SpecError, match="no two states"):
        errands("craik/Rooms-v0", 4, 10, seed=0, length=9)
