"""What must not change a score, and what an exam must refuse: order, names, lessons that hold the answers."""

import dataclasses

import numpy as np
import pytest
import torch

from craik.core.errors import DataError
from craik.core.spec import Spec
from craik.data.collect import Collector
from craik.eval.card.action import action_scores
from craik.eval.card.exam import sit
from craik.eval.card.instrument import Told, reading
from craik.eval.card.leak import leaks, refuse
from craik.eval.card.probe import fit_ridge
from craik.eval.card.score import Score
from craik.eval.card.state import state_scores
from craik.eval.card.subject import Subject
from craik.eval.pretenders.actions import Gain
from craik.eval.pretenders.clothes import InLatent
from craik.recipes.latent import td_mpc2
from craik.worlds import make
from craik.worlds.oracle import Oracle
from craik.worlds.policies import Wander

ROOMS = "craik/Rooms-v0"


@pytest.fixture(scope="module")
def exam():
    return sit(ROOMS, 32, seed=2_000_001, horizon=16, views=("state",))


def test_order_and_company_change_nothing(exam):
    subject = Subject(Gain(Oracle.of(ROOMS), 0.5))
    order = np.random.default_rng(0).permutation(32)
    told = Told(exam)

    def found(some):
        return {s.id: s.values for s in state_scores(subject, some, told, []) + action_scores(subject, some, told, [])}

    whole, mixed, half = found(exam), found(exam.part(order)), found(exam.part(slice(16)))
    for id, values in whole.items():
        np.testing.assert_allclose(mixed[id], values[order], atol=1e-9, err_msg=id)
        if "effect" not in id and "gain" not in id:  # which numbers are controllable is asked of the whole exam
            np.testing.assert_allclose(half[id], values[:16], atol=1e-9, err_msg=id)


def test_saying_things_twice_makes_nobody_surer_than_weights_do():
    values = np.random.default_rng(0).normal(size=40)
    once = Score("state.err@1:ar", "S", values, more=False, says="")
    heavy = dataclasses.replace(once, weights=np.full(40, 2.0))
    assert once.interval() == heavy.interval()


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_intervals_hold_the_truth_as_often_as_they_say(share):
    rng, held = np.random.default_rng(0), 0
    for i in range(300):
        values = (rng.random(120) < share).astype(float)
        found = Score("dec.success:cl", "D", values, more=True, says="").interval(seed=i, resamples=400)
        held += found.low <= share <= found.high
    assert 0.9 <= held / 300 <= 0.985


def test_a_probe_finds_what_is_there_and_nothing_else(exam):
    lessons = sit(ROOMS, 64, seed=3, horizon=16, futures=1, views=("state",))
    spec = Oracle.of(ROOMS).spec.offering()
    knows = InLatent(Oracle.of(ROOMS), exam.scale)
    torch.manual_seed(0)
    knows_not = td_mpc2.build(td_mpc2.SIZES["tiny"], spec)
    rng, quality = np.random.default_rng(0), {}
    for name, model in (("right", knows), ("untrained", knows_not)):
        x = reading(Subject(model.eval()), Subject(model).watch(lessons), "latent")
        y = lessons.look("state", lessons.states[:, 0]) / exam.scale
        flat = [a.reshape(-1, a.shape[-1]) for a in (x[:50], y[:50], x[50:], y[50:])]
        quality[name] = fit_ridge(*flat).r2.mean()
        noise = [rng.normal(size=a.shape) if i % 2 else a for i, a in enumerate(flat)]
        quality[f"{name} on noise"] = fit_ridge(*noise).r2.mean()
    assert quality["right"] > 0.99
    assert quality["right"] > quality["untrained"]
    assert abs(quality["right on noise"]) < 0.05
    assert abs(quality["untrained on noise"]) < 0.05


def test_lessons_that_hold_the_answers_are_found(exam):
    world = make(ROOMS, 8, seed=3, max_steps=30)
    spec = Spec.of(world.single_observation_space, world.single_action_space)
    lessons = list(Collector(world, spec, Wander(world, 0).act, 3).collect(240))
    assert not leaks(exam, lessons).any()
    refuse(exam, lessons)
    lived = exam.lived(("state",))
    planted = dataclasses.replace(lessons[0], obs={"state": lived.obs["state"][5].numpy()})
    found = leaks(exam, [*lessons, planted])
    assert np.flatnonzero(found).tolist() == [5]
    with pytest.raises(DataError, match="1 of 32 moments"):
        refuse(exam, [planted])
    with pytest.raises(DataError, match="show none"):
        leaks(exam, [dataclasses.replace(lessons[0], obs={"depth": np.zeros(3)})])
