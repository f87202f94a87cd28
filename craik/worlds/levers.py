"""A machine of levers and lights: who finds out what causes what can light the lights that are wanted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from craik.core.errors import SpecError, UnknownName
from craik.worlds import levers_panel as panel
from craik.worlds.equations import Factor
from craik.worlds.exact import ExactWorld
from craik.worlds.levers_effects import MEMORY, Machine, carried, choices, pending, plan, settled, spread
from craik.worlds.luck import throw
from craik.worlds.words import Fact, Worded

MOST = 40
"""Presses that may be allowed."""

DRAWS = 6
"""Sets of lights among which a goal is chosen."""

LENGTH = 128
"""Bytes of a text; shorter ones are padded with 0."""


class Levers(Worded, ExactWorld):
    """Levers flip lights, and lights flip lights, each after a delay and along hidden wires; some pulses are lost.

    Actions: 0 waits, i presses lever i - 1, which springs back. A press sends a pulse along each wire of the lever; it
    arrives 1 to 3 moves later (1: it is seen at once) and flips its light, unless it is lost, with the chance `noise`.
    A light that flips sends pulses along its links to other lights in the same way; links have no cycles. Pulses that
    arrive together flip one by one: two undo each other. Each press takes one of those left; with none left, it is a
    wait.
    Wires, links and delays are drawn for each episode, or are always those of number `graph`.

    The confounder: in each move the current surges with the chance `surge`, whatever anyone does, and nothing shows it.
    In the move after, it flips one light, the `lamp`, with the chance `sway`. The lever `decoy` has no wires at all.
    The pilot in the style "passive" feels the surge, and presses the decoy just then. So in what it gathers the lamp
    flips with presses of the decoy (with the chance `sway`, but for pulses that come at the same time), and yet they
    cause nothing: under choices that do not know the surge, the lamp flips as often with a press of the decoy as when
    waiting (chance `surge` times `sway`). `outcomes` tells both exactly: with the surge known, as the state knows it,
    the decoy makes no difference; who does not see the surge has to average over it, by `surge` where presses are free
    and by what the pilot felt where it pressed.

    State: see `FIELDS`; all but lights, the last press and the presses left is in "state" alone. The goal: the lights
    that are lit in the goal are lit; the others do not count. Reward in [0, 1] a step: the part of those wanted that
    are lit. Events: see `EVENTS`. Episodes are truncated after 40 steps and never terminate.

    Args:
        levers: how many, 4 to 6, and as many lights.
    """

    LUCKY, HAS_GOAL, FPS, MAX_STEPS = True, True, 5, 40
    EVENTS: ClassVar[Mapping[str, str]] = {
        "pressed": "1 if a lever was pressed",
        "refused": "1 if no press was left for it",
        "flips": "lights that flipped",
        "arrived": "pulses that came, lost ones among them",
        "surged": "1 if the current surges now; the lamp may flip in the next move",
    }
    FACTORS: ClassVar[Mapping[str, Factor]] = {
        "noise": Factor(0.05, 0.0, 0.3, "chance that a pulse is lost", "physical"),
        "slowest": Factor(3.0, 1.0, 3.0, "longest delay, moves (rounded)", "physical"),
        "surge": Factor(0.15, 0.0, 0.5, "chance that the current surges in a move", "physical"),
        "sway": Factor(0.9, 0.0, 1.0, "chance that a surge flips the lamp", "physical"),
        "graph": Factor(-1.0, -1.0, 999.0, "number of the wiring; below 0: another one in each episode", "geometric"),
        "density": Factor(0.3, 0.1, 0.6, "chance that there is a wire or a link", "geometric"),
        "budget": Factor(10.0, 3.0, float(MOST), "presses allowed (whole part)", "behavioural"),
        "theme": Factor(0.0, 0.0, 2.99, "colours of the panel: paper, dusk or moss (whole part)", "visual"),
        "glow": Factor(1.0, 0.3, 1.0, "how much a lit light differs from a dark one", "sensory"),
    }
    VIEWS: ClassVar[Mapping[str, str]] = {
        "symbols": "3 rows: lights (1 lit), levers (1 pressed in the last move), presses left (in the first place)",
        "text": "what is seen, in words: UTF-8 bytes, padded with 0",
    }
    STYLES = ("direct", "patient", "passive")

    def __init__(self, num_envs: int = 1, *, levers: int = 5, **settings: Any):
        if not 4 <= levers <= 6:
            raise SpecError(f"the machine has 4 to 6 levers, not {levers}", "pass levers=5")
        n = self.levers = levers
        names = [f"light_{i}" for i in range(n)]
        names += [f"pressed_{i}_{a}" for i in range(n) for a in range(1, MEMORY)]
        names += [f"flipped_{i}_{a}" for i in range(n) for a in range(1, MEMORY + 1)]
        names += [f"{kind}_{i}_{j}" for kind in ("wire", "link") for i in range(n) for j in range(n)]
        self.FIELDS = (*names, "lamp", "decoy", "surge", "left", "luck")
        top = [*[1] * (6 * n), *[MEMORY] * (2 * n * n), n - 1, n - 1, 1, MOST]
        self.space = spaces.Box(np.zeros(len(top), np.float32), np.array(top, np.float32), dtype=np.float32)
        self.action = spaces.Discrete(n + 1)
        self.FACTS = {f"light_{i}": Fact("lit", 0, 1) for i in range(n)}
        self.FACTS |= {f"pressed_{i}_1": Fact("pressed", 0, 1) for i in range(n)} | {"left": Fact("left", 0, MOST)}
        self.POINTS = dict(zip(panel.NAMES[:n], panel.COLORS))
        super().__init__(num_envs, **settings)

    def effort(self, action: np.ndarray) -> np.ndarray:
        """Which lever is pressed, [N, levers] of 0 and 1."""
        return (action[:, None] == np.arange(1, self.levers + 1)).astype(np.float64)

    def move(self, state, effort, factors):  # noqa: ANN001, ANN201
        """One move: pulses arrive and flip, the press goes out, the current may surge."""
        chance, after = throw(state[:, -1], self.levers + 1)
        machine = Machine.of(state, self.levers)
        press, arrived, share = self._chances(machine, effort, factors)
        flips, surge = chance[:, :-1] < share, chance[:, -1] < factors["surge"]
        told = {
            "pressed": press.sum(1),
            "refused": effort.sum(1) - press.sum(1),
            "flips": flips.sum(1),
            "arrived": arrived.sum(1),
            "surged": surge,
        }
        return _next(machine, press, flips, surge, after).join(), {k: v.astype(np.int64) for k, v in told.items()}

    def outcomes(self, state, effort, factors):  # noqa: ANN001, ANN201
        """2 x 2^levers: which lights flip, and whether the current surges. Luck is 0 in all of them."""
        rows, sets = len(state), choices(self.levers + 1)
        press, _, share = self._chances(Machine.of(state, self.levers), effort, factors)
        share = np.concatenate([share, factors["surge"][:, None]], 1)[:, None]
        chance = np.where(sets > 0, share, 1 - share).prod(-1)
        many, drawn = np.repeat(state, len(sets), 0), np.tile(sets, (rows, 1))
        press = np.repeat(press, len(sets), 0)
        after = _next(Machine.of(many, self.levers), press, drawn[:, :-1], drawn[:, -1], np.zeros(len(many)))
        return after.join().reshape(rows, len(sets), -1), chance

    def _chances(
        self, machine: Machine, effort: np.ndarray, factors: Mapping[str, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Presses that count, pulses arriving at each light, and each light's chance to flip, [N, levers] each."""
        press = effort * (machine.rest[:, 3:4] > 0)
        by_lever = carried(machine.wire, np.concatenate([press[:, :, None], machine.pressed], -1))
        arrived = (by_lever + carried(machine.link, machine.flipped)).sum(1)
        swayed = machine.rest[:, 2:3] * (np.arange(self.levers) == machine.rest[:, :1])
        even = 1 - 2 * factors["sway"][:, None] * swayed  # chance of an even number of flips less that of an odd one
        for pulse in range(2 * self.levers):
            even = np.where(arrived > pulse, even * (2 * factors["noise"][:, None] - 1), even)
        return press, arrived, (1 - even) / 2

    def reward(self, before, effort, after, goal, factors):  # noqa: ANN001, ANN201
        """See the class."""
        lit, wanted = after[:, : self.levers], goal[:, : self.levers]
        number = wanted.sum(1)
        return np.where(number > 0, (lit * wanted).sum(1) / np.maximum(number, 1), 1.0)

    def reached(self, state: np.ndarray, goal: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """Whether all lights wanted are lit."""
        return np.all(state[:, : self.levers] >= goal[:, : self.levers], axis=1)

    def begin(self, rng: np.random.Generator, factors: Mapping[str, float]) -> np.ndarray:
        """At rest, some lights lit, some dark one in reach of some lever."""
        n = self.levers
        source = rng if factors["graph"] < 0 else np.random.default_rng(int(factors["graph"]))
        wires = self._wiring(source, factors)
        while True:
            machine = _at_rest(n, (rng.random(n) < 0.3).astype(float), *wires, int(factors["budget"]))
            if self._in_reach(machine).any():
                return machine.join()[0]

    def _wiring(
        self, rng: np.random.Generator, factors: Mapping[str, float]
    ) -> tuple[np.ndarray, np.ndarray, int, int]:
        """Wires, links, lamp and decoy. Every other lever has a wire, and some light but the lamp is in its reach."""
        n, slowest = self.levers, round(factors["slowest"])
        while True:
            order, decoy = rng.permutation(n), int(rng.integers(n))
            lamp, rank = int(order[-1]), np.argsort(order)
            wire, link = (rng.integers(1, slowest + 1, (n, n)) for _ in range(2))
            there = rng.random((n, n)) < factors["density"]
            there[np.arange(n), order[rng.integers(0, n - 1, n)]] = True
            wire = np.where(there & (np.arange(n) != decoy)[:, None], wire, 0)
            link = np.where((rng.random((n, n)) < factors["density"]) & (rank[:, None] < rank), link, 0)
            if self._in_reach(_at_rest(n, np.zeros(n), wire, link, lamp, decoy, 1)).sum() > 1:
                return wire, link, lamp, decoy

    def _in_reach(self, machine: Machine) -> np.ndarray:
        """[n] bool of one machine: the dark lights, but the lamp, that some lever by itself lights."""
        effect = ((machine.wire > 0).astype(float) @ spread(machine)) % 2
        return (effect[0].any(0)) & (machine.light[0] == 0) & (np.arange(self.levers) != machine.rest[0, 0])

    def aim(self, rng: np.random.Generator, state: np.ndarray, factors: Mapping[str, float]) -> np.ndarray:
        """Lights, the lamp not among them, that up to four presses light, one of them dark now: of some such sets the
        one that takes the most presses.
        """
        n, machine = self.levers, Machine.of(state[None], self.levers)
        total = spread(machine)
        effect, rest = ((machine.wire > 0).astype(float) @ total)[0] % 2, settled(machine, total)[0]
        dark = machine.light[0] == 0
        sets: list[np.ndarray] = []
        while len(sets) < DRAWS:
            chosen = rng.permutation(n)[: rng.integers(1, 5)]
            lit = (rest + effect[chosen].sum(0)) % 2 > 0
            lit[int(machine.rest[0, 0])] = False
            if (lit & dark).any():
                sets.append(lit)
        wanted = np.stack(sets).astype(float)
        presses = plan(Machine.of(np.repeat(state[None], DRAWS, 0), n), wanted).sum(1)
        goal = state.copy()
        goal[: 6 * n] = 0
        goal[:n] = wanted[presses.argmax()]
        return goal

    def guide(self, style: str = "direct") -> np.ndarray:
        """Actions [N] of a pilot that knows the wiring. "direct" presses what the fewest presses to the goal ask for,
        reckoning with what is under way; "patient" does so only when nothing is; "passive" seeks no goal: it presses
        the decoy when the current surges (see the class) and every fourth step another lever, in turn.

        Raises:
            UnknownName: if there is no such style.
        """
        if style not in self.STYLES:
            raise UnknownName("style of Levers's pilot", style, self.STYLES)
        machine = Machine.of(self.state, self.levers)
        if style == "passive":
            decoy = machine.rest[:, 1].astype(np.int64)
            turn = (decoy + 1 + self.steps // 4 % (self.levers - 1)) % self.levers
            idle = np.where(self.steps % 4 == 3, turn + 1, 0)
            return np.where(machine.rest[:, 2] > 0, decoy + 1, idle)
        presses = plan(machine, self.goal[:, : self.levers])
        busy = pending(machine).any(1) & (style == "patient")
        return np.where(presses.any(1) & ~busy, presses.argmax(1) + 1, 0)

    def paint(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """A panel: lights above, levers below, the presses left as dots, twelve at most."""
        machine = Machine.of(state, self.levers)
        shown = (machine.light, machine.pressed[..., 0], machine.rest[:, 3])
        return panel.picture(*shown, self.size, factors["theme"], factors["glow"])

    def view(self, name: str, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """See `VIEWS`."""
        machine = Machine.of(state, self.levers)
        if name == "symbols":
            left = machine.rest[:, 3:4] * (np.arange(self.levers) == 0)
            return np.stack([machine.light, machine.pressed[..., 0], left], 1).astype(np.uint8)
        if name == "text":
            return self.tell(self.facts(state, factors), factors)
        return super().view(name, state, factors)

    def tell(self, facts: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """A sentence of three parts; one of which anything is not known is left out."""
        n = self.levers
        lines = [self._sentence(row[:n], row[n:-1], row[-1]) for row in facts]
        return np.array([np.frombuffer(s.encode().ljust(LENGTH, b"\0"), np.uint8) for s in lines])

    def parse(self, line: str) -> Mapping[str, float]:
        """Each part by itself; a part that contradicts itself is not understood."""
        told: dict[str, float] = {}
        names = panel.NAMES[: self.levers]
        if lights := re.search(r"lights lit: (\d+) \((.*?)\)", line, re.IGNORECASE):
            lit = [name for name in lights[2].split(", ") if name != "none"]
            if len(lit) == int(lights[1]) and set(lit) <= set(names):
                told |= {f"light_{i}": float(name in lit) for i, name in enumerate(names)}
        if pressed := re.search(r"just pressed: (?:nothing|lever (\d))", line, re.IGNORECASE):
            told |= {f"pressed_{i}_1": float(pressed[1] == str(i + 1)) for i in range(self.levers)}
        if left := re.search(r"presses left: (\d+)", line, re.IGNORECASE):
            told["left"] = float(left[1])
        return told

    def view_space(self, name: str) -> spaces.Box:
        """See `VIEWS`."""
        if name == "symbols":
            return spaces.Box(0, MOST, (3, self.levers), np.uint8)
        if name == "text":
            return spaces.Box(0, 255, (LENGTH,), np.uint8)
        return super().view_space(name)

    def places(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """Where the lights are; NaN of those that are dark."""
        where = (panel.lights(self.levers) * [1, -1] / panel.REACH + 1) / 2
        return np.where(state[:, : self.levers, None] > 0, where, np.nan)

    def captions(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> list[str]:
        """What is seen, and how many pulses are under way."""
        machine = Machine.of(state, self.levers)
        under_way = pending(machine).sum(1).astype(int)
        seen = zip(machine.light, machine.pressed[..., 0], machine.rest[:, 3], strict=True)
        return [f"{self._sentence(*row)[:-1]}; pulses under way: {k}." for row, k in zip(seen, under_way, strict=True)]

    def _sentence(self, light: np.ndarray, pressed: np.ndarray, left: float) -> str:
        parts = []
        if np.isfinite(light).all():
            lit = ", ".join(n for n, on in zip(panel.NAMES, light) if on) or "none"
            parts.append(f"lights lit: {int(light.sum())} ({lit})")
        if np.isfinite(pressed).all():
            parts.append(f"just pressed: {f'lever {int(pressed.argmax()) + 1}' if pressed.any() else 'nothing'}")
        if np.isfinite(left):
            parts.append(f"presses left: {int(left)}")
        said = "; ".join(parts)
        return said[:1].upper() + said[1:] + "."


def _at_rest(
    n: int, light: np.ndarray, wire: np.ndarray, link: np.ndarray, lamp: int, decoy: int, left: int
) -> Machine:
    """One machine at rest."""
    still = np.zeros((1, n, MEMORY))
    rest = np.array([[lamp, decoy, 0, left, 0]], float)
    return Machine(light[None], still[..., 1:], still, wire[None].astype(float), link[None].astype(float), rest)


def _next(machine: Machine, press: np.ndarray, flips: np.ndarray, surge: np.ndarray, after: np.ndarray) -> Machine:
    """The machine after a move in which these presses [N, n] and flips [N, n] happened; surge and luck are new, [N]."""
    flips = flips.astype(np.float64)
    light = np.abs(machine.light - flips)
    pressed = np.concatenate([press[:, :, None], machine.pressed[..., :-1]], -1)
    flipped = np.concatenate([flips[:, :, None], machine.flipped[..., :-1]], -1)
    rest = machine.rest.copy()
    rest[:, 2], rest[:, 3], rest[:, 4] = surge, machine.rest[:, 3] - press.sum(1), after
    return Machine(light, pressed, flipped, machine.wire, machine.link, rest)
