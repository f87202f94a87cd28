"""How points move: one Runge-Kutta step, and the exact glide under a held force and linear drag."""

from __future__ import annotations

from typing import Any

import numpy as np


def runge_kutta(slope: Any, at: tuple[np.ndarray, ...], dt: np.ndarray) -> tuple[np.ndarray, ...]:
    """One classical fourth-order step of `at' = slope(*at)` over `dt`."""

    def ahead(k: tuple[np.ndarray, ...], part: float) -> tuple[np.ndarray, ...]:
        return tuple(x + part * dt * d for x, d in zip(at, k))

    k1 = slope(*at)
    k2 = slope(*ahead(k1, 0.5))
    k3 = slope(*ahead(k2, 0.5))
    k4 = slope(*ahead(k3, 1.0))
    return tuple(x + dt / 6 * (a + 2 * b + 2 * c + d) for x, a, b, c, d in zip(at, k1, k2, k3, k4))


def glide(
    at: np.ndarray, speed: np.ndarray, push: np.ndarray, drag: np.ndarray, dt: float
) -> tuple[np.ndarray, np.ndarray]:
    """Solves `at' = speed, speed' = push - drag speed` exactly over `dt`, `push` held; drag may be 0.

    Args:
        at: positions, any shape.
        speed: like `at`.
        push: acceleration, like `at`.
        drag: per second, broadcastable to `at`.
        dt: seconds.
    """
    small = drag * dt < 1e-6
    k = np.where(small, 1.0, drag)
    once = np.where(small, dt - drag * dt**2 / 2, -np.expm1(-k * dt) / k)  # integral of exp(-drag t)
    twice = np.where(small, dt**2 / 2 - drag * dt**3 / 6, (dt - once) / k)
    return at + speed * once + push * twice, speed * (1 - drag * once) + push * once
