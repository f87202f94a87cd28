"""Pushing: no motion without contact, no penetration, the limit surface, both rules of success."""

import numpy as np
import pytest

from craik.core.errors import UnknownName
from craik.worlds import make
from craik.worlds.policies import Wander
from craik.worlds.push import FINGER, TOUCH, block

SHAPES = ["T", "Box", "Disc", "L"]


def name(shape):
    return "craik/Push-v0" if shape == "T" else f"craik/Push{shape}-v0"


@pytest.mark.parametrize("shape", SHAPES)
def test_no_motion_without_contact_and_no_penetration(shape):
    world = make(name(shape), 64, seed=1, factors={"size": (0.7, 1.3), "grip": (0.5, 2.0), "gain": 0.2})
    world.reset()
    rng, moves, apart = np.random.default_rng(0), 0, 0
    for _ in range(99):
        towards = np.sign(world.state[:, 2:4] - world.state[:, :2]) * 0.4
        before = world.state.copy()
        action = np.clip(towards + rng.uniform(-1, 1, (64, 2)), -1, 1).astype(np.float32)
        info = world.step(action)[4]
        still = ~info["contact"]
        np.testing.assert_array_equal(world.state[still, 2:], before[still, 2:])
        apart, moves = apart + still.sum(), moves + (info["moved"] > 1e-3).sum()
        assert (world.depth(world.state, world.factors) <= TOUCH).all()
        assert (np.abs(world.state[:, :2]) <= 1 - FINGER + 1e-12).all()
        for corners in world.outline(world.state[:, 2:], world.factors["size"]):
            assert (np.abs(corners) <= 1 + 1e-9).all()
    assert moves > 500
    assert apart > 500


def test_a_still_finger_moves_nothing():
    world = make("craik/Push-v0", 8, seed=2)
    world.reset()
    before = world.state.copy()
    world.step(np.zeros((8, 2), np.float32))
    np.testing.assert_array_equal(world.state, before)


def test_a_push_through_the_middle_goes_straight():
    world = make("craik/PushBox-v0", 1)
    world.reset(options={"state": np.array([[-0.4, 0.0, 0.0, 0.0, 0.0]])})
    for _ in range(5):
        world.step(np.array([[1.0, 0.0]], np.float32))
    np.testing.assert_allclose(world.state[0], [0.2, 0, 0.5, 0, 0], atol=1e-6)  # 0.2 + 0.1 ahead of the finger


def test_a_push_off_the_middle_follows_the_limit_surface():
    """Twin: the quasi-static twist, minimising dissipation |v|^2 + c^2 w^2 under the contact's constraint."""
    world = make("craik/PushBox-v0", 1, factors={"gain": 0.05})
    world.reset(options={"state": np.array([[-0.3, 0.1, 0.0, 0.0, 0.0]])})  # touching, 0.1 above the middle
    world.step(np.array([[0.02, 0.0]], np.float32))
    x, y, angle = world.state[0, 2:]
    pushed, c = 0.001, world.block.lever
    jacobian = np.array([1.0, 0.0, -0.1])  # speed of the contact point along x per unit twist (vx, vy, w)
    weight = np.diag([1, 1, c**2])
    system = np.block([[2 * weight, jacobian[:, None]], [jacobian[None], np.zeros((1, 1))]])
    twist = np.linalg.solve(system, np.array([0, 0, 0, pushed]))[:3]
    np.testing.assert_allclose([x, y, angle], twist, rtol=0.03, atol=1e-6)
    assert angle < 0


def test_the_lever_of_a_square():
    """The mean distance from the centre of a square of side s is s (sqrt 2 + log(1 + sqrt 2)) / 6."""
    np.testing.assert_allclose(block("box").lever, 0.4 * (np.sqrt(2) + np.log(1 + np.sqrt(2))) / 6, rtol=1e-3)
    np.testing.assert_allclose(block("disc").lever, 0.25 * 2 / 3, rtol=1e-3)
    for shape in ("T", "L", "box", "disc"):
        np.testing.assert_allclose(block(shape).inside.mean(0), 0, atol=0.01)


