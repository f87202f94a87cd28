"""A car on a road: the bicycle, the grip of its tyres, the road's shape, progress; once more, plainly."""

import math

import numpy as np
import pytest

from craik.worlds import make, track
from craik.worlds.draw import BLUE
from craik.worlds.race import AHEAD, BASE, COST, FIELD, LAP, LOCK

RACE = "craik/Race-v0"


def far_out(x, y, bend):
    """How far outside the middle of the road a place is, to first order, by angles."""
    t = math.atan2(y, x)
    r = 40 * (
        1 + sum(bend[2 * i] * math.cos(k * t) + bend[2 * i + 1] * math.sin(k * t) for i, k in enumerate((2, 3, 4)))
    )
    d = 40 * sum(
        k * (bend[2 * i + 1] * math.cos(k * t) - bend[2 * i] * math.sin(k * t)) for i, k in enumerate((2, 3, 4))
    )
    return (math.hypot(x, y) - r) / math.sqrt(1 + (d / r) ** 2)


def driven(row, effort, f):
    """One step of one car, plainly."""
    x, y, heading, speed, yaw, lap = row[:6]
    bend = row[6:] * track.WAVES * f["curvature"]
    for _ in range(4):
        rough = abs(far_out(x, y, bend)) > f["width"]
        hold = f["friction"] * 9.81 * (0.6 if rough else 1)
        asked = speed * math.tan(-LOCK * effort[0]) / BASE
        most = hold / max(speed, 0.1)
        yaw += (asked - yaw) * (1 - math.exp(-0.025 / 0.12))
        yaw = max(-most, min(most, yaw))
        left = math.sqrt(max(hold**2 - (speed * yaw) ** 2, 0))
        push = effort[1] * (f["power"] if effort[1] > 0 else 9.0)
        push = max(-left, min(left, push)) - 0.006 * speed**2 - (0.8 if rough else 0.05) * speed
        new = max(speed + 0.025 * push, 0)
        # The arc, drawn in many short straight pieces.
        for i in range(400):
            a = heading + yaw * 0.025 * (i + 0.5) / 400
            x += (speed + new) / 2 * 0.025 / 400 * math.cos(a)
            y += (speed + new) / 2 * 0.025 / 400 * math.sin(a)
        heading, speed = heading + yaw * 0.025, new
        if max(abs(x), abs(y)) > FIELD:
            x, y, speed = max(-FIELD, min(FIELD, x)), max(-FIELD, min(FIELD, y)), 0.0
        on = abs(far_out(x, y, bend)) <= f["width"]
        gain = (math.atan2(y, x) / (2 * math.pi) - lap + 0.5) % 1 - 0.5
        if on and 0 < gain < AHEAD:
            lap = min(lap + gain, 1)
    return np.array([x, y, (heading + math.pi) % (2 * math.pi) - math.pi, speed, yaw, lap, *row[6:]])


def noisy(world, rng, share=0.6):
    walk = rng.uniform(-1, 1, (world.num_envs, 2))
    return (share * world.guide() + (1 - share) * walk).astype(np.float32)


def test_the_car_is_a_bicycle_with_tyres():
    world = make(RACE, 6, seed=1, factors={"friction": (0.5, 1.3), "curvature": (0.3, 1.3), "width": (3.5, 7.0)})
    world.reset()
    rng, rough, sliding = np.random.default_rng(0), 0, 0
    for t in range(60):
        action = noisy(world, rng, 0.6 if t < 40 else 0.0)
        before = world.state
        info = world.step(action)[4]
        rough, sliding = rough + info["off_road"].sum(), sliding + info["sliding"].sum()
        if t % 3 == 0 or info["off_road"].any():
            for i in range(6):
                f = {k: v[i] for k, v in world.factors.items()}
                np.testing.assert_allclose(world.state[i], driven(before[i], world.effort(action)[i], f), atol=2e-6)
    assert rough > 5
    assert sliding > 20


def broad(speed, friction):
    """A car on a road so broad that it is everywhere, driving north."""
    world = make(RACE, 1)
    world.reset(seed=0)
    state, factors = world.state.copy(), {"friction": friction, "curvature": 0.3, "width": 200.0}
    state[0, :5] = 0, 0, np.pi / 2, speed, 0
    world.reset(options={"state": state, "factors": factors})
    return world


