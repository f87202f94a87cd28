"""Billiards against a slow twin, written ball by ball: the same numbers to the last bit."""

import itertools
import math

import numpy as np
import pytest

from craik.worlds import make
from craik.worlds.bounce import DT, SUBSTEPS
from craik.worlds.motion import glide


def meet(at, speed, i, j, light, radius, e):
    """Balls i and j of one world [balls, 2], in place; whether they exchanged momentum."""
    apart = at[j] - at[i]
    far = math.sqrt(apart[0] * apart[0] + apart[1] * apart[1])
    overlap = 2 * radius - far
    if overlap <= 0:
        return False
    normal = apart / max(far, 1e-12)
    along = (speed[j] - speed[i]) * normal
    closing = min(along[0] + along[1], 0)
    impulse = ((1 + e) * closing / (light[i] + light[j])) * normal
    speed[i] += impulse * light[i]
    speed[j] -= impulse * light[j]
    shift = (overlap / (light[i] + light[j])) * normal
    at[i] -= shift * light[i]
    at[j] += shift * light[j]
    return closing < 0


def walls(at, speed, radius, e):
    """One ball [2] and the walls, in place; whether it was thrown back."""
    hit = False
    for k in range(2):
        beyond = abs(at[k]) - (1 - radius)
        if beyond <= 0:
            continue
        side = np.sign(at[k])
        at[k] = side * max(1 - radius - beyond, -(1 - radius))
        if speed[k] * side > 0:
            speed[k] = -e * speed[k]
            hit = True
    return hit


def slow(state, effort, factors):
    """One step of one world: state [D] and events."""
    balls = state.reshape(-1, 4)
    at, speed, num = balls[:, :2].copy(), balls[:, 2:].copy(), len(balls)
    light = np.ones(num)
    light[0] = 1 / factors["mass"]
    push = np.zeros((num, 2))
    push[:, 1] -= factors["gravity"]
    push[0] += effort * (factors["gain"] / factors["mass"])
    hits = contacts = 0
    for _ in range(SUBSTEPS):
        at, speed = glide(at, speed, push, np.full((1, 1), factors["drag"]), DT / SUBSTEPS)
        for i, j in itertools.combinations(range(num), 2):
            contacts += meet(at, speed, i, j, light, factors["radius"], factors["restitution"])
        hits += sum(walls(at[i], speed[i], factors["radius"], factors["restitution"]) for i in range(num))
    far = min(math.sqrt(((at[i] - at[j]) ** 2).sum()) for i, j in itertools.combinations(range(num), 2))
    deep = max(1 - far / (2 * factors["radius"]), 0)
    return np.concatenate([at, speed], 1).reshape(-1), hits, contacts, deep


@pytest.mark.parametrize("balls", [3, 5])
def test_it_is_its_slow_twin(balls):
    wide = {k: (f.low, f.high) for k, f in make("craik/Bounce-v0").FACTORS.items()}
    world = make("craik/Bounce-v0", 12, seed=2, balls=balls, factors=wide)
    world.reset()
    world.action_space.seed(0)
    hits = contacts = 0
    for _ in range(30):
        before, action = world.state, world.action_space.sample()
        info = world.step(action)[4]
        for n in range(12):
            factors = {k: v[n] for k, v in world.factors.items()}
            state, hit, met, deep = slow(before[n], world.effort(action)[n], factors)
            np.testing.assert_array_equal(world.state[n], state)
            assert (info["wall_hits"][n], info["contacts"][n], info["penetration"][n]) == (hit, met, deep)
        hits, contacts = hits + info["wall_hits"].sum(), contacts + info["contacts"].sum()
    assert hits > 50
    assert contacts > 20
