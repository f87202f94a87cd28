"""Multilayer perceptrons."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jaxtyping import Float
from torch import Tensor, nn


def layers(
    inputs: int,
    hidden: Sequence[int],
    norm: Callable[[int], nn.Module] | None = nn.RMSNorm,
    act: Callable[[], nn.Module] = nn.SiLU,
) -> nn.Sequential:
    """Linear -> norm -> activation for each width of `hidden`: [..., inputs] -> [..., hidden[-1]]."""
    stack: list[nn.Module] = []
    for width in hidden:
        # With a bias even under a norm: without one the norm would forget how large the inputs are.
        stack += [nn.Linear(inputs, width), *([norm(width)] if norm else []), act()]
        inputs = width
    return nn.Sequential(*stack)


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
        self.hidden = layers(inputs, hidden, norm, act)
        self.out = nn.Linear(hidden[-1] if hidden else inputs, outputs)

    def forward(self, x: Float[Tensor, "*B inputs"]) -> Float[Tensor, "*B outputs"]:
        """See the class."""
        return self.out(self.hidden(x))