def test_slow_circles_are_geometry_and_fast_ones_grip():
    world, places = broad(4.0, 0.9), []
    for t in range(60):
        world.step(np.array([[-0.6, np.clip(0.8 * (4 - world.state[0, 3]) + 0.05, -1, 1)]], np.float32))
        if t > 20:
            places.append(world.state[0, :2].copy())
    p = np.array(places)
    fit = np.linalg.lstsq(np.c_[2 * p, np.ones(len(p))], (p**2).sum(1), rcond=None)[0]
    np.testing.assert_allclose(math.sqrt(fit[2] + fit[0] ** 2 + fit[1] ** 2), BASE / math.tan(LOCK * 0.6), rtol=0.01)
    aside = []
    for friction in (0.5, 1.0):
        world = broad(18.0, friction)
        for _ in range(5):
            assert world.step(np.array([[-1.0, 0.0]], np.float32))[4]["sliding"].all()
        np.testing.assert_allclose(world.state[0, 3] * world.state[0, 4], friction * 9.81, rtol=0.02)
        aside.append(-world.state[0, 0])
    np.testing.assert_allclose(aside[0], 0.5 * aside[1], rtol=0.1)


def test_tyres_never_give_more_than_they_hold():
    world = make(RACE, 64, seed=3, factors={"friction": (0.5, 1.3)})
    world.reset()
    rng = np.random.default_rng(1)
    for _ in range(80):
        world.step(noisy(world, rng, 0.7))
        across = world.state[:, 3] * np.abs(world.state[:, 4])
        assert (across <= world.factors["friction"] * 9.81 * 1.3).all()
        assert (world.state[:, 3] >= 0).all()
    fast = make(RACE, 1)
    fast.reset(seed=0)
    state = fast.state.copy()
    state[0, 3] = 20
    fast.reset(options={"state": state})
    fast.step(np.array([[0.0, -1.0]], np.float32))
    assert 20 - fast.state[0, 3] <= 0.9 * 9.81 * 0.1 + 20 * 0.02 + 0.006 * 400 * 0.1


def test_the_road_is_where_it_is_said_to_be():
    rng = np.random.default_rng(0)
    bend = track.bends(rng.uniform(-1, 1, (20, 6)), np.full(20, 1.0))
    angle = np.linspace(-np.pi, np.pi, 4001)
    far = track.middle(np.tile(angle, (20, 1)), bend)[0]
    line = np.stack([far * np.cos(angle), far * np.sin(angle)], 2)
    assert far.min() > 10
    rows = rng.integers(0, 4000, (20, 30))
    normal = np.stack([np.gradient(line[..., 1], axis=1), -np.gradient(line[..., 0], axis=1)], 2)
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    pick = np.take_along_axis
    for side in (-3.0, 0.0, 4.0):
        at = pick(line, rows[..., None], 1) + side * pick(normal, rows[..., None], 1)
        out, _ = track.offset(at[..., 0], at[..., 1], bend)
        assert np.abs(out - side).max() < 1.2  # first order, in the sharpest bends
        assert np.median(np.abs(out - side)) < 0.1
        plain = [[far_out(*at[i, j], bend[i]) for j in range(30)] for i in range(20)]
        np.testing.assert_allclose(out, plain, atol=1e-9)
    first = np.gradient(line, angle, axis=1)
    second = np.gradient(first, angle, axis=1)
    bent = (first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]) / np.linalg.norm(first, axis=2) ** 3
    inner = slice(5, -5)
    np.testing.assert_allclose(track.curvature(np.tile(angle, (20, 1)), bend)[:, inner], bent[:, inner], atol=1e-3)


@pytest.mark.parametrize("style", ["direct", "left", "right", "calm"])
def test_the_pilot_gets_round(style):
    world = make(RACE, 32, seed=5, factors={"friction": (0.6, 1.2), "curvature": (0.6, 1.3)})
    world.reset()
    done, paid, rough = np.zeros(32, bool), np.zeros(32), 0.0
    for _ in range(400):
        _, reward, terminated, _, info = world.step(world.guide(style))
        paid += reward * ~done
        rough += (info["off_road"] & ~done).mean()
        assert (terminated[~done] == info["success"][~done]).all()
        done |= terminated
        if done.all():
            break
    assert done.mean() >= 0.9
    assert (paid[done] > 7.5).all()
    assert rough < 20


def test_a_lap_pays_ten_and_steps_cost():
    world = make(RACE, 8, seed=2)
    world.reset()
    paid, steps, done = np.zeros(8), np.zeros(8), np.zeros(8, bool)
    while not done.all():
        _, reward, terminated, _, _ = world.step(world.guide())
        paid, steps, done = paid + reward * ~done, steps + ~done, done | terminated
    np.testing.assert_allclose(paid, LAP - COST * steps, atol=1e-9)


