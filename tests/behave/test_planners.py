"""Every planner on a world whose optimum is known, and the update formulas written again."""

import itertools
import math

import numpy as np
import pytest
import torch

from craik.behave.cem import CEM
from craik.behave.gradient import Gradient
from craik.behave.icem import ICEM
from craik.behave.mppi import MPPI
from craik.behave.objectives import Reward
from craik.behave.plan import PlanConfig, pick, shift
from craik.behave.proposals import Categories, Normals
from craik.behave.shooting import RandomShooting
from craik.core.errors import SpecError
from craik.ops.colored_noise import colored_noise
from tests.behave.points import BOX, DISCRETE, MULTI, Points

H = 3
GOALS = torch.tensor([[0.0, 0.0], [0.3, 0.2], [-0.4, 0.1]])


def planners(space, config=None):
    config = config or PlanConfig(horizon=H)
    return {
        "shooting": RandomShooting(space, config, num_samples=4000),
        "cem": CEM(space, config, num_steps=12),
        "icem": ICEM(space, config, num_steps=12),
        "mppi": MPPI(space, config, num_samples=300, num_steps=12, num_elites=30, temperature=20.0, min_std=0.02),
        "gradient": Gradient(space, config, num_steps=150),
    }


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def begin(model):
    state = model.start(3)
    return type(state)(GOALS, state.act)


def box_optimum(model, at, discount):
    """The quadratic program of H = 3 decisions, unconstrained (its solution lies inside the box): normal equations."""
    half, best = 0.5, []
    for axis in range(2):
        # minimise sum_t g^t [(x0 + half * sum_{k<=t} u_k - goal)^2 + u_t^2 / 4]
        rows, targets = [], []
        for t in range(H):
            w = math.sqrt(discount**t)
            rows.append([w * half * (k <= t) for k in range(H)])
            targets.append(w * (float(model.goal[axis]) - float(at[axis])))
            rows.append([w * 0.5 * (k == t) for k in range(H)])
            targets.append(0.0)
        best.append(np.linalg.lstsq(np.array(rows), np.array(targets), rcond=None)[0])
    return np.stack(best, 1)  # [H, 2]


@pytest.mark.parametrize("name", ["shooting", "cem", "icem", "mppi", "gradient"])
def test_finds_the_optimum_of_numbers(name):
    model, objective = Points(BOX, goal=(0.3, -0.1)), Reward(0.9)
    planner = planners(BOX)[name]
    plan = planner.plan(model, begin(model), objective, planner.start(3), generator=generator())
    for row in range(3):
        best = box_optimum(model, GOALS[row], 0.9)
        assert np.abs(best).max() < 1
        assert plan.vector[row].numpy() == pytest.approx(best, abs=0.35 if name == "shooting" else 0.08)
    assert plan.actions.shape == (3, H, 2)
    assert torch.allclose(plan.actions, plan.vector * 2)  # the environment's units: the box is [-2, 2]


@pytest.mark.parametrize("space", [DISCRETE, MULTI], ids=["discrete", "multidiscrete"])
@pytest.mark.parametrize("name", ["shooting", "cem", "icem", "mppi", "gradient"])
def test_finds_the_optimum_of_choices(name, space):
    model, objective = Points(space), Reward(0.9)
    options = range(3) if space is DISCRETE else list(itertools.product(range(3), range(2)))
    sequences = torch.tensor(list(itertools.product(options, repeat=H)))
    every = sequences[None].expand(3, *sequences.shape)
    planner = planners(space)[name]
    truth = planner.score(model, begin(model), objective, every).topk(3, 1).values
    plan = planner.plan(model, begin(model), objective, planner.start(3), generator=generator())
    reached = planner.score(model, begin(model), objective, plan.actions[:, None])[:, 0]
    # MPPI draws among its elites and gradients climb the nearest hill: they may take the second or third best of all.
    rank = 2 if name in ("mppi", "gradient") else 0
    assert (reached >= truth[:, rank] - 1e-5).all()
    assert plan.actions.dtype == torch.int64


def test_shooting_tries_every_plan_where_it_can():
    planner = RandomShooting(DISCRETE, PlanConfig(horizon=3), num_samples=27)
    assert planner.exhaustive
    assert len({tuple(p.flatten().tolist()) for p in planner.every()}) == 27
    assert not RandomShooting(DISCRETE, PlanConfig(horizon=3), num_samples=26).exhaustive


