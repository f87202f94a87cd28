"""Two rooms: walls are solid, doors are not."""

import numpy as np

from craik.worlds import make
from craik.worlds.rooms import RADIUS, WALL
from craik.worlds.solids import depth, distance, nearest


def test_nobody_is_ever_in_a_wall():
    world = make(
        "craik/Rooms-v0", 64, seed=2, factors={"door": (-0.6, 0.6), "wall": (-0.3, 0.3), "gain": 4.0, "drag": 0.5}
    )
    world.reset()
    rng, last = np.random.default_rng(0), None
    crossed = 0
    for t in range(99):
        if t % 8 == 0:
            action = rng.uniform(-1, 1, (64, 2)).astype(np.float32)
        world.step(action)
        x, y = world.state[:, 0], world.state[:, 1]
        assert (np.abs(world.state[:, :2]) <= 1 - RADIUS + 1e-12).all()
        beside = np.abs(y - world.factors["door"]) >= world.factors["width"]
        assert (np.abs(x - world.factors["wall"])[beside] >= WALL + RADIUS - 1e-3).all()
        side = x > world.factors["wall"]
        if last is not None:
            through = side != last
            crossed += through.sum()
            assert not (through & beside).any()
        last = side
    assert crossed > 0


def test_a_wall_stops_the_speed_towards_it_only():
    world = make("craik/Rooms-v0", 1)
    world.reset(options={"state": np.array([[-0.5, -0.5, 0.0, 0.0]])})
    hits = sum(world.step(np.array([[1.0, 0.2]], np.float32))[4]["wall_hits"][0] for _ in range(20))
    assert hits > 0
    np.testing.assert_allclose(world.state[0, 0], -WALL - RADIUS, atol=1e-9)
    assert world.state[0, 2] == 0
    assert world.state[0, 3] > 0.1


def test_free_motion_follows_its_equation():
    world = make("craik/Rooms-v0", 1)
    world.reset(options={"state": np.array([[-0.5, -0.5, 0.3, -0.1]])})
    world.step(np.array([[-0.5, 1.0]], np.float32))
    at, speed = np.array([-0.5, -0.5]), np.array([0.3, -0.1])
    for _ in range(100_000):
        speed = speed + 1e-6 * (2.0 * np.array([-0.5, 1.0]) - 2.0 * speed)
        at = at + 1e-6 * speed
    np.testing.assert_allclose(world.state[0], [*at, *speed], atol=1e-5)


def test_the_pilot_finds_the_door_and_the_straight_way_does_not():
    world = make("craik/Rooms-v0", 64, seed=11)
    world.reset()
    for _ in range(99):
        info = world.step(world.guide())[4]
    assert info["success"].all()
    straight = make("craik/Rooms-v0", 64, seed=11)
    straight.reset()
    for _ in range(99):
        info = straight.step(np.clip(5 * (straight.goal - straight.state)[:, :2], -1, 1))[4]
    assert info["success"].mean() < 0.5


def test_start_and_goal_are_in_different_rooms():
    world = make("craik/Rooms-v0", 200, seed=1)
    world.reset()
    assert (world.state[:, 0] * world.goal[:, 0] < 0).all()
    assert (world.goal[:, 2:] == 0).all()


def test_the_way_leads_through_the_door():
    world = make("craik/Rooms-v0", 1)
    a, b = np.array([[-0.5, 0.45, 0, 0]]), np.array([[0.5, 0.45, 0, 0]])
    np.testing.assert_allclose(world.way(a, b, world.factors), 1.0)
    low = np.array([[0.5, -0.55, 0, 0]])
    np.testing.assert_allclose(world.way(a, low, world.factors), 0.5 + np.hypot(0.5, 1.0))
    np.testing.assert_allclose(world.way(low, b, world.factors), 1.0)


def test_distance_to_a_rounded_rectangle():
    """Against the nearest of many points on its outline."""
    rng = np.random.default_rng(0)
    centre, half, radius = np.array([0.1, -0.2]), np.array([0.4, 0.2]), 0.1
    turn = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    core = np.stack([np.sign(np.cos(turn)), np.sign(np.sin(turn))], 1) * half
    corners = core + radius * np.stack([np.cos(turn), np.sin(turn)], 1)
    line = np.linspace(-1, 1, 400)[:, None]
    sides = [line * [half[0], 0] + [0, s * (half[1] + radius)] for s in (-1, 1)]
    sides += [line * [0, half[1]] + [s * (half[0] + radius), 0] for s in (-1, 1)]
    outline = np.concatenate([corners, *sides]) + centre
    point = rng.uniform(-1, 1, (200, 2))
    far, out = distance(point, (centre, half, radius))
    plain = np.linalg.norm(point[:, None] - outline, axis=-1).min(1)
    outside = far > 0
    np.testing.assert_allclose(np.abs(far), plain, atol=5e-3)
    np.testing.assert_allclose(np.linalg.norm(out, axis=1), 1)
    touch = (point - far[:, None] * out)[outside]
    np.testing.assert_allclose(distance(touch, (centre, half, radius))[0], 0, atol=1e-9)
    np.testing.assert_allclose(depth(point, [(centre, half, radius)]), far, atol=1e-12)
    both = nearest(point, [(centre, half, radius), (-centre, half, 0.0)])[0]
    np.testing.assert_array_equal(both, np.minimum(far, distance(point, (-centre, half, 0.0))[0]))
