"""Balls and boxes in three dimensions: falling, bouncing, sliding, standing; rays, depth, masks and voxels."""

import math

import numpy as np
import pytest

from craik.core.errors import UnknownName
from craik.worlds import bodies, contacts, make
from craik.worlds.blocks import GRID, NAMES, VOXEL, packed, unpacked, upright
from craik.worlds.bodies import DT, MEND, SUBSTEPS, advance
from craik.worlds.caster import project
from craik.worlds.contacts import HALVES, RADII, SLOP, Matter, Scene, matrices

pytestmark = pytest.mark.slow

REST = np.array(
    [[-1.0, -1.0, 0.16], [1.1, 1.1, 0.16], [-1.1, 1.1, 0.16], [0.6, 0, 0.15], [0, 0.6, 0.15], [0, -0.6, 0.3]]
)


def scene(**places):
    """One scene at rest; `b3=(x, y, z)` puts body 3 elsewhere."""
    at = REST.copy()
    for name, place in places.items():
        at[int(name[1:])] = place
    turn = np.zeros((1, 6, 4))
    turn[..., 0] = 1
    return Scene(at[None], turn, np.zeros((1, 6, 3)), np.zeros((1, 6, 3)))


def alone(x, y, z):
    """The red ball; all others far above, out of sight."""
    return scene(b0=(-1.2, -1.2, 0.16), b1=(x, y, z), **{f"b{b}": (0, 0, 10 + b) for b in (2, 3, 4, 5)})


def stuff(num=1, **changes):
    usual = {"size": 1.0, "mass": 1.0, "friction": 0.5, "restitution": 0.4, "gravity": 4.0} | changes
    return Matter(**{k: np.full(num, v) for k, v in usual.items()})


def run(now, matter, steps, wish=(0.0, 0.0)):
    for _ in range(steps):
        now, _, deep = advance(now, matter, np.array([wish]))
    return now, deep


def yaw(now, body, angle):
    now.turn[0, body] = [math.cos(angle / 2), 0, 0, math.sin(angle / 2)]
    return now


def tumbling(seed, num=16):
    """Balls and boxes high above the ground, thrown at one another."""
    rng = np.random.default_rng(seed)
    at = np.tile(REST, (num, 1, 1))
    at[:, 1:] = rng.uniform(-0.5, 0.5, (num, 5, 3)) + np.array([0, 0, 20])
    at[:, 1:] += 0.35 * np.arange(-2, 3)[:, None] * [1, 0, 0]
    turn = rng.standard_normal((num, 6, 4))
    turn /= np.linalg.norm(turn, axis=2, keepdims=True)
    speed, spin = rng.uniform(-1, 1, (2, num, 6, 3))
    speed[:, 1:] -= 1.5 * (at[:, 1:] - [0, 0, 20])
    speed[:, 0] = spin[:, 0] = 0
    turn[:, 0] = [1, 0, 0, 0]
    return Scene(at, turn, speed, spin * 3)


def momenta(now, matter):
    """Momentum, angular momentum and kinetic energy of all but the pusher, written a body at a time."""
    n = len(now.at)
    p, spin, energy = np.zeros((n, 3)), np.zeros((n, 3)), np.zeros(n)
    for r in range(n):
        for b in range(1, 6):
            m = matter.mass[r] if b == 3 else 1.0
            if b < 3:
                inertia = 0.4 * m * RADII[b] ** 2 * np.eye(3)
            else:
                a, c, d = HALVES[b - 3]
                own = np.diag([c * c + d * d, a * a + d * d, a * a + c * c]) * m / 3
                turn = matrices(now.turn[r, b])
                inertia = turn @ own @ turn.T
            p[r] += m * now.speed[r, b]
            spin[r] += m * np.cross(now.at[r, b], now.speed[r, b]) + inertia @ now.spin[r, b]
            energy[r] += 0.5 * m * now.speed[r, b] @ now.speed[r, b] + 0.5 * now.spin[r, b] @ inertia @ now.spin[r, b]
    return p, spin, energy


