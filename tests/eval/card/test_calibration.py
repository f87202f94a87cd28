"""Axis C: formulas against closed forms and slow twins; draws that are too sure, too wide, and right."""

import dataclasses
from itertools import combinations

import numpy as np
import pytest
import torch

from craik.eval.card.calibration import (
    REGIONS,
    calibration_scores,
    crps,
    energy_score,
    inside,
    pit,
    samples,
    unevenness,
)
from craik.eval.card.exam import sit
from craik.eval.card.instrument import Told
from craik.eval.card.subject import Subject
from craik.eval.pretend import Frozen, Pretender
from craik.eval.pretenders.actions import IgnoredActions
from craik.worlds.oracle import Oracle

from .faults import candidate, named


@pytest.fixture(scope="module")
def exam():
    return sit("craik/Rooms-v0", 48, seed=2_000_061, horizon=8, views=("state",))


class Shaky(Pretender):
    """Imagines from a place a little off: by its own draw of `told`, and by one that all draws share of `hidden`.

    Where the two are alike the truth is as likely as any draw: it is calibrated.
    """

    def __init__(self, model, told, hidden):
        super().__init__(model)
        self.told, self.hidden = told, hidden

    def rollout(self, state, actions, *, generator=None):
        source = torch.Generator().manual_seed(7)
        slip = self.hidden * torch.randn(state.physics.shape, generator=source, dtype=torch.float64)
        if generator is not None:
            slip = slip + self.told * torch.randn(state.physics.shape, generator=generator, dtype=torch.float64)
        reached = self.model.rollout(state, actions, generator=generator)
        return dataclasses.replace(reached, physics=reached.physics + slip[:, None])


def scores(exam, make):
    subject, instrument, nulls = candidate(exam, make)
    return named(calibration_scores(subject, exam, instrument, nulls))


def test_scores_are_their_definitions():
    rng = np.random.default_rng(0)
    drawn, true = rng.normal(size=(5, 3, 2)), rng.normal(size=(3, 2))
    for i in range(3):
        pairs = list(combinations(range(5), 2))
        one = np.mean([abs(drawn[k, i, 0] - true[i, 0]) for k in range(5)])
        one -= np.mean([abs(drawn[a, i, 0] - drawn[b, i, 0]) for a, b in pairs]) / 2
        assert crps(drawn, true)[i, 0] == pytest.approx(one)
        many = np.mean([np.linalg.norm(drawn[k, i] - true[i]) for k in range(5)])
        many -= np.mean([np.linalg.norm(drawn[a, i] - drawn[b, i]) for a, b in pairs]) / 2
        assert energy_score(drawn, true)[i] == pytest.approx(many)


def test_of_a_normal_the_score_is_the_closed_form():
    rng = np.random.default_rng(0)
    true = np.array([0.0, 0.5, 2.0])
    drawn = rng.normal(size=(8, 40_000, 3))
    # Gneiting & Raftery 2007, eq. 21, for N(0, 1): y (2 Phi(y) - 1) + 2 phi(y) - 1 / sqrt(pi).
    cdf = np.array([0.5, 0.6914624613, 0.9772498681])
    closed = true * (2 * cdf - 1) + 2 * np.exp(-(true**2) / 2) / np.sqrt(2 * np.pi) - 1 / np.sqrt(np.pi)
    np.testing.assert_allclose(crps(drawn, true[None]).mean(0), closed, atol=0.01)


def test_one_who_always_draws_the_same_is_scored_by_the_error():
    drawn, true = np.full((16, 4), 0.3), np.array([0.3, 0.5, 0.0, 0.3])
    np.testing.assert_allclose(crps(drawn, true), [0, 0.2, 0.3, 0])


def test_places_of_one_more_draw_are_even_for_any_number_of_draws():
    rng = np.random.default_rng(0)
    for num in (2, 16):
        drawn, true = rng.normal(size=(num, 20_000)), rng.normal(size=20_000)
        u = pit(drawn, true, rng)
        assert unevenness(u) < 0.01
        for region in REGIONS:
            assert inside(u, region).mean() == pytest.approx(region, abs=0.012)
    same = pit(np.ones((16, 20_000)), np.ones(20_000), rng)
    assert unevenness(same) < 0.01
    for spread, lies in ((0.3, 0.5), (3.0, 0.95)):
        u = pit(spread * rng.normal(size=(16, 20_000)), rng.normal(size=20_000), rng)
        assert (inside(u, 0.8).mean() < lies) if spread < 1 else (inside(u, 0.8).mean() > lies)
    assert unevenness(np.zeros(100)) == pytest.approx(0.5)


def test_the_oracle_has_no_error_and_nothing_to_calibrate(exam):
    found = scores(exam, lambda o: o)
    assert set(found) == {f"cal.{n}@{h}" for n in ("crps", "energy") for h in (1, 2, 4, 8)}
    for score in found.values():
        assert score.mean == pytest.approx(0, abs=1e-6)
        assert score.normalised == pytest.approx(1)


@pytest.mark.parametrize("make", [Frozen, IgnoredActions])
def test_who_knows_nothing_is_no_better_than_nothing(exam, make):
    for score in scores(exam, make).values():
        assert score.normalised < 0.02


def test_a_spread_as_wide_as_the_error_is_calibrated_and_a_narrow_one_is_not(exam):
    right = scores(exam, lambda o: Shaky(o, 0.05, 0.05))
    sure = scores(exam, lambda o: Shaky(o, 0.005, 0.05))
    vague = scores(exam, lambda o: Shaky(o, 0.5, 0.05))
    for region in ("cal.coverage@50", "cal.coverage@80"):
        assert right[region].mean < 0.12
        assert sure[region].mean > 0.4
        assert vague[region].mean > 0.15
    assert right["cal.pit"].mean < 0.06 < min(sure["cal.pit"].mean, vague["cal.pit"].mean)
    assert right["cal.crps@4"].mean < min(sure["cal.crps@4"].mean, vague["cal.crps@4"].mean)
    assert np.isfinite(right["cal.coverage@50"].floor).all()


def test_draws_differ_by_seed_and_come_again(exam):
    oracle = Oracle.of(exam.id)
    told = Told(exam)
    one, two = (samples(Subject(Shaky(oracle, 0.1, 0.0)), exam, told, 3) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert (one[0] != one[1]).any()
    other = samples(Subject(Shaky(oracle, 0.1, 0.0), seed=5), exam, told, 3)
    assert (one != other).any()
