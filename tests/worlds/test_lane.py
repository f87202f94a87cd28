"""Traffic: how one drives and the others drive, what meets what, chance, factors."""

import numpy as np
import pytest

from craik.core.errors import SpecError, UnknownName
from craik.worlds import boxes, luck, make
from craik.worlds.lane import DT, STEER, TOP
from craik.worlds.policies import Seek, Wander
from craik.worlds.sensors import RANGE
from craik.worlds.traffic import BASE
from tests.worlds.traffic import ID, some


def driven(world, i, f):
    """The others' lanes, places and speeds after a step but for whoever looks round: by hand, car by car."""
    ego_x, ego_y, heading, ego_speed = world.state[i, :4]
    person_x, person_y, walks = world.state[i, -6:-3]
    cars = [tuple(row) for row in world.others(world.state)[i]]
    middle = lambda lane: (lane - 1) * f["width"]  # noqa: E731
    ego = (ego_x + 1.3 * np.cos(heading), ego_y + 1.3 * np.sin(heading), ego_speed)
    bands = [(min(y, middle(lane)) - 1, max(y, middle(lane)) + 1) for _, y, _, lane, _ in cars]
    things = [(x, v, 4.4, *band) for (x, _, v, _, _), band in zip(cars, bands, strict=True)]
    things.append((ego[0], ego[2], 4.4, ego[1] - 1, ego[1] + 1))
    if walks and person_y < 1.5 * f["width"] + 1:
        things.append((person_x, 0.0, 0.7, person_y - 1, person_y + 2.5))

    def term(v, gap, closing):
        wanted = 2 + max(v * f["headway"] + v * closing / (2 * np.sqrt(2 * 2.5)), 0)
        return (wanted / max(gap, 0.3)) ** 2

    def push(v, wish, worst):
        return max(2 * (1 - (v / wish) ** 4 - worst), -8)

    felt = []
    for (x, _, v, _, wish), (low, high) in zip(cars, bands, strict=True):
        terms = [
            term(v, tx - x - (4.4 + long) / 2, v - tv)
            for tx, tv, long, tlow, thigh in things
            if tx > x and low < thigh and tlow < high
        ]
        felt.append(push(v, wish, max(terms, default=0)))

    def wants(c):
        """MOBIL for car c."""
        x, y, v, lane, wish = cars[c]
        best, choice = 0.3, lane
        if abs(y - middle(lane)) >= 0.3:
            return lane
        for new in (lane + 1, lane - 1):
            if not 0 <= new <= 2:
                continue
            low, high = middle(new) - 1, middle(new) + 1
            free, ahead, worst, safest = True, [0.0], 0.0, 0.0
            for j, (tx, tv, _, tlow, thigh) in enumerate(things[: len(cars) + 1]):
                if j == c or not (tlow < high and low < thigh):
                    continue
                gap = abs(tx - x) - 4.4
                free &= gap >= 1.5
                if tx > x:
                    ahead.append(term(v, gap, v - tv))
                else:
                    twish = cars[j][4] if j < len(cars) else 15
                    then = push(tv, twish, term(tv, gap, tv - v))
                    now = felt[j] if j < len(cars) else push(tv, 15, 0)
                    worst, safest = min(worst, then - now), min(safest, then)
            gain = push(v, wish, max(ahead)) - felt[c] + f["politeness"] * worst
            if free and safest > -2.5 and gain > best:
                best, choice = gain, new
        return choice

    def after(c, lane):
        x, y, v, _, wish = cars[c]
        way = then = None
        if felt[c] < 0 and v + felt[c] * DT < 0:
            way, then = v**2 / (2 * -felt[c]), 0.0
        else:
            way, then = v * DT + felt[c] * DT**2 / 2, v + felt[c] * DT
        rate = np.clip((middle(lane) - y) / 0.8, -min(1.2, 0.25 * v), min(1.2, 0.25 * v))
        return [x + way, y + DT * rate, then, lane, wish]

    return wants, after


