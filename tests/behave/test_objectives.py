"""Objectives: what they score, what they need, and what they say when they cannot have it."""

import pytest
import torch

from craik.behave.cem import CEM
from craik.behave.objectives import GoalLatent, GoalState, Lagrangian, Penalty, Reward, Weighted
from craik.behave.plan import PlanConfig
from craik.core.errors import SpecError
from tests.behave.points import BOX, Points, Spot

ALL = ("obs", "reward", "proceed", "value", "latent")


def futures():
    g = torch.Generator().manual_seed(3)
    return Spot(torch.randn(2, 3, 4, 2, generator=g), torch.randn(2, 3, 4, 2, generator=g))


def test_reward_by_hand():
    model, states = Points(BOX, reads=ALL), futures()
    score = Reward(0.9)(model, states, torch.zeros(2, 3, 4, 2))
    for b in range(2):
        for n in range(3):
            total, alive = 0.0, 1.0
            for t in range(4):
                at, act = states.at[b, n, t], states.act[b, n, t]
                total += 0.9**t * alive * float(-((at - model.goal) ** 2).sum() - 0.25 * (act**2).sum())
                alive *= 0.5
            total += 0.9**4 * alive * float(10 * states.at[b, n, 3, 0])
            assert score[b, n].item() == pytest.approx(total, rel=1e-4)


def test_reward_without_value_or_proceed():
    states = futures()
    plain = Reward(1.0)(Points(BOX, reads=("reward",)), states, torch.zeros(2, 3, 4, 2))
    model = Points(BOX, reads=("reward", "value"))
    assert torch.allclose(Reward(1.0, terminal=False)(model, states, torch.zeros(2, 3, 4, 2)), plain)
    assert torch.allclose(Reward(1.0)(model, states, torch.zeros(2, 3, 4, 2)), plain + 10 * states.at[:, :, -1, 0])


def test_goals_and_sums_by_hand():
    model, states, actions = Points(BOX, reads=ALL), futures(), torch.zeros(2, 3, 4, 2)
    goal = torch.tensor([[1.0, 2.0], [0.0, -1.0]])
    far = (states.at - goal[:, None, None]).square().sum(-1)
    end = GoalLatent(goal)(model, states, actions)
    assert torch.allclose(end, -far[:, :, -1])
    assert torch.allclose(GoalLatent(goal, path=0.5)(model, states, actions), -far[:, :, -1] - 0.5 * far.mean(2))
    seen = GoalState({"state": goal}, {"state": torch.tensor([1.0, 0.0])})
    assert torch.allclose(seen(model, states, actions), -(states.at[:, :, -1, 0] - goal[:, None, 0]).square())
    both = Weighted(((2.0, GoalLatent(goal)), (-1.0, seen)))
    assert both.needs == ("latent", "obs")
    assert torch.allclose(both(model, states, actions), 2 * end - seen(model, states, actions))
    assert torch.equal(both.rows(torch.tensor([1])).terms[0][1].goal, goal[1:])


def test_what_is_missing_is_said_in_words():
    model = Points(BOX, reads=("latent",))
    planner = CEM(BOX, PlanConfig(horizon=2), num_samples=4, num_steps=1, num_elites=2)
    with pytest.raises(SpecError, match=r"needs a reward; this model \(Points\) offers latent"):
        planner.plan(model, model.start(1), Reward(), planner.start(1))
    assert model.stepped == 0


def side(model, states, actions):
    return states.at[..., 0]


def test_a_penalty_by_hand():
    states = futures()
    score = Penalty(side, 0.2, 3.0)(Points(BOX), states, torch.zeros(2, 3, 4, 2))
    assert torch.allclose(score, -3.0 * (states.at[..., 0] - 0.2).clamp(min=0).sum(2))


def test_a_lagrangian_keeps_the_limit():
    model = Points(BOX, goal=(2.0, 0.0))
    planner = CEM(BOX, PlanConfig(horizon=4), num_samples=200, num_steps=40, num_elites=20, min_std=0.05)

    def reach(objective):
        plan = planner.plan(model, model.start(2), objective, planner.start(2))
        return model.rollout(model.start(2), plan.actions).at[..., 0].max().item()

    objective = Lagrangian(Reward(), side, 0.5, rate=2.0)
    assert reach(Reward()) > 0.9
    assert reach(objective) < 0.6
    assert objective.price is None  # a search keeps count in its own copy


def test_a_lagrangian_price_rises_with_the_excess_of_the_best():
    model, states, actions = Points(BOX), futures(), torch.zeros(2, 3, 4, 2)
    objective = Lagrangian(Reward(), side, 0.0, rate=0.5).begin()
    excess = states.at[..., 0].clamp(min=0).sum(2)
    first = objective(model, states, actions)
    assert torch.allclose(first, Reward()(model, states, actions))
    price = 0.5 * excess[torch.arange(2), first.argmax(1)]
    assert torch.allclose(objective(model, states, actions), first - price[:, None] * excess, atol=1e-5)


def test_one_goal_may_stand_for_all_rows():
    goal = GoalLatent(torch.zeros(1, 3))
    assert goal.rows(torch.tensor([4])) is goal
    assert torch.equal(
        GoalLatent(torch.arange(6.0).view(2, 3)).rows(torch.tensor([1])).goal, torch.tensor([[3.0, 4, 5]])
    )
