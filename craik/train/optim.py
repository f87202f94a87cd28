"""One optimiser step: warm-up, learning rates by name, clipping, then AdamW or LaProp."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from craik.core.errors import CheckpointError, CraikError, UnknownName
from craik.train.training import Training

SMALLEST_NORM = 1e-3
"""Adaptive clipping treats a parameter as at least this long (Brock et al. 2021, eq. 3; DreamerV3 uses the same)."""


class LaProp(torch.optim.Optimizer):
    """LaProp (Ziyin et al. 2020, algorithm 1, as DreamerV3 uses it): normalise by the RMS first, then take momentum.

    With n the step count, `v = b2 v + (1 - b2) g^2`, `m = b1 m + (1 - b1) g / (sqrt(v / (1 - b2^n)) + eps)`, and
    the parameter moves by `-lr m / (1 - b1^n)` after decaying by `lr * weight_decay` (decoupled, as in AdamW).

    Args:
        params: parameters, or groups of them.
        lr: learning rate.
        betas: (b1, b2), the decays of momentum and mean square.
        eps: added to the root mean square.
        weight_decay: decoupled weight decay.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 4e-5,
        betas: tuple[float, float] = (0.9, 0.99),
        eps: float = 1e-20,
        weight_decay: float = 0.0,
    ):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """Moves every parameter that has a gradient."""
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            for p in params:
                if not self.state[p]:
                    self.state[p] = {
                        "step": torch.zeros(()),
                        "mean": torch.zeros_like(p),
                        "square": torch.zeros_like(p),
                    }
            ages: dict[float, list[Tensor]] = {}  # parameters that joined late have a younger average
            for p in params:
                ages.setdefault(self.state[p]["step"].item(), []).append(p)
            for age, those in ages.items():
                self._move(those, int(age) + 1, group)

    def _move(self, params: list[Tensor], n: int, group: dict[str, Any]) -> None:
        states = [self.state[p] for p in params]
        grads: list[Tensor] = [p.grad for p in params]  # type: ignore[misc]
        means, squares = [s["mean"] for s in states], [s["square"] for s in states]
        (b1, b2), lr = group["betas"], group["lr"]
        torch._foreach_add_([s["step"] for s in states], 1.0)
        torch._foreach_mul_(squares, b2)
        torch._foreach_addcmul_(squares, grads, grads, 1 - b2)
        below = torch._foreach_sqrt(squares)
        torch._foreach_div_(below, (1 - b2**n) ** 0.5)
        torch._foreach_add_(below, group["eps"])
        torch._foreach_lerp_(means, torch._foreach_div(grads, below), 1 - b1)
        if group["weight_decay"]:
            torch._foreach_mul_(params, 1 - lr * group["weight_decay"])
        torch._foreach_add_(params, means, alpha=-lr / (1 - b1**n))


def clip_adaptively(params: list[Tensor], ratio: float) -> None:
    """Adaptive gradient clipping (Brock et al. 2021, eq. 3), one norm a tensor as in DreamerV3.

    A gradient longer than `ratio * max(|parameter|, 1e-3)` is scaled down to that length.
    """
    grads: list[Tensor] = [p.grad for p in params]  # type: ignore[misc]
    longest = ratio * torch.stack(torch._foreach_norm(params)).clamp(min=SMALLEST_NORM)
    norms = torch.stack(torch._foreach_norm(grads))
    scale = torch.where(norms > longest, longest / norms, torch.ones_like(norms))
    torch._foreach_mul_(grads, list(scale.unbind()))


