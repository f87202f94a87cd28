"""The lock of a run directory: one process trains in it at a time."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from types import TracebackType
from typing import IO

from craik.core.errors import CraikError

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class RunLocked(CraikError):
    """Another process is training in the directory."""


class Lock:
    """Holds a directory, from entering until leaving or the end of the process, however it ends.

    The system's own file lock decides, so a lock cannot outlive its holder; the file says who that is (process and boot
    of the machine), for messages.

    Args:
        folder: the run's directory.

    Raises:
        RunLocked: on entering, if another holds it, naming the process.
    """

    def __init__(self, folder: Path):
        self.file = folder / "lock"
        self._handle: IO[str] | None = None

    def __enter__(self) -> Lock:
        handle = self.file.open("a+")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            handle.seek(0)
            who = handle.read()
            handle.close()
            raise RunLocked(
                f"{self.file.parent} is being trained in by another process ({_name(who)})",
                "wait for it, stop it (it saves on SIGTERM), or train in another directory",
            ) from error
        handle.truncate(0)
        handle.write(json.dumps({"pid": os.getpid(), "boot": boot_id()}))
        handle.flush()
        self._handle = handle
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handle is not None:
            self._handle.truncate(0)
            self._handle.close()
            self._handle = None


def boot_id() -> str:
    """Names this boot of the machine, so that a process id from before it is known to be meaningless."""
    return BOOT_ID.read_text().strip() if BOOT_ID.exists() else "unknown"


def holder(folder: Path) -> int | None:
    """The process that the lock file names and that may still live: None if there is none, or it is of another boot."""
    file = folder / "lock"
    try:
        who = json.loads(file.read_text())
        if who["boot"] != boot_id():
            return None
        os.kill(who["pid"], 0)
        return who["pid"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _name(who: str) -> str:
    try:
        return f"pid {json.loads(who)['pid']}"
    except (ValueError, KeyError, TypeError):
        return "it is just starting"
