"""Scripted players: reproducible, in bounds, and graded in skill."""

import numpy as np
import pytest
import torch

from craik.core.errors import SpecError
from craik.worlds import make
from craik.worlds.policies import Erratic, Expert, Mixture, Seek, Spoiler, Still, Wander, usual
from tests.worlds.ids import EXACT


def play(id, script, num_envs=8, steps=40, seed=11):
    world = make(id, num_envs, seed=seed)
    obs, _ = world.reset()
    player = script(world)
    first, total, taken = torch.ones(num_envs, dtype=torch.bool), np.zeros(num_envs), []
    for _ in range(steps):
        action = player.act({k: torch.as_tensor(v) for k, v in obs.items()}, first).numpy()
        assert all(world.single_action_space.contains(a) for a in action)
        obs, reward, _, _, _ = world.step(action)
        first, total = torch.zeros(num_envs, dtype=torch.bool), total + reward
        taken.append(action)
    return total.mean(), np.stack(taken), world


@pytest.mark.parametrize("id", EXACT)
def test_the_usual_mixture_is_valid_and_reproducible(id):
    _, one, _ = play(id, lambda w: usual(w, 5), 4, 10)
    _, two, _ = play(id, lambda w: usual(w, 5), 4, 10)
    _, other, _ = play(id, lambda w: usual(w, 6), 4, 10)
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()


def test_skill_is_graded():
    wander, _, _ = play("craik/Rooms-v0", lambda w: Wander(w, 0), 16, 90)
    clumsy, _, _ = play("craik/Rooms-v0", lambda w: Seek(w, 0, (0.3, 0.5)), 16, 90)
    skilled, _, world = play("craik/Rooms-v0", lambda w: Seek(w, 0, (1.0, 1.0)), 16, 90)
    assert wander + 5 < clumsy < skilled - 5
    assert world.success().all()


def test_the_expert_swings_up_and_pushes():
    wander, _, _ = play("craik/Swing-v0", lambda w: Wander(w, 0), 4, 120)
    expert, _, _ = play("craik/Swing-v0", lambda w: Expert(w, 0), 4, 120)
    assert expert > 3 * wander
    _, _, world = play("craik/PushDisc-v0", lambda w: Expert(w, 0), 6, 60)
    assert world.success().mean() > 0.5


def test_still_holds_one_action():
    _, taken, _ = play("craik/Push-v0", lambda w: Still(w, 0), 16, 10)
    np.testing.assert_array_equal(taken, np.broadcast_to(taken[0], taken.shape))
    idle = (taken[0] == 0).all(1)
    assert 0 < idle.sum() < 16


def test_wandering_remembers():
    _, taken, _ = play("craik/Rooms-v0", lambda w: Wander(w, 0, keep=0.9), 32, 60)
    a, b = taken[:-1].ravel(), taken[1:].ravel()
    assert np.corrcoef(a, b)[0, 1] > 0.75


def test_shares_are_kept():
    world = make("craik/Rooms-v0", 400, seed=0)
    world.reset()
    script = Mixture(world, 0, [(3.0, Wander(world, 1)), (1.0, Still(world, 2))])
    script.decide(np.ones(400, bool), np.ones(400, bool))
    assert 0.68 < (script.who == 0).mean() < 0.82
    before = script.who.copy()
    script.decide(np.zeros(400, bool), np.ones(400, bool))
    np.testing.assert_array_equal(script.who, before)


def test_no_pilot_no_seeking():
    with pytest.raises(SpecError, match="no pilot"):
        Seek(make("craik/Swing-v0"), 0)


def test_the_expert_does_not_know_what_chance_will_bring():
    one, other = make("craik/Paddle-v0", 8, seed=1), make("craik/Paddle-v0", 8, seed=1)
    for world in (one, other):
        world.reset()
    other.reroll(np.random.default_rng(5))
    assert (one.state[:, -1] != other.state[:, -1]).all()
    everyone = np.ones(8, bool)
    decided = [Expert(world, 0).decide(everyone, everyone) for world in (one, other)]
    np.testing.assert_array_equal(*decided)


def test_the_spoiler_gets_less_than_chance_and_the_erratic_remember_nothing():
    wander, _, _ = play("craik/Rooms-v0", lambda w: Wander(w, 0), 16, 60)
    spoiled, _, _ = play("craik/Rooms-v0", lambda w: Spoiler(w, 0), 16, 60)
    assert spoiled < wander
    _, taken, _ = play("craik/Rooms-v0", lambda w: Erratic(w, 0), 32, 60)
    assert abs(np.corrcoef(taken[:-1].ravel(), taken[1:].ravel())[0, 1]) < 0.1