def test_walls_hold_fast():
    world = make("craik/PushBox-v0", 1)
    world.reset(options={"state": np.array([[0.4, 0.0, 0.75, 0.0, 0.0]])})
    for _ in range(10):
        world.step(np.array([[1.0, 0.0]], np.float32))
    assert 0.79 < world.state[0, 2] + 0.0 <= 0.8
    world.step(np.array([[-1.0, 0.0]], np.float32))
    assert world.state[0, 0] < 0.45


def clip(polygon, inside):
    """Sutherland and Hodgman (1974): the part of a convex polygon inside another, both counter-clockwise."""
    for a, b in zip(inside, np.roll(inside, -1, 0), strict=True):
        side = [(b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]) for p in polygon]
        kept = []
        for i in range(len(polygon)):
            p, q, s, r = polygon[i], polygon[(i + 1) % len(polygon)], side[i], side[(i + 1) % len(polygon)]
            if s >= 0:
                kept.append(p)
            if s * r < 0:
                kept.append(p + (q - p) * s / (s - r))
        polygon = kept
        if not polygon:
            return 0.0
    x, y = np.array(polygon).T
    return 0.5 * abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))


def test_coverage_is_the_overlap_of_areas():
    world = make("craik/PushBox-v0", 40, seed=3)
    world.reset()
    pose, rng = world.goal.copy(), np.random.default_rng(0)
    pose[:, 2:4] += rng.uniform(-0.15, 0.15, (40, 2)) * np.linspace(0, 1, 40)[:, None]
    pose[:, 4] += rng.uniform(-0.5, 0.5, 40) * np.linspace(0, 1, 40)
    world.state = pose
    here = world.outline(world.state[:, 2:], world.factors["size"])[0]
    there = world.outline(world.goal[:, 2:], world.factors["size"])[0]
    plain = [clip(list(a), b) / 0.16 for a, b in zip(here, there, strict=True)]
    np.testing.assert_allclose(world.coverage(), plain, atol=0.015)
    assert np.abs(world.coverage() - plain).mean() < 0.006
    assert world.coverage()[0] > 0.99


def test_both_rules():
    world = make("craik/Push-v0", 4, seed=3)
    world.reset()
    world.state = world.goal.copy()
    world.state[1, 2] += 0.07  # near enough, covers too little
    world.state[2, 2] += 0.09
    world.state[3, 4] += 0.4
    assert world.success().tolist() == [True, True, False, False]
    assert (world.coverage() >= 0.95).tolist() == [True, False, False, False]


def test_symmetric_blocks_look_the_same_when_turned():
    box, disc = make("craik/PushBox-v0", 1), make("craik/PushDisc-v0", 1)
    a, b = np.array([[0, 0, 0.1, 0.1, 0.2]]), np.array([[0, 0, 0.1, 0.1, 0.2 + np.pi / 2]])
    np.testing.assert_allclose(box.errors(a, b), 0, atol=1e-12)
    np.testing.assert_allclose(disc.errors(a, b + np.eye(5)[4:]), 0, atol=1e-12)
    assert box.errors(a, b + 0.5 * np.eye(5)[4:])[1] > 0.49


def test_the_last_step_tells_the_coverage():
    world = make("craik/Push-v0", 2, seed=3, max_steps=2)
    world.reset()
    assert "coverage" not in world.step(np.zeros((2, 2), np.float32))[4]
    info = world.step(np.zeros((2, 2), np.float32))[4]
    np.testing.assert_array_equal(info["coverage"], world.coverage())


def test_wandering_touches_the_block():
    world = make("craik/Push-v0", 32, seed=3)
    world.reset()
    script, first, touched = Wander(world, 0), np.ones(32, bool), 0
    for _ in range(99):
        touched += world.step(script.decide(first, first))[4]["contact"].mean()
        first = np.zeros(32, bool)
    assert touched > 5


def test_unknown_shape():
    with pytest.raises(UnknownName, match="shape"):
        make("craik/Push-v0", shape="S")