def test_a_ball_falls_and_bounces_as_written_plainly():
    now, matter = scene(b1=(0.9, 0.9, 1.0)), stuff(restitution=0.7)
    z, v, dt = 1.0, 0.0, DT / SUBSTEPS
    tops = []
    for _ in range(25):
        now, _ = run(now, matter, 1)
        for _ in range(SUBSTEPS):
            v -= 4.0 * dt
            depth = 0.16 - z
            if depth > 0 and v < 0:
                v = -0.7 * v if v < -bodies.BOUNCE else 0.0
            z += v * dt + (MEND * (depth - SLOP) if depth > SLOP and v * dt < MEND * (depth - SLOP) + 1 else 0)
        np.testing.assert_allclose([now.at[0, 1, 2], now.speed[0, 1, 2]], [z, v], atol=1e-9)
        tops.append(z)
    assert max(tops[10:]) > 0.3


def test_balls_meet_by_newtons_law():
    now, matter = scene(b1=(-0.5, 0.2, 0.158), b2=(0.0, 0.25, 0.158)), stuff(friction=0.0, restitution=0.5)
    now.speed[0, 1] = [1.5, 0, 0]
    now, _ = run(now, matter, 1)
    before = now
    while (now.speed[0, 2] == 0).all():
        before, (now, _) = now, run(now, matter, 1)
    normal = now.speed[0, 2] / np.linalg.norm(now.speed[0, 2])
    closing = (before.speed[0, 1] - before.speed[0, 2]) @ normal
    np.testing.assert_allclose((now.speed[0, 2] - now.speed[0, 1]) @ normal, 0.5 * closing, atol=1e-9)
    np.testing.assert_allclose(now.speed[0, 1:3].sum(0), [1.5, 0, 0], atol=1e-9)
    assert abs(normal[2]) < 1e-9


@pytest.mark.parametrize("friction", [0.0, 0.7])
def test_thrown_bodies_keep_momentum_and_never_gain_energy(friction, monkeypatch):
    monkeypatch.setattr(bodies, "MEND", 0.0)
    monkeypatch.setattr(contacts, "WALL", 50.0)
    now, matter = tumbling(1), stuff(16, gravity=0.0, friction=friction, restitution=0.5, mass=2.0)
    p, spin, energy = first = momenta(now, matter)
    met = 0
    for _ in range(15):
        now, _, deep = advance(now, matter, np.zeros((16, 2)))
        new = momenta(now, matter)
        np.testing.assert_allclose(new[0], p, atol=1e-9)
        np.testing.assert_allclose(new[1], spin, atol=1e-6)
        assert (new[2] <= energy * 1.01).all()
        met, energy = met + (deep > 0).sum(), new[2]
    assert met > 20
    assert (energy < 0.99 * first[2]).sum() > 8


def test_what_stands_stands_and_what_overhangs_falls():
    tower, deep = run(scene(b3=(0, 0, 0.15), b4=(0.05, 0.03, 0.45), b5=(0.05, 0.03, 0.9)), stuff(), 20)
    np.testing.assert_allclose(tower.at[0, 3:], [[0, 0, 0.15], [0.05, 0.03, 0.45], [0.05, 0.03, 0.9]], atol=0.02)
    assert deep < 0.01
    crossed, _ = run(yaw(scene(b3=(0, 0, 0.15), b4=(0, 0, 0.45)), 4, np.pi / 4), stuff(), 15)
    np.testing.assert_allclose(crossed.at[0, 4], [0, 0, 0.45], atol=0.01)
    over, _ = run(scene(b3=(0, 0, 0.15), b4=(0.17, 0, 0.45)), stuff(), 20)
    assert over.at[0, 4, 2] < 0.3
    under, _ = run(scene(b3=(0, 0, 0.15), b4=(0.1, 0, 0.45)), stuff(), 15)
    assert under.at[0, 4, 2] > 0.43


@pytest.mark.parametrize("friction", [0.3, 0.6])
def test_a_sliding_box_stops_after_the_way_of_coulomb(friction):
    now, matter = scene(b3=(-0.9, 0, 0.149)), stuff(friction=friction, restitution=0.0)
    now, _ = run(now, matter, 2)
    begin = now.at[0, 3, 0]
    now.speed[0, 3] = [1.2, 0, 0]
    now, _ = run(now, matter, 25)
    assert (now.speed[0, 3] == 0).all()
    np.testing.assert_allclose(now.at[0, 3, 0] - begin, 1.2**2 / (2 * friction * 4.0), rtol=0.06)


