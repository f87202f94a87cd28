"""A model made of modules that read and write tensordicts by key, behind craik's interface."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from craik.core.data import Batch
from craik.core.errors import SpecError
from craik.core.model import WorldModel
from craik.core.readings import Readings
from craik.core.spec import Spec
from craik.core.state import State
from craik.eval.foreign.latent_error import latent_error
from craik.eval.foreign.their_luck import their_luck
from craik.parts.actions.vector import ActionVector

Change = Mapping[str, Callable[[Tensor], Tensor]]
"""Observation's name here -> what is done to it on its way."""


@dataclasses.dataclass(frozen=True)
class Carried(State):
    """What the modules carry, key -> [B, D]; what arriving pays and whether it ends, [B]; whether all is yet unseen."""

    held: dict[str, Tensor]
    reward: Tensor
    proceed: Tensor
    unseen: Tensor


class Keyed(WorldModel[Carried]):
    """A model made of modules of tensordicts.

    A module finds what is carried and what is seen both at the root and under "next", and "action" [B, A] (in
    [-1, 1], or a one-hot). What it writes is looked for under "next" if its `out_keys` have it there.

    Args:
        spec: of the world.
        carried: key -> numbers of it that are carried from step to step; zeros before anything was seen.
        ahead: a step with eyes closed: writes what is carried, and "reward" and "done" [B, 1] if it can.
        see: after acting and seeing: writes what is carried.
        seen: observation's key there -> its name here.
        begin: in place of `see`, for an episode's first observation, before anything was done.
        decode: from what is carried to observations; `drawn`: observation's name here -> its key there.
        prepare, restore: on the way to `see`, and from `decode`.

    Raises:
        SpecError: if `ahead` or `see` do not write what is carried.
    """

    def __init__(
        self,
        spec: Spec,
        carried: Mapping[str, int],
        ahead: Any,
        see: Any,
        seen: Mapping[str, str],
        *,
        begin: Any = None,
        decode: Any = None,
        drawn: Mapping[str, str] | None = None,
        prepare: Change | None = None,
        restore: Change | None = None,
    ):
        for module in (ahead, see):
            if not all(_written(module, key) for key in carried):
                raise SpecError(f"a module writes {module.out_keys}, not all of {list(carried)}", "name what it does")
        offers = {"obs": decode is not None, "reward": _written(ahead, "reward"), "proceed": _written(ahead, "done")}
        super().__init__(spec.offering(*(name for name, so in offers.items() if so), "latent"))
        self.ahead, self.see, self.begin, self.decode = ahead, see, begin or see, decode
        self.carried, self.seen, self.drawn = dict(carried), dict(seen), dict(drawn or {})
        self.prepare, self.restore = dict(prepare or {}), dict(restore or {})
        self.vector = ActionVector(spec.action)

    def start(self, batch: int) -> Carried:  # noqa: D102
        held = {key: torch.zeros(batch, size, device=self.device) for key, size in self.carried.items()}
        one = torch.ones(batch, device=self.device)
        return Carried(held, torch.zeros_like(one), one, one.bool())

    def observe(self, state, action, obs, *, generator=None):  # noqa: ANN001, ANN201, D102
        told = {key: self._change(self.prepare, name, obs[name]) for key, name in self.seen.items()}
        arrived = self.step(state, action, generator=generator)  # for what it pays
        found = self._held(self.see, self._run(self.see, state, action, told, generator))
        if self.begin is not self.see:
            first = self._held(self.begin, self._run(self.begin, state, action, told, generator))
            found = {k: torch.where(state.unseen[:, None], first[k], v) for k, v in found.items()}
        reward, proceed = arrived.reward.masked_fill(state.unseen, 0), arrived.proceed.masked_fill(state.unseen, 1)
        return Carried(found, reward, proceed, torch.zeros_like(state.unseen))

    def step(self, state, action, *, generator=None):  # noqa: ANN001, ANN201, D102
        out, reward, proceed = self._run(self.ahead, state, action, {}, generator), state.reward, state.proceed
        if _written(self.ahead, "reward"):
            reward = _taken(self.ahead, out, "reward")[..., 0].float()
        if _written(self.ahead, "done"):
            proceed = 1 - _taken(self.ahead, out, "done")[..., 0].float()
        return Carried(self._held(self.ahead, out), reward, proceed, torch.zeros_like(state.unseen))

    def read(self, state, query=None):  # noqa: ANN001, ANN201, D102
        def obs() -> dict[str, Tensor]:
            out = self._run(self.decode, state, self.spec.null_action(state.batch, self.device), {}, None)
            there = {name: _taken(self.decode, out, key) for name, key in self.drawn.items()}
            return {name: self._change(self.restore, name, x) for name, x in there.items()}

        ways: dict[str, Callable[[], Any]] = {
            "obs": obs,
            "reward": lambda: state.reward,
            "proceed": lambda: state.proceed,
            "latent": lambda: torch.cat(list(state.held.values()), -1),
        }
        return Readings(ways, self.spec.reads)

    def loss(self, batch: Batch, *, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """See `latent_error`; such a model is trained by its own library."""
        return latent_error(self, batch, generator)

    def _run(
        self, module: Any, state: Carried, action: Tensor, told: dict[str, Tensor], generator: torch.Generator | None
    ) -> Any:
        from tensordict import TensorDict

        known = {**state.held, **told}
        with their_luck(generator, self.device):
            return module(TensorDict({**known, "action": self.vector(action), "next": known}, [state.batch]))

    def _held(self, module: Any, out: Any) -> dict[str, Tensor]:
        return {key: _taken(module, out, key).float() for key in self.carried}

    @staticmethod
    def _change(ways: dict[str, Callable[[Tensor], Tensor]], name: str, x: Tensor) -> Tensor:
        return ways[name](x) if name in ways else x.float()


def _written(module: Any, key: str) -> bool:
    return key in module.out_keys or ("next", key) in module.out_keys


def _taken(module: Any, out: Any, key: str) -> Tensor:
    return out["next", key] if ("next", key) in module.out_keys else out[key]
