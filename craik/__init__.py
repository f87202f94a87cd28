"""craik: one library for every family of world model.

Nothing heavy is imported until it is used: `import craik` does not import torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "WorldModel": "craik.core.model",
    "State": "craik.core.state",
    "Spec": "craik.core.spec",
    "Batch": "craik.core.data",
    "imagine": "craik.core.imagine",
    "encode": "craik.core.imagine",
    "decode": "craik.core.imagine",
    "check": "craik.eval.contract",
    "recipe": "craik.core.registry",
    "learn": "craik.train.start",
    "load": "craik.train.run",
}
"""Public name -> the module that holds it under that name."""

__all__ = [
    "Batch",
    "Spec",
    "State",
    "WorldModel",
    "__version__",
    "check",
    "decode",
    "encode",
    "imagine",
    "learn",
    "load",
    "recipe",
]

if TYPE_CHECKING:
    from craik.core.data import Batch
    from craik.core.imagine import decode, encode, imagine
    from craik.core.model import WorldModel
    from craik.core.registry import recipe
    from craik.core.spec import Spec
    from craik.core.state import State
    from craik.eval.contract import check
    from craik.train.run import load
    from craik.train.start import learn


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    import difflib

    near = difflib.get_close_matches(name, __all__, n=3)
    hint = f" Did you mean {', '.join(near)}?" if near else ""
    raise AttributeError(f"module 'craik' has no attribute {name!r}.{hint}")


def __dir__() -> list[str]:
    return sorted(__all__)
