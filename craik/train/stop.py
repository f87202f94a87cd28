"""Stopping in good order: finish the step, save, leave with the code the signal asks for."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType, TracebackType

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


class Stopped(SystemExit):
    """Training was asked to stop and has saved. Uncaught, it ends the program with 128 + the signal's number.

    Attributes:
        code: 143 for SIGTERM, 130 for SIGINT, 138 for SIGUSR1 (which schedulers send before they requeue).
        says: what happened and how to go on, in a line.
    """

    def __init__(self, signum: int, says: str):
        super().__init__(128 + signum)
        self.says = says


class Signals:
    """While entered, a signal is noted instead of ending the process; a second SIGINT ends it at once.

    Ending at once loses nothing that was acknowledged: every file is written to be whole or absent.
    Outside the main thread, where Python cannot take signals, nothing is noted.
    """

    def __init__(self) -> None:
        self.noted: int | None = None
        self._before: dict[int, object] = {}

    def __enter__(self) -> Signals:
        if threading.current_thread() is threading.main_thread():
            self._before = {s: signal.signal(s, self._note) for s in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for signum, handler in self._before.items():
            signal.signal(signum, handler)  # type: ignore[arg-type]
        self._before = {}

    def _note(self, signum: int, frame: FrameType | None) -> None:
        if self.noted is not None and signum == signal.SIGINT:
            os._exit(128 + signum)
        self.noted = self.noted or signum
