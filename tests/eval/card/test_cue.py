"""A code shown long ago: who knows it finds the door, who forgot it guesses, and who cannot see it knows nothing."""

import dataclasses

import numpy as np
import pytest
import torch

from craik.core.spec import Spec
from craik.eval.card.cue import cue_scores, doors, picked, waited
from craik.eval.card.exam import sit
from craik.eval.card.perform import perform
from craik.eval.card.subject import Subject
from craik.eval.pretend import Pretender
from craik.recipes.recurrent import dreamer_v3
from craik.worlds.oracle import Oracle

CODE = "craik/RayCode-v0"


@pytest.fixture(scope="module")
def exam():
    return sit(CODE, 24, seed=2_000_001, horizon=4, views=("state",))


class Forgetful(Pretender):
    """Believes, whatever the code was, that it was the first one."""

    def rollout(self, state, actions, *, generator=None):
        physics = state.physics.clone()
        physics[:, 6] = 0
        return self.model.rollout(dataclasses.replace(state, physics=physics), actions, generator=generator)


def test_choosing_by_hand():
    true = np.array([[0.0, 1.0, 0.0, 0.0]] * 3)
    said = np.array([[0.0, 0.3, 0.1, 0.0], [0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
    assert picked(said, true).tolist() == [1, 0.25, 0]


def test_every_door_is_walked_through_and_one_pays(exam):
    later = waited(exam, 24)
    assert (later.world.state[:, 5] == exam.world.state[:, 5] + 24).all()
    assert later.context.shape[1] == exam.context.shape[1] + 24
    np.testing.assert_allclose(
        later.context.obs["state"][:, -1].numpy()[:, -7:], later.look("state", later.world.state[:, None])[:, 0, -7:]
    )
    tour = perform(later, doors(), 48)
    entered = tour.states[:, :, -1, 12]
    arrived = tour.over[..., -1].all(1)
    assert arrived.mean() > 0.8
    np.testing.assert_array_equal(entered[arrived], np.tile([1, 2, 3, 4], (arrived.sum(), 1)))
    assert (tour.rewards.sum(2)[arrived].sum(1) == 1).all()


def test_who_knows_the_code_is_right_and_who_forgot_it_is_at_chance(exam):
    oracle = Oracle.of(CODE)
    (right,) = cue_scores(Subject(oracle), exam, None, [])
    assert right.id == "mem.recall@24:ar"
    assert right.mean == right.normalised == 1
    assert right.n > 18
    (wrong,) = cue_scores(Subject(Forgetful(oracle)), exam, None, [])
    assert wrong.interval().low < 0.25 < wrong.interval().high
    assert wrong.mean < 0.5


def test_a_model_has_to_watch_and_others_are_not_asked(exam):
    torch.manual_seed(0)
    model = dreamer_v3.build(
        dreamer_v3.SIZES["tiny"], Spec.of(Oracle.of(CODE).spec.obs, exam.world.single_action_space)
    )
    (found,) = cue_scores(Subject(model.eval()), exam.part(slice(4)), None, [])
    assert np.isfinite(found.values).any()
    silent = Oracle.of(CODE)
    silent.spec = silent.spec.offering("latent")
    assert cue_scores(Subject(silent), exam, None, []) == []
    swing = sit("craik/Swing-v0", 4, seed=2_000_001, horizon=4, views=("state",))
    assert cue_scores(Subject(Oracle.of(swing.id)), swing, None, []) == []
