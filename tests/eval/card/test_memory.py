"""Round trips: the truth comes home, and who never left has not returned."""

import dataclasses

import numpy as np
import pytest
import torch

from craik.eval.card.exam import follow_laws, sit
from craik.eval.card.instrument import Told
from craik.eval.card.memory import memory_scores, recall, revisit, round_trips
from craik.eval.card.subject import Subject
from craik.eval.pretend import Frozen, Pretender
from craik.eval.pretenders.actions import Gain, IgnoredActions, ShuffledActions
from craik.eval.pretenders.laws import Drifting
from craik.worlds.oracle import Oracle

from .faults import candidate, named

WORLDS = ("craik/Rooms-v0", "craik/PushDisc-v0", "craik/SwingBins-v0")


@pytest.fixture(scope="module")
def exams():
    return {w: sit(w, 16, seed=2_000_051, horizon=8, views=("state",)) for w in WORLDS}


def scores(exam, make):
    subject, instrument, nulls = candidate(exam, make)
    return named(memory_scores(subject, exam, instrument, nulls))


@pytest.mark.parametrize("world", WORLDS)
def test_the_oracle_comes_home(exams, world):
    found = scores(exams[world], lambda o: o)
    assert found
    for score in found.values():
        assert score.mean > 0.75
        assert score.n >= 3
        assert score.normalised == pytest.approx(1)


@pytest.mark.parametrize("world", WORLDS)
def test_who_never_left_has_not_returned(exams, world):
    for make in (Frozen, IgnoredActions):
        for score in scores(exams[world], make).values():
            assert score.mean == pytest.approx(0, abs=0.12)
    for score in scores(exams[world], Frozen).values():
        assert score.mean == 0


def test_faults_lose_their_way(exams):
    exam = exams["craik/Rooms-v0"]
    for make in (ShuffledActions, lambda o: Gain(o, 0.5), lambda o: Drifting(o, 0.1)):
        assert scores(exam, make)["geo.revisit@8"].normalised < 0.9
    exact = [scores(exam, lambda o, r=r: Drifting(o, r))["geo.revisit@8"].mean for r in (0.1, 0.02, 0.0)]
    assert exact == sorted(exact)


def test_a_trip_goes_away_and_back(exams):
    exam = exams["craik/Rooms-v0"]
    trip = round_trips(exam, 8)
    assert trip.shape == (16, 1, 16)
    away = np.linalg.norm(trip.states[:, 0, 7, :2] - exam.world.state[:, :2], axis=1)
    ends = np.linalg.norm(trip.states[:, 0, -1, :2] - exam.world.state[:, :2], axis=1)
    assert (ends < 0.25 * away).mean() > 0.8
    assert away.mean() > 0.2


def test_by_hand(exams):
    exam = exams["craik/Rooms-v0"].part(slice(2))
    told = Told(exam)
    start = exam.world.state[:, None]
    way = np.array([1.0, 2.0, 1.0, 0.0])[:, None] * 0.1 * np.array([1.0, 0, 0, 0])
    trip = dataclasses.replace(exam, states=(start + way)[:, None], actions=exam.actions[:, :1, :4])
    keep = np.array([True, False, False, False])
    read = told.truth(trip)
    np.testing.assert_allclose(revisit(read, trip, told, keep), 1, atol=1e-5)
    late = read.copy()
    late[:, -1] += 0.05 / told.scale  # a quarter of the way out is left at the end
    np.testing.assert_allclose(revisit(late, trip, told, keep), 0.75, atol=1e-5)
    short = read.copy()
    short[:, 1, 0] -= 0.15 / told.scale[0]  # only a quarter of the way out was gone
    np.testing.assert_allclose(revisit(short, trip, told, keep), 0)
    lost = dataclasses.replace(trip, states=trip.states[:, :, [0, 1, 2, 1]])
    assert np.isnan(revisit(read, lost, told, keep)).all()


class Forgetful(Pretender):
    """Believes at the moment what is in none of its numbers: forgets the last body's place."""

    def rollout(self, state, actions, *, generator=None):
        physics = state.physics.clone()
        physics[:, 8:12] = torch.tensor([0.8, 0.8, 0.0, 0.0], dtype=torch.float64)
        return self.model.rollout(dataclasses.replace(state, physics=physics), actions, generator=generator)


def test_cues_are_remembered_or_not():
    exam = sit("craik/Bounce-v0", 16, seed=2_000_051, horizon=8, views=("state",))
    twins = []
    for place in ((-0.8, -0.8), (0.8, -0.8), (-0.8, 0.8)):
        world = exam.world.select(np.arange(16))
        world.state[:, 8:12] = [*place, 0, 0]
        states, rewards, over = follow_laws(world, exam.actions[:, :1].numpy())
        twins.append(
            dataclasses.replace(
                exam, world=world, actions=exam.actions[:, :1], states=states, rewards=rewards, over=over
            )
        )
    oracle = Oracle.of(exam.id)
    assert recall(Subject(oracle), twins, 8).mean() == 1
    assert recall(Subject(Forgetful(oracle)), twins, 8).mean() == pytest.approx(1 / 3, abs=0.05)
