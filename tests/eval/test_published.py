"""Our statistics on published scores: what their authors' code makes of them, ours makes of them."""

import json
from pathlib import Path

import numpy as np
import pytest

from craik.eval.card.ranking import mmrv, pearson
from craik.eval.stats import iqm

PUBLISHED = Path(__file__).parent / "published"


def human_normalised():
    games = json.loads((PUBLISHED / "diamond.json").read_text())["games"].values()
    return np.array([[(x - g["random"]) / (g["human"] - g["random"]) for x in g["runs"]] for g in games])


def simpler(task):
    found = json.loads((PUBLISHED / "simpler.json").read_text())["tasks"][task]
    return np.array(found["simulated"]), np.array(found["real"])


def test_atari_100k_of_diamond():
    scores = human_normalised()  # [26 games, 5 runs]
    assert scores.shape == (26, 5)
    assert scores.mean() == pytest.approx(1.459, abs=5e-4)
    assert iqm(scores) == pytest.approx(0.641, abs=5e-4)
    assert np.median(scores.mean(1)) == pytest.approx(0.373, abs=5e-4)


# Table I and II of the paper ("visual matching"): Pearson's r and the mean maximum rank violation.
@pytest.mark.parametrize(
    ("task", "r", "violation"),
    [("pick coke can", 0.975, 0.031), ("move near", 0.856, 0.111), ("close drawer", 0.771, 0.123)],
)
def test_simulated_evaluation_of_simpler(task, r, violation):
    simulated, real = simpler(task)
    assert pearson(guess=simulated, true=real).mean() == pytest.approx(r, abs=6e-4)
    assert mmrv(guess=simulated, true=real).mean() == pytest.approx(violation, abs=6e-4)


def test_rank_violation_is_not_symmetric():
    simulated, real = simpler("move near")
    assert mmrv(guess=simulated, true=real).mean() == pytest.approx(0.1110, abs=5e-5)
    assert mmrv(guess=real, true=simulated).mean() == pytest.approx(0.0027, abs=5e-5)
    with pytest.raises(TypeError):
        mmrv(simulated, real)
