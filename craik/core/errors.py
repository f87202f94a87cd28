"""Errors a user may meet. Each says what happened, where, and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class CraikError(Exception):
    """What happened, where, and the fix.

    Args:
        what: what happened and where, in a sentence that names the file, key or step.
        fix: what to do about it, with a command where there is one.
    """

    def __init__(self, what: str, fix: str):
        super().__init__(f"{what}\n  fix: {fix}")
        self.what = what
        self.fix = fix


class SpecError(CraikError):
    """A space, an observation or an action that a model cannot take."""


class DataError(CraikError):
    """An episode or data set that cannot be read or written as asked."""


class CheckpointError(CraikError):
    """A checkpoint that cannot be written, or cannot be trusted."""


class UnknownName(CraikError):
    """A name that is not in an open list (recipes, worlds, commands, fields)."""

    def __init__(self, kind: str, name: str, known: Iterable[str], fix: str | None = None):
        known = sorted(known)
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known) or 'none'}"
        super().__init__(f"there is no {kind} called {name!r}; {hint}", fix or f"use one of: {', '.join(known)}")
        self.near = near
