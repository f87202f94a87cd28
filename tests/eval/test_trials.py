import math

import pytest

from craik.eval.check import Claim
from craik.eval.pretend import ShuffledActions
from craik.eval.returns import evaluate, spec_of
from craik.eval.trials import online_return, quick_planner
from craik.worlds.oracle import Oracle


@pytest.mark.slow
def test_a_trial_of_a_tiny_recipe_gives_every_figure():
    claim = Claim("return", "random", "it beats random")
    trial = online_return(
        "td_mpc2", "craik/SwingBalance-v0", claims=(claim,), minutes=1.0, size="tiny",
        steps=150, overrides={"training.prefill": 100}, episodes=2, planned_episodes=1,
    )  # fmt: skip
    assert (trial.name, trial.claims, trial.minutes) == ("swingbalance", (claim,), 1.0)
    figures = trial.run(11)
    assert all(math.isfinite(v) for v in figures.values())
    expected = {
        "return", "return_low", "return_high", "random", "nothing", "planned", "shuffled", "ceiling",
        "cpu_minutes", "env_steps", "updates", "decision_ms",
    }  # fmt: skip
    assert set(figures) == expected
    assert figures["env_steps"] >= 150
    assert figures["updates"] > 0
    assert figures["return_low"] <= figures["return"] <= figures["return_high"]


@pytest.mark.parametrize(("world", "floor"), [("craik/Swing-v0", 80.0), ("CartPole-v1", 120.0)])
def test_the_quick_planner_is_good_enough_to_be_a_ceiling(world, floor):
    spec = spec_of(world)
    right = evaluate(Oracle.of(world), quick_planner(spec), world, 2, 5)
    wrong = evaluate(ShuffledActions(Oracle.of(world)), quick_planner(spec), world, 2, 5)
    assert right.mean > floor
    assert wrong.mean < 0.3 * right.mean
