"""Held-out actions: players never take them, exams do; and who is equally wrong everywhere loses nothing by them."""

import numpy as np
import pytest

from craik.core.errors import UnknownName
from craik.core.spec import Spec
from craik.data.collect import Collector
from craik.eval.card.action import action_scores
from craik.eval.card.exam import sit
from craik.eval.card.grade import grade
from craik.eval.card.heldout import distinct, heldout_scores
from craik.eval.card.instrument import Told
from craik.eval.card.subject import Subject
from craik.eval.pretend import IgnoredActions
from craik.eval.pretenders.actions import Gain, Sheltered
from craik.worlds import make
from craik.worlds.oracle import Oracle
from craik.worlds.policies import Still, Wander, usual
from craik.worlds.splits import splits
from craik.worlds.withheld import Obedient, rule, rules
from tests.worlds.ids import EXACT

ROOMS, SWING, TILES = "craik/Rooms-v0", "craik/Swing-v0", "craik/Tiles-v0"
EVERY = [(world, name) for world in (ROOMS, SWING, TILES) for name in rules(make(world))]


def played(world, script, steps):
    """[N, steps, ...] what a player does; every episode begins anew after 30 steps."""
    world.reset()
    done = []
    for t in range(steps):
        done.append(script.decide(np.full(world.num_envs, t % 30 == 0), np.ones(world.num_envs, bool)))
    return np.stack(done, 1)


@pytest.mark.parametrize(("id", "name"), EVERY)
def test_the_obedient_never_break_a_rule_and_the_free_do(id, name):
    world = make(id, 24, seed=1)
    held = rule(world, name)
    free = np.concatenate([played(world, kind(world, 0), 30) for kind in (Wander, Still)])
    assert held.broken(free).any()
    for kind in (Wander, Still):
        tamed = played(world, Obedient(world, kind(world, 0), held), 60)
        assert not held.broken(tamed[:, :30]).any()
        assert not held.broken(tamed[:, 30:]).any()
        assert all(world.single_action_space.contains(a) for a in tamed.reshape(-1, *tamed.shape[2:])[:200])


@pytest.mark.parametrize(("id", "name"), EVERY)
def test_defiance_breaks_it_and_what_is_matched_with_it_does_not(id, name):
    world = make(id, 12, seed=1)
    held = rule(world, name)
    tamed = played(world, Obedient(world, Wander(world, 0), held), 16)
    defiant = held.defy(tamed)
    assert defiant.dtype == tamed.dtype
    assert held.broken(defiant).any(1).all()
    forks = np.stack([defiant, np.roll(defiant, 1, 0)], 1)
    matched = held.matched(forks)
    assert matched.shape == forks.shape
    assert not held.broken(matched.reshape(-1, *matched.shape[2:])).any()
    assert all(world.single_action_space.contains(a) for a in matched.reshape(-1, *matched.shape[3:]))


def test_what_does_not_break_a_rule_is_left_alone():
    world = make(ROOMS, 30, seed=1)
    for name in rules(world):
        held = rule(world, name)
        free = played(world, Wander(world, 0), 7)
        tamed = played(world, Obedient(world, Wander(world, 0), held), 7)
        fine = ~held.broken(free)
        np.testing.assert_array_equal(free[fine], tamed[fine])
    with pytest.raises(UnknownName, match="rule"):
        rule(world, "composition")


@pytest.mark.parametrize("id", EXACT)
def test_every_world_has_rules_that_its_players_can_keep(id):
    world = make(id, 4, seed=1)
    for name in rules(world):
        held = rule(world, name)
        tamed = played(world, Obedient(world, Wander(world, 0), held), 20)
        assert not held.broken(tamed).any()
        assert held.broken(held.defy(tamed)).any(1).all()


def test_a_collector_may_gather_with_a_rule():
    world = make(ROOMS, 6, seed=3, max_steps=25)
    held = rule(world, "region")
    spec = Spec.of(world.single_observation_space, world.single_action_space)
    player = Obedient(world, usual(world, 0), held)
    for episode in Collector(world, spec, player.act, 3).collect(300):
        assert not held.broken(episode.action[None]).any()


@pytest.fixture(scope="module")
def exams():
    found = {}
    for name in rules(make(ROOMS)):
        split = splits(ROOMS, name)["test-action"].usual()
        found[name] = sit(ROOMS, 40, seed=split.seed(1), horizon=8, views=("state",), split=split)
    return found


def scores(model, exam):
    return {s.id.partition(":")[0]: s for s in heldout_scores(Subject(model), exam, Told(exam), [])}


@pytest.mark.parametrize("name", ["region", "magnitude", "duration"])
def test_an_exam_asks_what_is_held_out_from_moments_that_are_not(exams, name):
    exam, held = exams[name], rule(make(ROOMS), name)
    assert held.broken(exam.actions.flatten(0, 1).numpy()).any(1).all()
    assert not held.broken(exam.usual.actions.flatten(0, 1).numpy()).any()
    assert not held.broken(exam.context.action.numpy()).any()
    np.testing.assert_array_equal(exam.world.state, exam.usual.world.state)
    assert (distinct(exam, 8) & distinct(exam.usual, 8)).mean() > 0.8
    part = exam.part(slice(3))
    np.testing.assert_array_equal(part.usual.states, exam.usual.states[:3])


@pytest.mark.parametrize("name", ["region", "magnitude", "duration"])
def test_who_is_right_or_deaf_or_equally_wrong_loses_nothing(exams, name):
    for make_model, most in ((lambda o: o, 1e-6), (IgnoredActions, 1e-6), (lambda o: Gain(o, 0.5), 0.1)):
        for id, score in scores(make_model(Oracle.of(ROOMS)), exams[name]).items():
            assert abs(score.mean) <= most, (id, score.mean)
            low, high = score.interval().low, score.interval().high
            assert low - 1e-9 <= score.mean <= high + 1e-9


@pytest.mark.parametrize("name", ["region", "magnitude"])
def test_who_knows_only_what_training_had_loses_by_what_it_had_not(exams, name):
    model = Sheltered(Oracle.of(ROOMS), rule(make(ROOMS), name))
    found = scores(model, exams[name])
    for score in found.values():
        assert score.interval().high < 0, score.id
    usual = {s.id: s for s in action_scores(Subject(model), exams[name].usual, Told(exams[name].usual), [])}
    assert usual["act.effect_r2@8:ar"].mean == pytest.approx(1, abs=1e-6)


def test_only_exams_of_held_out_actions_have_these_scores():
    known = splits(SWING)
    told = grade(Oracle.of(SWING), SWING, axes="A", split=known["test-action"].usual())
    assert told["act.heldout.effect_r2@8:ar"].mean == pytest.approx(0, abs=1e-6)
    assert told.facts["rule"] == "magnitude"
    assert not [s.id for s in grade(Oracle.of(SWING), SWING, axes="A").scores if "heldout" in s.id]
