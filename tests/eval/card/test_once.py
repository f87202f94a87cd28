"""What is left out because it would be the same again: nothing else changes."""

import numpy as np
import pytest
import torch

from craik.core import tree
from craik.eval.card.calibration import samples
from craik.eval.card.exam import sit
from craik.eval.card.instrument import Told
from craik.eval.card.nulls import Once, nulls_for
from craik.eval.card.ranking import over, pearson, resampled, two_level
from craik.eval.card.subject import Subject
from craik.eval.card.surprise import surprise, told_apart, violations
from craik.eval.pretend import IgnoredActions
from craik.worlds.oracle import Oracle


class Counting(Oracle):
    """Counts the rows that it imagines."""

    rows = 0

    def rollout(self, state, actions, *, generator=None):
        self.rows += len(actions)
        return super().rollout(state, actions, generator=generator)


def counting(world):
    return Counting(Oracle.of(world).laws)


def same(a, b):
    for one, other in zip(tree.leaves(a), tree.leaves(b)):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


@pytest.mark.parametrize("world", ["craik/Bounce-v0", "craik/Tiles-v0"])
def test_equal_rows_are_imagined_once(world):
    exam, oracle = sit(world, 6, seed=2_000_001, views=("state",)), counting(world)
    belief = tree.repeat(oracle.sync(exam.snapshot), 4)
    actions = exam.actions.flatten(0, 1)
    same(Once(oracle).rollout(belief, actions), Oracle.rollout(oracle, belief, actions))
    oracle.rows = 0
    deaf = IgnoredActions(Once(oracle)).rollout(belief, actions)
    assert oracle.rows == 6
    same(deaf, IgnoredActions(oracle).rollout(belief, actions))
    held = actions[:, :1].expand(*actions.shape[:2], *actions.shape[2:])
    oracle.rows = 0
    Once(oracle).rollout(belief, held)
    assert oracle.rows > 6  # equal beliefs that do different things


def test_chance_is_drawn_row_by_row():
    exam, oracle = sit("craik/Tiles-v0", 6, seed=2_000_001, views=("state",)), counting("craik/Tiles-v0")
    belief, drawn = tree.repeat(oracle.sync(exam.snapshot), 4), []
    for model in (IgnoredActions(Once(oracle)), IgnoredActions(oracle)):
        drawn.append(model.rollout(belief, exam.actions.flatten(0, 1), generator=torch.Generator().manual_seed(3)))
    same(*drawn)
    assert oracle.rows == 2 * 24


def test_nulls_draw_the_same_where_nothing_is_left_to_chance():
    exam = sit("craik/Rooms-v0", 4, seed=2_000_001, views=("state",))
    for who, reader in nulls_for(exam, Told(exam)):
        found = samples(who, exam, reader, 3)
        np.testing.assert_array_equal(found, np.repeat(found[:1], 3, 0))


def test_the_possible_surprises_alike_in_all_pairs():
    exam, subject = sit("craik/Swing-v0", 6, seed=2_000_001, views=("state",)), Subject(Oracle.of("craik/Swing-v0"))
    pairs = [p for m in (0.25, 1.0) for p in violations(exam, m).values()]
    possible = surprise(subject, pairs[0].possible)
    assert len(pairs) > 2
    for pair in pairs:
        np.testing.assert_array_equal(told_apart(subject, pair, possible), told_apart(subject, pair))


def test_statistics_share_their_draws():
    rng = np.random.default_rng(0)
    guess, true = rng.normal(size=(2, 6, 8))
    one = two_level(pearson, guess=guess, true=true, resamples=20)
    np.testing.assert_array_equal(over(pearson, resampled(guess, true, resamples=20)), one)
