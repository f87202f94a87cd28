"""Gathering episodes from vectorised environments, in each of Gymnasium's three autoreset modes."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from torch import Tensor

from craik.core.errors import DataError
from craik.core.spec import Spec
from craik.data.arrivals import BrokenStep, arrivals, frames
from craik.data.draft import Draft
from craik.data.episode import Episode

log = logging.getLogger(__name__)

MAX_RESTARTS = 3
"""Restarts in a row, without an episode finished between them, before the environment is given up."""

Act = Callable[[dict[str, Tensor], Tensor], Tensor]
"""From what N worlds show, name -> [N, ...], and whether an episode opens there, [N] bool, to actions [N, ...]."""


@dataclasses.dataclass(frozen=True)
class Fault:
    """An episode that was thrown away.

    Attributes:
        step: the collector's step, counted over its life.
        row: which of the environments; None when it was all of them.
        reason: what was wrong.
    """

    step: int
    row: int | None
    reason: str


class Collector:
    """Steps N environments and cuts the experience into episodes.

    The observation that ends an episode is kept, `terminated` and `truncated` stay apart, and the step in which an
    environment merely resets (NEXT_STEP) is no experience.

    Where an environment raises, or shows something that is not finite or of the wrong shape, its episode is thrown away
    with the reason (`faults`), the others are cut there as truncated and kept, and all start anew; where it cannot be
    told which one broke, all are thrown away. An environment that hangs inside `step` cannot be interrupted from the
    same process: give such a one to `gymnasium.vector.AsyncVectorEnv` with a timeout, which raises, and pass `remake`.

    Args:
        env: a vector environment; its metadata says how it resets (`autoreset_mode`; NEXT_STEP where it does not).
        spec: its spaces, for one of its rows.
        act: what chooses, e.g. `Player.act`; None for uniformly at random.
        seed: of the environments and the random actions.
        remake: makes another environment when one broke, which is then closed; by default it is only reset.
        hold: steps for which a random action is kept, on average; 1 draws a new one every step. What is drawn anew at
            every step mostly cancels out, and reaches little of a world with inertia (colored noise explores more:
            Eberhard et al., ICLR 2023).
    """

    def __init__(
        self,
        env: VectorEnv,
        spec: Spec,
        act: Act | None,
        seed: int,
        *,
        remake: Callable[[], VectorEnv] | None = None,
        hold: float = 1,
    ):
        self.env, self.spec, self.act, self.remake, self.hold = env, spec, act, remake, hold
        self.mode = AutoresetMode(env.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP))
        self.num_steps = 0
        self.faults: list[Fault] = []
        self._failures = 0
        self._random = batch_space(spec.action, env.num_envs)
        self._name = env.spec.id if env.spec is not None else type(env.unwrapped).__name__
        self.restart(seed)

    def restart(self, seed: int) -> None:
        """Drops the unfinished episodes, seeds everything anew and resets: what follows depends on `seed` alone.

        (And on what `act` draws from; its `first` is true everywhere in the next call.)
        """
        self._rng = np.random.default_rng(seed)
        self._random.seed(int(self._rng.integers(2**31)))
        self._drafts: list[Draft] = []
        self._held: np.ndarray | None = None

    def collect(self, num_steps: int) -> list[Episode]:
        """Steps until at least `num_steps` more steps were taken, over all environments together.

        Returns:
            The episodes that ended meanwhile. Unfinished ones go on in the next call.

        Raises:
            DataError: if the environment breaks again and again, naming it and the step.
        """
        done: list[Episode] = []
        goal = self.num_steps + num_steps
        while self.num_steps < goal:
            try:
                if not self._drafts:
                    self._reset()
                self._step(done)
            except BrokenStep as broken:
                self._recover(broken, done)
        return done

    def flush(self) -> list[Episode]:
        """Cuts the unfinished episodes here, as truncated, and returns them; the next call of `collect` resets."""
        drafts, self._drafts = self._drafts, []
        return [d.finish(False, True) for d in drafts if d.num_steps and not d.over]

    def _reset(self) -> None:
        seed = int(self._rng.integers(2**31 - self.env.num_envs))
        self._obs = frames(self._guard(lambda: self.env.reset(seed=seed)[0]), self.spec, self.env.num_envs)
        self._drafts = [self._open(row) for row in range(self.env.num_envs)]

    def _open(self, row: int) -> Draft:
        return Draft(self.spec, {k: v[row] for k, v in self._obs.items()}, {"world": self._name, "row": row})

    def _step(self, done: list[Episode]) -> None:
        action = self._choose()
        result = self._guard(lambda: self.env.step(action))
        after = arrivals(result, self.spec, self.mode, self.env.num_envs)
        resetting = [row for row, draft in enumerate(self._drafts) if draft.over]  # NEXT_STEP: the action went nowhere
        for row, draft in enumerate(self._drafts):
            if row in resetting:
                continue
            draft.add(action[row], {k: v[row] for k, v in after.obs.items()}, after.reward[row])
            self.num_steps += 1
            if after.ended[row]:
                done.append(draft.finish(bool(after.terminated[row]), bool(after.truncated[row])))
                self._failures = 0
        if self.mode == AutoresetMode.NEXT_STEP:
            self._obs = after.obs
        else:
            self._obs = self._shown(result[0], after.ended)
            resetting = np.flatnonzero(after.ended).tolist()
        for row in resetting:
            self._drafts[row] = self._open(row)

    def _shown(self, obs: Any, ended: np.ndarray) -> dict[str, np.ndarray]:
        """What the environments show now: where an episode ended, the observation that opens the next one."""
        if self.mode == AutoresetMode.DISABLED and ended.any():
            obs = self._guard(lambda: self.env.reset(options={"reset_mask": ended})[0])
        return frames(obs, self.spec, self.env.num_envs)

    def _choose(self) -> np.ndarray:
        if self.act is None:
            return self._wander()
        first = torch.tensor([d.num_steps == 0 for d in self._drafts])
        action = self.act({k: torch.as_tensor(v) for k, v in self._obs.items()}, first)
        chosen = action.detach().cpu().numpy()
        shape = (self.env.num_envs, *(self.spec.action.shape or ()))
        if chosen.shape != shape or not np.isfinite(chosen).all():
            raise DataError(
                f"at step {self.num_steps} of {self._name} the agent chose actions of shape {chosen.shape}, "
                f"{'all' if np.isfinite(chosen).all() else 'not all'} finite; expected {shape}, all finite",
                "look at the agent: a loss that is not finite shows here",
            )
        return chosen

    def _wander(self) -> np.ndarray:
        """Actions at random; each is kept for another step with chance 1 - 1 / hold, within its episode."""
        fresh = self._random.sample()
        if self.hold > 1 and self._held is not None:
            opening = np.array([d.num_steps == 0 for d in self._drafts])
            fresh_rows = opening | (self._rng.random(self.env.num_envs) < 1 / self.hold)
            fresh[~fresh_rows] = self._held[~fresh_rows]
        self._held = fresh
        return fresh.copy()

    def _guard(self, call: Callable[[], Any]) -> Any:
        """Calls the environment, which may raise anything."""
        try:
            return call()
        except Exception as error:
            raise BrokenStep(None, f"it raised {type(error).__name__}: {error}") from error

    def _recover(self, broken: BrokenStep, done: list[Episode]) -> None:
        fault = Fault(self.num_steps, broken.row, broken.reason)
        self.faults.append(fault)
        self._failures += 1
        log.warning("%s broke at step %d: %s; the episode is thrown away", self._name, fault.step, fault.reason)
        if broken.row is not None:
            done.extend(
                d.finish(False, True)
                for i, d in enumerate(self._drafts)
                if i != broken.row and d.num_steps and not d.over
            )
        self._drafts = []
        if self._failures > MAX_RESTARTS:
            raise DataError(
                f"{self._name} broke {self._failures} times in a row, last at step {fault.step}: {fault.reason}",
                "run gymnasium.utils.env_checker.check_env on it",
            ) from broken
        if self.remake is not None:
            with contextlib.suppress(Exception):  # what is broken may not even close
                self.env.close()
            self.env = self.remake()
