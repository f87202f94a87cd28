"""How near a crowd of clips is to another, whoever follows whom: Frechet and kernel distances on random features."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

PATCH, STRIDE, FILTERS = 8, 4, 96
"""Side of a patch and its steps, in pixels; number of random filters."""

TAPS = (0, 2, 4)
"""Frames of a patch, in steps from its first."""

CLIP = 8
"""Frames of a clip."""

SEED = 20_260
"""Of the filters. They are the same for every model, world and session."""

AT_ONCE = 32
"""Clips looked at together."""


def clips(pictures: np.ndarray) -> np.ndarray:
    """Films [E, H, h, w, 3] cut into clips that do not overlap: [E, M, CLIP, h, w, 3]; the rest is left out."""
    e, h = pictures.shape[:2]
    size = min(CLIP, h)
    return pictures[:, : h // size * size].reshape(e, h // size, size, *pictures.shape[2:])


@torch.no_grad()
def features(pictures: np.ndarray) -> np.ndarray:
    """Numbers of clips [E, M, L, h, w, 3] uint8 -> [E, M, 2 * FILTERS].

    Patches of `PATCH` x `PATCH` pixels in the frames t, t + 2 and t + 4 -> `FILTERS` linear filters whose weights are
    drawn once and for all -> ReLU -> mean and standard deviation over all places and times. Networks that were never
    trained judge pictures that are not photographs better than ones trained on photographs (Naeem et al. 2020).
    """
    e, m, length = pictures.shape[:3]
    kernel = filters()
    taps = [t for t in TAPS if t < length]
    times = length - taps[-1]
    flat = pictures.reshape(e * m, length, *pictures.shape[3:])
    found = []
    for start in range(0, e * m, AT_ONCE):
        x = torch.as_tensor(flat[start : start + AT_ONCE]).float().div(127.5).sub(1).movedim(-1, 2)  # [n, L, 3, h, w]
        n = len(x)
        stack = torch.cat([x[:, t : t + times] for t in taps], 2).flatten(0, 1)  # [n * times, taps * 3, h, w]
        out = F.conv2d(stack, kernel[:, : 3 * len(taps)], stride=STRIDE).relu()
        out = out.unflatten(0, (n, times)).transpose(1, 2).flatten(2)  # [n, FILTERS, times * places]
        found.append(torch.cat([out.mean(-1), out.std(-1, correction=0)], -1))
    return torch.cat(found).double().numpy().reshape(e, m, -1)


def filters() -> Tensor:
    """The random filters, [FILTERS, taps * 3, PATCH, PATCH], of unit length; each hears contrast, not brightness."""
    draw = torch.Generator().manual_seed(SEED)
    kernel = torch.randn(FILTERS, 3 * len(TAPS), PATCH, PATCH, generator=draw)
    kernel = kernel - kernel.mean((1, 2, 3), keepdim=True)
    return kernel / kernel.flatten(1).norm(dim=1)[:, None, None, None]


def frechet(x: np.ndarray, y: np.ndarray) -> float:
    """|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^1/2) of features [N, D] and [M, D] (Heusel et al. 2017).

    Biased: two samples of one distribution are apart, the more so the smaller they are.
    """
    gap = np.square(x.mean(0) - y.mean(0)).sum()
    s1, s2 = np.cov(x.T), np.cov(y.T)
    root = _root(s1)
    return float(max(gap + np.trace(s1) + np.trace(s2) - 2 * np.trace(_root(root @ s2 @ root)), 0.0))


def _root(s: np.ndarray) -> np.ndarray:
    """The square root of a symmetric matrix without negative directions."""
    values, axes = np.linalg.eigh((s + s.T) / 2)
    return (axes * np.sqrt(np.maximum(values, 0))) @ axes.T


def kernel_distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Unbiased squared MMD of units [N, M, D] and [N, M, D] with (x . y / D + 1)^3 (Binkowski et al. 2018).

    A unit (an episode) may hold several clips; clips of one unit are never compared with one another, since they are
    not independent, nor is unit i of one side with unit i of the other (Gretton et al. 2012, Lemma 6).

    Returns:
        [N] the jackknife's values of the units, as good as independent: their mean is the estimate, around 0 for equal
        distributions and below it half of the time, and their spread is its uncertainty. At least 3 units.
    """
    n, m, d = x.shape

    def between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        k = (a.reshape(n * m, d) @ b.reshape(n * m, d).T / d + 1) ** 3
        return k.reshape(n, m, n, m).mean((1, 3))

    cross = between(x, y)
    h = between(x, x) + between(y, y) - cross - cross.T
    np.fill_diagonal(h, 0)
    unit = h.sum(1) / (n - 1)
    whole = unit.mean()
    without = (n * whole - 2 * unit) / (n - 2)  # the estimate from all units but this one
    return n * whole - (n - 1) * without
