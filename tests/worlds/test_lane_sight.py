"""What is seen from a car: lidar, what is in the way, maps and pictures of the same state."""

import numpy as np

from craik.worlds import boxes, make, street
from craik.worlds.draw import GOLD, PLUM, RED
from craik.worlds.sensors import BEAMS, CELL, CELLS, RANGE
from tests.worlds.traffic import ID, some


def meets(start, way, segment):
    """How far along a unit ray a segment is, by Cramer's rule; infinite if it misses."""
    (ax, ay), (bx, by) = segment
    dx, dy = bx - ax, by - ay
    det = way[0] * -dy + way[1] * dx
    if abs(det) < 1e-12:
        return np.inf
    rx, ry = ax - start[0], ay - start[1]
    far, part = (rx * -dy + ry * dx) / det, (way[0] * ry - way[1] * rx) / det
    return far if far >= 0 and 0 <= part <= 1 else np.inf


def test_lidar_ranges_are_those_of_rays():
    world = some(num=6, seed=3)
    world.state[:, -6:-4] = world.own(world.state)[:, :2] + [6, 3]
    ranges = world.look("lidar", world.state, world.factors)
    assert ranges.dtype == np.float32
    own, solids = world.own(world.state), boxes.corners(world.solids(world.state, world.factors))
    hits = 0
    for i in range(6):
        for k in range(BEAMS):
            angle = world.state[i, 2] + 2 * np.pi * k / BEAMS
            way, start = np.array([np.cos(angle), np.sin(angle)]), own[i, :2]
            far = [meets(start, way, (c[e], c[(e + 1) % 4])) for c in solids[i] for e in range(4)]
            to = world.state[i, -6:-4] - start
            roots = np.roots([1, -2 * to @ way, to @ to - 0.35**2])
            far += [r.real for r in roots if abs(r.imag) < 1e-12 and r.real >= 0]
            np.testing.assert_allclose(ranges[i, k], min(*far, RANGE), atol=1e-4)
            hits += min(far) < RANGE
    assert hits > 40


def test_what_is_visible_has_a_free_way():
    world = some(num=2, seed=4)
    seen = world.look("visible", world.state, world.factors)
    own, solids = world.own(world.state), world.solids(world.state, world.factors)
    rng, wrong = np.random.default_rng(0), 0
    for _ in range(600):
        i, row, column = rng.integers(0, 2), *rng.integers(0, CELLS, 2)
        there = street.top_left(world.state[i : i + 1, 0])[0] - CELL * (np.array([row, column]) + 0.5)
        way = own[i, :2] + np.linspace(0, 1, 800)[:, None] * (there - own[i, :2])
        free = True
        for box in solids[i]:
            along, sideways = boxes.local(way, box)
            inside = (np.abs(along) <= box[2]) & (np.abs(sideways) <= box[3])
            free &= inside[-1] or not inside.any()
        wrong += free != seen[i, row, column]
    assert wrong <= 3  # a ray may cut a corner between two of the 800 places
    assert 0.3 < seen.mean() < 1


def test_the_van_hides_who_stands_behind_it():
    world = make(ID, 2, seed=0, factors={"dropout": 0.0})
    world.reset()
    world.state[:, 4:-6].reshape(2, 8, 5)[:, :, 0] = 200
    world.state[:, :4] = [0, -3.5, 0, 8]
    world.state[:, -6:-2] = [15 + 2.75 + 1, -5.25 - 1.8, 0, 15]
    world.state[1, -5] = -3.5  # she has come out, into the first beam's way
    assert world.hidden(world.state, world.factors).tolist() == [True, False]
    person = world.state[:, -6:-4]
    spot = ((street.top_left(world.state[:, 0]) - person) / CELL).astype(int)
    seen = world.look("visible", world.state, world.factors)
    assert [seen[i, spot[i, 0], spot[i, 1]] for i in range(2)] == [0, 1]
    gone = world.state.copy()
    gone[:, -6] = 190
    change = np.abs(world.look("lidar", world.state, world.factors) - world.look("lidar", gone, world.factors))
    assert (change > 0).any(1).tolist() == [False, True]
    assert "out of sight" in world.captions(world.state, world.factors)[0]
    assert "out of sight" not in world.captions(world.state, world.factors)[1]


def centre(mask):
    """Across and down in [0, 1] of the cells that are set."""
    return (np.argwhere(mask).mean(0)[::-1] + 0.5) / len(mask)


def test_maps_and_pictures_show_the_state():
    world = some(num=12, seed=6)
    for name in world.VIEWS:
        shown = world.look(name, world.state, world.factors)
        assert world.view_space(name).contains(shown[0])
    world.state[:, -6], world.state[:, -5] = world.state[:, 0] + 12, -8.2
    world.state[:, -3] = world.state[:, 0] + 4
    bev, voxels = (world.look(name, world.state, world.factors) for name in ("bev", "voxels"))
    pictures, places = world.render(), world.places(world.state, world.factors)
    solids = world.solids(world.state, world.factors)
    for i in range(12):
        ego, person, van = places[i]
        np.testing.assert_allclose(centre(bev[i, :, :, 2]), person, atol=0.01)
        for color, place in ((RED, ego), (GOLD, person), (PLUM, van)):
            if world.factors["van"][i] > 4 or color != PLUM:
                near = np.abs(pictures[i].astype(int) - color).sum(-1) < 40
                np.testing.assert_allclose(centre(near), place, atol=0.02)
        np.testing.assert_array_equal((voxels[i] == 1).any(-1), bev[i, :, :, 1] & ~bev[i, :, :, 2] > 0)
        np.testing.assert_array_equal(voxels[i, :, :, 0] == 2, bev[i, :, :, 2] > 0)
        inside = np.abs(solids[i, :, 0] - world.state[i, 0] - street.AHEAD) < street.REACH - 3
        area = (4 * solids[i, inside, 2] * solids[i, inside, 3]).sum()
        assert abs(bev[i, :, :, 1].sum() / 4 - area) < 12 + 0.1 * area
        width = bev[i, 0, :, 0].sum() / 2
        assert abs(width - 3 * world.factors["width"][i]) <= 0.5
    assert (voxels[:, :, :, 3] == 1).any()
    assert "pedestrian" in world.captions(world.state, world.factors)[0]
