"""Four rooms of tiles: find out which switch opens which door, fetch the key, unlock, take the gem, mind the mover."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from craik.core.errors import UnknownName
from craik.worlds import sprites, tiles_words
from craik.worlds.equations import Factor
from craik.worlds.exact import ExactWorld
from craik.worlds.luck import throw
from craik.worlds.sprites import CODE
from craik.worlds.tiles_laws import (
    AT,
    DOORS,
    EMPTY,
    FIELDS,
    GEM,
    KEY,
    MOVER,
    REACH,
    SIDE,
    THING,
    WALKER,
    above,
    act,
    caught,
    roam,
    seen,
)
from craik.worlds.tiles_pilot import STYLES, steer
from craik.worlds.words import Fact, Worded


class Tiles(Worded, ExactWorld):
    """Four rooms; the walker begins in one with two switches, and a gem lies in the one opposite, behind a lock.

    The red and the blue door lead to the two rooms beside. Each is worked by one of the switches, and nothing shows by
    which: that (`wires`) is drawn for each episode. The key lies in one of the rooms beside; the locked door to the gem
    is in the other. Tiles count across (x) and down (y) from 0 at the top left; everything is a whole number.

    Actions: turn left, turn right, forward, pick up, drop, toggle; what they act on is the tile ahead. One thing can be
    held. Things and walls bar the way; open doorways do not, and a doorway with somebody in it does not close. The lock
    turns, both ways, for whoever holds the key. First the walker acts, unless it slips; then the mover does: with the
    chance `rate` it tries a step, with the chance `hunt` a step towards the walker along the longer way (across, if
    they are equal), else one of four, drawn with `(1 + lean) / 4` for east and west each and `(1 - lean) / 4` for south
    and north; barred, it stays. When the two meet, the walker is caught and the episode ends; but who holds the gem
    bars the mover's way like a wall, and is barred by it. All these chances are known: `outcomes` tells them exactly.

    State: see `FIELDS`; what is held lies where the walker is. The goal: the gem in hand (if the goal is a state in
    which it is not, then the gem lying where it lies there). Reward in [0, 1] a step: 1 at the goal, 0 when caught,
    otherwise a tenth for each of: red open, blue open, lock open, key in hand or lock open.
    Events, 0 or 1: see `EVENTS`. "pixels" is the walker's view of 7 x 7 tiles, with what is hidden behind walls and
    closed doors dark, as are the views "symbols" and "text"; "map" is a picture of everything from above. The wires
    are in "state" alone. Episodes end when caught and are truncated after 160 steps.
    """

    FIELDS = FIELDS
    EVENTS: ClassVar[Mapping[str, str]] = {
        "bumped": "the way forward was barred",
        "picked": "something was picked up",
        "dropped": "something was dropped",
        "switched": "a switch moved its door",
        "unlocked": "the lock was opened or closed",
        "caught": "the walker and the mover have met",
    }
    LUCKY, HAS_GOAL, FPS, MAX_STEPS = True, True, 5, 160
    IDLE: ClassVar[int] = 4  # to drop what one does not have
    FACTORS: ClassVar[Mapping[str, Factor]] = {
        "rate": Factor(0.3, 0.0, 1.0, "chance that the mover tries a step", "behavioural"),
        "hunt": Factor(0.0, 0.0, 0.8, "chance that its step is towards the walker", "behavioural"),
        "lean": Factor(0.0, -1.0, 1.0, "how much it prefers to step across (1) or up and down (-1)", "behavioural"),
        "slip": Factor(0.0, 0.0, 0.3, "chance that an action does nothing", "physical"),
        "stray": Factor(0.5, 0.0, 1.0, "chance that an inner wall does not stand in the middle", "geometric"),
        "theme": Factor(0.0, 0.0, 2.99, "colours of floor and walls: paper, dusk or moss (whole part)", "visual"),
        "light": Factor(1.0, 0.4, 1.0, "brightness of the pictures", "visual"),
        "sight": Factor(6.0, 1.0, 6.0, "how many tiles ahead and aside the walker sees", "sensory"),
    }
    VIEWS: ClassVar[Mapping[str, str]] = {
        "map": "everything from above, RGB",
        "symbols": "codes (`sprites.CODE`) of the 7 x 7 tiles ahead, the walker at the bottom; 0 is not seen",
        "text": "what is seen, in words: UTF-8 bytes, padded with 0",
    }
    POINTS = sprites.POINTS
    STYLES = STYLES
    FACTS: Mapping[str, Fact] = tiles_words.FACTS

    def __init__(self, num_envs: int = 1, **settings: Any):
        top = np.full(len(self.FIELDS) - 1, SIDE - 1, np.float32)
        for name, most in {"way": 3, "hand": 2, "red_open": 1, "blue_open": 1, "lock_open": 1, "wires": 1}.items():
            top[self.FIELDS.index(name)] = most
        self.space = spaces.Box(np.zeros_like(top), top, dtype=np.float32)
        self.action = spaces.Discrete(6)
        super().__init__(num_envs, **settings)

    def effort(self, action: np.ndarray) -> np.ndarray:
        """The number of the action, [N, 1]."""
        return action.astype(np.float64)[:, None]

    def move(self, state, effort, factors):  # noqa: ANN001, ANN201
        """One step: the walker acts unless it slips, then the mover steps."""
        chance, after = throw(state[:, -1], 2)
        acted, events = act(state, effort[:, 0])
        slipped = chance[:, 0] < factors["slip"]
        acted[slipped] = state[slipped]
        events = {k: v & ~slipped for k, v in events.items()}
        places, chances = roam(acted, factors)
        which = (chance[:, 1:] >= np.cumsum(chances, 1)[:, :-1]).sum(1)
        acted[:, MOVER] = places[np.arange(len(state)), which]
        acted[:, -1] = after
        met = caught(acted)
        return acted, {k: v.astype(np.int64) for k, v in {**events, "caught": met}.items()}

    def outcomes(self, state, effort, factors):  # noqa: ANN001, ANN201
        """Ten at most: the walker acts or slips, the mover does one of five things. Luck is 0 in all of them."""
        n, (acted, _) = len(state), act(state, effort[:, 0])
        same = (acted == state).all(1)
        after, chance = np.empty((n, 2, 5, state.shape[1])), np.empty((n, 2, 5))
        for i, base in enumerate((acted, state)):
            places, chances = roam(base, factors)
            share = np.where(same, 1.0 - i, factors["slip"] if i else 1 - factors["slip"])
            after[:, i] = base[:, None]
            after[:, i, :, MOVER] = places
            chance[:, i] = share[:, None] * chances
        after[..., -1] = 0
        return after.reshape(n, 10, -1), chance.reshape(n, 10)

    def reward(self, before, effort, after, goal, factors):  # noqa: ANN001, ANN201
        """See the class."""
        red, blue, lock = (after[:, AT[f"{name}_open"]] for name in DOORS)
        done = red + blue + lock + np.maximum(lock, after[:, AT["hand"]] == KEY)
        return np.where(self.reached(after, goal, factors), 1.0, np.where(caught(after), 0.0, done / 10))

    def reached(self, state: np.ndarray, goal: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """Whether the gem is in hand, or where the goal says, and the walker not caught (unless the goal is that)."""
        held, wanted = state[:, AT["hand"]] == GEM, goal[:, AT["hand"]] == GEM
        there = (state[:, THING[GEM]] == goal[:, THING[GEM]]).all(1)
        return np.where(wanted, held, there & ~held) & (~caught(state) | caught(goal))

    def proceed(self, state: np.ndarray) -> np.ndarray:
        """Until caught."""
        return ~caught(state)

    def begin(self, rng: np.random.Generator, factors: Mapping[str, float]) -> np.ndarray:
        """The walker anywhere in a room of switches, doors closed, things and mover anywhere in their rooms."""
        walls = [4 if rng.random() >= factors["stray"] else int(rng.choice([3, 5])) for _ in range(2)]
        here = rng.integers(0, 2, 2)
        axis = int(rng.integers(0, 2))  # the room with the key lies this way, the one with the locked door the other
        keyed, locked, far = here.copy(), here.copy(), 1 - here
        keyed[axis], locked[1 - axis] = far[axis], far[1 - axis]
        spans = [[np.arange(1, w), np.arange(w + 1, SIDE - 1)] for w in walls]

        def spot(room: np.ndarray) -> list[int]:
            return [int(rng.choice(spans[a][room[a]])) for a in range(2)]

        def door(room: np.ndarray, across: int) -> list[int]:
            place = spot(room)
            place[across] = walls[across]
            return place

        doors = [door(here, axis), door(here, 1 - axis)]
        if rng.random() < 0.5:
            doors.reverse()
        rim = [(0 if here[0] == 0 else SIDE - 1, int(y)) for y in spans[1][here[1]]]
        rim += [(int(x), 0 if here[1] == 0 else SIDE - 1) for x in spans[0][here[0]]]
        one, two = (rim[i] for i in rng.choice(len(rim), 2, replace=False))
        key, gem = spot(keyed), spot(far)
        mover = key
        while mover in (key, gem):
            mover = spot((keyed, locked, far)[rng.integers(3)])
        walker = [*spot(here), int(rng.integers(0, 4)), EMPTY]
        gates = [*doors[0], 0, *doors[1], 0, *door(locked, axis), 0]
        return np.array([*walker, *mover, *key, *gem, *gates, *one, *two, rng.integers(0, 2), *walls, 0], float)

    def aim(self, rng: np.random.Generator, state: np.ndarray, factors: Mapping[str, float]) -> np.ndarray:
        """Gem in hand where it was, all doors open, the key dropped before the lock, the mover where the key was."""
        goal, lock, gem = state.copy(), AT["lock_x"], state[THING[GEM]]
        axis = 0 if state[lock] == state[AT["wall_x"]] else 1
        goal[WALKER], goal[AT["hand"]], goal[MOVER] = gem, GEM, state[THING[KEY]]
        goal[THING[KEY]] = state[lock : lock + 2]
        goal[THING[KEY].start + axis] -= np.sign(gem[axis] - state[lock + axis])
        goal[[AT[f"{name}_open"] for name in DOORS]] = 1
        return goal

    def guide(self, style: str = "direct") -> np.ndarray:
        """Actions [N] of a pilot that knows the wires; see `tiles_pilot`.

        Raises:
            UnknownName: if there is no such style.
        """
        if style not in STYLES:
            raise UnknownName("style of Tiles's pilot", style, STYLES)
        return steer(self.state, self.factors, style)

    def paint(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """What the walker sees; it looks up."""
        return sprites.mosaic(seen(state, factors), self.size, factors["theme"], factors["light"])

    def view(self, name: str, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """See `VIEWS`."""
        if name == "map":
            return sprites.mosaic(above(state), self.size, factors["theme"], factors["light"])
        if name == "symbols":
            return seen(state, factors)
        if name == "text":
            return self.tell(self.facts(state, factors), factors)
        return super().view(name, state, factors)

    def facts(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """What the walker sees, from where it stands."""
        return tiles_words.facts(seen(state, factors))

    def tell(self, facts: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """See `tiles_words.tell`."""
        return tiles_words.tell(facts)

    def parse(self, line: str) -> Mapping[str, float]:
        """See `tiles_words.parse`."""
        return tiles_words.parse(line)

    def view_space(self, name: str) -> spaces.Box:
        """See `VIEWS`."""
        if name == "map":
            return spaces.Box(0, 255, (self.size, self.size, 3), np.uint8)
        if name == "symbols":
            return spaces.Box(0, len(CODE) - 1, (REACH, REACH), np.uint8)
        if name == "text":
            return spaces.Box(0, 255, (tiles_words.LENGTH,), np.uint8)
        return super().view_space(name)

    def places(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """The middles of the tiles on which they are seen; what is held is seen on the walker."""
        return sprites.find(seen(state, factors))

    def captions(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> list[str]:
        """A sentence for each row: where the walker is, what it holds, which doors are open, how far the mover is."""
        return [tiles_words.caption(dict(zip(self.FIELDS, row.astype(int), strict=True))) for row in state]
