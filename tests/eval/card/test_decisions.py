"""Axis D, planning: the simulator's own planner regrets nothing, and every fault pays for it where it should."""

import dataclasses

import numpy as np
import pytest

from craik.behave.objectives import GoalLatent, Reward
from craik.core.spec import Spec
from craik.eval.card.decisions import Budget, decision_scores, do_at_random, objective, plan_and_do, planner
from craik.eval.card.distance import idle_success, pilot_steps, thirds
from craik.eval.card.exam import sit
from craik.eval.card.perform import advance, begin
from craik.eval.card.subject import Subject
from craik.eval.pretend import Frozen, IgnoredActions
from craik.eval.pretenders.actions import Gain, Mirrored, ShuffledActions
from craik.eval.pretenders.laws import Drifting, Optimist
from craik.eval.pretenders.looks import Blurred
from craik.recipes.latent import td_mpc2
from craik.worlds.oracle import Oracle

from .faults import candidate, named

WORLDS = ("craik/Rooms-v0", "craik/SwingBins-v0")
BUDGET = Budget(tasks=16, steps=16, horizon=10, candidates=32)


@pytest.fixture(scope="module")
def exams():
    return {w: sit(w, 16, seed=2_000_011, horizon=8, views=("state",)) for w in WORLDS}


def scores(exam, make):
    subject, instrument, nulls = candidate(exam, make)
    return named(decision_scores(subject, exam, instrument, nulls, BUDGET))


@pytest.mark.parametrize("world", WORLDS)
def test_the_oracle_is_perfect(exams, world):
    found = scores(exams[world], lambda o: o)
    assert found["dec.regret"].mean == 0
    for name in ("dec.return", "dec.regret"):
        assert np.isfinite(found[name].values).all()
        assert found[name].normalised == pytest.approx(1)
    assert abs(found["dec.gap"].mean) < 1e-5
    assert ("dec.success" in found) == exams[world].world.HAS_GOAL


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("make", [Frozen, IgnoredActions, ShuffledActions, Mirrored])
def test_planning_with_a_model_that_knows_nothing_of_actions_is_no_better_than_chance(exams, world, make):
    found = scores(exams[world], make)
    assert found["dec.return"].normalised < 0.1
    assert found["dec.regret"].normalised < 0.1
    if "dec.success" in found:
        assert found["dec.success"].mean <= 0.1


def test_small_faults_cost_little(exams):
    for make in (lambda o: Gain(o, 0.7), lambda o: Drifting(o, 0.003)):
        assert scores(exams["craik/Rooms-v0"], make)["dec.regret"].normalised > 0.85


def test_how_it_is_drawn_is_no_business_of_planning():
    exam = sit("craik/Rooms-v0", 4, seed=2_000_011, horizon=4, size=16)
    short = Budget(tasks=4, steps=4, horizon=4, every=2, candidates=16, rounds=1)
    oracle = Oracle.of(exam.id, "both", 16)
    clear, blurred = (plan_and_do(Subject(m), exam, short) for m in (oracle, Blurred(oracle)))
    np.testing.assert_array_equal(clear.value, blurred.value)


def test_the_plan_that_is_promised_is_the_one_that_is_carried_out(exams):
    exam, short = exams["craik/Rooms-v0"], Budget(tasks=16, steps=6, horizon=6, every=3, candidates=16, rounds=2)
    oracle = Oracle.of(exam.id)
    agent, live, paid = planner(Subject(oracle), exam, short), begin(exam.world), []
    memory = agent.start(16)
    for t in range(6):
        action, memory = agent.act(oracle, oracle.sync(live), memory)
        if t == 0:
            first = action
        paid.append(advance(live, action.numpy()))
    found = plan_and_do(Subject(oracle), exam, short)
    np.testing.assert_allclose(found.value, np.mean(paid, 0))
    np.testing.assert_array_equal(found.first[1][:, 0], first)
    assert found.first[1].shape[1] == 6


def test_the_optimist_promises_what_does_not_come(exams):
    found = scores(exams["craik/Rooms-v0"], Optimist)
    assert found["dec.gap"].mean > 0.05
    assert found["dec.gap"].interval().low > 0


def test_a_goal_that_no_view_shows_is_shown_as_what_it_looks_like(exams):
    exam = exams["craik/Rooms-v0"]
    spec = Spec.of(Oracle.of(exam.id).spec.obs, exam.world.single_action_space)
    model = td_mpc2.build(td_mpc2.SIZES["tiny"], spec).eval()
    subject = Subject(model, "untrained")
    assert isinstance(objective(subject, exam), GoalLatent)
    found = named(decision_scores(subject, exam, None, [], BUDGET))
    assert np.isfinite(found["dec.return"].values).all()
    assert found["dec.regret"].normalised < 0.4
    assert "dec.gap" not in found  # nothing says what it promises of a goal it does not know
    assert isinstance(objective(Subject(Oracle.of(exam.id)), exam), Reward)
    swing = exams["craik/SwingBins-v0"]
    other = Spec.of(Oracle.of(swing.id).spec.obs, swing.world.single_action_space)
    assert isinstance(objective(Subject(td_mpc2.build(td_mpc2.SIZES["tiny"], other).eval()), swing), Reward)


def test_goals_reached_before_anything_is_done_do_not_count(exams):
    exam = exams["craik/Rooms-v0"]
    world = exam.world.select(np.arange(16))
    world.goal = world.goal.copy()
    world.goal[:4] = world.state[:4]
    easy = dataclasses.replace(exam, world=world)
    short = Budget(tasks=16, steps=4, horizon=4, every=4, candidates=16, rounds=1)
    for outcome in (plan_and_do(Subject(Oracle.of(exam.id)), easy, short), do_at_random(easy, short)):
        assert np.isnan(outcome.success[:4]).all()
        assert np.isfinite(outcome.success[4:]).all()


def test_goals_that_come_by_themselves_do_not_count_and_the_rest_are_told_apart_by_distance():
    exam = sit("craik/Bounce-v0", 24, seed=2_000_001, horizon=8, views=("state",))
    by_itself = idle_success(exam, 24)
    assert 0 < by_itself.sum() < 24
    third, steps = thirds(exam, 48, ~by_itself), pilot_steps(exam, 48)
    assert (third[by_itself] == -1).all()
    assert np.ptp([(third == i).sum() for i in range(3)]) <= 1
    assert steps[third == 0].max() <= steps[third == 2].min()
    short = Budget(tasks=24, steps=24, horizon=4, every=4, candidates=16, rounds=1)
    subject, instrument, nulls = candidate(exam, lambda o: o)
    found = named(decision_scores(subject, exam, instrument, nulls[:1], short))
    assert found["dec.success"].n == (~by_itself).sum()
    parts = [found[f"dec.success.{name}"] for name in ("near", "middle", "far")]
    assert sum(p.n for p in parts) == found["dec.success"].n
    assert found["dec.success"].nulls["frozen"].shape == (24,)
    assert all(np.isnan(p.values[by_itself]).all() for p in parts)


def test_what_a_pilot_needs_alike_is_told_apart_by_the_state():
    exam = sit("craik/Rooms-v0", 12, seed=2_000_001, horizon=8, views=("state",))
    everyone = np.ones(12, bool)
    assert np.isinf(pilot_steps(exam, 1)).all()
    apart = exam.world.numbers(exam.world.state) - exam.world.numbers(exam.world.goal)
    far = np.linalg.norm(apart / exam.scale, axis=1)
    third = thirds(exam, 1, everyone)
    assert far[third == 0].max() <= far[third == 2].min()
