"""Noise with a memory: power falling with frequency as 1 / f^beta."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor


def colored_noise(
    shape: tuple[int, ...], beta: float, *, generator: torch.Generator, device: torch.device | str = "cpu"
) -> Float[Tensor, "*B H"]:
    """Gaussian noise of unit variance, correlated along its last axis (Timmer & Koenig 1995; iCEM, section 3.1).

    Args:
        shape: [..., H]; H is the axis of time.
        beta: the exponent; 0 white, 1 pink, 2 red.
        generator: source of randomness.
        device: where to put it.
    """
    steps = shape[-1]
    if steps == 1 or beta == 0:
        return torch.randn(shape, generator=generator, device=device)
    freq = torch.fft.rfftfreq(steps, device=device)
    freq[0] = freq[1]  # the lowest frequency that H steps can show
    scale = freq ** (-beta / 2)
    real, imag = (torch.randn(*shape[:-1], len(freq), generator=generator, device=device) * scale for _ in range(2))
    # Frequency 0, and with an even H the last one, have no imaginary part: the real part carries all their power,
    # and they count once in the inverse transform where the others count twice.
    power = scale.square()
    single = [0, -1] if steps % 2 == 0 else [0]
    real[..., single] *= math.sqrt(2)
    imag[..., single] = 0
    power[single] /= 2
    return torch.fft.irfft(torch.complex(real, imag), n=steps) * steps / (2 * power.sum().sqrt())