class Optimizer:
    """The optimiser of a run, over parameters by name.

    Args:
        named: name -> parameter; names start with `model.` or `agent.`.
        training: the numbers.

    Raises:
        UnknownName: if `training.optimizer` is neither "adamw" nor "laprop", or `training.lr_scale` has a prefix
            that no parameter has.
    """

    def __init__(self, named: Mapping[str, nn.Parameter], training: Training):
        self.named = {n: p for n, p in named.items() if p.requires_grad}
        self.training, self.updates = training, 0
        groups = _groups(self.named, training)
        if not groups:
            raise CraikError("neither the model nor the agent has a parameter to train", "check requires_grad")
        adam = {"lr": training.lr, "betas": training.betas, "eps": training.eps}
        if training.optimizer == "adamw":
            self.inner: torch.optim.Optimizer = torch.optim.AdamW(groups, **adam, fused=True)  # type: ignore[arg-type]
        elif training.optimizer == "laprop":
            self.inner = LaProp(groups, **adam)  # type: ignore[arg-type]
        else:
            raise UnknownName("optimiser", training.optimizer, ("adamw", "laprop"))

    def clear(self) -> None:
        """Forgets all gradients."""
        self.inner.zero_grad(set_to_none=True)

    @torch.no_grad()
    def norm(self) -> Tensor:
        """The global norm of the gradients, before any clipping: []."""
        grads = [p.grad for p in self.named.values() if p.grad is not None]
        return torch.nn.utils.get_total_norm(grads) if grads else torch.zeros(())

    @torch.no_grad()
    def step(self, norm: Tensor, longest: float | None = None) -> None:
        """Clips and moves.

        Args:
            norm: what `norm()` gave.
            longest: a bound on the global norm for this step alone, beside those of `training`.
        """
        params: list[Tensor] = [p for p in self.named.values() if p.grad is not None]
        if longest is not None:
            torch.nn.utils.clip_grads_with_norm_(params, longest, norm)
            norm = norm.clamp(max=longest)
        if self.training.clip_ratio is not None:
            clip_adaptively(params, self.training.clip_ratio)
            norm = self.norm() if self.training.clip_norm is not None else norm
        if self.training.clip_norm is not None:
            torch.nn.utils.clip_grads_with_norm_(params, self.training.clip_norm, norm)
        warm = min(1.0, (self.updates + 1) / self.training.warmup) if self.training.warmup else 1.0
        for group in self.inner.param_groups:
            group["lr"] = self.training.lr * group["factor"] * warm
        self.inner.step()
        self.updates += 1

    def tensors(self) -> dict[str, Tensor]:
        """The moments: `<parameter>/<field>` -> tensor. With `updates`, everything an exact resume needs."""
        return {f"{n}/{k}": v for n, p in self.named.items() for k, v in self.inner.state.get(p, {}).items()}

    def load(self, tensors: Mapping[str, Tensor], updates: int) -> None:
        """Puts back what `tensors` gave.

        Raises:
            CheckpointError: if a moment belongs to no parameter, or has another shape.
        """
        self.inner.state.clear()
        for key, value in tensors.items():
            name, field = key.rsplit("/", 1)
            if name not in self.named or value.shape not in ((), self.named[name].shape):
                raise CheckpointError(
                    f"the checkpoint's optimiser state {key!r} {tuple(value.shape)} fits no parameter of this run",
                    "resume with the same recipe, size and overrides, or start afresh in another directory",
                )
            self.inner.state[self.named[name]][field] = value.clone()
        self.updates = updates


def _groups(named: Mapping[str, nn.Parameter], training: Training) -> list[dict[str, Any]]:
    """Parameters by (factor on the learning rate, weight decay): the longest prefix wins; only matrices decay."""
    for prefix in training.lr_scale:
        if not any(n.startswith(prefix) for n in named):
            raise UnknownName("parameter with the lr_scale prefix", prefix, {n.rsplit(".", 1)[0] for n in named})
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in named.items():
        fits = [prefix for prefix in training.lr_scale if name.startswith(prefix)]
        factor = training.lr_scale[max(fits, key=len)] if fits else 1.0
        decay = training.weight_decay if parameter.dim() >= 2 else 0.0
        groups.setdefault((factor, decay), []).append(parameter)
    return [{"params": ps, "factor": f, "weight_decay": d} for (f, d), ps in groups.items()]
