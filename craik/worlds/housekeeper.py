"""A pilot of the household: what to do next for what is asked, a row at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from craik.worlds.household import (
    AT,
    BOIL,
    BREW,
    DONE,
    FRIDGE,
    HAND,
    HOME,
    INSIDE,
    OPENS,
    PLACES,
    STOVE,
    SURFACE,
    TASKS,
    THINGS,
    WAIT,
    command,
)

GO = [command("go", r) for r in range(4)]
TABLE = PLACES.index("table")


class Housekeeper:
    """Looks at one state and its goal, and says what to do.

    Args:
        state: [D], whole numbers.
        goal: [D].
        style: "direct"; "around", which takes the other way to the opposite room; "tidy", which shuts what it leaves.
    """

    def __init__(self, state: np.ndarray, goal: np.ndarray, style: str):
        self.s: Sequence[int] = state.astype(np.int64).tolist()
        self.g: Sequence[int] = goal.astype(np.int64).tolist()
        self.style, self.room = style, self.s[0]

    def choose(self) -> int:
        """The number of a command."""
        todo = {
            "place": lambda: self._bring(self.g[AT["what"]], self.g[_place(self.g[AT["what"]])]),
            "tea": self._tea,
            "eggs": self._eggs,
            "coins": self._coins,
            "chill": self._chill,
        }[TASKS[self.g[AT["task"]]]]()
        leaving = todo == WAIT or todo in GO
        if self.style == "tidy" and leaving and self.s[OPENS.start + self.room]:
            return command("close", self.room)
        return todo

    def _at(self, name: str) -> int:
        return self.s[AT[name]]

    def _go(self, room: int) -> int:
        apart = (room - self.room) % 4
        if apart == 2:
            return GO[(self.room + (3 if self.style == "around" else 1)) % 4]
        return GO[room]

    def _bring(self, thing: int, where: int) -> int:
        """A thing to a place."""
        at = self.s[_place(thing)]
        if at == where:
            return WAIT
        if at != HAND:
            return self._fetch(thing)
        if where == HAND:
            return WAIT
        room = int(HOME[where])
        if room != self.room:
            return self._go(room)
        if where == STOVE:
            return command("heat")
        if where == SURFACE[room]:
            return command("put", thing)
        return command("store", thing) if self.s[OPENS.start + room] else command("open", room)

    def _fetch(self, thing: int) -> int:
        """Towards having a thing in the hand."""
        at = self.s[_place(thing)]
        room = int(HOME[at])
        if room != self.room:
            return self._go(room)
        if at == INSIDE[room] and not self.s[OPENS.start + room]:
            return command("open", room)
        held = [i for i in range(len(THINGS)) if self.s[_place(i)] == HAND]
        return command("put", held[0]) if len(held) > 1 else command("take", thing)

    def _tea(self) -> int:
        mug, cups = THINGS.index("mug"), self._at("mug_cups")
        if cups and self._at("brew") >= self.g[AT["brew"]]:
            return self._bring(mug, self.g[_place(mug)])
        if cups and self._at("mug_heat") < BREW:
            held = self.s[_place(mug)] == HAND
            return command("drink") if held else self._fetch(mug)
        if cups and self._at("tea"):
            return WAIT
        if self.s[_place(mug)] != HAND:
            return self._fetch(mug)
        if not self._at("tea"):
            if self.room != 1:
                return self._go(1)
            return command("bag") if self._at("cupboard_open") else command("open", 1)
        if self.room != 0:
            return self._go(0)
        if not self._at("kettle_cups"):
            return command("fill", 0)
        if self._at("kettle_heat") >= BOIL - 5:
            return command("pour", 0)
        return WAIT if self._at("kettle_on") else command("on", 1)

    def _eggs(self) -> int:
        pot, wanted = THINGS.index("pot"), self.g[AT["eggs_plate"]] - self._at("eggs_plate")
        if wanted <= 0:
            return command("off", 0) if self.style == "tidy" and self.room == 0 and self._at("stove_on") else WAIT
        if self.s[_place(pot)] != STOVE:
            return self._bring(pot, STOVE)
        if self.room != 0:
            return self._go(0)
        if not self._at("pot_cups"):
            return command("fill", 1)
        if not self._at("stove_on"):
            return command("on", 0)
        if self._at("eggs_pot") and self._at("cook") >= DONE:
            return command("serve")
        if wanted > self._at("eggs_pot"):
            return command("egg") if self._at("fridge_open") else command("open", 0)
        return WAIT

    def _coins(self) -> int:
        more = self.g[AT["purse"]] - self._at("purse")
        if more == 0:
            return WAIT
        if self.room != 3:
            return self._go(3)
        return command("coins", (0 if more > 0 else 2) + (abs(more) >= 5))

    def _chill(self) -> int:
        apple = THINGS.index("apple")
        if self._at("apple_heat") <= self.g[AT["apple_heat"]]:
            return WAIT
        if self.s[_place(apple)] != FRIDGE:
            return self._bring(apple, FRIDGE)
        if not self._at("fridge_open"):
            return WAIT
        return command("close", 0) if self.room == 0 else self._go(0)


def _place(thing: int) -> int:
    """Where a thing's place stands in the state."""
    return AT["apple_place"] + thing
