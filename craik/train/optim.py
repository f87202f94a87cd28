"""One optimiser step: warm-up and annealing, learning rates by name, clipping, then AdamW or LaProp."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from craik.core import tree
from craik.core.errors import CheckpointError, CraikError, UnknownName
from craik.train.training import Training

SMALLEST_NORM = 1e-3
"""Adaptive clipping treats a parameter as at least this long (Brock et al. 2021, eq. 3; DreamerV3 uses the same)."""


@dataclasses.dataclass(frozen=True)
class Moments:
    """What the optimiser remembers of one parameter.

    Attributes:
        step: [], how many times it moved.
        mean: like the parameter, the first moment.
        square: like the parameter, the second.
    """

    step: Tensor
    mean: Tensor
    square: Tensor


def adamw(
    params: list[Tensor], moments: list[Moments], lr: float, decay: float, betas: tuple[float, float], eps: float
) -> None:
    """AdamW (Loshchilov and Hutter 2019, algorithm 2): torch's fused kernel, one call for all parameters.

    Called as it is, because `torch.optim` imports the compiler, which takes seconds, and costs more a step than this.

    Args:
        params: parameters, each with a gradient.
        moments: what is remembered of each.
        lr: learning rate.
        decay: decoupled weight decay.
        betas: decays of the first and the second moment.
        eps: added to the root of the second moment.
    """
    means, squares, steps = ([getattr(m, k) for m in moments] for k in ("mean", "square", "step"))
    torch._foreach_add_(steps, 1.0)
    torch._fused_adamw_(
        params,
        [p.grad for p in params],  # type: ignore[misc]
        means,
        squares,
        [],
        steps,
        lr=lr,
        beta1=betas[0],
        beta2=betas[1],
        weight_decay=decay,
        eps=eps,
        amsgrad=False,
        maximize=False,
    )


def laprop(
    params: list[Tensor], moments: list[Moments], lr: float, decay: float, betas: tuple[float, float], eps: float
) -> None:
    """LaProp (Ziyin et al. 2020, algorithm 1, as DreamerV3 uses it): normalise by the RMS first, then take momentum.

    With n the step count, `v = b2 v + (1 - b2) g^2`, `m = b1 m + (1 - b1) g / (sqrt(v / (1 - b2^n)) + eps)`, and
    the parameter moves by `-lr m / (1 - b1^n)` after decaying by `lr * decay` (decoupled, as in AdamW).

    Args: as `adamw` has them.
    """
    ages: dict[float, list[int]] = {}  # a parameter that joined late has a younger average
    for i, m in enumerate(moments):
        ages.setdefault(m.step.item(), []).append(i)
    b1, b2 = betas
    for age, those in ages.items():
        n, group = int(age) + 1, [params[i] for i in those]
        grads: list[Tensor] = [p.grad for p in group]  # type: ignore[misc]
        means, squares = [moments[i].mean for i in those], [moments[i].square for i in those]
        torch._foreach_add_([moments[i].step for i in those], 1.0)
        torch._foreach_mul_(squares, b2)
        torch._foreach_addcmul_(squares, grads, grads, 1 - b2)
        below = torch._foreach_sqrt(squares)
        torch._foreach_div_(below, (1 - b2**n) ** 0.5)
        torch._foreach_add_(below, eps)
        torch._foreach_lerp_(means, torch._foreach_div(grads, below), 1 - b1)
        if decay:
            torch._foreach_mul_(group, 1 - lr * decay)
        torch._foreach_add_(group, means, alpha=-lr / (1 - b1**n))


RULES = {"adamw": adamw, "laprop": laprop}
"""The optimisers by name."""


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
        num_updates: updates of the whole run, at whose end a falling learning rate is zero.

    Raises:
        UnknownName: if `training.optimizer` is neither "adamw" nor "laprop", or `training.lr_scale` has a prefix
            that no parameter has.
    """

    def __init__(self, named: Mapping[str, nn.Parameter], training: Training, num_updates: int = 0):
        self.named = {n: p for n, p in named.items() if p.requires_grad}
        self.training, self.num_updates, self.updates = training, num_updates, 0
        self.moments: dict[str, Moments] = {}
        if training.optimizer not in RULES:
            raise UnknownName("optimiser", training.optimizer, RULES)
        self._rule, self._groups = RULES[training.optimizer], _groups(self.named, training)
        if not self.named:
            raise CraikError("neither the model nor the agent has a parameter to train", "check requires_grad")

    def clear(self) -> None:
        """Forgets all gradients."""
        for parameter in self.named.values():
            parameter.grad = None

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
        share = self.share(self.updates)
        for (factor, decay), names in self._groups.items():
            moving = [n for n in names if self.named[n].grad is not None]
            for name in moving:
                if name not in self.moments:
                    p = self.named[name]
                    self.moments[name] = Moments(
                        torch.zeros((), device=p.device), torch.zeros_like(p), torch.zeros_like(p)
                    )
            if moving:
                self._rule(
                    [self.named[n] for n in moving],
                    [self.moments[n] for n in moving],
                    self.training.lr * factor * share,
                    decay,
                    self.training.betas,
                    self.training.eps,
                )
        self.updates += 1

    def share(self, update: int) -> float:
        """The part of the learning rate in force at an update (the first is 0): a linear rise, then half a cosine."""
        warmup = self.training.warmup
        if update < warmup:
            return (update + 1) / warmup
        if not self.training.cosine:
            return 1.0
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (update - warmup) / max(1, self.num_updates - warmup))))

    def tensors(self) -> dict[str, Tensor]:
        """The moments: `<parameter>/<field>` -> tensor. With `updates`, everything an exact resume needs."""
        return {f"{n}/{k}": v for n, m in self.moments.items() for k, v in tree.flatten(m)}

    def load(self, tensors: Mapping[str, Tensor], updates: int) -> None:
        """Puts back what `tensors` gave.

        Raises:
            CheckpointError: if a moment belongs to no parameter, or has another shape, or one of the three is missing.
        """
        found: dict[str, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            name, _, field = key.rpartition("/")
            shape = () if field == "step" else self.named[name].shape if name in self.named else None
            if name not in self.named or value.shape != shape:
                raise CheckpointError(
                    f"the checkpoint's optimiser state {key!r} {tuple(value.shape)} fits no parameter of this run",
                    "resume with the same recipe, size and overrides, or start afresh in another directory",
                )
            found.setdefault(name, {})[field] = value.clone()
        for name, fields in found.items():
            if set(fields) != {f.name for f in dataclasses.fields(Moments)}:
                raise CheckpointError(
                    f"the checkpoint's optimiser state of {name!r} has {sorted(fields)}, not mean, square and step",
                    "use another checkpoint, or start afresh in another directory",
                )
        self.moments = {name: Moments(**fields) for name, fields in found.items()}
        self.updates = updates


def _groups(named: Mapping[str, nn.Parameter], training: Training) -> dict[tuple[float, float], list[str]]:
    """Names by (factor on the learning rate, weight decay): the longest prefix wins; only matrices decay."""
    for prefix in training.lr_scale:
        if not any(n.startswith(prefix) for n in named):
            raise UnknownName("parameter with the lr_scale prefix", prefix, {n.rsplit(".", 1)[0] for n in named})
    groups: dict[tuple[float, float], list[str]] = {}
    for name, parameter in named.items():
        fits = [prefix for prefix in training.lr_scale if name.startswith(prefix)]
        factor = training.lr_scale[max(fits, key=len)] if fits else 1.0
        decay = training.weight_decay if parameter.dim() >= 2 else 0.0
        groups.setdefault((factor, decay), []).append(name)
    return groups
