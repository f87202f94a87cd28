"""How near pictures are to pictures, frame by frame: PSNR, PSNR where something moves, SSIM."""

from __future__ import annotations

import numpy as np

CEILING = 60.0
"""dB at which PSNR is cut off, so that equal pictures have a number too."""

STIRRED = 4
"""A pixel moves if a colour of it changes by more than this, of 255."""

WINDOW = 7
"""Side of the window of SSIM, in pixels."""

C1, C2 = 0.01**2, 0.03**2
"""The constants of SSIM for pictures in [0, 1]."""


def psnr(ours: np.ndarray, true: np.ndarray, where: np.ndarray | None = None) -> np.ndarray:
    """10 log10(1 / MSE) of every picture, in dB, at most `CEILING`.

    Args:
        ours, true: [..., h, w, 3], 0 to 255.
        where: [..., h, w] bool, the pixels that count; all by default, and where none does.

    Returns:
        [...]: one number a picture. They are averaged afterwards: the PSNR of a mean error is another number.
    """
    wrong = np.square((ours.astype(np.float32) - true.astype(np.float32)) / 255).mean(-1)  # [..., h, w]
    if where is None:
        error = wrong.mean((-2, -1), dtype=np.float64)
    else:
        counted = where | ~where.any((-2, -1), keepdims=True)
        error = (wrong * counted).sum((-2, -1), dtype=np.float64) / counted.sum((-2, -1))
    return -10 * np.log10(np.maximum(error, 10 ** (-CEILING / 10)))


def moving(now: np.ndarray, before: np.ndarray) -> np.ndarray:
    """[..., h, w] bool: pixels that differ from the picture before by more than `STIRRED`, and their neighbours."""
    stirred = (np.abs(now.astype(np.int16) - before.astype(np.int16)) > STIRRED).any(-1)
    h, w = stirred.shape[-2:]
    wide = np.pad(stirred, [(0, 0)] * (stirred.ndim - 2) + [(1, 1), (1, 1)])
    return np.logical_or.reduce([wide[..., i : i + h, j : j + w] for i in range(3) for j in range(3)])


def mpsnr(ours: np.ndarray, true: np.ndarray, ours_before: np.ndarray, true_before: np.ndarray) -> np.ndarray:
    """PSNR of the pixels that move in either, in dB: [..., h, w, 3] each -> [...].

    What moves in the prediction alone counts too, or things that are not there would be free. Where nothing moves in
    either, all pixels count.
    """
    return psnr(ours, true, moving(ours, ours_before) | moving(true, true_before))


def ssim(ours: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Structural similarity (Wang et al. 2004) over uniform windows that lie wholly inside, mean over RGB.

    (2 ma mb + C1)(2 sab + C2) / ((ma^2 + mb^2 + C1)(sa^2 + sb^2 + C2)), with the variances of the window itself (not
    the unbiased ones). Pictures [..., h, w, 3], 0 to 255 -> [...]; 1 for equal pictures.
    """
    a, b = ours.astype(np.float64) / 255, true.astype(np.float64) / 255
    mean_a, mean_b = _windows(a), _windows(b)
    square_a, square_b, cross = mean_a * mean_a, mean_b * mean_b, mean_a * mean_b
    vary = _windows(a * a) - square_a + (_windows(b * b) - square_b)
    covary = _windows(a * b) - cross
    near = (2 * cross + C1) * (2 * covary + C2) / ((square_a + square_b + C1) * (vary + C2))
    return near.mean((-3, -2, -1))


def _windows(x: np.ndarray) -> np.ndarray:
    """Means over windows: [..., h, w, C] -> [..., h - WINDOW + 1, w - WINDOW + 1, C]."""
    for axis in (-3, -2):
        total = np.cumsum(x, axis)
        lead = np.zeros_like(np.take(total, [0], axis))
        total = np.concatenate([lead, total], axis)
        size = x.shape[axis] - WINDOW + 1
        late, early = np.arange(WINDOW, WINDOW + size), np.arange(size)
        x = (np.take(total, late, axis) - np.take(total, early, axis)) / WINDOW
    return x
