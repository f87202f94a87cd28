"""Time: models of every cost keep to theirs, by a clock that counts what they imagine; only the intervals widen."""

import numpy as np
import pytest

from craik.eval.bench.rounds import FEWEST, grade_within, pools
from craik.eval.pretend import Pretender
from craik.eval.pretenders.laws import Drifting
from craik.worlds.oracle import Oracle

SWING = "craik/Swing-v0"


class Costly(Pretender):
    """Costs so many seconds a row and step, by its own clock.

    Args:
        model: the model that is pretended to be.
        rate: rows imagined or seen a second.
    """

    def __init__(self, model, rate):
        super().__init__(model)
        self.rate, self.now = rate, 0.0

    def spend(self, rows):
        self.now += rows / self.rate

    def step(self, state, action, *, generator=None):
        self.spend(len(action))
        return super().step(state, action, generator=generator)

    def rollout(self, state, actions, *, generator=None):
        self.spend(actions.shape[0] * actions.shape[1])
        return super().rollout(state, actions, generator=generator)

    def observe(self, state, action, obs, *, generator=None):
        self.spend(len(action))
        return super().observe(state, action, obs, generator=generator)


def graded(rate, seconds, axes):
    model = Costly(Drifting(Oracle.of(SWING), 0.05), rate)
    return grade_within(model, SWING, seconds, axes=axes, now=lambda: model.now)


@pytest.fixture(scope="module")
def whole():
    return graded(1.0, float("inf"), "SAPMCD")


LATENT, TOKEN, DIFFUSION = 63_000.0, 2_000.0, 212.0
"""Rows a second on two cores: a latent step, and pictures of 32 x 32 in three passes, as EVALUATION 2.11 measured them;
tokens with a cache lie between."""


def test_a_latent_model_has_time_for_everything(whole):
    assert whole.facts["seconds"] / LATENT < 45
    card = graded(LATENT, 45.0, "SAPM")
    assert card.facts["seconds"] < 45
    assert card.facts["done"] == card.facts["asked"]
    for score in card.scores:  # candidates of a planner are drawn anew in each round: M differs
        if score.axis in "SA" and pools(score, card.facts["done"][score.axis]):
            np.testing.assert_allclose(score.values, whole[score.id].values, atol=1e-9)


@pytest.mark.parametrize(
    ("rate", "seconds", "axes"),
    [(TOKEN, 6.0, "SAPMC"), (TOKEN, 80.0, "SD"), (DIFFUSION, 45.0, "SAPMC")],
    ids=["token", "token that plans", "diffusion"],
)
def test_a_slow_model_is_asked_less_and_told_the_same(rate, seconds, axes, whole):
    card = graded(rate, seconds, axes)
    asked, done = card.facts["asked"], card.facts["done"]
    assert card.facts["seconds"] <= seconds
    assert all(n >= FEWEST for n in done.values())
    assert any(done[axis] < asked[axis] for axis in axes)
    assert sum(card.facts["spent"].values()) <= card.facts["seconds"] + 0.05
    near, ratios = [], []
    for score in card.scores:
        full, n = whole[score.id], done[score.axis]
        if n == asked[score.axis] or score.n < FEWEST or not pools(score, n):
            continue
        ours, theirs = score.interval(), full.interval()
        if theirs.high - theirs.low < 1e-9:  # always the same
            assert score.mean == pytest.approx(full.mean, abs=1e-9)
            continue
        error = np.nanstd(score.values, ddof=1) / np.sqrt(score.n)
        near.append(abs(score.mean - full.mean) <= 2 * error)
        ratios.append((ours.high - ours.low) / (theirs.high - theirs.low))
    assert len(near) >= 3
    assert np.mean(near) >= 0.9
    assert np.median(ratios) > 1.15
