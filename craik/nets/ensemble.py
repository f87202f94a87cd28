"""Several multilayer perceptrons at once, by batched matrix products."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from craik.nets.dropout import Dropout
from craik.nets.init import fan_in_normal


class EnsembleMLP(nn.Module):
    """E perceptrons of one shape: hidden layers of Linear -> LayerNorm -> activation, then one plain Linear.

    Hidden weights begin at unit output variance, the last ones at zero.

    Args:
        num: how many, E.
        inputs: features in.
        hidden: width of each hidden layer.
        outputs: features out.
        dropout: share of the first layer's features dropped; only where a generator is given.
        act: makes the activation.
    """

    def __init__(
        self,
        num: int,
        inputs: int,
        hidden: Sequence[int],
        outputs: int,
        dropout: float = 0.0,
        act: Callable[[], nn.Module] = nn.Mish,
    ):
        super().__init__()
        self.num, self.dropout = num, Dropout(dropout)
        self.act = act()
        widths = [inputs, *hidden, outputs]
        pairs = list(itertools.pairwise(widths))
        self.weights = nn.ParameterList([torch.zeros(num, i, o) for i, o in pairs])
        for weight in self.weights[:-1]:
            fan_in_normal(weight, weight.shape[1])
        self.biases = nn.ParameterList([torch.zeros(num, 1, o) for o in widths[1:]])
        self.scales = nn.ParameterList([torch.ones(num, 1, o) for o in hidden])
        self.shifts = nn.ParameterList([torch.zeros(num, 1, o) for o in hidden])

    def forward(
        self,
        x: Float[Tensor, "M inputs"],
        only: slice | Int[Tensor, " E"] | None = None,
        *,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "E M outputs"]:
        """What each member says.

        Args:
            x: the inputs, the same for all members.
            only: members to ask; None for all.
            generator: source of dropout; None for none.
        """
        key = slice(None) if only is None else only
        for i in range(len(self.weights)):
            weight, bias = self.weights[i][key], self.biases[i][key]
            if i == 0:  # one wide product, since all members see the same
                x = (x @ weight.movedim(0, 1).flatten(1)).unflatten(-1, (-1, weight.shape[-1])).movedim(-2, 0) + bias
            else:
                x = torch.baddbmm(bias, x, weight)
            if i < len(self.scales):
                if i == 0:
                    x = self.dropout(x, generator)
                x = self.act(F.layer_norm(x, x.shape[-1:]) * self.scales[i][key] + self.shifts[i][key])
        return x
