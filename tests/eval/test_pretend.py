import numpy as np
import torch
from gymnasium import spaces

from craik.behave.agent import random_actions
from craik.core import tree
from craik.eval.pretend import Frozen, IgnoredActions, ShuffledActions
from tests.behave.points import BOX, DISCRETE, MULTI, Points

ASYMMETRIC = spaces.Box(np.array([0.0, -2.0]), np.array([4.0, 6.0]))


def actions(space, rows=5, horizon=4):
    return random_actions(space, (rows, horizon), torch.Generator().manual_seed(0))


def beliefs(model, rows=5):
    state = model.start(rows)
    return model.step(state, actions(model.spec.action, rows, 1)[:, 0])


def equal(a, b):
    return all(torch.allclose(x, y) for x, y in zip(tree.leaves(a), tree.leaves(b)))


def test_choices_lose_their_meaning_each_to_another():
    heard = ShuffledActions(Points(DISCRETE)).heard(torch.tensor([0, 1, 2, -1]))
    assert heard.tolist() == [1, 2, 0, -1]
    heard = ShuffledActions(Points(MULTI)).heard(torch.tensor([[2, 0], [0, 1], [-1, -1]]))
    assert heard.tolist() == [[0, 1], [1, 0], [-1, -1]]
    shifted = ShuffledActions(Points(spaces.Discrete(3, start=5)))
    assert shifted.heard(torch.tensor([5, 6, 7, -1])).tolist() == [6, 7, 5, -1]


def test_blurred_choices_move_as_sharp_ones_do():
    for space in (DISCRETE, MULTI):
        pretender = ShuffledActions(Points(space))
        sharp = actions(space)
        assert torch.equal(pretender.heard(pretender.vector(sharp)), pretender.vector(pretender.heard(sharp)))


def test_numbers_are_mirrored_and_their_axes_moved_in_units_of_their_range():
    heard = ShuffledActions(Points(ASYMMETRIC)).heard(torch.tensor([[4.0, 0.0], [2.0, 2.0]]))
    # (4, 0) is (+1, -1/2) of its ranges; moved on (-1/2, +1); mirrored (+1/2, -1); back in units (3, -2).
    assert heard.tolist() == [[3.0, -2.0], [2.0, 2.0]]


def test_a_pretender_watches_truly_and_imagines_wrongly():
    for space in (BOX, DISCRETE, MULTI):
        model = Points(space)
        plan, state = actions(space), beliefs(model)
        truth = model.rollout(state, plan)
        for kind in (ShuffledActions, IgnoredActions, Frozen):
            pretender = kind(model)
            seen = {"state": torch.randn(5, 2, generator=torch.Generator().manual_seed(1))}
            assert equal(pretender.observe(state, plan[:, 0], seen), model.observe(state, plan[:, 0], seen))
            imagined = pretender.rollout(state, plan)
            assert not equal(imagined, truth), (kind, space)
            assert equal(imagined[:, 0], pretender.step(state, plan[:, 0]))
            assert pretender.spec is model.spec


def test_ignoring_means_that_no_action_makes_a_difference():
    for space in (BOX, DISCRETE, MULTI):
        pretender = IgnoredActions(Points(space))
        state, plan = beliefs(pretender.model), actions(space)
        assert equal(pretender.rollout(state, plan), pretender.rollout(state, plan.flip(0)))
        assert not equal(pretender.model.rollout(state, plan), pretender.model.rollout(state, plan.flip(0)))


def test_frozen_stays():
    state = beliefs(Points(BOX))
    future = Frozen(Points(BOX)).rollout(state, actions(BOX))
    assert all(equal(future[:, h], state) for h in range(4))