def test_a_ball_that_slides_ends_up_rolling():
    now, matter = scene(b1=(-0.9, 0.3, 0.159)), stuff()
    now.speed[0, 1] = [1.0, 0, 0]
    now, _ = run(now, matter, 8)
    np.testing.assert_allclose(now.speed[0, 1, 0], 5 / 7, rtol=0.02)  # what sliding friction leaves of the speed
    np.testing.assert_allclose(now.spin[0, 1, 1] * 0.16, now.speed[0, 1, 0], rtol=0.02)


def test_the_pusher_is_strong_and_stays_on_the_ground():
    world = make("craik/Blocks-v0", 6, seed=4)
    world.reset()
    for _ in range(30):
        info = world.step(np.tile(np.array([[1, 0.3, 0]], np.float32), (6, 1)))[4]
    now = unpacked(world.state)
    assert (np.abs(now.at[..., :2]) < 1.45).all()
    assert (now.at[..., 2] > 0.02).all()
    assert (info["penetration"] < 0.1).all()


@pytest.mark.parametrize(("task", "style"), [("push", "left"), ("topple", "right")])
def test_the_pilot_succeeds(task, style):
    world = make("craik/Blocks-v0", 10, seed=11, task=task)
    world.reset()
    fell = np.zeros(10, bool)
    for _ in range(60):
        info = world.step(world.guide(style))[4]
        fell |= info["fell"]
    assert info["success"].mean() > 0.8
    assert fell.mean() > 0.8 or task == "push"


def rays(world):
    """Place, and a ray for each pixel, of the camera that goes round: written again from its angles."""
    s, f = world.state[0], {k: v[0] for k, v in world.factors.items()}
    a, h = s[-1], f["height"]
    out = np.array([math.cos(a) * math.cos(h), math.sin(a) * math.cos(h), math.sin(h)])
    right = np.cross([0, 0, 1], out)
    right /= np.linalg.norm(right)
    down = np.cross(right, out)
    if down[2] > 0:
        down = -down
    size = world.size
    for j in range(size):
        for i in range(size):
            x, y = (i + 0.5) / size - 0.5, (j + 0.5) / size - 0.5
            yield j, i, out * f["far"] + [0, 0, 0.12], -out + (x * right + y * down) / 1.35


def test_every_pixel_is_the_nearest_thing_on_its_ray():
    world = make("craik/Blocks-v0", 1, seed=5, size=24, factors={"far": 3.7})
    world.reset()
    for _ in range(12):
        world.step(np.array([[0.5, 0.4, 0.7]], np.float32))
    now, depth = unpacked(world.state), world.look("depth", world.state, world.factors)[0]
    named, wrong = world.look("masks", world.state, world.factors)[0], 0
    for j, i, place, way in rays(world):
        best, name = (-place[2] / way[2], 0) if way[2] < -0.02 else (20.0, 0)
        for b in range(6):
            off = place - now.at[0, b]
            if b < 3:
                roots = np.roots([way @ way, 2 * way @ off, off @ off - RADII[b] ** 2])
                hits = [r.real for r in roots if abs(r.imag) < 1e-12]
            else:
                turn = matrices(now.turn[0, b])
                o, d = turn.T @ off, turn.T @ way
                sides = [((s * HALVES[b - 3][k] - o[k]) / d[k], k) for k in range(3) for s in (-1, 1)]
                hits = [
                    t for t, k in sides if all(abs(o[m] + t * d[m]) <= HALVES[b - 3][m] for m in range(3) if m != k)
                ]
            if hits and min(hits) < best:
                best, name = min(hits), b + 1
        wrong += named[j, i] != name
        if named[j, i] == name:
            np.testing.assert_allclose(depth[j, i], best, rtol=2e-3)
    assert wrong <= 2  # a ray along an edge may be rounded either way
    assert len(np.unique(named)) >= 5