def test_others_drive_by_idm_and_mobil():
    world = some(num=96, seed=1, steps=30, density=5.0, pedestrian=0.5, politeness=0.0)
    world.factors["politeness"] = np.linspace(0, 0.5, 96)
    effort = np.zeros((96, 2))
    changes = 0
    for who in range(world.cars):
        after, told = world._drive(world.state, effort, world.factors, np.full(96, who), np.zeros(96, bool))
        for i in range(96):
            wants, moved = driven(world, i, {k: v[i] for k, v in world.factors.items()})
            for c, car in enumerate(world.others(after)[i]):
                lane = wants(c) if c == who else world.others(world.state)[i, c, 3]
                np.testing.assert_allclose(car, moved(c, lane), atol=1e-9)
        changes += told["lane_changes"].sum()
    assert changes > 3
    assert (world.state[:, -4] > 0).any()


def test_ones_own_car_is_a_bicycle():
    world = make(ID, 64, seed=2, factors={"grip": (2.0, 9.0), "gain": (1.5, 5.0)})
    world.reset()
    rng = np.random.default_rng(0)
    world.state[:, 2], world.state[:, 3] = rng.uniform(-1, 1, 64), rng.uniform(0, 12, 64)
    effort = rng.uniform(-1, 1, (64, 2))
    x, y, heading, speed = world.state[:, :4].T
    push = np.where(effort[:, 0] > 0, effort[:, 0] * world.factors["gain"], 8 * effort[:, 0])
    tightest = world.factors["grip"] / np.maximum(speed, 1) ** 2
    bend = np.clip(np.tan(STEER * effort[:, 1]) / BASE, -tightest, tightest)
    for _ in range(20_000):
        x, y = x + DT / 20_000 * speed * np.cos(heading), y + DT / 20_000 * speed * np.sin(heading)
        heading = heading + DT / 20_000 * speed * bend
        speed = np.clip(speed + DT / 20_000 * push, 0, TOP)
    after, _ = world.move(world.state, effort, world.factors)
    np.testing.assert_allclose(after[:, :4].T, [x, y, heading, speed], atol=2e-4)


def test_nobody_teleports_and_others_do_not_collide():
    world, crashes, met = some(num=32, seed=5, steps=1), 0, 0
    i, j = np.triu_indices(world.cars, 1)
    for _ in range(150):
        before = world.others(world.state)[:, :, :2].copy()
        world.state[:, -2], world.over[:] = 0, False
        world.step(world.guide())
        step = world.others(world.state)[:, :, :2] - before
        assert (step[..., 0] >= 0).all()
        assert (step[..., 0] <= TOP * DT).all()
        assert (np.abs(step[..., 1]) <= 1.2 * DT + 1e-12).all()
        cars = world.solids(world.state, world.factors)[:, :-1]
        crashes += (boxes.apart(cars[:, i], cars[:, j]) < 0).any(1).sum()
        person = np.concatenate([world.state[:, -6:-4], np.tile([0.3, 0.3, 1, 0], (32, 1))], 1)
        met += (boxes.apart(cars, person[:, None]) < 0).any(1).sum()
    assert crashes <= 0.002 * 32 * 150
    assert met <= 0.002 * 32 * 150


def test_boxes_overlap_as_their_corners_say():
    rng = np.random.default_rng(0)
    angle = rng.uniform(-3, 3, (2, 4000))
    both = np.stack(
        [*rng.uniform(-3, 3, (2, 2, 4000)), *rng.uniform(0.3, 2.5, (2, 2, 4000)), np.cos(angle), np.sin(angle)], -1
    )
    told = boxes.apart(both[0], both[1])
    for a, b, gap in zip(boxes.corners(both[0]), boxes.corners(both[1]), told, strict=True):
        widest = -np.inf
        for shape in (a, b):
            for k in range(2):
                side = shape[k + 1] - shape[k]
                axis = np.array([side[1], -side[0]]) / np.linalg.norm(side)
                one, two = a @ axis, b @ axis
                widest = max(widest, one.min() - two.max(), two.min() - one.max())
        np.testing.assert_allclose(gap, widest, atol=1e-9)
    assert 0.1 < (told < 0).mean() < 0.9


