"""What keeps embeddings from collapsing: they should look like draws from N(0, I)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from craik.ops.sigreg import directions, sigreg


class SIGReg(nn.Module):
    """Sketched isotropic Gaussian regularisation (LeJEPA, arXiv 2511.08544), time step by time step (LeWM, eq. 3).

    Args:
        num_directions: random directions, drawn anew at every call.
        knots: points of the quadrature of each statistic.
    """

    def __init__(self, num_directions: int = 1024, knots: int = 17):
        super().__init__()
        self.num_directions, self.knots = num_directions, knots

    def forward(self, z: Float[Tensor, "B T D"], generator: torch.Generator | None = None) -> Float[Tensor, ""]:
        """The mean over time steps, one sample each. Without a generator: fixed directions."""
        along = directions(z.shape[-1], self.num_directions, generator, z.device)
        return sigreg(z.transpose(0, 1), along, self.knots)
