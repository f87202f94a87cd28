"""Fireballs in first person: how they fly, what chance may bring, who survives, where they are seen."""

import math

import numpy as np
import pytest

from craik.worlds import make
from craik.worlds.ray import RADIUS
from craik.worlds.raydodge import BALLS, FIRST, MOUTHS
from tests.worlds.played import played

DODGE = "craik/RayDodge-v0"


def flown(row, effort, factors, chance):
    """One step of a dodging walker, plainly, without walls in the way; luck's two numbers given."""
    x, y, heading, alive = row[:4]
    heading = (heading + effort[1] * factors["turn"] + math.pi) % (2 * math.pi) - math.pi
    new_x = x + factors["step"] * (effort[0] * math.cos(heading) + effort[2] * math.sin(heading))
    new_y = y + factors["step"] * (effort[0] * math.sin(heading) - effort[2] * math.cos(heading))
    new_x, new_y = (min(max(z, RADIUS - 1), 1 - RADIUS) for z in (new_x, new_y))
    balls = []
    for ball in row[4:-1].reshape(BALLS, 5):
        on, bx, by, fx, fy = ball
        if on:
            for t in np.linspace(0, 1, 201):
                if math.hypot(bx + t * fx - x - t * (new_x - x), by + t * fy - y - t * (new_y - y)) < (
                    RADIUS + factors["swell"]
                ):
                    alive = 0.0
            bx, by = bx + fx, by + fy
        balls.append([1, bx, by, fx, fy] if on and max(abs(bx), abs(by)) <= 1 else [0.0] * 5)
    free = [i for i, b in enumerate(balls) if not b[0]]
    if chance[0] < factors["rate"] and free:
        mouth = MOUTHS[int(chance[1] * 8)]
        far = math.hypot(new_x - mouth, new_y - 0.93)
        part = factors["pace"] / far
        balls[free[0]] = [1, mouth, 0.93, (new_x - mouth) * part, (new_y - 0.93) * part]
    return np.array([new_x, new_y, heading, alive, *np.ravel(balls)])


def test_fireballs_fly_plainly():
    from craik.worlds.luck import throw

    world = make(DODGE, 16, seed=1, continuous=True, factors={"rate": (0.1, 0.4), "pace": (0.05, 0.12)})
    world.reset()
    rng, hits = np.random.default_rng(0), 0
    for _ in range(40):
        effort = world.effort(rng.uniform(-1, 1, (16, 2)).astype(np.float32))
        after, events = world.move(world.state, effort, world.factors)
        chance = throw(world.state[:, -1], 2)[0]
        for i in range(16):
            plain = flown(world.state[i], effort[i], {k: v[i] for k, v in world.factors.items()}, chance[i])
            np.testing.assert_allclose(after[i, :-1], plain, atol=1e-9)
        assert (events["hit"] == ((world.state[:, 3] == 1) & (after[:, 3] == 0))).all()
        hits += events["hit"].sum()
        world.state = after
    assert hits > 3


def test_outcomes_are_counted_right():
    """20,000 drawn steps against the exact chances: chi-square."""
    world = played(DODGE, 1, 12)
    assert world.state[0, FIRST:-1:5].sum() in range(1, BALLS)
    n = 20_000
    state, effort = np.repeat(world.state, n, 0), np.tile(world.effort(np.array([4])), (n, 1))
    state[:, -1] = np.random.default_rng(0).integers(0, 2**52, n)
    factors = {k: np.repeat(v, n) for k, v in world.factors.items()}
    after, _ = world.move(state, effort, factors)
    ways, chance = world.outcomes(world.state, effort[:1], world.factors)
    assert abs(chance.sum() - 1) < 1e-12
    hit = (after[:, None, :-1] == ways[0, None, :, :-1]).all(2)
    assert (hit.sum(1) == 1).all()
    count, due = hit.sum(0), chance[0] * n
    assert (chance[0] > 0).sum() == 9
    assert ((count - due) ** 2 / due).sum() < 26.1  # 99.9 % of chi-square with 8 degrees
    full = world.state.copy()
    full[0, FIRST:-1:5] = 1
    full[0, FIRST + 1 : -1 : 5] = np.linspace(-0.5, 0.5, BALLS)
    ways, chance = world.outcomes(full, effort[:1], world.factors)
    assert chance[0].tolist() == [1] + [0] * 8


@pytest.mark.parametrize("continuous", [False, True])
def test_the_pilot_survives_and_chance_does_not(continuous):
    lived = {}
    for who in ("direct", "left", "random"):
        world, rng = make(DODGE, 48, seed=6, continuous=continuous), np.random.default_rng(0)
        world.reset()
        alive, total = np.ones(48, bool), np.zeros(48)
        for _ in range(200):
            space = world.single_action_space
            anything = rng.uniform(-1, 1, (48, 2)).astype(np.float32) if continuous else rng.integers(0, space.n, 48)
            _, reward, terminated, _, _ = world.step(anything if who == "random" else world.guide(who))
            total += reward * alive
            alive &= ~terminated
        lived[who] = total.mean()
    assert lived["direct"] > 160
    assert lived["left"] > 110
    assert lived["random"] < 50


def test_a_fireball_is_seen_where_it_is():
    world = make(DODGE, 1, size=65)
    state = np.zeros((1, 5 + 5 * BALLS))
    state[0, :4] = 0.0, -0.75, np.pi / 2, 1
    state[0, FIRST : FIRST + 5] = 1, 0.1, -0.15, 0.0, -0.08
    world.reset(options={"state": state})
    depth = world.look("depth", state, world.factors)[0]
    empty = state.copy()
    empty[:, FIRST : FIRST + 5] = 0
    bare = world.look("depth", empty, world.factors)[0]
    nearer = depth < bare - 1e-6
    focal = 65 / 2 / math.tan(0.75)
    i, j = np.nonzero(nearer)
    np.testing.assert_allclose((j + 0.5).mean(), 32.5 + focal * 0.1 / 0.6, atol=0.6)
    np.testing.assert_allclose((i + 0.5).mean(), 32.5, atol=0.3)
    np.testing.assert_allclose(nearer.sum(), math.pi * (focal * 0.07 / 0.6) ** 2, rtol=0.12)
    np.testing.assert_allclose(depth[nearer].min(), 0.6 - 0.07, atol=2e-3)
    changed = (world.picture(state, world.factors) != world.picture(empty, world.factors)).any(-1)[0]
    np.testing.assert_array_equal(changed, nearer)
