"""Whether embeddings still tell things apart: rank, spread, and distance from a standard normal."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from craik.ops.sigreg import directions, sigreg


@dataclasses.dataclass(frozen=True)
class Spread:
    """What a cloud of embeddings looks like.

    Attributes:
        rank: effective rank, between 1 and D (0 for a single point).
        std: mean standard deviation of a number of the embedding; 1 for N(0, I).
        least: standard deviation along the direction of least variance.
        sigreg: SIGReg of the cloud over its size; 0 for N(0, I), about 0.41 for a point at the origin.
    """

    rank: float
    std: float
    least: float
    sigreg: float


def effective_rank(z: Tensor) -> float:
    """The exponential of the entropy of normalised singular values of centred z [N, D] (Roy and Vetterli, 2007).

    As in RankMe (arXiv 2210.02885, eq. 1), but centred: a constant embedding has rank 0.
    """
    values = torch.linalg.svdvals((z - z.mean(0)).double())
    if values[0] <= 1e-12 * max(1.0, z.double().norm().item()):
        return 0.0
    share = values / values.sum()
    return torch.exp(-torch.special.xlogy(share, share).sum()).item()


def spread(z: Tensor) -> Spread:
    """How a cloud of N embeddings [N, D] is spread."""
    z = z.detach().float()
    variance = torch.linalg.eigvalsh(torch.cov(z.T.double()).reshape(z.shape[1], z.shape[1])).clamp(min=0)
    return Spread(
        effective_rank(z),
        z.std(0).mean().item(),
        variance[0].sqrt().item(),
        sigreg(z, directions(z.shape[1], 512, None, z.device)).item() / len(z),
    )
