"""First-person halls: rays, depth, pose, walls, the pilot, views and words; each law once more, plainly."""

import math

import numpy as np
import pytest

from craik.worlds import make
from craik.worlds.ray import CELLS, COLORS, RADIUS
from craik.worlds.raydodge import FIRST
from craik.worlds.rayfind import MARKS, MOVERS, ORBIT, WALL
from tests.worlds.played import played

FIND, DODGE, CODE = "craik/RayFind-v0", "craik/RayDodge-v0", "craik/RayCode-v0"
VARIED = {
    "wall_x": (-0.15, 0.15),
    "wall_y": (-0.15, 0.15),
    "width": (0.13, 0.25),
    "height": (0.3, 0.8),
    "view": (1.0, 1.9),
}


def marched(world, row, column):
    """The depth in a column by walking along its ray in small steps: what is inside what, plainly."""
    x, y, heading = world.state[row, :3]
    f = {k: v[row] for k, v in world.factors.items()}
    u = (column + 0.5 - world.size / 2) / (world.size / 2 / math.tan(f["view"] / 2))
    way = math.cos(heading) + u * math.sin(heading), math.sin(heading) - u * math.cos(heading)
    pillars = [(sx * (1 - MARKS), sy * (1 - MARKS), MARKS) for sx in (1, -1) for sy in (1, -1)]
    for sign, phase in ((1, world.state[row, 3]), (-1, world.state[row, 4])):
        hx, hy = (f["wall_x"] + sign) / 2, (f["wall_y"] + sign) / 2
        pillars.append((hx + ORBIT * math.cos(phase), hy + ORBIT * math.sin(phase), MOVERS))
    depth, step = 0.0, 0.002
    while True:
        depth += step
        px, py = x + depth * way[0], y + depth * way[1]
        door_y, door_x = abs(abs(py) - f["door"]) < f["width"], abs(abs(px) - f["door"]) < f["width"]
        wall = (abs(px - f["wall_x"]) < WALL and not door_y) or (abs(py - f["wall_y"]) < WALL and not door_x)
        if max(abs(px), abs(py)) > 1 or wall or any(math.hypot(px - a, py - b) < r for a, b, r in pillars):
            return depth


def test_depth_is_where_a_ray_meets_something_first():
    world = played(FIND, 12, 30, size=32, factors=VARIED)
    sight = world.sight(world.state, world.factors)
    plain = np.array([[marched(world, i, j) for j in range(32)] for i in range(12)])
    assert (np.abs(sight.depth - plain) < 0.004).mean() > 0.99  # a ray may graze an edge between two steps
    depth = world.look("depth", world.state, world.factors)
    rows = (world.size / 2 - np.arange(32) - 0.5) / (world.size / 2)
    floor = world.factors["height"][:, None] / 2 / (np.abs(rows) * np.tan(world.factors["view"] / 2)[:, None])
    np.testing.assert_allclose(depth, np.minimum(sight.depth[:, None], floor[:, :, None]), rtol=1e-6)


def test_a_wall_straight_ahead_is_as_far_as_it_is():
    world = make(CODE, 4, size=33)
    state = np.zeros((4, 13))
    state[:, 0], state[:, 1] = 0.1, [0.5, -0.2, 0.9, 0.3]
    state[:, 2] = [np.pi / 2, np.pi / 2, np.pi / 2, 0]
    state[:, 3:5] = np.pi, 0
    world.reset(options={"state": state})
    depth = world.look("depth", world.state, world.factors)
    np.testing.assert_allclose(depth[:, 16, 16], [0.5, 1.2, 0.1, 0.9], rtol=1e-6)