def test_collisions_are_told_and_end_the_episode():
    world = make(ID, 5, seed=0)
    world.reset()
    state = world.state
    state[:, :4] = [0, 0, 0, 10]
    state[:, 4:-6].reshape(5, 8, 5)[:, :, 0] = 100 + 10 * np.arange(8)
    state[0, 4:9] = [1.3 + 4.4 + 0.9, 0, 0, 1, 10]  # a standing car 0.9 m ahead
    state[1, -6:-3] = [1.3 + 2.2 + 0.35 + 0.9, 0, 1]  # somebody on foot 0.9 m ahead
    state[2, 1], state[2, 2] = -5.25 + 0.95, -0.2  # over the edge at once
    state[3, 1], state[3, 3] = -5.25 - 3.2, 0  # on the verge, 4 m and more beyond with its outer corner
    _, reward, terminated, _, info = world.step(np.zeros((5, 2), np.float32))
    assert info["collision"].tolist() == [True, True, False, False, False]
    assert info["hit_person"].tolist() == [False, True, False, False, False]
    assert info["off_road"].tolist() == [False, False, True, True, False]
    assert terminated.tolist() == [True, True, False, True, False]
    assert (reward[:4] == 0).all()
    np.testing.assert_allclose(reward[4], 10 / 13)


def test_reward_is_progress_times_comfort():
    world = make(ID, 1, seed=0)
    world.reset()
    world.state[0, :4] = [0, 0, 0, 8]
    world.state[0, 4:-6].reshape(8, 5)[:, 0] = 200
    _, reward, *_ = world.step(np.array([[1.0, 0.5]], np.float32))
    x, _, heading, speed = world.state[0, :4]
    sideways = speed * heading / DT
    np.testing.assert_allclose(reward[0], x / 1.3 * np.exp(-(3.0**2 + sideways**2) / 32), rtol=1e-9)
    assert sideways > 1


def test_overtaking_is_counted_and_the_person_has_the_right_of_way():
    world = make(ID, 1, seed=0)
    world.reset()
    world.state[0, :4] = [0, -3.5, 0, 15]
    others = world.state[0, 4:-6].reshape(8, 5)
    others[:] = [[-60 - 20 * k, 0, 8, 1, 8] for k in range(8)]
    others[0], others[1] = [2.0, 0, 5, 1, 8], [1.9, 3.5, 5, 2, 8]
    info = world.step(np.zeros((1, 2), np.float32))[4]
    assert info["overtakes"].tolist() == [2]
    others[0, :3], others[1] = [20, 0, 8], [-200, 0, 8, 1, 8]
    world.state[0, -6:-3] = [50, -2.4, 1]  # crossing, 30 m before the car that drives in the middle
    for _ in range(60):
        world.step(np.array([[-1.0, 0]], np.float32))
        x, y = world.others(world.state)[0, 0, :2]
        if abs(world.state[0, -5] - y) < 1.2:
            assert x + 2.2 < 50
    assert world.state[0, -5] > 5


def test_cutting_somebody_off_is_told():
    world = make(ID, 4, seed=0)
    world.reset()
    world.state[:, 4:-6].reshape(4, 8, 5)[:, :, 0] = 200
    world.state[:, :4] = [-3.5, 0, 0, 10]
    world.state[:, -6] = 0.5  # its front comes from 0 to 1
    world.state[:, -5] = [-2.5, 2.5, -4.5, -2.5]  # two metres before her, behind her, far, and she stands
    world.state[:, -4] = [1, 1, 1, 0]
    info = world.step(np.zeros((4, 2), np.float32))[4]
    assert info["cut_off"].tolist() == [True, False, False, False]
    assert not info["collision"].any()


