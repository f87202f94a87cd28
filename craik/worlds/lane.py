"""A road with traffic, a parked van, and somebody who may step out from behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from craik.core.errors import SpecError, UnknownName
from craik.worlds import boxes, luck, sensors, street, traffic
from craik.worlds.draw import GOLD, PLUM, RED, Color, across
from craik.worlds.equations import Factor
from craik.worlds.exact import ExactWorld
from craik.worlds.sensors import BEAMS, BODY, CELLS, RANGE
from craik.worlds.solids import wrapped
from craik.worlds.street import AHEAD, BEYOND, LANES, REACH, STRIP, VAN, WAITS
from craik.worlds.traffic import AXLE, BRAKE, LENGTH, WIDTH

DT = 0.1
TOP = 20.0
"""No car is faster, m/s."""

STEER = 0.3
"""Furthest turn of the front wheels, rad."""

VERGE = 4.0
"""An episode ends this far beyond the road's edge, m."""


class Lane(ExactWorld):
    """Drive on among others, fast, gently, and into nobody.

    A straight road of three lanes along x, y to the left (m), y = 0 in its middle; to its right a strip on which a van
    is parked. Behind the van a pedestrian waits who may set out to cross, and has the right of way.

    State, seen as it is: of one's own car the rear axle's x and y, heading (rad), speed; of each other car x, y, speed,
    lane (0 is the right one) and the speed it wishes for; the pedestrian's x, y and whether she has set out; the van's
    x; whether the episode has ended. Action: acceleration in [-1, 1] (of `gain` upwards, of 8 m/s^2 in braking), and
    steering in [-1, 1] of 0.3 rad, to the left above 0; no tighter than `grip` allows. One's own car is a bicycle that
    goes along exact arcs; the others keep distance by IDM and change lanes by MOBIL (`craik.worlds.traffic`).
    Chance: which one driver of all looks round for a better lane in a step; and whether the pedestrian sets out, with
    `pedestrian` a step while nobody would have to brake hard for her.

    Reward in [0, 1]: `progress * comfort`, and 0 on the verge or after a collision. Progress is the way along the road
    in parts of that at `limit`, in [0, 1]; comfort is `exp(-(a^2 + b^2) / 32)` of the accelerations along and across
    the car (m/s^2). An episode ends with a collision or 4 m off the road, or is truncated after 200 steps of 0.1 s.
    Maps and pictures lead up and show 32 m: 8 m behind one's rear axle to 24 m ahead; `lidar` turns with the car.

    Args:
        cars: how many others, 4 to 12.
    """

    FPS, MAX_STEPS, LUCKY, ENDS = 10, 200, True, True
    STYLES: ClassVar[tuple[str, ...]] = ("overtake", "keep", "left", "right", "careful")
    FACTORS: ClassVar[Mapping[str, Factor]] = {
        "density": Factor(4.0, 2.0, 6.0, "cars on 100 m of a lane at the start", "behavioural"),
        "politeness": Factor(0.3, 0.0, 1.0, "how much drivers care for those behind (MOBIL)", "behavioural"),
        "headway": Factor(1.2, 0.8, 2.0, "time that drivers keep to those before them (IDM), s", "behavioural"),
        "pedestrian": Factor(0.2, 0.0, 0.5, "chance in a step that she sets out", "behavioural"),
        "walk": Factor(1.4, 0.8, 2.0, "the pedestrian's speed, m/s", "physical"),
        "limit": Factor(13.0, 8.0, 16.0, "speed of full progress, m/s", "physical"),
        "gain": Factor(3.0, 1.5, 5.0, "strongest acceleration of one's own car, m/s^2", "physical"),
        "grip": Factor(6.0, 2.0, 9.0, "strongest acceleration across it, m/s^2", "physical"),
        "width": Factor(3.5, 3.0, 4.0, "of a lane, m", "geometric"),
        "van": Factor(5.5, 0.0, 8.0, "length of the parked van, m; 0 for none", "geometric"),
        "dusk": Factor(0.0, 0.0, 1.0, "how dark it is", "visual"),
        "dropout": Factor(0.0, 0.0, 0.5, "part of the lidar's beams that are lost", "sensory"),
        "shade": Factor(0.0, 0.0, 1.0, "how dark pictures are where one's own car cannot see", "sensory"),
    }
    EVENTS: ClassVar[Mapping[str, str]] = {
        "collision": "whether one's own car met a car, the van or the pedestrian",
        "hit_person": "whether it met the pedestrian",
        "cut_off": "whether it drove on right before her, who has the right of way",
        "off_road": "whether any of it is off the road",
        "overtakes": "cars passed in the step",
        "lane_changes": "whether another driver began a change of lane",
        "set_out": "whether the pedestrian did",
    }
    VIEWS: ClassVar[Mapping[str, str]] = {
        "bev": "maps of the road, of vehicles and of people, without one's own car: 0 or 1",
        "voxels": "four layers of 0.5 m: 0 free, 1 a vehicle, 2 a person; without one's own car",
        "lidar": "ranges of 64 beams around the car's middle, the first ahead, the next to its left; m, 40 if none",
        "visible": "the cells that can be seen from the car's middle past cars and van: 0 or 1",
    }
    POINTS: Mapping[str, Color] = {"ego": RED, "person": GOLD, "van": PLUM}

    def __init__(self, num_envs: int = 1, *, cars: int = 8, **settings: Any):
        if not 4 <= cars <= 12:
            raise SpecError(f"lane has 4 to 12 other cars, not {cars}", "pass cars=8")
        self.cars = cars
        others = tuple(f"{f}{i}" for i in range(cars) for f in ("x", "y", "speed", "lane", "wish"))
        last = ("person_x", "person_y", "walks", "van_x", "ended", "luck")
        self.FIELDS = ("x", "y", "heading", "speed", *others, *last)
        high = np.array([500, 12, np.pi, TOP, *[700, 12, TOP, LANES - 1, TOP] * cars, 200, 12, 1, 200, 1], np.float32)
        low = np.array([-100, -12, -np.pi, 0, *[-300, -12, 0, 0, 0] * cars, 0, -12, 0, 0, 0], np.float32)
        self.space = spaces.Box(low, high, dtype=np.float32)
        self.action = spaces.Box(-1, 1, (2,), np.float32)
        super().__init__(num_envs, **settings)

    def move(self, state, effort, factors):  # noqa: ANN001, ANN201
        """One step: chance says who looks round and whether the pedestrian sets out."""
        thrown, fresh = luck.throw(state[:, -1], 2)
        who = (thrown[:, 0] * self.cars).astype(np.int64)
        after, events = self._drive(state, effort, factors, who, thrown[:, 1] < self._chance(state, factors))
        after[:, -1] = fresh
        return after, events

    def outcomes(
        self, state: np.ndarray, effort: np.ndarray, factors: Mapping[str, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Each driver looks round, with and without the pedestrian setting out: K is twice `cars`."""
        n, k = len(state), 2 * self.cars
        going = self._chance(state, factors)
        chance = np.repeat(np.stack([1 - going, going], 1) / self.cars, self.cars, 1)
        who, sets = np.tile(np.arange(k) % self.cars, n), np.tile(np.arange(k) >= self.cars, n)
        every = {name: np.repeat(v, k) for name, v in factors.items()}
        after, _ = self._drive(np.repeat(state, k, 0), np.repeat(effort, k, 0), every, who, sets)
        after[:, -1] = 0
        return after.reshape(n, k, -1), chance

    def _drive(
        self, state: np.ndarray, effort: np.ndarray, factors: Mapping, who: np.ndarray, sets: np.ndarray
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """A step in which `who` [N] looks round and the pedestrian does or does not set out, `sets` [N]."""
        n, after = len(state), state.copy()
        others, own = self.others(state), self.own(state)
        felt = self._felt(state, factors)
        before = (own[:, 0], own[:, 1], state[:, 3])
        width, headway = factors["width"], factors["headway"]
        lane = traffic.mobil(who, others, felt, before, width, factors["politeness"], headway, LANES)
        changes, rows = lane != others[np.arange(n), who, 3], np.arange(n)
        moved = others.copy()
        moved[rows, who, 3] = lane
        way, moved[:, :, 2] = traffic.roll(others[:, :, 2], felt, TOP, DT)
        moved[:, :, 0] += way
        goal = traffic.centre(moved[:, :, 3], width[:, None], LANES)
        moved[:, :, 1] += DT * traffic.drift(others[:, :, 1], goal, others[:, :, 2])
        after[:, 4:-6] = moved.reshape(n, -1)

        push = effort[:, 0] * np.where(effort[:, 0] > 0, factors["gain"], BRAKE)
        way, after[:, 3] = traffic.roll(state[:, 3], push, TOP, DT)
        tightest = np.arctan(traffic.BASE * factors["grip"] / np.maximum(state[:, 3], 1.0) ** 2)
        steer = np.clip(effort[:, 1] * STEER, -tightest, tightest)
        after[:, :3] = traffic.bicycle(state[:, :3], way, steer)
        after[:, 2] = wrapped(after[:, 2])

        person = state[:, -6:-3].copy()
        person[:, 2] = np.maximum(person[:, 2], sets)
        far, free = LANES * width / 2 + BEYOND, (person[:, 2] > 0) & ~self._blocked(state, factors)
        person[:, 1] = np.where(free, np.minimum(person[:, 1] + DT * factors["walk"], far), person[:, 1])
        after[:, -6:-3] = person
        here = self.own(after)
        hit_person = self.room_to_person(after) < 0
        met = hit_person | (boxes.apart(here[:, None], self.solids(after, factors)) < 0).any(1)
        beyond = self._beyond(after, factors)
        after[:, -2] = np.maximum(state[:, -2], met | (beyond > VERGE))
        front, aside = np.stack([own[:, 0], here[:, 0]]) + LENGTH / 2, here[:, 1] - person[:, 1]
        crossing = (person[:, 2] > 0) & (np.abs(person[:, 1]) < LANES * width / 2) & (aside > 0) & (aside < 3)
        cut_off = crossing & (front[0] < person[:, 0]) & (front[1] >= person[:, 0])
        passed = (others[:, :, 0] > own[:, None, 0]) & (moved[:, :, 0] <= here[:, None, 0])
        return after, {
            "collision": met,
            "hit_person": hit_person,
            "cut_off": cut_off & ~hit_person,
            "off_road": beyond > 0,
            "overtakes": passed.sum(1),
            "lane_changes": changes,
            "set_out": person[:, 2] > state[:, -4],
        }

    # Readings of the state.

    def others(self, state: np.ndarray) -> np.ndarray:
        """The other cars, [N, cars, 5]: x, y, speed, lane, wish."""
        return state[:, 4:-6].reshape(len(state), self.cars, 5)

    def own(self, state: np.ndarray) -> np.ndarray:
        """One's own car as a box (see `craik.worlds.boxes`), [N, 6]."""
        c, s = np.cos(state[:, 2]), np.sin(state[:, 2])
        half = np.broadcast_to([LENGTH / 2, WIDTH / 2], (len(state), 2))
        return np.column_stack([state[:, 0] + AXLE * c, state[:, 1] + AXLE * s, half, c, s])

    def solids(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """The other cars and, last, the van as boxes, [N, cars + 1, 6]; where there is no van, it is far away."""
        others = self.others(state)
        goal = traffic.centre(others[:, :, 3], factors["width"][:, None], LANES)
        rise, run = traffic.drift(others[:, :, 1], goal, others[:, :, 2]), np.maximum(others[:, :, 2], 0.1)
        whole = np.sqrt(rise**2 + run**2)
        every = np.empty((len(state), self.cars + 1, 6))
        every[:, :-1, :2], every[:, :-1, 2], every[:, :-1, 3] = others[:, :, :2], LENGTH / 2, WIDTH / 2
        every[:, :-1, 4], every[:, :-1, 5] = run / whole, rise / whole
        beside = np.where(factors["van"] > 0, -LANES * factors["width"] / 2 - STRIP / 2, -1e3)
        every[:, -1, 0], every[:, -1, 1], every[:, -1, 2] = state[:, -3], beside, factors["van"] / 2
        every[:, -1, 3:] = VAN, 1, 0
        return every

    def room_to_person(self, state: np.ndarray) -> np.ndarray:
        """[N] m between one's own car and the pedestrian; below 0 if they touch."""
        own = self.own(state)
        along, sideways = boxes.local(state[:, -6:-4], own)
        out = np.maximum(np.abs(np.stack([along, sideways], 1)) - own[:, 2:4], 0)
        return np.linalg.norm(out, axis=1) - BODY

    def hidden(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """[N] bool: whether a car or the van stands between the middle of one's own and that of the pedestrian."""
        eye = self.own(state)[:, None, :2]
        return boxes.entry(eye, state[:, None, -6:-4] - eye, self.solids(state, factors)).min(1) < 1

    def _beyond(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """[N] m: how far the furthest corner of one's own car is off the road; below 0 on it."""
        return np.abs(boxes.corners(self.own(state))[..., 1]).max(1) - LANES * factors["width"] / 2

    def _blocked(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """[N] bool: whether the pedestrian has to wait for a car that is right before her."""
        before = np.stack([state[:, -6], state[:, -5] + 0.5], 1)[:, None]
        things = np.concatenate([self.solids(state, factors)[:, :-1], self.own(state)[:, None]], 1)
        along, sideways = boxes.local(before, things)
        beside, ahead = np.abs(along) < things[..., 2] + 0.6, np.abs(sideways) < things[..., 3] + 0.6
        return np.any(beside & ahead, axis=1)

    def _person_band(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """The part of the road for which drivers wait while the pedestrian crosses; nothing otherwise."""
        crossing = (state[:, -4] > 0) & (state[:, -5] < LANES * factors["width"] / 2 + BEYOND)
        return np.where(crossing, state[:, -5] - 1, np.inf), np.where(crossing, state[:, -5] + 2.5, -np.inf)

    def _felt(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """The other drivers' accelerations by IDM, [N, cars]."""
        others, own = self.others(state), self.own(state)
        bands = traffic.span(others[:, :, 1], traffic.centre(others[:, :, 3], factors["width"][:, None], LANES))
        edges = zip(bands, traffic.span(own[:, 1], own[:, 1]), self._person_band(state, factors))
        low, high = (np.column_stack(edge) for edge in edges)
        still = np.zeros(len(state))
        x = np.column_stack([others[:, :, 0], own[:, 0], state[:, -6]])
        speed = np.column_stack([others[:, :, 2], state[:, 3], still])
        long = np.column_stack([np.full((len(state), self.cars + 1), LENGTH), still + 2 * BODY])
        pressed = traffic.pressed(
            others[:, :, 0], others[:, :, 2], bands, (x, speed, long, (low, high)), factors["headway"]
        )
        return traffic.idm(others[:, :, 2], others[:, :, 4], pressed)

    def _chance(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """[N]: that the pedestrian sets out; she waits for one's own car to come, and until none would brake hard."""
        others, speed = self.others(state), state[:, 3]
        gap = state[:, -6] - self.own(state)[:, 0] - LENGTH / 2
        far = state[:, None, -6] - others[:, :, 0] - LENGTH / 2
        fine = (far < -LENGTH) | (far > others[:, :, 2] ** 2 / (2 * 4) + 2)
        ready = (state[:, -4] == 0) & (gap > speed**2 / (2 * 6) + 2) & (gap < 45) & fine.all(1)
        return np.where(ready, factors["pedestrian"], 0)

    # What it pays, where it starts, how to drive well.

    def reward(self, before, effort, after, goal, factors):  # noqa: ANN001, ANN201
        """See the class."""
        progress = np.clip((after[:, 0] - before[:, 0]) / (DT * factors["limit"]), 0, 1)
        along = (after[:, 3] - before[:, 3]) / DT
        sideways = after[:, 3] * wrapped(after[:, 2] - before[:, 2]) / DT
        fine = (after[:, -2] == 0) & (self._beyond(after, factors) <= 0)
        return np.where(fine, progress * np.exp(-(along**2 + sideways**2) / 32), 0)

    def proceed(self, state: np.ndarray) -> np.ndarray:
        """Until a collision, or far off the road."""
        return state[:, -2] == 0

    def begin(self, rng: np.random.Generator, factors: Mapping[str, float]) -> np.ndarray:
        """Everybody in a lane at about 8 m/s, some behind, most ahead; the van 40 to 90 m on."""
        own, spread = int(rng.integers(LANES)), 100 / factors["density"]
        middle = traffic.centre(np.arange(LANES), factors["width"], LANES)
        front = np.where(np.arange(LANES) == own, 0, rng.uniform(-10, 10, LANES))
        back, others = front.copy(), np.zeros((self.cars, 5))
        for i in range(self.cars):
            lane, gap = i % LANES, max(rng.uniform(0.6, 1.4) * spread, 10)
            if rng.random() < 0.7:
                x = front[lane] = front[lane] + gap
            else:
                x = back[lane] = back[lane] - gap
            others[i] = x, middle[lane], rng.uniform(7, 9), lane, rng.uniform(8, 13)
        van = rng.uniform(40, 90)
        person = [van + factors["van"] / 2 + 1, -LANES * factors["width"] / 2 - WAITS, 0.0]
        return np.array([-AXLE, middle[own], 0, rng.uniform(7, 9), *others.ravel(), *person, van, 0, 0])

    def guide(self, style: str = "overtake") -> np.ndarray:
        """Actions [N, 2] of a driver who keeps distance by IDM and steers for a point ahead.

        It looks for the freest lane ("overtake"), stays in its own ("keep") or makes for an outer one; the "careful"
        one slows down at the van.
        """
        if style not in self.STYLES:
            raise UnknownName("style of Lane's pilot", style, self.STYLES)
        state, factors = self.state, self.factors
        wish = np.where(self._at_van(style), 5.0, factors["limit"] + 1)
        felt = np.stack([self._ego_felt(np.full(len(state), float(k)), wish) for k in range(LANES)], 1)
        lane = self._wanted(style, felt)
        push = np.minimum(felt[np.arange(len(state)), lane], self._ego_felt(None, wish))
        target = traffic.centre(lane, factors["width"], LANES)
        look = np.maximum(7.0, 1.2 * state[:, 3])
        bend = 2 * np.sin(np.arctan2(target - state[:, 1], look) - state[:, 2]) / look
        throttle = push / np.where(push > 0, factors["gain"], BRAKE)
        return np.clip(np.stack([throttle, np.arctan(traffic.BASE * bend) / STEER], 1), -1, 1).astype(np.float32)

    def _at_van(self, style: str) -> np.ndarray:
        gap = self.state[:, -6] - self.state[:, 0]
        waiting = (self.state[:, -4] == 0) & (gap > 0) & (gap < 25)
        return waiting & (style == "careful")

    def _wanted(self, style: str, felt: np.ndarray) -> np.ndarray:
        """The lane [N] to make for: never one where somebody is beside or close behind."""
        state, width = self.state, self.factors["width"]
        now = np.clip(np.rint(state[:, 1] / width + (LANES - 1) / 2), 0, LANES - 1).astype(np.int64)
        if style in ("left", "right"):
            want = np.clip(now + (1 if style == "left" else -1), 0, LANES - 1)
        elif style == "overtake":
            step = np.abs(np.arange(LANES) - now[:, None])
            want = np.where(step > 1, -np.inf, felt - 0.8 * step).argmax(1)
        else:
            want = now
        others, own = self.others(state), self.own(state)
        low, high = traffic.span(others[:, :, 1], traffic.centre(others[:, :, 3], width[:, None], LANES))
        goal = traffic.centre(want, width, LANES)[:, None]
        there = (low < goal + 1) & (goal - 1 < high)
        ahead = others[:, :, 0] - own[:, :1]
        near = (ahead < LENGTH + 3) & (ahead > -LENGTH - 3 - 2 * np.maximum(others[:, :, 2] - state[:, 3:4], 0))
        return np.where((there & near).any(1), now, want)

    def _ego_felt(self, lane: np.ndarray | None, wish: np.ndarray) -> np.ndarray:
        """One's own acceleration by IDM on the way to a lane [N], or where one is, [N]."""
        state, factors = self.state, self.factors
        others, own = self.others(state), self.own(state)
        goal = own[:, 1] if lane is None else traffic.centre(lane, factors["width"], LANES)
        bands = traffic.span(others[:, :, 1], traffic.centre(others[:, :, 3], factors["width"][:, None], LANES))
        low, high = (np.column_stack(edge) for edge in zip(bands, self._person_band(state, factors)))
        still = np.zeros(len(state))
        x, speed = np.column_stack([others[:, :, 0], state[:, -6]]), np.column_stack([others[:, :, 2], still])
        long = np.column_stack([np.full((len(state), self.cars), LENGTH), still + 2 * BODY])
        band = traffic.span(goal[:, None], goal[:, None])
        pressed = traffic.pressed(own[:, :1], state[:, 3:4], band, (x, speed, long, (low, high)), still + 1.0)
        return traffic.idm(state[:, 3], wish, pressed[:, 0])

    # What is seen.

    def paint(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """The road from above."""
        return street.paint(self.size, state, self.solids(state, factors), self.own(state), state[:, -6:-4], factors)

    def places(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """Where the middles of one's own car, the pedestrian and the van are."""
        van = self.solids(state, factors)[:, -1, :2]
        spots = np.stack([self.own(state)[:, :2], state[:, -6:-4], van], 1)
        return across(np.stack([-spots[..., 1], spots[..., 0] - state[:, :1] - AHEAD], -1), REACH)

    def view_space(self, name: str) -> spaces.Box:
        """See `VIEWS`."""
        if name == "lidar":
            return spaces.Box(0, RANGE, (BEAMS,), np.float32)
        shapes = {"bev": ((CELLS, CELLS, 3), 1), "voxels": ((CELLS, CELLS, 4), 2), "visible": ((CELLS, CELLS), 1)}
        if name not in shapes:
            return super().view_space(name)
        shape, most = shapes[name]
        return spaces.Box(0, most, shape, np.uint8)

    def view(self, name: str, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """See `VIEWS`."""
        if name not in self.VIEWS:
            return super().view(name, state, factors)
        own, solids, person = self.own(state), self.solids(state, factors), state[:, -6:-4]
        if name == "lidar":
            return sensors.lidar(own, state[:, 2], solids, person, factors["dropout"], state[:, -1])
        if name == "visible":
            return sensors.visible(state[:, 0], own, solids)
        maps = sensors.maps(state[:, 0], solids, person)
        return sensors.bev(maps, factors["width"]) if name == "bev" else sensors.voxels(maps)

    def captions(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> list[str]:
        """A sentence for each state."""
        own, others = self.own(state), self.others(state)
        lane = np.rint(own[:, 1] / factors["width"] + (LANES - 1) / 2).astype(np.int64)
        lane = np.where((lane >= 0) & (lane < LANES), lane, -1)
        ahead = others[:, :, 0] - own[:, :1]
        same = (np.abs(others[:, :, 1] - own[:, 1:2]) < WIDTH) & (ahead > 0)
        gap = np.where(same, ahead - LENGTH, np.inf).min(1)
        there = state[:, -5] >= LANES * factors["width"] / 2 + BEYOND - 1e-9
        person = np.where(state[:, -4] == 0, 0, np.where(there, 2, 1))
        return street.captions(state, lane, gap, person, self.hidden(state, factors))
