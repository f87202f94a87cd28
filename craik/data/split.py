"""Splits by episode: windows of one episode never fall on two sides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from craik.core.errors import DataError


def split(ids: Iterable[str], fractions: Mapping[str, float], seed: int) -> dict[str, list[str]]:
    """Deals episodes out at random.

    Args:
        ids: the episodes.
        fractions: name of a part -> its share; they add up to 1.
        seed: of the dealing, which depends on it and the set of ids alone, not on their order.

    Returns:
        Name of the part -> its ids, sorted. Sizes are the shares rounded, but every part gets an episode.

    Raises:
        DataError: if the shares do not add up, or there are fewer episodes than parts.
    """
    ids = sorted(set(ids))
    shares = np.array(list(fractions.values()), float)
    if abs(shares.sum() - 1) > 1e-6 or (shares <= 0).any():
        raise DataError(f"fractions {dict(fractions)} are not shares of a whole", "make them positive, with sum 1")
    if len(ids) < len(shares):
        raise DataError(f"{len(ids)} episodes cannot be split into {len(shares)} parts", "collect more episodes")
    ends = np.round(np.cumsum(shares) * len(ids)).astype(int)
    for i in range(
        len(ends)
    ):  # every part at least one: push an end up where its part is empty, then down from the back
        ends[i] = max(ends[i], (ends[i - 1] if i else 0) + 1)
    for i in range(len(ends)):
        ends[-1 - i] = min(ends[-1 - i], len(ids) - i)
    order = np.random.default_rng(seed).permutation(len(ids))
    parts = np.split(order, ends[:-1])
    return {name: [ids[i] for i in sorted(part)] for name, part in zip(fractions, parts)}
