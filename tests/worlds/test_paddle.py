"""Pong: flight, walls, fronts, chance, score, views."""

import numpy as np
import pytest

from craik.core.errors import UnknownName
from craik.worlds import court, luck, make
from craik.worlds.draw import BLUE, GOLD, GREEN, RED
from craik.worlds.paddle import AIMS, DT, FASTEST, PAUSE, SERVES, STEEPEST
from craik.worlds.policies import Seek, Wander

ID = "craik/Paddle-v0"
FACTORS = {k: (f.low, f.high) for k, f in make(ID).FACTORS.items()}


def some(num, seed, fastest):
    """Worlds of all factors in random states of play, and actions."""
    world, rng = make(ID, num, seed=seed, factors=FACTORS), np.random.default_rng(seed)
    world.reset()
    room = 1 - world.factors["ball"]
    speed, way = rng.uniform(0.3, fastest, num), rng.uniform(-1, 1, num) + np.pi * rng.integers(0, 2, num)
    state = world.state.copy()
    state[:, 0], state[:, 1] = rng.uniform(-0.95, 0.95, num), rng.uniform(-room, room)
    state[:, 2], state[:, 3] = speed * np.cos(way), speed * np.sin(way)
    state[:, 6:8] = rng.integers(0, 5, (num, 2))
    state[:, 8], state[:, 9] = 0, rng.choice(AIMS, num)
    world.state = state
    return world, rng.integers(0, 3, num)


def twin(state, up, f):
    """One step of one game, but for chance: the flight unfolded into mirrored courts instead of bounced."""
    x, y, fast, rise, mine, theirs, won, lost, _, aim = state[:10]
    target = y + aim * f["opponent"] * (1.8 - 1.2 * f["skill"]) if fast < 0 else 0.0
    most = f["pace"] * (0.4 + 0.6 * f["skill"])
    push = {1: up * f["pace"], -1: min(max((target - theirs) / DT, -most), most)}
    half, began = {1: f["paddle"], -1: f["opponent"]}, {1: mine, -1: theirs}
    at = {s: lambda t, s=s: min(max(began[s] + push[s] * t, half[s] - 1), 1 - half[s]) for s in (1, -1)}
    r, t, told = f["ball"], 0.0, {"hits": 0, "returns": 0, "wall_hits": 0}
    room = 1 - r
    while True:
        side = 1 if fast > 0 else -1
        before = side * x < court.FACE - r
        line = court.FACE - r if before else 1 + r
        span = min((line - side * x) / abs(fast), DT - t)
        far = y + rise * span
        sheet = int(np.floor((far + room) / (2 * room)))
        y, flips = (far - 2 * room * sheet) * (-1) ** sheet, abs(sheet)
        told["wall_hits"] += flips
        rise, x, t = rise * (-1) ** flips, x + fast * span, t + span
        if t >= DT - 1e-15:
            break
        if not before:
            won, lost = won + (side > 0) * 0 + (side < 0), lost + (side > 0)
            x = y = fast = rise = 0.0
            break
        x, bar = side * line, at[side](t)
        part = (y - bar) / (half[side] + r)
        if abs(part) <= 1:
            told["hits" if side > 0 else "returns"] += 1
            moving = push[side] if abs(began[side] + push[side] * t) < 1 - half[side] else 0.0
            angle = f["mirror"] * np.arctan2(rise, abs(fast)) + f["spread"] * part + f["spin"] * moving / f["pace"]
            angle = min(max(angle, -STEEPEST), STEEPEST)
            speed = min(np.hypot(fast, rise) * f["growth"], FASTEST)
            fast, rise = -side * speed * np.cos(angle), speed * np.sin(angle)
    wait = PAUSE if x == y == fast == 0 else 0
    return [x, y, fast, rise, at[1](DT), at[-1](DT), won, lost, wait], told


@pytest.mark.parametrize("fastest", [3.0, 60.0])
def test_play_follows_its_law_at_any_speed(fastest):
    world, actions = some(800, 3, fastest)
    after, told = world.move(world.state, world.effort(actions), world.factors)
    met = {"hits": 0, "returns": 0, "wall_hits": 0, "points": 0}
    for i in range(800):
        row = {k: v[i] for k, v in world.factors.items()}
        state, events = twin(world.state[i], actions[i] - 1, row)
        np.testing.assert_allclose(after[i, :9], state, atol=1e-9)
        for k, v in events.items():
            assert told[k][i] == v
            met[k] += v
        met["points"] += told["won"][i] + told["lost"][i]
    assert all(count >= 5 for count in met.values()), met