def test_masks_and_pictures_show_bodies_where_they_are():
    world = make("craik/Blocks-v0", 12, size=96)
    world.reset()
    state = np.concatenate([packed(alone(0.3, -0.2, 0.4), np.array([a])) for a in np.linspace(-3, 3, 12)])
    spots, named = world.places(state, world.factors)[:, 1], world.look("masks", state, world.factors)
    pictures = world.picture(state, world.factors).astype(int)
    for spot, mask, picture in zip(spots, named, pictures, strict=True):
        y, x = np.nonzero(mask == 2)
        np.testing.assert_allclose([x.mean() + 0.5, y.mean() + 0.5], spot * 96, atol=0.5)
        red = (picture[..., 0] > 1.5 * picture[..., 1]) & (picture[..., 0] > 60)
        assert (red == (mask == 2)).mean() > 0.99


def test_shadows_fall_away_from_the_light():
    world = make("craik/Blocks-v0", 1, size=96, factors={"height": 0.9, "sun": 0.0})
    world.reset()
    state = packed(alone(0.0, 0.0, 0.6), np.array([np.pi / 2]))
    picture = world.picture(state, world.factors)[0].astype(int)
    camera = world.cameras(state, world.factors)[0]
    foot = np.array([[[-0.6 * 0.55 / 0.835, 0.0, 0.0], [0.6 * 0.55 / 0.835, 0.0, 0.0]]])
    (x, y), (u, v) = (project(camera, foot)[0, :, :2] * 96).astype(int)
    assert picture[y, x].sum() < 0.8 * picture[v, u].sum()


def test_voxels_hold_what_is_there():
    world = make("craik/Blocks-v0", 8, seed=2)
    world.reset()
    grid, now = world.look("voxels", world.state, world.factors), unpacked(world.state)
    assert grid.shape == (8, *GRID)
    for n in range(8):
        for b in range(6):
            cell = np.floor((now.at[n, b] + [1.5, 1.5, 0]) / VOXEL).astype(int)
            middle = (cell + 0.5) * VOXEL - [1.5, 1.5, 0] - now.at[n, b]
            if b < 3 and np.linalg.norm(middle) < RADII[b]:
                assert grid[n][tuple(cell)] == b + 1
    volume = sum(4 / 3 * np.pi * RADII**3) + 8 * HALVES.prod(1).sum()
    np.testing.assert_allclose((grid > 0).mean(0).sum() * VOXEL**3, volume, rtol=0.15)


def test_the_camera_goes_round_and_the_other_stays():
    world = make("craik/Blocks-v0", 2, seed=3, obs="pixels+pixels2+depth+masks+voxels+state", size=32)
    obs, _ = world.reset()
    assert world.observation_space.contains(obs)
    after = world.step(np.array([[0, 0, 1], [0, 0, 0]], np.float32))[0]
    assert (after["pixels"][0] != obs["pixels"][0]).any()
    np.testing.assert_allclose(after["pixels"][1].astype(int), obs["pixels"][1].astype(int), atol=60)
    turned = world.state.copy()
    turned[:, -1] += 0.5
    np.testing.assert_array_equal(
        world.look("pixels2", turned, world.factors), world.look("pixels2", world.state, world.factors)
    )
    np.testing.assert_array_equal(
        world.look("voxels", turned, world.factors), world.look("voxels", world.state, world.factors)
    )


@pytest.mark.parametrize("name", ["far", "height", "sun", "bright", "fog"])
def test_factors_of_sight_change_the_picture_alone(name):
    world = make("craik/Blocks-v0", 1, seed=3)
    world.reset()
    factor = world.FACTORS[name]
    other = {**world.factors, name: np.array([factor.high if factor.default != factor.high else factor.low])}
    assert (world.picture(world.state, other) != world.picture(world.state, world.factors)).mean() > 0.05
    effort = np.array([[1.0, 0.5, 0.3]])
    np.testing.assert_array_equal(
        world.move(world.state, effort, other)[0], world.move(world.state, effort, world.factors)[0]
    )


def test_captions_are_true():
    world = make("craik/Blocks-v0", 1, seed=0, task="topple")
    world.reset()
    state = packed(scene(b0=(0.9, 0.9, 0.16), b4=(0.6, 0.0, 0.45)), np.zeros(1))
    assert world.captions(state, world.factors) == [
        "The tower stands, the red ball is nearest to the pusher, and the gold box is on the green box."
    ]
    assert upright(state) == 1
    assert len(NAMES) == 6
    with pytest.raises(UnknownName, match="task"):
        make("craik/Blocks-v0", task="juggle")
