"""One update: losses of model and agent, one backward pass, one guarded optimiser step."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from craik.behave.agent import Agent
from craik.core.data import Batch, masked_mean
from craik.core.errors import CheckpointError, CraikError, UnknownName
from craik.core.model import WorldModel
from craik.train.buffers import Before
from craik.train.guard import Guard
from craik.train.optim import Optimizer
from craik.train.training import Training


class Learner:
    """Trains a model and its agent together on batches of experience.

    Args:
        model: the world model.
        agent: what decides; its losses are trained beside the model's.
        training: the numbers.
        seed: of the learner's own generator, from which the losses sample.
        bf16: whether losses are computed under bfloat16 autocast (parameters and optimiser stay as they are).
        compile: whether the model's loss is compiled with `torch.compile`.
        num_updates: updates of the whole run; by default those of a run offline.
    """

    def __init__(
        self,
        model: WorldModel,
        agent: Agent,
        training: Training,
        seed: int,
        *,
        bf16: bool = False,
        compile: bool = False,
        num_updates: int | None = None,
    ):
        self.model, self.agent, self.training, self.bf16 = model, agent, training, bf16
        self.generator = torch.Generator(model.device).manual_seed(seed)
        self.optimizer = Optimizer(
            dict(named_parameters(model, agent)), training, training.updates if num_updates is None else num_updates
        )
        self.guard = Guard()
        self._model_loss = torch.compile(model) if compile else model
        self._before = Before((model, agent))
        self._checked: frozenset[str] = frozenset()

    @property
    def updates(self) -> int:
        """Updates asked for so far, skipped ones included."""
        return self.guard.seen

    def update(self, batch: Batch) -> dict[str, float]:
        """Learns from one batch.

        Returns:
            Every loss (unweighted, averaged over what happened), and beside them `total` (weighted), `grad_norm`
            (global, before clipping), and `skipped` and `spiked`, the numbers of steps so treated until now.

        Raises:
            UnknownName: if a loss has no weight or a weight no loss.
            Diverged: if too many steps were not finite, or spikes.
        """
        self._before.remember()
        losses = self.losses(batch)
        weights = self.training.weights
        total = torch.stack([losses[k] * weights[k] for k in losses]).sum()
        self.optimizer.clear()
        total.backward()
        norm = self.optimizer.norm()
        figures = torch.stack([*(x.detach().float() for x in losses.values()), total.detach(), norm]).tolist()
        named = dict(zip(losses, figures[:-2]))
        verdict = self.guard.look(named, figures[-2], figures[-1])
        if verdict.skip:
            self._before.restore()
        else:
            self.optimizer.step(norm, verdict.longest)
            self.model.after_step()
            self.agent.after_step()
        return {
            **named,
            "total": figures[-2],
            "grad_norm": figures[-1],
            "skipped": float(self.guard.skipped),
            "spiked": float(self.guard.spiked),
        }

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Every loss of model and agent, each averaged over what happened: name -> []."""
        with self._precision():
            terms = self._model_loss(batch, generator=self.generator)
            more = self.agent.loss(self.model, batch, generator=self.generator)
        if clash := terms.keys() & more.keys():
            raise CraikError(f"model and agent both have a loss called {sorted(clash)[0]!r}", "rename one of them")
        terms = {**terms, **more}
        self._check_weights(terms)
        return {k: masked_mean(v.float(), batch) for k, v in terms.items()}

    def _precision(self) -> contextlib.AbstractContextManager:
        if self.bf16:
            return torch.autocast(self.model.device.type, torch.bfloat16)
        return contextlib.nullcontext()

    def _check_weights(self, terms: Mapping[str, Tensor]) -> None:
        names = frozenset(terms)
        if names == self._checked:
            return
        weights = self.training.weights
        for name in terms:
            if name not in weights:
                raise UnknownName("weight in Training.weights for the loss", name, weights, "give the loss a weight")
        for name in weights:
            if name not in terms:
                raise UnknownName("loss, though it has a weight in Training.weights,", name, terms)
        self._checked = names

    def tensors(self) -> dict[str, dict[str, Tensor]]:
        """The state that is tensors, by file: `model`, `agent`, `optimizer` and `generator`. Views, not copies."""
        return {
            "model": module_tensors(self.model),
            "agent": module_tensors(self.agent),
            "optimizer": self.optimizer.tensors(),
            "generator": {"learner": self.generator.get_state()},
        }

    def facts(self) -> dict[str, Any]:
        """The state that is numbers, ready for JSON."""
        return {"optimizer_updates": self.optimizer.updates, "guard": self.guard.state_dict()}

    def state_dict(self) -> dict[str, Any]:
        """Everything an exact resume needs: `tensors` (copied) and `facts`."""
        copied = {file: {k: v.clone() for k, v in each.items()} for file, each in self.tensors().items()}
        return {"tensors": copied, "facts": self.facts()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Undoes `state_dict`; training goes on bit for bit.

        Raises:
            CheckpointError: if the state is of another model, with the parameters that differ.
        """
        tensors, facts = state["tensors"], state["facts"]
        load_module(self.model, tensors["model"], "model")
        load_module(self.agent, tensors["agent"], "agent")
        self.optimizer.load(tensors["optimizer"], facts["optimizer_updates"])
        self.generator.set_state(tensors["generator"]["learner"])
        self.guard.load_state_dict(facts["guard"])

    def not_finite(self) -> str | None:
        """The name of a tensor of the state that is not as it should be, or None if all are.

        Parameters and moments must be finite, buffers not NaN (a mask may be infinite).
        """
        learned: dict[str, Tensor] = dict(named_parameters(self.model, self.agent))
        learned.update({f"optimizer.{k}": v for k, v in self.optimizer.tensors().items()})
        for name, tensor in learned.items():
            if not torch.isfinite(tensor).all():
                return name
        for prefix, module in (("model", self.model), ("agent", self.agent)):
            for name, buffer in module.named_buffers():
                if torch.isnan(buffer).any():
                    return f"{prefix}.{name}"
        return None


def named_parameters(model: WorldModel, agent: Agent) -> Iterable[tuple[str, nn.Parameter]]:
    """All parameters, `model.*` and then `agent.*`; one that both hold counts as the model's."""
    seen = set()
    for prefix, module in (("model", model), ("agent", agent)):
        for name, parameter in module.named_parameters():
            if parameter not in seen:
                seen.add(parameter)
                yield f"{prefix}.{name}", parameter


def module_tensors(module: nn.Module) -> dict[str, Tensor]:
    """A module's parameters and buffers by name.

    Raises:
        CheckpointError: if the module's state holds something that is not a tensor.
    """
    state = module.state_dict()
    for name, value in state.items():
        if not isinstance(value, Tensor):
            raise CheckpointError(
                f"{type(module).__name__} keeps {name!r} as a {type(value).__name__}, which no checkpoint can hold",
                "register it as a buffer",
            )
    return {k: v.detach() for k, v in state.items()}


def load_module(module: nn.Module, tensors: Mapping[str, Tensor], what: str) -> None:
    """Loads a module's state exactly.

    Raises:
        CheckpointError: naming every tensor that is missing, left over, or of another shape or dtype.
    """
    ours = module_tensors(module)
    differs = [f"{k}: only in the checkpoint" for k in tensors if k not in ours]
    differs += [f"{k}: not in the checkpoint" for k in ours if k not in tensors]
    for key in ours.keys() & tensors.keys():
        a, b = tensors[key], ours[key]
        if a.shape != b.shape or a.dtype != b.dtype:
            differs.append(f"{key}: {tuple(a.shape)} {a.dtype} saved, {tuple(b.shape)} {b.dtype} now")
    if differs:
        shown = "\n    ".join(sorted(differs)[:12])
        raise CheckpointError(
            f"the saved {what} is not this {what}; {len(differs)} tensors differ:\n    {shown}",
            "resume with the recipe, size and overrides of config.json, or train afresh in another directory",
        )
    module.load_state_dict(dict(tensors))