@pytest.mark.parametrize("speed", [1.0, 7.0, 100.0, 1e4])
def test_no_ball_is_too_fast_for_a_paddle(speed):
    world = make(ID, 64, seed=0, factors={"paddle": 0.35, "growth": 1.0, "ball": 0.06})
    world.reset()
    y = np.linspace(-0.3, 0.3, 64)
    world.state[:, :10] = 0
    world.state[:, 0], world.state[:, 1], world.state[:, 2] = 0.875 - 0.06 - 0.05 * np.arange(64) / 64, y, speed
    _, _, _, _, info = world.step(np.ones(64, np.int64))
    assert (info["hits"] == 1).all()
    assert (world.state[:, 2] < 0).all()


def test_where_and_how_the_paddle_meets_the_ball_sets_the_angle():
    world = make(ID, 4, factors={"mirror": 0.0, "growth": 1.1, "ball": 0.06})
    world.reset(seed=0)
    world.state[:, :10] = 0
    world.state[:, 0], world.state[:, 2] = 0.79, 1.0
    world.state[:, 4] = [-0.14, 0.0, 0.0, 0.0]  # met at half its reach of 0.28, or in the middle while it stays or goes
    world.step(np.array([1, 1, 2, 0]))
    late = 0.03 * 1.2 / 0.28  # the ball meets the front after 0.03 s: by then the paddle has gone on
    angles = np.arctan2(world.state[:, 3], -world.state[:, 2])
    np.testing.assert_allclose(angles, [0.4, 0, 0.3 - 0.8 * late, -0.3 + 0.8 * late], atol=1e-12)
    np.testing.assert_allclose(np.hypot(*world.state[:, 2:4].T), 1.1)


def test_chance_has_the_outcomes_that_are_counted():
    world = make(ID, 3, seed=1)
    world.reset()
    world.state[:, :4] = [[0, 0, 0, 0], [0.8, 0.0, 1.0, 0.2], [0.0, 0.0, 1.0, 0.5]]
    world.state[:, 4:10] = [[0, 0, 0, 0, 1, 0]] + 2 * [[0, 0, 0, 0, 0, 0]]
    effort = np.zeros((3, 1))
    every, chance = world.outcomes(world.state, effort, world.factors)
    np.testing.assert_allclose(chance.sum(1), 1)
    assert [(row > 0).sum() for row in chance] == [len(SERVES), len(AIMS), 1]
    draws = 20_000
    fresh = luck.fresh(np.random.default_rng(0), draws)
    for i in range(3):
        many = np.repeat(world.state[i : i + 1], draws, 0)
        many[:, -1] = fresh
        row = {k: np.repeat(v[i : i + 1], draws) for k, v in world.factors.items()}
        after, _ = world.move(many, np.zeros((draws, 1)), row)
        possible = chance[i] > 0
        same = (after[:, None, :-1] == every[i, possible][None, :, :-1]).all(-1)
        assert (same.sum(1) == 1).all()
        wanted = chance[i, possible] * draws
        assert ((same.sum(0) - wanted) ** 2 / wanted).sum() < 24.3  # chi-square, 7 degrees of freedom, p = 0.001


def test_a_point_pays_once_and_five_end_the_game():
    world = make(ID, 2, seed=2)
    world.reset()
    world.state[:, :10] = [[-1.05, 0.9, -1, 0, 0, 0, 4, 2, 0, 0], [1.05, 0.9, 1, 0, 0, 0, 4, 2, 0, 0]]
    _, reward, terminated, _, info = world.step(np.ones(2, np.int64))
    assert reward.tolist() == [1, -1]
    assert info["won"].tolist() == [True, False]
    assert info["lost"].tolist() == [False, True]
    assert terminated.tolist() == [True, False]
    assert world.state[:, 6:9].tolist() == [[5, 2, PAUSE], [4, 3, PAUSE]]
    after, told = world.move(world.state, np.zeros((2, 1)), world.factors)
    assert after[:, 8].tolist() == [PAUSE, PAUSE - 1]
    for _ in range(PAUSE - 1):
        after, told = world.move(after, np.zeros((2, 1)), world.factors)
    assert told["served"].tolist() == [False, True]
    np.testing.assert_allclose(np.hypot(*after[:, 2:4].T), [0, 1.2])


def share(script, skill):
    """Points won of all points."""
    world = make(ID, 24, seed=5, factors={"skill": skill})
    world.reset()
    player, first, won, lost = script(world), np.ones(24, bool), 0, 0
    for _ in range(200):
        info = world.step(player.decide(first, np.ones(24, bool)))[4]
        first, won, lost = np.zeros(24, bool), won + info["won"].sum(), lost + info["lost"].sum()
    return won / (won + lost)