@pytest.mark.parametrize("size", [32, 64])
def test_pictures_agree_under_reprojection(size):
    """Every pixel of one picture, carried by exact depth and pose into another, finds its own colour there."""
    world = played(FIND, 32, 25, size=size, factors={"pace": 0.0})
    then, was = world.state.copy(), world.picture(world.state, world.factors).astype(float)
    depth_then = world.look("depth", then, world.factors)
    world.step(np.full(32, 3))
    world.step(np.full(32, 0))
    now, factors = world.state, world.factors
    picture, depth = world.picture(now, factors).astype(float), world.look("depth", now, factors)
    k, eye, eye_then = world.camera(factors), world.eye(now, factors), world.eye(then, factors)

    def gone_over(eye_then):
        i, j = (z.ravel() + 0.5 for z in np.mgrid[:size, :size])
        errors = []
        for n in range(32):
            ray = np.linalg.inv(k[n]) @ np.stack([j, i, np.ones_like(i)])
            place = eye[n] @ np.concatenate([ray * depth[n].ravel(), np.ones((1, size * size))])
            seen = (np.linalg.inv(eye_then[n]) @ place)[:3]
            spot = (k[n] @ seen)[:2] / seen[2]
            row, column = (np.floor(spot[a]).astype(int) for a in (1, 0))
            fits = (seen[2] > 0.05) & (row >= 0) & (row < size) & (column >= 0) & (column < size)
            here, there = np.flatnonzero(fits), (row[fits], column[fits])
            same = np.abs(depth_then[n][there] - seen[2][here]) < 0.03 * seen[2][here]
            gap = np.abs(was[n][there][same] - picture[n].reshape(-1, 3)[here][same]).mean(1)
            errors.append(gap)
        return np.concatenate(errors)

    right = gone_over(eye_then)
    shifted = eye_then.copy()
    shifted[:, :2, 3] += 0.1
    wrong = gone_over(shifted)
    assert len(right) > 0.4 * 32 * size * size  # most of it is seen twice
    assert np.median(right) < 1
    assert np.mean(right) < 4  # edges of tiles, panels and walls fall on other pixels
    assert np.mean(wrong) > 2 * np.mean(right)


def test_camera_and_places_agree():
    world = played(FIND, 200, 40, size=64)
    places = world.places(world.state, world.factors)
    pictures = world.picture(world.state, world.factors).astype(float)
    k, eye = world.camera(world.factors), world.eye(world.state, world.factors)
    corners = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * (1 - MARKS)
    checked = 0
    for n, p in np.argwhere(np.isfinite(places[..., 0])):
        corner = corners[np.flatnonzero(world.state[n, 5:9] == p)[0]]
        seen = np.linalg.inv(eye[n]) @ [*corner, world.factors["height"][n] / 2, 1]
        spot = k[n] @ seen[:3] / seen[2]
        np.testing.assert_allclose(places[n, p] * 64, spot[:2], atol=1e-9)
        row = pictures[n, 31]
        unit = row / np.linalg.norm(row, axis=1, keepdims=True)
        like = unit @ (np.array(COLORS[p]) / np.linalg.norm(COLORS[p])) > 0.998
        assert like.any()
        assert abs((np.flatnonzero(like) + 0.5).mean() - spot[0]) < 2
        checked += 1
    assert checked > 30


def test_walls_are_solid_doors_are_not_and_pillars_push():
    world = make(FIND, 64, seed=2, factors={**VARIED, "step": 0.08, "pace": (0.1, 0.3)}, max_steps=400)
    world.reset()
    rng, crossed, bumps = np.random.default_rng(0), 0, 0
    for t in range(300):
        if t % 6 == 0:
            action = rng.choice(5, 64, p=[0.15, 0.1, 0.05, 0.55, 0.15])
        before = world.state.copy()
        bumps += world.step(action)[4]["bumps"].sum()
        at, f = world.state[:, :2], world.factors
        assert (np.abs(at) <= 1 - RADIUS + 1e-12).all()
        for axis, name in ((0, "wall_x"), (1, "wall_y")):
            beside = np.abs(np.abs(at[:, 1 - axis]) - f["door"]) >= f["width"]
            assert (np.abs(at[:, axis] - f[name])[beside] >= WALL + RADIUS - 1e-3).all()
            through = (before[:, axis] > f[name]) != (at[:, axis] > f[name])
            crossed += through.sum()
            assert not (through & beside).any()
        posts, girth = world._posts(world.state, f)
        gap = np.linalg.norm(posts - at[:, None], axis=2) - girth - RADIUS
        assert gap[:, 4:].min() > -1e-3
        assert gap[:, :4].min() > -RADIUS / 2  # a wedge between landmark and wall
    assert crossed > 20
    assert bumps > 100


def test_a_free_step_is_a_turn_and_then_a_walk():
    world = make(CODE, 1, factors={"step": 0.05, "turn": 0.3}, continuous=True)
    state = np.zeros((1, 13))
    state[0, :5] = 0.0, -0.6, 1.0, 0.5, -0.5
    world.reset(options={"state": state})
    world.step(np.array([[0.8, -0.5]], np.float32))
    heading = 1.0 - 0.15
    at = [0.04 * math.cos(heading), -0.6 + 0.04 * math.sin(heading)]
    np.testing.assert_allclose(world.state[0, :6], [*at, heading, 0.65, -0.35, 1], atol=1e-8)


