"""Many short rows of numbers as one long one, rows that are the same being kept once: small files."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

NUMBERS, NAMES, PLACES = "numbers", "names", "places"
"""What it all lies in: the numbers of every row, names of rows, and where each begins and how long it is."""


def pack(rows: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Rows of float64, [N] each, as three arrays."""
    found: dict[bytes, tuple[int, int]] = {}
    parts: list[np.ndarray] = []
    places, end = [], 0
    for row in rows.values():
        held = np.ascontiguousarray(row, np.float64)
        key = held.tobytes()
        if key not in found:
            found[key] = (end, len(held))
            parts.append(held)
            end += len(held)
        places.append(found[key])
    return {
        NUMBERS: np.concatenate(parts) if parts else np.zeros(0),
        NAMES: np.array(list(rows), str),
        PLACES: np.array(places, np.int64).reshape(-1, 2),
    }


def unpack(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The rows that `pack` was given, by name.

    Raises:
        KeyError: if one of the three arrays is missing.
    """
    numbers = arrays[NUMBERS]
    return {
        str(name): numbers[begin : begin + length].copy()
        for name, (begin, length) in zip(arrays[NAMES], arrays[PLACES])
    }