def test_pilots_win_by_their_skill_and_the_opponent_by_its_own():
    wander = share(lambda w: Wander(w, 0), 0.5)
    clumsy = share(lambda w: Seek(w, 0, (0.4, 0.5)), 0.5)
    assert wander + 0.1 < clumsy < 0.85
    for style in make(ID).STYLES:
        assert share(lambda w, style=style: Seek(w, 0, (1, 1), style), 0.5) > 0.9
    assert share(lambda w: Wander(w, 0), 0.0) > wander + 0.1
    assert share(lambda w: Wander(w, 0), 1.0) < wander
    with pytest.raises(UnknownName, match="style"):
        make(ID).guide("sideways")


def test_styles_differ():
    world = make(ID, 64, seed=3)
    world.reset()
    sent = {}
    for style in ("up", "down"):
        game, angles = world.fork(1), []
        for _ in range(60):
            info = game.step(game.guide(style))[4]
            angles.append(np.arctan2(game.state[:, 3], -game.state[:, 2])[info["hits"] > 0])
        sent[style] = np.concatenate(angles).mean()
    assert sent["up"] > 0.3
    assert sent["down"] < -0.3


def test_text_tells_the_state():
    world, actions = some(50, 4, 3.0)
    world.step(actions)
    page = world.look("text", world.state, world.factors)
    assert page.shape == (50, court.LETTERS)
    assert world.view_space("text").contains(page[0])
    assert (page[:, -1] == 0).all()
    np.testing.assert_allclose(world.understand(page), world.numbers(world.state), atol=5e-4)
    line = bytes(page[0]).rstrip(b"\0").decode()
    assert line.startswith("ball at ")
    assert np.isnan(court.told(line[:30])[4:]).all()
    assert court.told("lost 2; theirs at -0.250")[[5, 7]].tolist() == [-0.25, 2]


def centre(picture, color):
    """Across and down in [0, 1] of the pixels near a colour, weighed by nearness."""
    near = np.clip(1 - np.abs(picture.astype(float) - color).sum(-1) / 50, 0, 1)
    size = len(picture)
    spot = (np.arange(size) + 0.5) / size
    return np.array([near.sum(0) @ spot, near.sum(1) @ spot]) / max(near.sum(), 1e-9)


def test_pictures_show_where_things_are():
    world, actions = some(40, 6, 2.0)
    world.factors |= {"veil": np.zeros(40), "dusk": np.zeros(40)}
    world.step(actions)
    world.state[:, 6:8] = [2, 3]
    pictures, places = world.render(), world.places(world.state, world.factors)
    for picture, (ball, mine, theirs) in zip(pictures, places, strict=True):
        if abs(ball[0] - 0.5) < 0.3:  # not before a paddle
            for color, place in ((RED, ball), (GREEN, mine), (BLUE, theirs)):
                np.testing.assert_allclose(centre(picture, color), place, atol=0.012)
        strip = np.abs(picture[:5].astype(int) - GOLD).sum(-1).min(0) < 60
        pips = [np.diff(half.astype(int), prepend=0).clip(0).sum() for half in (strip[:32], strip[32:])]
        assert pips == [3, 2]


def test_what_is_seen_follows_its_factors():
    world = make(ID, 3, seed=0)
    world.reset(options={"factors": {"veil": np.array([0, 0.3, 0]), "dusk": np.array([0, 0, 1.0])}})
    plain, veiled, dark = (p.astype(int) for p in world.render())
    assert np.abs(plain - RED).sum(-1).min() < 10
    assert np.abs(veiled - RED).sum(-1).min() > 100
    assert plain[8, 8].sum() > 3 * dark[8, 8].sum()
    assert np.isnan(world.places(world.state, world.factors)[1, 0]).all()


def test_captions_say_what_happens():
    world = make(ID, 3)
    world.reset(seed=0)
    world.state[:, :10] = [
        [0.2, 0.5, 1, 0.5, 0, 0, 1, 3, 0, 0],
        [0, 0, 0, 0, 0, 0, 1, 3, 2, 0],
        [0, 0, 0, 0, 0, 0, 5, 3, 4, 0],
    ]
    assert world.captions(world.state, world.factors) == [
        "The red ball flies right and up, towards the green paddle, above the green one; the score is 1 to 3.",
        "The red ball rests in the middle and will be served in 2 steps; the score is 1 to 3.",
        "The game is over and green has won: the score is 5 to 3.",
    ]
