"""The guard of a run: what to do about a gradient that is not finite, or far too large."""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from typing import Any

from craik.core.errors import CraikError

IN_A_ROW = 5
"""More non-finite steps than this in a row, and the run stops."""

OF_LAST_1000 = 10
"""More non-finite steps than this among the last 1,000, and the run stops."""

SPIKE = 1_000.0
"""A spike is a loss and a gradient norm both this many times their medians."""

SPIKES_IN_A_ROW = 20
"""More spikes than this in a row, and the run stops."""

REMEMBERED = 101
"""How many calm steps the medians are over."""

ENOUGH = 20
"""Calm steps before anything can be called a spike."""


class Diverged(CraikError):
    """Training left the finite, or the sensible, for good.

    Attributes:
        bundle: what is known, ready for JSON: the counts and the last losses.
    """

    def __init__(self, what: str, bundle: dict[str, Any]):
        super().__init__(what, "lower lr, set clip_norm or clip_ratio, or look at the crash folder's batches for NaN")
        self.bundle = bundle


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What to do with a step.

    Attributes:
        skip: leave everything as it is.
        longest: a bound on the gradient norm for this step, or None.
    """

    skip: bool = False
    longest: float | None = None


class Guard:
    """Watches losses and gradient norms; skips what is not finite, bounds spikes, stops when there are too many.

    A spike's gradient is scaled to the median norm, so that one bad batch neither moves the parameters far nor
    poisons the optimiser's second moments.
    """

    def __init__(self) -> None:
        self.seen = self.skipped = self.spiked = 0
        self.in_a_row = self.spikes_in_a_row = 0
        self.when_skipped: deque[int] = deque()
        self.losses: deque[float] = deque(maxlen=REMEMBERED)
        self.norms: deque[float] = deque(maxlen=REMEMBERED)
        self.last: deque[dict[str, float]] = deque(maxlen=3)

    def look(self, losses: dict[str, float], total: float, norm: float) -> Verdict:
        """Judges one step before it is taken.

        Args:
            losses: every term, for the crash bundle.
            total: the weighted sum.
            norm: the global gradient norm before clipping.

        Raises:
            Diverged: when there were too many bad steps.
        """
        self.seen += 1
        self.last.append({**losses, "total": total, "grad_norm": norm})
        if not (math.isfinite(total) and math.isfinite(norm)):
            return self._bad()
        self.in_a_row = 0
        if len(self.norms) >= ENOUGH:
            usual_loss, usual_norm = _median(self.losses), _median(self.norms)
            if abs(total) > SPIKE * usual_loss and norm > SPIKE * usual_norm:
                return self._spike(usual_norm)
        self.spikes_in_a_row = 0
        self.losses.append(abs(total))
        self.norms.append(norm)
        return Verdict()

    def _bad(self) -> Verdict:
        self.skipped += 1
        self.in_a_row += 1
        self.when_skipped.append(self.seen)
        while self.when_skipped[0] <= self.seen - 1000:
            self.when_skipped.popleft()
        if self.in_a_row > IN_A_ROW:
            raise Diverged(f"{self.in_a_row} updates in a row were not finite (update {self.seen})", self.bundle())
        if len(self.when_skipped) > OF_LAST_1000:
            raise Diverged(
                f"{len(self.when_skipped)} of the last 1000 updates were not finite (update {self.seen})",
                self.bundle(),
            )
        return Verdict(skip=True)

    def _spike(self, usual_norm: float) -> Verdict:
        self.spiked += 1
        self.spikes_in_a_row += 1
        if self.spikes_in_a_row > SPIKES_IN_A_ROW:
            raise Diverged(
                f"{self.spikes_in_a_row} updates in a row had losses and gradients over {SPIKE:g} times the usual "
                f"(update {self.seen})",
                self.bundle(),
            )
        return Verdict(longest=usual_norm)

    def bundle(self) -> dict[str, Any]:
        """What a crash report says of the losses, ready for JSON."""
        return {"updates": self.seen, "skipped": self.skipped, "spiked": self.spiked, "last_losses": list(self.last)}

    def state_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON; exact, because JSON keeps every bit of a float."""
        plain = {k: list(v) if isinstance(v, deque) else v for k, v in vars(self).items()}
        return {k: v for k, v in plain.items() if k != "last"}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Undoes `state_dict`."""
        for key, value in state.items():
            now = getattr(self, key)
            setattr(self, key, deque(value, maxlen=now.maxlen) if isinstance(now, deque) else value)


def _median(values: deque[float]) -> float:
    return sorted(values)[len(values) // 2]
