"""Recipes by name. The folder `craik/recipes` is the registry; others join by the entry-point group `craik.recipes`.

A recipe module has a `CARD`, a `Config` (frozen dataclass: the paper's table), `SIZES` (name -> Config, always with
"tiny" and "small") and `build(cfg, spec) -> WorldModel`. Optional: `training(cfg) -> Training`,
`agent(model, cfg) -> Agent`, `stages(model, cfg)` and `CHECK`.
"""

from __future__ import annotations

import importlib
import pkgutil
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from craik.core.errors import UnknownName

HOME = "craik.recipes"


def where() -> dict[str, str]:
    """Every recipe's name -> the module that holds it. Imports no recipe."""
    spec = find_spec(HOME)
    root = Path(next(iter(spec.submodule_search_locations)))  # type: ignore[union-attr,arg-type]
    found = {}
    for family in pkgutil.iter_modules([str(root)]):
        for each in pkgutil.iter_modules([str(root / family.name)]):
            found[each.name] = f"{HOME}.{family.name}.{each.name}"
    for point in entry_points(group=HOME):
        found[point.name] = point.value
    return dict(sorted(found.items()))


def recipe(name: str) -> ModuleType:
    """The recipe of this name ("dreamer_v3"; dashes do as well).

    Raises:
        UnknownName: if there is none, with the nearest ones.
    """
    known = where()
    key = name.replace("-", "_")
    if key not in known:
        raise UnknownName("recipe", name, known, "see them all: craik list")
    return importlib.import_module(known[key])


def family(name: str) -> str:
    """The family a recipe belongs to: the folder it lies in."""
    return where()[name.replace("-", "_")].split(".")[-2]
