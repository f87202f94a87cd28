"""Pendulum and cart-pole against plain tiny-step integrators and the conservation of energy."""

import numpy as np

from craik.worlds import make
from craik.worlds.motion import glide


def test_swing_follows_its_equation():
    world = make("craik/Swing-v0", 1, seed=3, factors={"friction": 0.2, "mass": 1.3, "length": 0.9})
    world.reset()
    angle, speed = world.state[0]
    for t in range(60):
        push = np.sin(0.3 * t)
        world.step(np.array([[push]], np.float32))
        for _ in range(2000):  # semi-implicit Euler, 0.025 ms
            h = 0.05 / 2000
            torque = 4.0 * np.float32(push) - 0.2 * speed
            speed += h * (10.0 / 0.9 * np.sin(angle) + torque / (1.3 * 0.9**2))
            angle += h * speed
    np.testing.assert_allclose(world.state[0], [angle, speed], atol=5e-3)


def test_a_free_swing_keeps_its_energy():
    world = make("craik/Swing-v0", 32, seed=1, factors={"friction": 0.0})
    world.reset(options={"state": np.random.default_rng(0).uniform([-3, -4], [3, 4], (32, 2))})
    before = world.energy()
    for _ in range(100):
        world.step(np.zeros((32, 1), np.float32))
    np.testing.assert_allclose(world.energy(), before, atol=0.02)  # of some 20 J


def test_friction_takes_energy():
    world = make("craik/Swing-v0", 1, factors={"friction": 0.3})
    world.reset(options={"state": np.array([[1.0, 0.0]])})
    energies = []
    for _ in range(50):
        world.step(np.zeros((1, 1), np.float32))
        energies.append(world.energy()[0])
    assert (np.diff(energies) < 0).all()


def test_the_motor_cannot_lift_the_rod_but_can_hold_it_up():
    lift = make("craik/Swing-v0", 1)
    lift.reset(options={"state": np.array([[np.pi, 0.0]])})
    heights = []
    for _ in range(100):
        lift.step(np.ones((1, 1), np.float32))
        heights.append(np.cos(lift.state[0, 0]))
    assert max(heights) < 0
    hold = make("craik/SwingBalance-v0", 8, seed=0)
    hold.reset()
    for _ in range(150):
        angle, speed = hold.state.T
        reward = hold.step(np.clip(-(4 * angle + 1.3 * speed), -1, 1)[:, None].astype(np.float32))[1]
    assert (reward > 0.99).all()


def test_reward_is_one_upright_and_nothing_hanging():
    world = make("craik/Swing-v0", 2)
    after = np.array([[0.0, 0.0], [np.pi, 0.0]])
    np.testing.assert_allclose(world.reward(after, None, after, after, {}), [1, 0], atol=1e-12)


def test_bins_are_torques():
    bins, plain = make("craik/SwingBins-v0", 3), make("craik/Swing-v0", 3)
    start = {"state": np.full((3, 2), 0.3)}
    bins.reset(options=start)
    plain.reset(options=start)
    a, b = bins.step(np.array([0, 1, 2]))[0], plain.step(np.array([[-1], [0], [1]], np.float32))[0]
    np.testing.assert_array_equal(a["state"], b["state"])


def test_cart_and_pole_keep_their_energy():
    world = make("craik/CartPoleSwing-v0", 8)
    start = np.random.default_rng(0).uniform([-0.1, -0.1, -3, -1], [0.1, 0.1, 3, 1], (8, 4))
    world.reset(options={"state": start})
    before = world.energy()
    for _ in range(15):
        world.step(np.zeros((8, 1), np.float32))
        assert (np.abs(world.state[:, 0]) < 1.2).all()
    np.testing.assert_allclose(world.energy(), before, atol=1e-3)


def test_cart_pole_follows_lagranges_equations():
    """Twin: the accelerations solve M(q) q'' = f, written as a linear system instead of eliminated by hand."""
    world = make("craik/CartPoleSwing-v0", 1)
    world.reset(options={"state": np.array([[0.0, 0.2, 2.5, -1.0]])})
    x, v, angle, turning = world.state[0]
    world.step(np.array([[0.5]], np.float32))
    cart, pole, length, h = 1.0, 0.2, 0.5, 0.04 / 20000
    for _ in range(20000):
        c, s = np.cos(angle), np.sin(angle)
        matrix = [[cart + pole, pole * length * c], [pole * length * c, 4 / 3 * pole * length**2]]
        force = [5.0 + pole * length * turning**2 * s, pole * 9.8 * length * s]
        a, spin = np.linalg.solve(matrix, force)
        v, turning = v + h * a, turning + h * spin
        x, angle = x + h * v, angle + h * turning
    np.testing.assert_allclose(world.state[0], [x, v, angle, turning], atol=1e-4)


def test_glide_solves_its_equation():
    for drag in (0.0, 1e-7, 0.5, 3.0):
        x, v = 0.3, -0.7
        for _ in range(20000):
            mid = v + 0.1 / 40000 * (1.2 - drag * v)
            x, v = x + 0.1 / 20000 * mid, v + 0.1 / 20000 * (1.2 - drag * mid)
        got = glide(np.array([0.3]), np.array([-0.7]), np.array([1.2]), np.array([drag]), 0.1)
        np.testing.assert_allclose([got[0][0], got[1][0]], [x, v], atol=1e-9)
