"""Billiards: momentum, energy, restitution, gravity, walls."""

import numpy as np
import pytest

from craik.core.errors import SpecError
from craik.worlds import make

STILL = np.zeros((1, 2), np.float32)


def pair(**factors):
    """Red rolls into blue along x; green is far away."""
    world = make("craik/Bounce-v0", 1, factors={"drag": 0.0, **factors})
    state = np.zeros((3, 4))
    state[0] = [-0.5, 0.0, 1.0, 0.0]
    state[1] = [0.0, 0.05, 0.0, 0.0]
    state[2] = [0.7, -0.7, 0.0, 0.0]
    world.reset(options={"state": state.reshape(1, -1)})
    return world


@pytest.mark.parametrize("e", [1.0, 0.6])
@pytest.mark.parametrize("mass", [1.0, 2.5])
def test_a_collision_keeps_momentum_and_restitution(e, mass):
    world = pair(restitution=e, mass=mass)
    momentum, energy = world.momentum(), world.energy()
    for _ in range(20):
        before = world.state.reshape(3, 4).copy()
        info = world.step(STILL)[4]
        assert not info["wall_hits"][0]
        if info["contacts"][0]:
            break
    after = world.state.reshape(3, 4)
    assert info["contacts"][0] == 1
    np.testing.assert_allclose(world.momentum(), momentum, atol=1e-12)
    change = after[1, 2:] - before[1, 2:]
    normal = change / np.linalg.norm(change)
    closing = (before[0, 2:] - before[1, 2:]) @ normal
    parting = (after[1, 2:] - after[0, 2:]) @ normal
    np.testing.assert_allclose(parting, e * closing, rtol=1e-9)
    lost = 0.5 * mass / (1 + mass) * (1 - e**2) * closing**2  # 1/2 reduced mass times (1 - e^2) closing^2
    np.testing.assert_allclose(energy - world.energy(), lost, atol=1e-12)


def test_without_loss_energy_lasts_for_long():
    world = make("craik/Bounce-v0", 16, seed=3, balls=5, factors={"drag": 0.0, "restitution": 1.0, "mass": 2.0})
    world.reset()
    before, hits, contacts = world.energy(), 0, 0
    for _ in range(90):
        info = world.step(np.zeros((16, 2), np.float32))[4]
        hits, contacts = hits + info["wall_hits"].sum(), contacts + info["contacts"].sum()
    assert hits > 100
    assert contacts > 50
    np.testing.assert_allclose(world.energy(), before, rtol=1e-9)


def test_balls_stay_on_the_table_and_out_of_one_another():
    world = make("craik/Bounce-v0", 32, seed=5, balls=5, factors={"gravity": (0.0, 2.0), "restitution": (0.5, 1.0)})
    world.reset()
    rng, deepest = np.random.default_rng(0), []
    for _ in range(99):
        info = world.step(rng.uniform(-1, 1, (32, 2)).astype(np.float32))[4]
        deepest.append(info["penetration"])
        assert (np.abs(world.state.reshape(32, 5, 4)[..., :2]) <= 1 - world.factors["radius"][0] + 1e-9).all()
    assert np.mean(deepest) < 0.01
    assert np.max(deepest) < 0.15


def test_penetration_is_told_as_it_is():
    world = make("craik/Bounce-v0", 4, seed=1)
    world.reset()
    for _ in range(50):
        info = world.step(np.ones((4, 2), np.float32))[4]
        at = world.state.reshape(4, 3, 4)[..., :2]
        for row, told in zip(at, info["penetration"], strict=True):
            gaps = [np.linalg.norm(row[i] - row[j]) for i in range(3) for j in range(i)]
            np.testing.assert_allclose(told, max(0, 1 - min(gaps) / 0.34), atol=1e-12)


def test_free_fall_is_a_parabola():
    world = make("craik/Bounce-v0", 1, factors={"gravity": 1.5, "drag": 0.0})
    state = np.array([[-0.6, 0.7, 0.2, 0.1], [0.0, 0.7, 0.0, 0.0], [0.6, 0.7, 0.0, 0.0]])
    world.reset(options={"state": state.reshape(1, -1)})
    for _ in range(5):
        world.step(STILL)
    np.testing.assert_allclose(world.state[0, :2], [-0.6 + 0.1, 0.7 + 0.05 - 0.5 * 1.5 * 0.25], atol=1e-9)


def test_a_wall_gives_back_the_restitution():
    world = make("craik/Bounce-v0", 1, factors={"drag": 0.0, "restitution": 0.7})
    state = np.array([[0.7, 0.5, 1.0, 0.3], [-0.5, -0.5, 0.0, 0.0], [0.0, -0.5, 0.0, 0.0]])
    world.reset(options={"state": state.reshape(1, -1)})
    hits = sum(world.step(STILL)[4]["wall_hits"][0] for _ in range(3))
    assert hits == 1
    np.testing.assert_allclose(world.state[0, 2:4], [-0.7, 0.3], atol=1e-12)


def test_the_force_moves_only_red():
    world = pair()
    world.step(np.array([[0.0, 1.0]], np.float32))
    balls = world.state.reshape(3, 4)
    np.testing.assert_allclose(balls[0, 3], 4.0 * 0.1)
    np.testing.assert_array_equal(balls[1:, 2:], 0)


def test_three_to_five():
    with pytest.raises(SpecError, match="3 to 5"):
        make("craik/Bounce-v0", balls=6)
