"""Which code figures depend on: all that a module and a world reach by import within craik, and its fingerprint."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import gymnasium
import numpy as np
import torch

from craik.worlds.ours import OURS

TABLE = "craik.worlds.ours"
"""The table of all worlds: of it, the line of the world asked about counts, so that another world changes nothing."""


def reach(module: str, world: str | None = None) -> dict[str, Path]:
    """The modules that `module` imports of its own package and of craik, itself included: name -> source file.

    All import statements count, those inside functions too. Front pages of packages, which name much that they load
    only when it is asked for, are followed to those names that are imported from them, and to what they import at once.

    Args:
        module: where to begin.
        world: the id of a world; if it is one of craik's, which are opened by name, its module is a beginning, too.
    """
    tops = {module.split(".")[0], "craik"}
    found: dict[str, Path] = {}
    waiting = [module, *([OURS[world].home.partition(":")[0]] if world in OURS else [])]
    while waiting:
        name = waiting.pop()
        path = _source(name) if name not in found and name != TABLE else None
        if path is None:
            continue
        found[name] = path
        for each in _imports(name, path):
            if each.split(".")[0] in tops:
                waiting += [each, *_parents(each), *_behind(each)]
    return dict(sorted(found.items()))


def fingerprint(module: str, world: str | None = None) -> str:
    """A hash of what a module's figures in a world depend on: the code it reaches, and the versions of what computes.

    Comments, docstrings and layout do not count.
    """
    digest = hashlib.sha256(f"{torch.__version__} {np.__version__} {gymnasium.__version__}".encode())
    digest.update(f"{world} {OURS.get(world or '')}".encode())
    for name, path in reach(module, world).items():
        digest.update(f"\n{name}\n".encode())
        digest.update(_bare(path.read_text()).encode())
    return digest.hexdigest()[:16]


def _source(name: str) -> Path | None:
    """The file of a module; None for what is no module (a class, say) or has no Python source."""
    try:
        spec = find_spec(name)
    except ModuleNotFoundError:  # its "parent" is a module and not a package: the name is something inside that module
        return None
    return Path(spec.origin) if spec is not None and spec.origin and spec.origin.endswith(".py") else None


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:i]) for i in range(1, len(parts))]


def _imports(name: str, path: Path) -> Iterator[str]:
    """Every name imported, as a module might be called; `from a import b` gives both `a` and `a.b`.

    Of a front page, those for type checkers alone are left out (`_behind`).
    """
    page = path.name == "__init__.py"
    package = name if page else name.rpartition(".")[0]
    for node in _nodes(ast.parse(path.read_text()), lazy=not page):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, package)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _behind(name: str) -> Iterator[str]:
    """The module that a front page loads a name from, `craik.worlds.oracle` for `craik.worlds.Oracle`; maybe none."""
    package, _, last = name.rpartition(".")
    path = _source(package) if package else None
    if path is None or path.name != "__init__.py":
        return
    for node in _nodes(ast.parse(path.read_text()), lazy=True):
        if isinstance(node, ast.ImportFrom) and last in {alias.asname or alias.name for alias in node.names}:
            yield _base(node, package)


def _base(node: ast.ImportFrom, package: str) -> str:
    """The module that is imported from."""
    base = node.module or ""
    if not node.level:
        return base
    above = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*above, *([base] if base else [])])


def _nodes(tree: ast.AST, *, lazy: bool) -> Iterator[ast.AST]:
    """All nodes; without those under `if TYPE_CHECKING:` unless `lazy`."""
    yield tree
    for node in ast.iter_child_nodes(tree):
        kept = node.orelse if isinstance(node, ast.If) and _for_types(node.test) and not lazy else [node]
        for each in kept:
            yield from _nodes(each, lazy=lazy)


def _for_types(test: ast.expr) -> bool:
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def _bare(source: str) -> str:
    """A source without comments, docstrings and layout."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [each for each in node.body if not _is_text(each)] or [ast.Pass()]
    return ast.dump(tree)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
