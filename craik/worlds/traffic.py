"""How drivers drive: the Intelligent Driver Model along the road, MOBIL across it, a bicycle for one's own car.

Roads run along x; y is to the left; metres, seconds, radians.
"""

from __future__ import annotations

import numpy as np

LENGTH, WIDTH = 4.4, 1.8
"""Of every car."""

BASE = 2.7
"""Between the axles of a car."""

AXLE = 1.3
"""From the rear axle, where one's own car is said to be, to its middle."""

SPEED_UP, SLOW_DOWN, BRAKE = 2.0, 2.5, 8.0
"""IDM's accelerations: the strongest, the comfortable braking, and the hardest braking."""

STANDSTILL = 2.0
"""Gap between standing cars."""

SLOWEST_GAP = 0.3
"""Smaller gaps count as this."""

SIDE = 0.2
"""Room that a car wants at each side of it."""

WORTH, SAFE = 0.3, -2.5
"""MOBIL's threshold for a change of lane, and the hardest braking that it may ask of those behind."""

BESIDE, EGO_WISH = 1.5, 15.0
"""Nobody moves in where a gap is smaller, m; and the speed, m/s, that one's own car is thought to wish for."""

DRIFT, SETTLE, TILT = 1.2, 0.8, 0.25
"""Of a change of lane: fastest drift, time in which the rest of the way is made, drift in parts of the speed."""


def pressure(speed: np.ndarray, gap: np.ndarray, closing: np.ndarray, headway: np.ndarray) -> np.ndarray:
    """IDM's interaction term `(s* / s)^2`, for followers at `speed` with `gap` to leaders they are `closing` on."""
    wanted = STANDSTILL + np.maximum(speed * headway + speed * closing / (2 * np.sqrt(SPEED_UP * SLOW_DOWN)), 0)
    return (wanted / np.maximum(gap, SLOWEST_GAP)) ** 2


def idm(speed: np.ndarray, wish: np.ndarray, pressed: np.ndarray) -> np.ndarray:
    """IDM's acceleration: `a (1 - (v / v0)^4 - (s* / s)^2)`, no harder than `BRAKE` (Treiber, Hennecke, Helbing 2000).

    Args:
        speed: v.
        wish: v0, the speed on a free road.
        pressed: the `pressure` of the leader that presses most.
    """
    return np.maximum(SPEED_UP * (1 - ((speed / wish) ** 2) ** 2 - pressed), -BRAKE)


