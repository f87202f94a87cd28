"""Exact worlds: N at once in plain numpy, with a state that can be read, set, forked, drawn and judged."""

from __future__ import annotations

import copy
import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from craik.core.errors import SpecError, UnknownName
from craik.worlds import luck
from craik.worlds.draw import Color
from craik.worlds.equations import Equations

CHUNK = 64
"""Pictures drawn together: few enough to stay in the cache."""


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """All there is to know about N worlds, enough to go on from exactly there.

    Attributes:
        state: [N, D] float64, the physical state.
        goal: [N, D] float64, a physical state too; the state itself in worlds without a goal.
        factors: name -> [N], the constants of each world.
        step: [N], steps since the episode began.
        over: [N] bool, whether the episode has ended.
        rng: each world's source of randomness, as `numpy.random.BitGenerator.state`.
    """

    state: np.ndarray
    goal: np.ndarray
    factors: dict[str, np.ndarray]
    step: np.ndarray
    over: np.ndarray
    rng: tuple[Mapping[str, Any], ...]


class ExactWorld(Equations, VectorEnv, ABC):
    """N worlds with a known state, stepped, forked, seen and judged together. World i never depends on N.

    Factors are the constants of a world (gravity, mass, ...). A number fixes one; a pair (low, high) draws it anew,
    uniformly, at each reset. `reset(options=...)` takes `state` [N, D], `goal` [N, D], `factors` (name -> [N]) and
    Gymnasium's `reset_mask` [N].

    Args:
        num_envs: how many worlds, N.
        seed: of the first `reset` that is given none.
        obs: "state", "pixels", "both", or any views joined by "+", as "pixels+depth".
        size: height and width of the picture.
        autoreset: what happens when an episode ends.
        factors: name -> number or (low, high); the defaults stand in `FACTORS`.
        max_steps: steps after which an episode is truncated; the world's own number by default.

    Attributes:
        VIEWS: name -> what it shows, of the views beyond "state" and "pixels" (`view`).
        POINTS: name -> colour of the things whose places can be read off a picture by their colour (`places`).
        STYLES: ways in which the pilot seeks the goal, the plain one first.
        PAYS: the least and the most that a step pays.
        ENDS: whether an episode may end before it is cut (`proceed`).
        IDLE: which choice does nothing, or least; in a Box it is the number nearest to zero.

    Raises:
        UnknownName: if there is no such factor or view.
    """

    FPS: ClassVar[int] = 20
    MAX_STEPS: ClassVar[int] = 200
    HAS_GOAL: ClassVar[bool] = False
    VIEWS: ClassVar[Mapping[str, str]] = {}
    POINTS: Mapping[str, Color] = {}
    STYLES: ClassVar[tuple[str, ...]] = ("direct",)
    PAYS: ClassVar[tuple[float, float]] = (0.0, 1.0)
    ENDS: ClassVar[bool] = False
    IDLE: ClassVar[int] = 0

    def __init__(
        self,
        num_envs: int = 1,
        *,
        seed: int | None = None,
        obs: str = "state",
        size: int = 64,
        autoreset: AutoresetMode = AutoresetMode.NEXT_STEP,
        factors: Mapping[str, float | tuple[float, float]] | None = None,
        max_steps: int | None = None,
    ):
        for name in factors or {}:
            if name not in self.FACTORS:
                raise UnknownName("factor", name, self.FACTORS)
        self.obs, self.size, self.seed = obs, size, seed
        self.shown = ("state", "pixels") if obs == "both" else tuple(obs.split("+"))
        self.max_steps = max_steps or self.MAX_STEPS
        self.render_mode = "rgb_array"
        self.metadata = {"render_modes": ["rgb_array"], "render_fps": self.FPS, "autoreset_mode": autoreset}
        self.single_observation_space = self._seen_space()
        self.single_action_space = self.action
        self._ranges = {k: (factors or {}).get(k, f.default) for k, f in self.FACTORS.items()}
        self._resize(num_envs)
        width = len(self.FIELDS)
        self.state, self.goal = np.zeros((num_envs, width)), np.zeros((num_envs, width))
        self.factors = {k: np.full(num_envs, f.default) for k, f in self.FACTORS.items()}
        self.steps, self.over = np.zeros(num_envs, np.int64), np.ones(num_envs, bool)
        self._rng = _sources(seed, num_envs)

    # What a world says of itself, beside its equations.

    @abstractmethod
    def begin(self, rng: np.random.Generator, factors: Mapping[str, float]) -> np.ndarray:
        """Draws a starting state [D]. Luck, if it is a field, is drawn afterwards."""

    def aim(self, rng: np.random.Generator, state: np.ndarray, factors: Mapping[str, float]) -> np.ndarray:
        """Draws a goal [D] for an episode that starts at `state` [D]; the start itself in worlds without a goal."""
        return state

    def guide(self, style: str = "direct") -> np.ndarray:
        """Actions [N, A], or [N] of choices, of a simple pilot that seeks the goal, or plays well, in one of `STYLES`.

        Raises:
            SpecError: in worlds without a pilot.
        """
        raise SpecError(f"{type(self).__name__} has no pilot", "plan in it with craik.worlds.policies.Expert")

    @property
    def has_pilot(self) -> bool:
        """Whether `guide` knows a way: true of every world that defines it."""
        return type(self).guide is not ExactWorld.guide

    @abstractmethod
    def paint(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """Draws states [N, D]: [N, size, size, 3] uint8."""

    def view(self, name: str, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """One of `VIEWS` of states [N, D]: [N, ...] as `view_space` says."""
        raise UnknownName("view", name, ("state", "pixels", *self.VIEWS))

    def view_space(self, name: str) -> spaces.Box:
        """The space of one world's view."""
        raise UnknownName("view", name, ("state", "pixels", *self.VIEWS))

    def captions(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> list[str]:
        """One true English sentence about each of these states [N, D].

        Raises:
            SpecError: in worlds without words.
        """
        raise SpecError(f"{type(self).__name__} has no words for what is the case", "look at its state instead")

    @property
    def has_captions(self) -> bool:
        """Whether `captions` has words: true of every world that defines it."""
        return type(self).captions is not ExactWorld.captions

    def idle(self) -> np.ndarray:
        """One action that does as little as can be done."""
        if isinstance(self.action, spaces.Box):
            return np.clip(np.zeros(self.action.shape), self.action.low, self.action.high).astype(np.float32)
        return np.asarray(self.IDLE)

    def places(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """Where `POINTS` are in a picture of states [N, D]: [N, P, 2], across and down in [0, 1]; NaN if not in it."""
        return np.full((len(state), len(self.POINTS), 2), np.nan)

    # Gymnasium's face.

    def reset(
        self, *, seed: int | Sequence[int] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Begins anew, everywhere or where `options["reset_mask"]` says.

        Args:
            seed: an int for all (world i then draws from `SeedSequence(seed, spawn_key=(i,))`), or one int a world.
            options: see the class.
        """
        options = options or {}
        mask = np.asarray(options.get("reset_mask", np.ones(self.num_envs, bool)), bool)
        if seed is None and self.seed is not None:
            seed = self.seed
        self.seed = None
        if seed is not None:
            fresh = _sources(seed, self.num_envs)
            self._rng = [new if yes else old for new, old, yes in zip(fresh, self._rng, mask)]
        self._restart(mask, options)
        return self.observe(), self._info({})

    def step(self, actions: Any) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """One step of every world; see Gymnasium for what each autoreset mode does with those that are over.

        Raises:
            SpecError: if the actions are not N of the action space (numbers out of bounds are clipped, NaN is not), or
                if a world that is over is stepped with autoreset disabled.
        """
        mode = self.metadata["autoreset_mode"]
        done = self.over.copy()
        if mode is AutoresetMode.DISABLED and done.any():
            raise SpecError(
                f"worlds {np.flatnonzero(done).tolist()} are over and were stepped",
                'reset them first: world.reset(options={"reset_mask": over})',
            )
        before, action = self.state, self.effort(self._checked(actions))
        self.state, events = self.move(before, action, self.factors)
        self.steps = self.steps + 1
        reward = self.reward(before, action, self.state, self.goal, self.factors)
        terminated = ~self.proceed(self.state)
        truncated = self.steps >= self.max_steps
        if done.any():
            self._restart(done, {})
            reward, terminated, truncated = (
                np.where(done, 0, x).astype(x.dtype) for x in (reward, terminated, truncated)
            )
            events = {k: np.where(done, 0, v).astype(v.dtype) for k, v in events.items()}
        self.over = terminated | truncated
        info, obs = self._info(events), self.observe()
        if mode is AutoresetMode.SAME_STEP and self.over.any():
            over = self.over.copy()
            self._restart(over, {})
            obs, info = self._same_step(over, obs, info)
        return obs, reward, terminated, truncated, info

    def render(self) -> np.ndarray:  # type: ignore[override]
        """Pictures of all worlds as they are now, [N, size, size, 3] uint8."""
        return self.picture(self.state, self.factors)

    # Beyond Gymnasium.

    def observe(self) -> dict[str, np.ndarray]:
        """What is seen now, name -> [N, ...]."""
        return self.see(self.state, self.factors)

    def see(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What would be seen in these states [N, D], name -> [N, ...]."""
        return {name: self.look(name, state, factors) for name in self.shown}

    def look(self, name: str, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """One view of these states [N, D], whether it is among those shown or not: [N, ...]."""
        if name == "state":
            return self.numbers(state).astype(np.float32)
        return self.picture(state, factors) if name == "pixels" else self.view(name, state, factors)

    def picture(self, state: np.ndarray, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """Pictures of these states [N, D]: [N, size, size, 3] uint8."""
        pieces = [slice(i, i + CHUNK) for i in range(0, len(state), CHUNK)]
        return np.concatenate([self.paint(state[p], {k: v[p] for k, v in factors.items()}) for p in pieces])

    def goal_obs(self) -> dict[str, np.ndarray]:
        """What would be seen if the goal were reached, name -> [N, ...]."""
        return self.see(self.goal, self.factors)

    def success(self) -> np.ndarray:
        """[N] bool: whether each world is at its goal now; never in worlds without one."""
        return self.reached(self.state, self.goal, self.factors)

    def get_state(self) -> Snapshot:
        """Everything about all worlds, copied."""
        rng = tuple(copy.deepcopy(r.bit_generator.state) for r in self._rng)
        factors = {k: v.copy() for k, v in self.factors.items()}
        return Snapshot(self.state.copy(), self.goal.copy(), factors, self.steps.copy(), self.over.copy(), rng)

    def set_state(self, snapshot: Snapshot) -> None:
        """Goes back to (or on from) a snapshot of as many worlds.

        Raises:
            SpecError: if the snapshot is of another number of worlds, or of another kind.
        """
        if snapshot.state.shape != self.state.shape:
            raise SpecError(
                f"the snapshot is of {snapshot.state.shape}, these worlds are {self.state.shape} (worlds, numbers)",
                "make a world with as many rows, or fork one",
            )
        self.state, self.goal = snapshot.state.copy(), snapshot.goal.copy()
        self.factors = {k: v.copy() for k, v in snapshot.factors.items()}
        self.steps, self.over, self.seed = snapshot.step.copy(), snapshot.over.copy(), None
        self._rng = [_source(s) for s in snapshot.rng]

    def select(self, rows: Sequence[int] | np.ndarray) -> ExactWorld:
        """New, independent worlds: copies of these rows, in this order."""
        world, rows = copy.copy(self), np.asarray(rows)
        world._resize(len(rows))
        world.metadata = dict(self.metadata)
        world.state, world.goal, world.steps, world.over = (
            x[rows].copy() for x in (self.state, self.goal, self.steps, self.over)
        )
        world.factors = {k: v[rows].copy() for k, v in self.factors.items()}
        world._rng = [_source(self._rng[i].bit_generator.state) for i in rows]
        return world

    def fork(self, k: int) -> ExactWorld:
        """Every world copied k times into new ones, N * k: row `n`'s copies are `n*k .. n*k+k-1`."""
        return self.select(np.repeat(np.arange(self.num_envs), k))

    def reroll(self, rng: np.random.Generator) -> None:
        """Gives every world new luck: what chance decides from here on will be drawn anew. Nothing else changes."""
        if self.LUCKY:
            self.state = self.state.copy()
            self.state[:, -1] = luck.fresh(rng, self.num_envs)

    def _checked(self, actions: Any) -> np.ndarray:
        given, wanted = np.asarray(actions), (self.num_envs, *(self.action.shape or ()))
        if given.shape != wanted:
            raise SpecError(f"actions have shape {given.shape}, not {wanted}", "give one action for each world")
        if not np.isfinite(given).all():
            bad = np.flatnonzero(~np.isfinite(given.reshape(len(given), -1)).all(1)).tolist()
            raise SpecError(f"the actions of worlds {bad} are not finite", "look at what chose them")
        if isinstance(self.action, spaces.Discrete) and not ((given >= 0) & (given < self.action.n)).all():
            raise SpecError(f"actions {given.tolist()} are not all in 0 .. {self.action.n - 1}", "choose among those")
        return given

    def _seen_space(self) -> spaces.Dict:
        ways = {"state": lambda: self.space, "pixels": lambda: spaces.Box(0, 255, (self.size, self.size, 3), np.uint8)}
        return spaces.Dict({n: ways[n]() if n in ways else self.view_space(n) for n in self.shown})

    def _resize(self, num_envs: int) -> None:
        self.num_envs = num_envs
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def _restart(self, mask: np.ndarray, options: Mapping[str, Any]) -> None:
        """Draws factors, start and goal for the rows of `mask`, in this order, or takes them from the options."""
        given, self.factors = options.get("factors", {}), {k: v.copy() for k, v in self.factors.items()}
        self.state, self.goal = self.state.copy(), self.goal.copy()
        self.steps, self.over = np.where(mask, 0, self.steps), self.over & ~mask
        for i in np.flatnonzero(mask):
            rng = self._rng[i]
            for name, range_ in self._ranges.items():
                fresh = rng.uniform(*range_) if isinstance(range_, tuple) else range_
                self.factors[name][i] = np.broadcast_to(given[name], self.num_envs)[i] if name in given else fresh
            row = {k: float(v[i]) for k, v in self.factors.items()}
            start = options["state"][i] if "state" in options else self.begin(rng, row)
            self.state[i] = start
            if self.LUCKY and "state" not in options:
                self.state[i, -1] = luck.fresh(rng, 1)[0]
            self.goal[i] = options["goal"][i] if "goal" in options else self.aim(rng, np.array(start, float), row)

    def _info(self, events: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """Events in Gymnasium's form: each name with a mask `_name` of the worlds that tell it."""
        told = dict(events)
        if self.HAS_GOAL:
            told["success"] = self.success()
        return told | {f"_{k}": np.ones(self.num_envs, bool) for k in told}

    def _same_step(self, over: np.ndarray, last: dict, told: dict[str, Any]) -> tuple[dict, dict[str, Any]]:
        """The first observation of the next episode, with the last one of this episode in the info."""
        final = np.full(self.num_envs, None, object)
        for i in np.flatnonzero(over):
            final[i] = {k: v[i] for k, v in last.items()}
        keep = {k: (v & over if k.startswith("_") else v) for k, v in told.items()}
        fresh = self._info({})
        fresh |= {"final_obs": final, "_final_obs": over, "final_info": keep, "_final_info": over}
        events = {k: v & ~over if k.startswith("_") else v for k, v in told.items() if k not in fresh}
        return self.observe(), fresh | events


def _sources(seed: int | Sequence[int] | None, num: int) -> list[np.random.Generator]:
    if seed is None or isinstance(seed, int | np.integer):
        seed = None if seed is None else int(seed)
        base = np.random.SeedSequence(seed)
        return [
            np.random.Generator(np.random.PCG64(np.random.SeedSequence(base.entropy, spawn_key=(i,))))
            for i in range(num)
        ]
    return [np.random.Generator(np.random.PCG64(np.random.SeedSequence(s, spawn_key=(0,)))) for s in seed]


def _source(state: Mapping[str, Any]) -> np.random.Generator:
    bits = np.random.PCG64()
    bits.state = copy.deepcopy(dict(state))  # type: ignore[assignment]
    return np.random.Generator(bits)
