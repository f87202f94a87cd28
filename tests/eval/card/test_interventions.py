"""Other states put into a latent: who lives in it goes on from there; who only shows it does not."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import Tensor

from craik.core.spec import Spec
from craik.eval.card import interventions
from craik.eval.card.exam import sit
from craik.eval.card.grade import grade
from craik.eval.card.instrument import instrument_for
from craik.eval.card.interventions import fork_at, intervention_scores, shifted
from craik.eval.card.subject import Subject
from craik.eval.pretend import Frozen
from craik.eval.pretenders.clothes import Bent, InLatent, LivesInLatent
from craik.worlds import make as open_world
from craik.worlds.oracle import Oracle
from tests.contract.honest import Honest

from .faults import named

WORLDS = ("craik/Rooms-v0", "craik/Swing-v0", "craik/Push-v0", "craik/Bounce-v0")


@pytest.fixture(scope="module")
def exams():
    """World -> an exam and its lessons."""
    return {
        w: tuple(sit(w, n, seed=s, horizon=16, views=("state",)) for n, s in ((16, 2_000_071), (48, 71)))
        for w in WORLDS
    }


def scores(exams, world, make):
    exam, lessons = exams[world]
    subject = Subject(make(LivesInLatent(Oracle.of(world), exam.scale)), "tested")
    return named(intervention_scores(subject, exam, instrument_for(subject, exam, lessons), []))


@pytest.mark.parametrize("world", WORLDS)
def test_who_lives_in_its_latent_goes_on_from_there(exams, world):
    found = scores(exams, world, lambda model: model)
    assert found["int.effect_r2@4"].mean > 0.95
    assert found["int.effect_r2@4"].normalised > 0.75
    assert found["int.retrieval@4"].mean > 0.95


@pytest.mark.parametrize("world", WORLDS)
def test_for_who_stands_still_the_shift_stays(exams, world):
    found = scores(exams, world, Frozen)
    effect = found["int.effect_r2@4"]
    assert effect.mean == pytest.approx(effect.nulls["stays"].mean(), abs=0.05)
    assert effect.normalised < 0.1


@dataclasses.dataclass(frozen=True)
class Hung(Bent):
    """A latent, and beside it what it goes on from."""

    hidden: Tensor


class OnTheWall(LivesInLatent):
    """Shows a latent in which everything is, and goes on from something else."""

    def bent(self, numbers):
        shown = super().bent(numbers)
        return Hung(shown.z, shown.constant, numbers)

    def unbent(self, state):
        return state.hidden


@pytest.mark.parametrize("world", WORLDS[:2])
def test_a_latent_that_is_only_shown_changes_nothing(exams, world):
    exam, lessons = exams[world]
    subject = Subject(OnTheWall(Oracle.of(world), exam.scale), "shown")
    found = named(intervention_scores(subject, exam, instrument_for(subject, exam, lessons), []))
    for step in (4, 8):
        assert found[f"int.effect_r2@{step}"].mean == pytest.approx(0, abs=1e-9)
        assert found[f"int.retrieval@{step}"].mean < 0.2


@pytest.mark.parametrize("world", WORLDS)
def test_the_probe_reads_what_was_put_in(exams, world):
    exam, lessons = exams[world]
    model = LivesInLatent(Oracle.of(world), exam.scale)
    subject = Subject(model, "tested")
    probe = instrument_for(subject, exam, lessons)
    belief, by = subject.believe(exam), fork_at(exam, probe, 4).shift
    other = shifted(subject, probe, belief, by)
    np.testing.assert_allclose(probe.ridge(other.z.numpy()) - probe.ridge(belief.z.numpy()), by, atol=1e-3)
    held = (model.unbent(other) - model.unbent(belief)).numpy() / exam.scale
    assert np.sqrt(np.square(held - by).mean()) < 0.15


def test_a_shift_is_the_least_one_that_does_it(exams, monkeypatch):
    """Beside the normal equations, in a belief that is the latent itself: z += W (W^T W)^-1 (s' - s)."""
    exam, lessons = exams["craik/Swing-v0"]
    subject = Subject(LivesInLatent(Oracle.of(exam.id), exam.scale), "tested")
    probe = instrument_for(subject, exam, lessons)
    belief, by = subject.believe(exam), fork_at(exam, probe, 4).shift
    w = probe.ridge.weight
    expected = by @ np.linalg.inv(w.T @ w) @ w.T
    at_once = shifted(subject, probe, belief, by).z - belief.z
    np.testing.assert_allclose(at_once, expected, atol=1e-3)
    monkeypatch.setattr(interventions, "AT_ONCE", 1)
    torch.testing.assert_close(shifted(subject, probe, belief, by).z - belief.z, at_once)


def test_a_model_with_a_latent_of_its_own_can_be_asked(exams):
    exam, lessons = exams["craik/Rooms-v0"]
    there = open_world(exam.id)
    torch.manual_seed(0)
    model = Honest(Spec.of(there.single_observation_space, there.single_action_space))
    model.spec = model.spec.offering("latent")
    subject = Subject(model.eval(), "untrained")
    found = named(intervention_scores(subject, exam, instrument_for(subject, exam, lessons), []))
    assert found["int.effect_r2@8"].mean < 0.3
    assert all(p.grad is None for p in model.parameters())


def test_who_is_not_probed_or_leaves_torch_is_not_asked(exams):
    exam, lessons = exams["craik/Rooms-v0"]
    for model in (Oracle.of(exam.id), InLatent(Oracle.of(exam.id), exam.scale)):
        subject = Subject(model, "tested")
        assert intervention_scores(subject, exam, instrument_for(subject, exam, lessons), []) == []


def test_it_stands_on_the_axis_of_the_state():
    world = "craik/Swing-v0"
    scale = sit(world, 24, seed=2_000_001, views=("state",), horizon=24).scale
    card = grade(LivesInLatent(Oracle.of(world), scale), world, axes="S")
    assert card["int.effect_r2@4:ar"].mean > 0.95
    assert card["int.retrieval@8:ar"].axis == "S"
