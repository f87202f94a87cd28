"""Acting by planning: queues, resets, noise, and never a call to the environment."""

import torch

from craik.behave.agent import Player
from craik.behave.cem import CEM
from craik.behave.mppi import MPPI
from craik.behave.objectives import GoalLatent, Reward
from craik.behave.plan import PlanConfig
from craik.behave.planner_agent import PlannerAgent
from tests.behave.points import BOX, DISCRETE, Points, Spot


def agent(space=BOX, noise=1.0, **config):
    planner = CEM(space, PlanConfig(horizon=4, **config), num_samples=40, num_steps=4, num_elites=6)
    return PlannerAgent(planner, Reward(), noise=noise)


def at(*points):
    return Spot(torch.tensor(points), torch.zeros(len(points), 2))


def test_a_plan_is_carried_out_before_the_next():
    model, player = Points(BOX), agent(receding_horizon=2, action_block=2)
    state, memory = at((0.0, 0.0), (0.5, 0.5)), player.start(2)
    plan = player.planner.plan(model, state, Reward(), memory.warm)
    model.stepped = 0
    for k in range(4):
        action, memory = player.act(model, state, memory)
        assert torch.equal(action, plan.actions[:, k])
    assert model.stepped == 4 * 8  # one search: 4 rounds of 8 steps
    player.act(model, state, memory)
    assert model.stepped == 2 * 4 * 8


def test_rows_that_restart_plan_alone():
    model, player = Points(BOX), agent(receding_horizon=3)
    player.objective = GoalLatent(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]))
    state = at((0.0, 0.0), (0.0, 0.0))
    _, memory = player.act(model, state, player.start(2))
    kept = memory.queue[0].clone()
    fresh = player.start(2)
    memory = type(memory)(
        type(memory.warm)(torch.stack([memory.warm.mean[0], fresh.warm.mean[1]])),
        memory.queue,
        torch.stack([memory.left[0], fresh.left[1]]),
    )
    action, memory = player.act(model, state, memory)
    assert torch.equal(memory.queue[0], kept)
    assert memory.left.tolist() == [1, 2]
    assert torch.equal(action[0], kept[1])
    assert action[1, 0] < -0.5  # the second row goes for its own goal


def test_the_player_forgets_where_an_episode_opens():
    model, seen = Points(BOX), []
    player = Player(model, agent(), 2, generator=torch.Generator().manual_seed(0))
    obs = {"state": torch.zeros(2, 2)}
    player.act(obs, torch.tensor([True, True]))
    seen.append(player.memory.warm.mean.clone())
    player.act(obs, torch.tensor([True, False]))
    blank = agent().start(2)
    assert not torch.equal(seen[0], blank.warm.mean)
    assert player.memory.left.tolist() == [0, 0]


def test_exploring_adds_the_spread_and_doing_well_does_not():
    model, state = Points(BOX), at((0.0, 0.0), (0.0, 0.0))
    player = agent()
    player.planner.proposals.min_std = 0.3
    calm = player.act(model, state, player.start(2))[0]
    bold = player.act(model, state, player.start(2), explore=True)[0]
    assert torch.equal(calm, player.act(model, state, player.start(2))[0])
    assert (calm - bold).abs().max() > 0.05
    still = agent(noise=0.0)
    still.planner.proposals.min_std = 0.3
    assert torch.equal(still.act(model, state, still.start(2), explore=True)[0], calm)


def test_choices_are_explored_by_their_chances():
    model = Points(DISCRETE)
    planner = MPPI(DISCRETE, PlanConfig(horizon=2), num_samples=9, num_steps=1, num_elites=3, min_std=1.0)
    state = Spot(torch.zeros(400, 2), torch.zeros(400, 3))
    tried = PlannerAgent(planner, Reward(), noise=1.0)
    action = tried.act(model, state, tried.start(400), generator=torch.Generator().manual_seed(1), explore=True)[0]
    assert action.bincount(minlength=3).min() > 90  # a share of 1 spread evenly