def span(y: np.ndarray, goal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The band across the road that cars take up, from where they are to where they are going: right and left edge."""
    half = WIDTH / 2 + SIDE / 2
    return np.minimum(y, goal) - half, np.maximum(y, goal) + half


def pressed(
    x: np.ndarray,
    speed: np.ndarray,
    band: tuple[np.ndarray, np.ndarray],
    others: tuple[np.ndarray, np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]],
    headway: np.ndarray,
) -> np.ndarray:
    """The `pressure` of whoever ahead in their band presses most on drivers [N, A], [N, A]; 0 if there is nobody.

    Args:
        x, speed: of the drivers, [N, A].
        band: of the drivers, see `span`.
        others: the x, speed and length (m) of all who may be ahead, [N, B], and their bands.
        headway: [N] seconds.
    """
    # Rows last: numpy is slow along short axes.
    x, speed, low, high = (np.ascontiguousarray(v.T)[:, None] for v in (x, speed, *band))
    edges = others[3]
    their_x, their_speed, long, their_low, their_high = (np.ascontiguousarray(v.T)[None] for v in (*others[:3], *edges))
    gap = their_x - x - (long + LENGTH) / 2
    ahead = (low < their_high) & (their_low < high) & (their_x > x)
    return np.where(ahead, pressure(speed, gap, speed - their_speed, headway), 0).max(1).T


def mobil(
    who: np.ndarray,
    cars: np.ndarray,
    felt: np.ndarray,
    ego: tuple[np.ndarray, np.ndarray, np.ndarray],
    width: np.ndarray,
    politeness: np.ndarray,
    headway: np.ndarray,
    lanes: int,
) -> np.ndarray:
    """The lane [N] that one driver of each row wants (Kesting, Treiber, Helbing 2007; of those behind, the new ones).

    A change is wanted if it is safe, and worth more than `WORTH` to oneself and, times `politeness`, to whom it costs
    most behind; then the better side is taken. Who is changing already goes on.

    Args:
        who: [N], which driver considers.
        cars: [N, K, 5]: x, y, speed, lane, wish.
        felt: [N, K], all drivers' accelerations as they are.
        ego: x, y, speed of one's own car, [N] each: another one on the road.
        width: of a lane, [N].
        politeness, headway: [N].
        lanes: how many there are.
    """
    rows = np.arange(len(cars))
    me = cars[rows, who]
    x, speed, lane = me[:, 0], me[:, 2], me[:, 3]
    table = np.ascontiguousarray(cars.transpose(2, 1, 0))  # rows last, as in `pressed`
    their_x, their_y, their_speed = (np.concatenate([table[i], ego[i][None]]) for i in range(3))
    goal = np.concatenate([centre(table[3], width, lanes), ego[1][None]])
    wish = np.concatenate([table[4], np.full((1, len(cars)), EGO_WISH)])
    now = np.concatenate([felt.T, idm(ego[2], wish[-1], np.zeros(len(cars)))[None]])
    right, left = span(their_y, goal)
    other = np.arange(len(their_x))[:, None] != who
    apart = their_x - x
    gap = np.abs(apart) - LENGTH
    settled = np.abs(me[:, 1] - centre(lane, width, lanes)) < 0.3
    best, choice = np.full(len(cars), WORTH), lane.copy()
    ahead = pressure(speed, gap, speed - their_speed, headway)
    behind = idm(their_speed, wish, pressure(their_speed, gap, their_speed - speed, headway))
    for side in (1.0, -1.0):
        low, high = span(centre(lane + side, width, lanes), centre(lane + side, width, lanes))
        there = other & (right < high) & (low < left)
        mine = idm(speed, me[:, 4], np.where(there & (apart > 0), ahead, 0).max(0))
        follows = there & (apart <= 0)
        theirs = np.where(follows, np.minimum(behind - now, 0), 0).min(0)
        safe = (np.where(follows, behind, 0).min(0) > SAFE) & ~(there & (gap < BESIDE)).any(0)
        gain = mine - felt[rows, who] + politeness * theirs
        take = settled & safe & (lane + side >= 0) & (lane + side < lanes) & (gain > best)
        best, choice = np.where(take, gain, best), np.where(take, lane + side, choice)
    return choice


def centre(lane: np.ndarray, width: np.ndarray | float, lanes: int) -> np.ndarray:
    """The middle of lanes, counted from the right, 0 first."""
    return (lane - (lanes - 1) / 2) * width


def drift(y: np.ndarray, goal: np.ndarray, speed: np.ndarray) -> np.ndarray:
    """Speed to the left with which drivers keep to their lanes, or change them."""
    most = np.minimum(DRIFT, TILT * speed)
    return np.clip((goal - y) / SETTLE, -most, most)


def roll(speed: np.ndarray, push: np.ndarray, top: float, dt: float) -> tuple[np.ndarray, np.ndarray]:
    """The way made in `dt` and the speed after it, under a held acceleration, exactly; from 0 to `top`."""
    bound = np.where(push < 0, 0.0, top)
    with np.errstate(divide="ignore", invalid="ignore"):
        until = np.where(push != 0, (bound - speed) / push, np.inf)
    until = np.clip(until, 0, dt)
    after = np.where(until < dt, bound, speed + push * dt)
    return speed * until + 0.5 * push * until**2 + after * (dt - until), after


def bicycle(pose: np.ndarray, way: np.ndarray, steer: np.ndarray) -> np.ndarray:
    """Where a car's rear axle comes on an arc: poses [N, 3] (x, y, heading), way [N], angle of the front wheels [N]."""
    turn = way * np.tan(steer) / BASE
    middle, chord = pose[:, 2] + turn / 2, way * np.sinc(turn / (2 * np.pi))
    return np.stack([pose[:, 0] + chord * np.cos(middle), pose[:, 1] + chord * np.sin(middle), pose[:, 2] + turn], 1)
