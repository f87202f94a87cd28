"""Which code a module's figures depend on: all it reaches by import within its package, and a fingerprint of that."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import gymnasium
import numpy as np
import torch


def reach(module: str) -> dict[str, Path]:
    """The modules that `module` imports of its own package and of craik, itself included: name -> source file.

    All import statements count, those inside functions and those for type checkers too, which stand for what a package
    loads by name. Only the front page of the whole package, which names everything, is not followed.
    """
    tops = {module.split(".")[0], "craik"}
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _source(name) if name not in found else None
        if path is None:
            continue
        found[name] = path
        if name in tops:
            continue
        for each in _imports(name, path):
            if each.split(".")[0] in tops:
                waiting += [each, *_parents(each)]
    return dict(sorted(found.items()))


def fingerprint(module: str) -> str:
    """A hash of what the module's figures depend on: the code it reaches, and the versions of what computes.

    Comments, docstrings and layout do not count.
    """
    digest = hashlib.sha256(f"{torch.__version__} {np.__version__} {gymnasium.__version__}".encode())
    for name, path in reach(module).items():
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
    """Every name imported, as a module might be called; `from a import b` gives both `a` and `a.b`."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _bare(source: str) -> str:
    """A source without comments, docstrings and layout."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [each for each in node.body if not _is_text(each)] or [ast.Pass()]
    return ast.dump(tree)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