def test_cem_update_is_mean_and_deviation_of_the_best():
    model, objective = Points(BOX), Reward(0.9)
    planner = CEM(BOX, PlanConfig(horizon=H), num_samples=20, num_steps=2, num_elites=4)
    plan = planner.plan(model, begin(model), objective, planner.start(3), generator=generator(7))
    g, mean, std = generator(7), np.zeros((3, H, 2)), np.ones((3, H, 2))
    for _ in range(2):
        noise = torch.randn(3, 20, H, 2, generator=g).numpy()
        for b in range(3):
            drawn = np.clip(mean[b] + std[b] * noise[b], -1, 1)
            returns = [plain_return(model, GOALS[b].numpy(), u, 0.9) for u in drawn]
            elite = drawn[np.argsort(returns)[::-1][:4]]
            mean[b], std[b] = elite.mean(0), elite.std(0)
    assert plan.mean.numpy() == pytest.approx(mean, abs=1e-5)
    assert plan.std.numpy() == pytest.approx(std, abs=1e-4)
    assert len(plan.history) == 2


def plain_return(model, at, plan, discount):
    """The return of a plan of numbers, step by step."""
    total, goal = 0.0, model.goal.numpy()
    for t, u in enumerate(plan):
        at = at + 0.5 * u
        total += discount**t * (-((at - goal) ** 2).sum() - 0.25 * (u**2).sum())
    return total


def test_mppi_update_is_the_weighted_mean_of_the_best():
    model, objective = Points(BOX), Reward(0.9)
    planner = MPPI(
        BOX, PlanConfig(horizon=H), num_samples=20, num_steps=2, num_elites=5, temperature=0.7, min_std=0.3, max_std=0.5
    )
    plan = planner.plan(model, begin(model), objective, planner.start(3), generator=generator(7))
    g, mean, std = generator(7), np.zeros((3, H, 2)), np.full((3, H, 2), 2.0)
    for _ in range(2):
        noise = torch.randn(3, 20, H, 2, generator=g).numpy()
        for b in range(3):
            drawn = np.clip(mean[b] + std[b] * noise[b], -1, 1)
            returns = np.array([plain_return(model, GOALS[b].numpy(), u, 0.9) for u in drawn])
            best = np.argsort(returns)[::-1][:5]
            omega = np.exp(0.7 * (returns[best] - returns[best].max()))
            omega /= omega.sum()
            mean[b] = sum(w * u for w, u in zip(omega, drawn[best]))
            std[b] = np.sqrt(sum(w * (u - mean[b]) ** 2 for w, u in zip(omega, drawn[best])))
        std = np.clip(std, 0.3, 0.5)
    assert plan.mean.numpy() == pytest.approx(mean, abs=1e-5)
    assert plan.std.numpy() == pytest.approx(std, abs=1e-4)


def test_mppi_follows_the_prior_where_the_model_has_one():
    model = Points(BOX, goal=(9.0, 9.0), reads=("reward", "action"))
    planner = MPPI(BOX, PlanConfig(horizon=H), num_samples=8, num_steps=1, num_elites=1, num_prior=4, std=0.0)
    prior = planner.prior(model, begin(model), generator())
    assert torch.allclose(prior[:, 0], torch.full((3, H, 2), 0.3))
    assert (prior[:, 1:] - 0.3).abs().max() < 0.3
    assert (prior[:, 1:] - 0.3).std() > 0.02
    plan = planner.plan(model, begin(model), Reward(), planner.start(3), generator=generator())
    assert (plan.vector - 0.3).abs().max() < 0.3  # the other candidates stand still, far from the goal


def test_icem_momentum_elites_and_shrinking():
    model, objective = Points(BOX), Reward(0.9)
    planner = ICEM(
        BOX, PlanConfig(horizon=H), num_samples=16, num_steps=3, num_elites=3, num_keep=2, beta=0.0, momentum=0.25,
        shrink=1.5,
    )  # fmt: skip
    assert planner.counts() == [16, 10, 7]
    plan = planner.plan(model, begin(model), objective, planner.start(3), generator=generator(7))
    g, mean, std, kept = generator(7), np.zeros((3, H, 2)), np.ones((3, H, 2)), [None] * 3
    best = [None] * 3
    for i, num in enumerate([16, 10, 7]):
        noise = torch.randn(3, num, 2, H, generator=g).numpy().transpose(0, 1, 3, 2)
        for b in range(3):
            drawn = list(np.clip(mean[b] + std[b] * noise[b], -1, 1))
            if i == 0:
                drawn = drawn[2:] + drawn[:2]
            else:
                drawn += list(kept[b])
            if i == 2:
                drawn.append(np.clip(mean[b], -1, 1))
            returns = [plain_return(model, GOALS[b].numpy(), u, 0.9) for u in drawn]
            elite = np.stack(drawn)[np.argsort(returns)[::-1][:3]]
            kept[b], best[b] = elite[:2], elite[0]
            mean[b] = 0.25 * mean[b] + 0.75 * elite.mean(0)
            std[b] = 0.25 * std[b] + 0.75 * elite.std(0)
    assert plan.mean.numpy() == pytest.approx(mean, abs=1e-5)
    assert plan.vector.numpy() == pytest.approx(np.stack(best), abs=1e-5)
    again = planner.plan(model, begin(model), objective, plan.memory, generator=generator(8))
    assert (again.value >= plan.value - 0.5).all()
    recalled = planner.reminded(plan.memory, torch.zeros(3, 16, H, 2))
    assert torch.equal(recalled[:, :, :-1], plan.memory.elites[:, :, 1:])


