"""Score cards side by side, as rows of text."""

from __future__ import annotations

import math
from collections.abc import Sequence

from craik.core.errors import DataError
from craik.eval.card.card import Card

HEADLINES = (
    "fid.psnr@8:ar",
    "fid.ssim@8:ar",
    "state.err@8:ar",
    "state.valid_horizon:ar",
    "act.retrieval@4,8:ar",
    "act.effect_r2@8:ar",
    "act.false_success@24:ar",
    "phys.residual:ar",
    "geo.revisit@8:ar",
    "dec.return:cl",
    "dec.success:cl",
    "dec.regret:cl",
    "dec.gap:cl",
    "dec.dream_return:cl",
    "dec.dream_gap:cl",
    "dec.policy_r:ar",
    "dec.mmrv:ar",
    "cal.crps@8:ar",
    "voe.delta50.action:tf",
    "lang.exact@1:ar",
    "lang.f1.action@1:ar",
    "lang.f1.environment@1:ar",
    "lang.false_change@1:ar",
    "lang.silence@1:ar",
    "lang.binding@1:ar",
    "lang.paraphrase@1:ar",
    "lang.pair@8:ar",
)
"""What a table of many models shows; the rest is in the files."""


def markdown(cards: Sequence[Card], ids: Sequence[str] = HEADLINES) -> str:
    """One row a card and one column a metric that any of them has: the mean, and its 95 % interval where there is one.

    Raises:
        DataError: if the cards are of different worlds, sizes, seeds, splits, salts or evaluators.
    """
    asked = ("evaluator", "split", "constants", "rule", "salt")
    kinds = {(c.world, c.size, c.seed, *(c.facts[k] for k in asked)) for c in cards}
    if len(kinds) != 1:
        raise DataError(f"these cards cannot stand in one table: {sorted(map(str, kinds))}", "grade them alike")
    shown = [i for i in ids if any(s.id == i for c in cards for s in c.scores)]
    head = ["model", "read by", *(i.partition(":")[0] for i in shown)]
    rows = [[c.name, c.instrument, *(cell(c, i) for i in shown)] for c in cards]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def cell(card: Card, id: str) -> str:
    """A metric of a card in a few letters; nothing where it does not apply."""
    found = [s for s in card.scores if s.id == id]
    return short(found[0].mean) if found else ""


def short(x: float) -> str:
    """Three digits."""
    if not math.isfinite(x):
        return ""
    return f"{x:.0f}" if abs(x) >= 1000 else f"{x:.3g}" if abs(x) >= 5e-4 else "0"