@pytest.mark.parametrize("id", [FIND, DODGE, CODE])
@pytest.mark.parametrize("continuous", [False, True])
def test_the_idle_action_stands_still(id, continuous):
    world = make(id, 6, seed=2, continuous=continuous)
    world.reset()
    before = world.state[:, :3].copy()
    space = world.single_action_space
    world.step(np.zeros((6, *space.shape), np.float32) if continuous else np.full(6, world.IDLE))
    np.testing.assert_allclose(world.state[:, :3], before, atol=1e-12)


def test_pillars_go_on_unseen():
    world = make(FIND, 5, seed=4)
    world.reset()
    before = world.state[:, 3:5].copy()
    for _ in range(30):
        world.step(np.full(5, 0))
    turned = (world.state[:, 3:5] - before) - 30 * 0.15
    np.testing.assert_allclose(np.cos(turned), 1, atol=1e-9)


@pytest.mark.parametrize("style", ["direct", "left", "right"])
@pytest.mark.parametrize("continuous", [False, True])
def test_the_pilot_finds_the_place(style, continuous):
    world = make(FIND, 48, seed=11, continuous=continuous)
    world.reset()
    found = np.zeros(48, bool)
    for _ in range(150):
        found |= world.step(world.guide(style))[4]["success"]
    assert found.mean() >= 0.85


def test_styles_go_round_either_way():
    for style, sign in (("left", 1), ("right", -1)):
        world = make(FIND, 16, seed=5)
        world.reset()
        angle = np.arctan2(world.state[:, 1], world.state[:, 0])
        swept = np.zeros(16)
        for _ in range(90):
            world.step(world.guide(style))
            new = np.arctan2(world.state[:, 1], world.state[:, 0])
            swept += (new - angle + np.pi) % (2 * np.pi) - np.pi
            angle = new
        assert (sign * swept > 0.3).mean() > 0.85


# Views, factors, words.


def test_maps_show_the_same_state():
    world = played(FIND, 20, 30)
    grid = world.look("occupancy", world.state, world.factors)
    axis = (np.arange(CELLS) + 0.5) * 2 / CELLS - 1
    posts, _ = world._posts(world.state, world.factors)
    for n in range(20):
        for kind, places in ((5, world.state[n : n + 1, :2]), (3, posts[n, 4:])):
            i, j = np.nonzero(grid[n] == kind)
            cells = np.stack([axis[j], -axis[i]], 1)
            near = np.linalg.norm(cells[:, None] - places, axis=2)
            assert (near.min(1) < 0.1).all()
            assert (near.min(0) < 0.1).all()
    wall = grid[0, :, CELLS // 2 - 1 : CELLS // 2 + 1] == 1
    free = np.abs(np.abs(axis) - 0.5) < 0.18
    assert not wall[free[::-1]].any()
    pose = world.look("pose", world.state, world.factors)
    np.testing.assert_array_equal(pose, world.state[:, :3].astype(np.float32))
    for name in world.VIEWS:
        assert world.view_space(name).contains(world.look(name, world.state, world.factors)[0])


@pytest.mark.parametrize("id", [FIND, DODGE, CODE])
def test_every_factor_acts(id):
    for name, factor in make(id).FACTORS.items():
        told = []
        for value in (factor.low, factor.high):
            world = make(id, 8, seed=7, factors={name: value}, size=32)
            world.reset()
            start = world.state.copy()
            seen = [world.render()]
            for t in range(30):
                world.step(np.full(8, (0, 3, 3, 4, 3)[t % 5]))
                seen.append(world.render())
            told.append((start, np.stack(seen), world.state.copy()))
        (_, a, end_a), (_, b, end_b) = told
        assert (a != b).any(), name
        if factor.kind in ("visual", "sensory"):
            np.testing.assert_array_equal(end_a, end_b)


def test_captions_tell_the_state():
    find, dodge, code = (played(id, 12, 12, seed=2) for id in (FIND, DODGE, CODE))
    for world in (find, dodge, code):
        told = world.captions(world.state, world.factors)
        assert len(told) == 12
        assert all(s[0].isupper() and s.endswith(".") for s in told)
    for text, row in zip(find.captions(find.state, find.factors), find.state, strict=True):
        assert ("north" if row[1] > 0 else "south") in text.split(" room")[0]
    for text, row in zip(dodge.captions(dodge.state, dodge.factors), dodge.state, strict=True):
        count = int(row[FIRST:-1:5].sum())
        assert row[3] == 0 or (f"{count} fireball" if count else "no fireballs") in text
    assert all("shut for 16 more" in s for s in code.captions(code.state, code.factors))