@pytest.mark.parametrize("steps", [2, 5, 8])
def test_colored_noise_by_its_sum_of_waves(steps):
    drawn = colored_noise((4000, steps), 2.0, generator=generator(), device="cpu")
    assert drawn.var(0, correction=0).numpy() == pytest.approx(np.ones(steps), abs=0.08)
    freqs = np.fft.rfftfreq(steps)
    freqs[0] = freqs[1]
    power = freqs**-2.0
    double = np.array([1 if k == 0 or 2 * k == steps else 2 for k in range(len(freqs))])
    lag = [(double * power * np.cos(2 * np.pi * np.arange(len(freqs)) * d / steps)).sum() for d in range(steps)]
    lag = np.array(lag) / lag[0]
    seen = [(drawn[:, 0] * drawn[:, d]).mean().item() for d in range(steps)]
    assert seen == pytest.approx(lag, abs=0.08)


def test_choices_are_drawn_by_their_chances():
    proposals = Categories((3, 2), min_share=0.0)
    chances = torch.tensor([0.7, 0.2, 0.1, 0.05, 0.95])
    noise = torch.randn(1, 20000, 1, 5, generator=generator())
    drawn = proposals.draw(chances.expand(1, 1, 5), chances.expand(1, 1, 5), noise)
    assert torch.equal(drawn.sum(-1), torch.full((1, 20000, 1), 2.0))
    assert drawn.mean((0, 1, 2)).numpy() == pytest.approx(chances.numpy(), abs=0.015)
    mean, _ = Categories((3, 2), min_share=0.3).fit(drawn[:, :1], torch.ones(1, 1))
    assert mean[0, 0, :3].min().item() == pytest.approx(0.1)
    assert mean[0, 0].split([3, 2])[0].sum().item() == pytest.approx(1.0)


def test_numbers_without_bounds_are_not_cut():
    proposals = Normals(torch.tensor([True, False]), 1.0, 0.0, 9.0)
    assert proposals.within(torch.tensor([5.0, 5.0])).tolist() == [1.0, 5.0]


@pytest.mark.parametrize("name", ["shooting", "cem", "icem", "mppi", "gradient"])
def test_warm_start_shifts_and_blocks_hold(name):
    model, config = Points(BOX), PlanConfig(horizon=3, receding_horizon=2, action_block=2)
    planner = planners(BOX, config)[name]
    plan = planner.plan(model, begin(model), Reward(), planner.start(3), generator=generator())
    assert plan.actions.shape == (3, 6, 2)
    assert torch.equal(plan.actions[:, 0::2], plan.actions[:, 1::2])
    mean, _ = planner.distribution(type(planner.start(3))(*vars(plan.memory).values()), 3) if name != "icem" else (
        shift(plan.memory.mean, torch.zeros(3, 3, 2), 2), None)  # fmt: skip
    assert torch.equal(mean[:, 0], plan.memory.mean[:, 2])
    assert torch.equal(mean[:, 1:], torch.zeros(3, 2, 2))


@pytest.mark.parametrize("name", ["shooting", "cem", "icem", "mppi", "gradient"])
def test_rows_do_not_mix_and_no_gradient_reaches_the_model(name):
    model = Points(BOX)
    planner = planners(BOX)[name]
    whole = planner.plan(model, begin(model), Reward(), planner.start(3))
    model.goal = torch.tensor([[1.0, -0.5]]).repeat(3, 1)[0]
    assert model.push.grad is None
    assert not whole.actions.requires_grad
    again = planner.plan(model, begin(model), Reward(), planner.start(3))
    assert torch.equal(whole.actions, again.actions)  # without a generator: the same candidates every time


def test_a_score_that_is_no_number_counts_as_the_worst():
    class Broken(Reward):
        def __call__(self, model, states, actions):
            score = super().__call__(model, states, actions)
            return torch.where(actions[..., 0].amax(-1) > 0, torch.nan, score)

    model, planner = Points(BOX), planners(BOX)["cem"]
    plan = planner.plan(model, begin(model), Broken(), planner.start(3), generator=generator())
    assert torch.isfinite(plan.actions).all()
    assert (plan.actions[..., 0] <= 1e-3).all()


def test_a_config_that_cannot_be_carried_out():
    with pytest.raises(SpecError, match="receding_horizon"):
        PlanConfig(horizon=2, receding_horizon=3)


def test_pick_takes_candidates_row_by_row():
    vectors = torch.arange(12.0).reshape(2, 3, 2, 1)
    assert pick(vectors, torch.tensor([[2], [0]]))[:, 0, :, 0].tolist() == [[4.0, 5.0], [6.0, 7.0]]
