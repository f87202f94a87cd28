"""The household from above, drawn small: four rooms, their furniture, and all that stands about."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

from craik.worlds.draw import BLUE, GOLD, GREEN, INK, PAPER, PLUM, RED, SLATE, STONE, Canvas, Color
from craik.worlds.household import AT, COUNTS, HAND, HOME, INSIDE, ONS, OPENS, PLACED, STOVE

COLORS: dict[str, Color] = {
    "me": (30, 148, 140),
    "cat": (240, 128, 44),
    "apple": RED,
    "bread": (190, 136, 84),
    "milk": (255, 255, 255),
    "pot": (92, 98, 112),
    "mug": BLUE,
    "book": PLUM,
    "key": GOLD,
}
WOOD: Color = (214, 190, 156)
WATER: Color = (120, 178, 220)
TEA: Color = (120, 76, 40)
FLOORS: tuple[Color, ...] = ((242, 240, 232), (246, 238, 222), (236, 238, 242), (240, 242, 232))
CABINETS: tuple[Color, ...] = ((206, 220, 230), (196, 170, 132), (176, 146, 116), (150, 110, 84))
SHADES: tuple[Color, ...] = tuple((r * 4 // 5, g * 4 // 5, b * 4 // 5) for r, g, b in CABINETS)
CENTRES = np.array([[-0.5, 0.5], [0.5, 0.5], [0.5, -0.5], [-0.5, -0.5]])
"""Of the rooms, in units; the house is [-1, 1] both ways."""

AWAY = np.array([9.0, 9.0])
ME, CAT = np.array([-0.14, 0.1]), np.array([0.1, 0.02])
STOVES, KETTLE, PLATE, LAMP, JAR, CLOCK = (
    CENTRES[0] + [-0.31, 0.3],
    CENTRES[0] + [-0.02, 0.32],
    CENTRES[0] + [-0.36, 0.04],
    CENTRES[2] + [-0.32, 0.28],
    CENTRES[3] + [-0.32, 0.28],
    np.array([0.0, 0.0]),
)


def paint(state: np.ndarray, factors: Mapping[str, np.ndarray], size: int) -> np.ndarray:
    """States [N, D] as pictures [N, size, size, 3] uint8."""
    n, s = len(state), {name: state[:, i] for name, i in AT.items()}
    flags = np.concatenate([state[:, OPENS], state[:, ONS]], 1) > 0
    canvas = Canvas(n, size, 1.03, np.stack([_house(size, row.tobytes()) for row in flags]))

    def disc(centre: np.ndarray, radius: float | np.ndarray, color: Color, when: np.ndarray | None = None) -> None:
        at = np.broadcast_to(centre, (n, 2))
        if when is not None:
            radius = radius * when
        if np.ndim(radius):  # even a disc of radius 0 would leave a trace
            at = np.where(np.asarray(radius > 0)[:, None], at, AWAY)
        if np.any(radius):
            canvas.disc(at, radius, color)

    disc(STOVES, 0.105 * np.sqrt(np.clip((s["stove_heat"] - 26) / 174, 0, 1)), RED)
    disc(KETTLE, 0.085 * np.sqrt(s["kettle_cups"] / 4), WATER)
    disc(KETTLE, 0.05 * np.clip((s["kettle_heat"] - 26) / 74, 0, 1), RED)
    for k in range(COUNTS["eggs_plate"]):
        turn = 2 * np.pi * k / 6
        disc(PLATE + 0.05 * np.array([np.cos(turn), np.sin(turn)]), 0.026, GOLD, s["eggs_plate"] > k)
    disc(JAR, 0.1 * np.sqrt(s["jar"] / 20), GOLD)
    for name, most, room, color in (("eggs_box", 6, 0, GOLD), ("tea_bags", 6, 1, TEA)):
        tall = 0.4 * s[name] / most * flags[:, room]
        low = CENTRES[room] + np.stack([np.full_like(tall, 0.408), tall - 0.4], 1)
        canvas.polygon(_corners(low, np.stack([0.016 * (tall > 0), tall], 1)), color)
    me = _me(state)
    for i, name in enumerate(("apple", "bread", "milk", "pot", "mug", "book", "key")):
        at = _spot(state, me, i)
        if name == "milk":
            disc(at, 0.075, INK)
        disc(at, 0.06 if name == "milk" else 0.068, COLORS[name])
        if name == "pot":
            disc(at, 0.045 * np.sqrt(s["pot_cups"] / 4), WATER)
            disc(at, 0.03 * np.sqrt(s["eggs_pot"] / 4), PAPER)
        if name == "mug":
            disc(at, 0.042 * (s["mug_cups"] > 0), WATER)
            disc(at, 0.034 * (s["tea"] > 0), TEA)
    disc(me - [0, 0.02], 0.1, (90, 96, 104))
    disc(me, 0.092, COLORS["me"])
    disc(np.add(me, [-0.02, 0.03]), 0.02 * np.sqrt(s["purse"] / 5), GOLD)
    cat = CENTRES[state[:, 1].astype(np.int64)] + CAT
    for ear in (-0.045, 0.045):
        disc(np.add(cat, [ear, 0.055]), 0.028, COLORS["cat"])
    disc(cat, 0.07, COLORS["cat"])
    disc(CLOCK, 0.13, INK)
    disc(CLOCK, 0.105, PAPER)
    disc(CLOCK, 0.105, RED, s["ringing"] == 1)
    turn = 2 * np.pi * s["timer"] / 10
    canvas.capsule(np.zeros((n, 2)), 0.075 * np.stack([np.sin(turn), np.cos(turn)], 1), 0.02, INK)
    image = canvas.image()
    flipped = factors["mirror"] >= 0.5
    image[flipped] = image[flipped, :, ::-1]
    dim = factors["light"] != 1
    if dim.any():
        image[dim] = (image[dim] * factors["light"][dim, None, None, None] + 0.5).astype(np.uint8)
    return image


def spots(state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
    """[N, 2, 2]: you and the cat in the picture, across and down in [0, 1]."""
    at = np.stack([_me(state), CENTRES[state[:, 1].astype(np.int64)] + CAT], 1)
    at[..., 0] *= np.where(factors["mirror"] >= 0.5, -1, 1)[:, None]
    return (at * [1, -1] + 1.03) / 2.06


def _me(state: np.ndarray) -> np.ndarray:
    return CENTRES[state[:, 0].astype(np.int64)] + ME


def _spot(state: np.ndarray, me: np.ndarray, thing: int) -> np.ndarray:
    """Where a thing is drawn, [N, 2]: on its surface, on a shelf of its container, in the hand, or not at all."""
    places = state[:, PLACED].astype(np.int64)
    place = places[:, thing]
    home = np.maximum(HOME[place], 0)
    row = np.arange(len(state))
    inside = place == INSIDE[home]
    shut = inside & (state[row, AT["fridge_open"] + home] == 0)
    at = CENTRES[home] + np.where(
        inside[:, None], [0.33, -0.36 + 0.12 * thing], [-0.35 + 0.155 * (thing % 4), -0.2 - 0.155 * (thing // 4)]
    )
    at = np.where((place == STOVE)[:, None], STOVES, at)
    before = (places[:, :thing] == HAND).any(1)
    hand = me + np.where(before[:, None], [0.13, -0.02], [-0.13, -0.02])
    at = np.where((place == HAND)[:, None], hand, at)
    return np.where(shut[:, None], AWAY, at)


def _corners(centre: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Of upright rectangles, counter-clockwise: [N, 4, 2]. None where half is 0."""
    turn = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)
    corners = np.broadcast_to(centre, half.shape)[:, None] + half[:, None] * turn
    return np.where(np.asarray((half > 0).all(1))[:, None, None], corners, AWAY + 0.01 * turn)


