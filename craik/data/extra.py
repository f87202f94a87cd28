"""Libraries that only some readers need."""

from __future__ import annotations

import importlib
from types import ModuleType

from craik.core.errors import DataError


def need(module: str, extra: str) -> ModuleType:
    """An optional library.

    Args:
        module: its name.
        extra: the extra of craik that installs it.

    Raises:
        DataError: if it is not installed, with the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise DataError(
            f"this needs {module.partition('.')[0]}, which is not installed", f"pip install 'craik[{extra}]'"
        ) from error