def test_cutting_and_turning_back_do_not_count():
    world = make(RACE, 3)
    world.reset(seed=4)
    state = world.state.copy()
    bend = track.bends(state[:, 6:], world.factors["curvature"])
    state[:, 5] = [0.2, 0.2, 0.2]
    for row, lap in enumerate((0.24, 0.3, 0.15)):  # a little on, too far on, behind
        angle = 2 * np.pi * lap
        far = track.middle(np.full(3, angle), bend)[0][row]
        state[row, :4] = far * np.cos(angle), far * np.sin(angle), angle + np.pi / 2, 1.0
    after, _ = world.move(state, np.zeros((3, 2)), world.factors)
    assert after[0, 5] > 0.24
    assert after[1:, 5].tolist() == [0.2, 0.2]
    state[0, :2] *= 1.4  # beside the road
    after, events = world.move(state, np.zeros((3, 2)), world.factors)
    assert after[0, 5] == 0.2
    assert events["off_road"].tolist() == [True, False, False]


def test_the_picture_is_of_the_road_and_the_car():
    world = make(RACE, 12, seed=6, size=64, factors={"rotation": (-0.8, 0.8), "zoom": (14.0, 32.0)})
    world.reset()
    rng = np.random.default_rng(0)
    for _ in range(40):
        world.step(noisy(world, rng))
    picture, state, f = world.render().astype(float), world.state, world.factors
    bend = track.bends(state[:, 6:], f["curvature"])
    agree = []
    for n in range(12):
        turn = state[n, 2] + f["rotation"][n]
        for _ in range(200):
            i, j = rng.integers(0, 56), rng.integers(0, 64)
            right, up = f["zoom"][n] * ((j + 0.5) / 32 - 1), f["zoom"][n] * (0.4 - (i + 0.5) / 32 + 1)
            x = state[n, 0] + up * math.cos(turn) + right * math.sin(turn)
            y = state[n, 1] + up * math.sin(turn) - right * math.cos(turn)
            out = abs(far_out(x, y, bend[n]))
            if math.hypot(x - state[n, 0], y - state[n, 1]) < 4 or abs(out - f["width"][n]) < 2.5:
                continue
            red, green, blue = picture[n, i, j]
            agree.append((green > red + 10 and green > blue + 10) == (out > f["width"][n]))
    assert len(agree) > 1000
    assert np.mean(agree) > 0.999
    like = (np.abs(picture - np.array(BLUE)).sum(-1) < 60).astype(float)
    i, j = np.meshgrid(np.arange(64) + 0.5, np.arange(64) + 0.5, indexing="ij")
    place = world.places(state, f)[:, 0] * 64
    for n in range(12):
        assert like[n].sum() > 3
        assert (
            math.hypot(
                (like[n] * j).sum() / like[n].sum() - place[n, 0], (like[n] * i).sum() / like[n].sum() - place[n, 1]
            )
            < 2
        )


def test_occupancy_is_the_picture_in_cells():
    world = make(RACE, 10, seed=7, size=32)
    world.reset()
    for _ in range(30):
        world.step(world.guide())
    grid = world.look("occupancy", world.state, world.factors)
    picture = world.render().astype(int)
    grass = (picture[..., 1] > picture[..., 0] + 10) & (picture[..., 1] > picture[..., 2] + 10)
    told = grid[:, :28] == 0
    assert (told == grass[:, :28]).mean() > 0.9  # kerbs are beside the road
    assert not (grass & (grid > 0))[:, :28].any()
    assert (grid == 2).any((1, 2)).all()
    shown = world.look("map", world.state, world.factors)
    assert (shown[0] != shown[1]).any()
    for name in world.VIEWS:
        assert world.view_space(name).contains(world.look(name, world.state, world.factors)[0])


def test_every_factor_acts():
    for name, factor in make(RACE).FACTORS.items():
        told = []
        for value in (factor.low, factor.high):
            world = make(RACE, 4, seed=7, factors={name: value}, size=32)
            world.reset()
            for t in range(40):
                world.step(np.tile(np.array([-0.3 if t > 30 else 0.0, 1.0], np.float32), (4, 1)))
            told.append((world.state[:, :6].copy(), world.render()))
        (a, seen_a), (b, seen_b) = told
        assert (seen_a != seen_b).any(), name
        if factor.kind in ("visual", "sensory"):
            np.testing.assert_array_equal(a, b)
        elif factor.kind == "physical":
            assert (a != b).any(), name


def test_captions_tell_the_state():
    world = make(RACE, 6, seed=8)
    world.reset()
    for _ in range(50):
        info = world.step(world.guide())[4]
    for text, row, rough in zip(world.captions(world.state, world.factors), world.state, info["off_road"], strict=True):
        assert f"{row[3]:.0f} m/s" in text
        assert f"{int(100 * row[5])} %" in text
        assert ("beside the road" in text) == rough
