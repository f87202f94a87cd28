"""Multilayer perceptrons."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn


class MLP(nn.Module):
    """Hidden layers of Linear -> norm -> activation, then one plain Linear.

    Args:
        inputs: features in.
        hidden: width of each hidden layer; empty for a single linear map.
        outputs: features out.
        norm: makes the norm of a width, e.g. `nn.LayerNorm` or `nn.RMSNorm`; None for no norm.
        act: makes the activation.
    """

    def __init__(
        self,
        inputs: int,
        hidden: Sequence[int],
        outputs: int,
        norm: Callable[[int], nn.Module] | None = nn.RMSNorm,
        act: Callable[[], nn.Module] = nn.SiLU,
    ):
        super().__init__()
        layers: list[nn.Module] = []
        for width in hidden:
            layers += [nn.Linear(inputs, width, bias=norm is None), *([norm(width)] if norm else []), act()]
            inputs = width
        self.hidden = nn.Sequential(*layers)
        self.out = nn.Linear(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """[..., inputs] -> [..., outputs]."""
        return self.out(self.hidden(x))