def test_chance_has_the_outcomes_that_are_counted():
    world = some(num=200, seed=7, steps=25, density=5.0, pedestrian=0.3, politeness=0.0)
    effort = np.zeros((200, 2))
    every, chance = world.outcomes(world.state, effort, world.factors)
    np.testing.assert_allclose(chance.sum(1), 1)
    varied = [len(np.unique(e[c > 0], axis=0)) for e, c in zip(every, chance, strict=True)]
    i = int(np.argmax(varied))
    assert varied[i] >= 3
    kinds, which = np.unique(every[i], axis=0, return_inverse=True)
    wanted = np.bincount(which.ravel(), chance[i])
    kinds, wanted = kinds[wanted > 0], wanted[wanted > 0]
    draws = 20_000
    many = np.repeat(world.state[i : i + 1], draws, 0)
    many[:, -1] = luck.fresh(np.random.default_rng(0), draws)
    after, _ = world.move(
        many, np.zeros((draws, 2)), {k: np.repeat(v[i : i + 1], draws) for k, v in world.factors.items()}
    )
    same = (after[:, None, :-1] == kinds[None, :, :-1]).all(-1)
    assert (same.sum(1) == 1).all()
    square = ((same.sum(0) - draws * wanted) ** 2 / (draws * wanted)).sum()
    assert square < 12 + 5 * len(kinds)  # beyond the 0.999 quantile of chi-square for 2 to 15 degrees of freedom


def drive(script, **factors):
    """Mean reward, part of worlds that ended early, and ways made, of 120 steps."""
    world = make(ID, 24, seed=5, factors=factors, max_steps=1000)
    world.reset()
    player, first, total, ended = script(world), np.ones(24, bool), 0.0, np.zeros(24, bool)
    for _ in range(120):
        _, reward, terminated, _, _ = world.step(player.decide(first, np.ones(24, bool)))
        first, total, ended = np.zeros(24, bool), total + (reward * ~ended).mean(), ended | terminated
    return total / 120, ended.mean(), world


def test_pilots_drive_well_by_their_skill():
    wander, lost, _ = drive(lambda w: Wander(w, 0))
    clumsy, _, _ = drive(lambda w: Seek(w, 0, (0.5, 0.6)))
    assert wander + 0.1 < clumsy
    assert lost > 0.7
    scores = {}
    for style in make(ID).STYLES:
        scores[style], ended, world = drive(lambda w, style=style: Seek(w, 0, (1, 1), style))
        assert ended < 0.1
        assert scores[style] > max(clumsy, 0.55)
        lanes = world.state[:, 1] / 3.5
        if style in ("left", "right"):
            assert (lanes if style == "left" else -lanes).mean() > 0.4
    assert scores["overtake"] > scores["keep"] > scores["careful"]
    with pytest.raises(UnknownName, match="style"):
        make(ID).guide("sideways")


def test_factors_act():
    stays, _, world = drive(lambda w: Seek(w, 0, (1, 1)), pedestrian=0.0)
    assert (world.state[:, -4] == 0).all()
    crosses, _, world = drive(lambda w: Seek(w, 0, (1, 1)), pedestrian=0.5)
    assert (world.state[:, -4] == 1).mean() > 0.25
    assert crosses < stays
    world = make(ID, 4, seed=0, factors={"dropout": 0.0})
    world.reset(options={"factors": {"dropout": np.array([0, 0.5, 0, 0]), "dusk": np.array([0, 0, 1, 0])}})
    whole = dict(world.factors) | {"dropout": np.zeros(4)}
    state = np.repeat(world.state[1:2], 4, 0)
    state[:, -1] = luck.fresh(np.random.default_rng(0), 4)
    state[:, -6:-4] = world.own(state)[:, :2] + [5, 0]
    lossy = dict(world.factors) | {"dropout": np.full(4, 0.5)}
    full, part = world.look("lidar", state, whole), world.look("lidar", state, lossy)
    lost = part != full
    assert (part[lost] == RANGE).all()
    assert 0.2 < lost.sum() / (full < RANGE).sum() < 0.8
    bright = world.render().astype(float).mean((1, 2, 3))
    assert bright[2] < 0.5 * bright[0]
    world = some(num=3, seed=2, steps=30, dusk=0.0)
    plain, shaded = (world.picture(world.state, world.factors | {"shade": np.full(3, s)}) for s in (0.0, 1.0))
    seen = world.look("visible", world.state, world.factors) > 0
    np.testing.assert_array_equal(plain[seen], shaded[seen])
    assert (shaded[~seen] == shaded[~seen][0]).all()


def test_four_to_twelve():
    assert make(ID, cars=12).single_observation_space["state"].shape == (4 + 60 + 5,)
    with pytest.raises(SpecError, match="4 to 12"):
        make(ID, cars=3)