@cache
def _house(size: int, flags: bytes) -> np.ndarray:
    """Floors, walls with doors, and the furniture, open or not, on or not: [size, size, 3] uint8."""
    *lids, stove, kettle, lamp = flags
    canvas = Canvas(1, size, 1.03, (176, 172, 164))

    def box(centre: np.ndarray, across: float, up: float, color: Color) -> None:
        canvas.polygon(_corners(centre, np.array([[across, up]])), color)

    for room in range(4):
        box(CENTRES[room], 0.47, 0.47, FLOORS[room])
    for door in ([0.0, 0.62], [0.0, -0.38], [-0.5, 0.0], [0.5, 0.0]):
        wide = (0.05, 0.13) if door[0] == 0 else (0.13, 0.05)
        box(np.array(door), *wide, (232, 226, 214))
    for room in range(4):
        c = CENTRES[room]
        box(np.add(c, [-0.118, -0.277]), 0.325, 0.165, WOOD)
        box(np.add(c, [0.33, 0.0]), 0.125, 0.445, SHADES[room])
        box(np.add(c, [0.33, 0.0]), 0.105, 0.425, CABINETS[room])
        if lids[room]:
            box(np.add(c, [0.33, 0.0]), 0.095, 0.415, (252, 251, 248))
        else:
            canvas.disc((np.add(c, [0.255, 0.0]))[None], 0.022, INK)
    box(STOVES, 0.14, 0.13, SLATE)
    for place, radius, color in (
        (STOVES, 0.11, INK),
        (KETTLE, 0.115, (116, 122, 136)),
        (KETTLE, 0.09, PAPER),
        (PLATE, 0.09, (255, 255, 255)),
        (LAMP, 0.13 * lamp, (255, 226, 130)),
        (LAMP, 0.07, STONE),
        (LAMP, 0.045, GOLD),
        (np.add(STOVES, [0.11, 0.11]), 0.035 * stove, GREEN),
        (np.add(KETTLE, [0.11, 0.09]), 0.035 * kettle, GREEN),
        (JAR, 0.125, STONE),
        (JAR, 0.105, (255, 255, 255)),
    ):
        if radius:
            canvas.disc(place[None], radius, color)
    return canvas.image()[0]
