"""Checks the shapes that annotations state, in all of craik, while it is tested (docs/decisions/006-shapes.md)."""

from __future__ import annotations

import functools
import inspect
import sys
import types
import typing
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from typing import Any

import torch
from jaxtyping import AbstractArray, TypeCheckError, jaxtyped
from torch.utils._pytree import tree_map


class Finder(MetaPathFinder):
    """Finds craik's modules as ever, and has them checked."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name.startswith("craik.") else None
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = Loader(spec.loader.name, spec.loader.path)
        return spec


class Loader(SourceFileLoader):
    """Runs a module as it is, and then wraps those of its functions whose annotations state a shape."""

    def exec_module(self, module: types.ModuleType) -> None:
        super().exec_module(module)
        for name, value in list(vars(module).items()):
            if getattr(value, "__module__", None) == module.__name__:
                if inspect.isfunction(value):
                    setattr(module, name, checked(value))
                elif inspect.isclass(value):
                    check_class(value)


def install() -> None:
    """Switches the checks on for all of craik that is imported from now on."""
    assert not [name for name in sys.modules if name.startswith("craik.")], "craik was imported before its checks"
    sys.meta_path.insert(0, Finder())


def check_class(cls: type) -> None:
    """Wraps a class's own methods and properties, and the `__init__` that a dataclass was given."""
    for name, value in list(vars(cls).items()):
        if inspect.isfunction(value):
            new: Any = checked(value, overridden(cls, name))
        elif isinstance(value, staticmethod | classmethod):
            new = type(value)(checked(value.__func__))
        elif isinstance(value, property) and value.fget is not None:
            new = property(checked(value.fget), value.fset, value.fdel, value.__doc__)
        else:
            continue
        setattr(cls, name, new)


def overridden(cls: type, name: str) -> Callable | None:
    """The method of craik's that a method overrides."""
    found = [vars(c)[name] for c in cls.__mro__[1:] if c.__module__.startswith("craik.") and name in vars(c)]
    return found[-1] if found and inspect.isfunction(found[-1]) and name != "__init__" else None


def checked(fn: Callable, like: Callable | None = None) -> Callable:
    """The function, refusing tensors that are not of the stated shape; the function itself where none is stated.

    A method that states no shape is held to those of the one it overrides, `like`.
    """
    hints = shapes_of(fn) or (shapes_of(like) if like else {})
    if not hints:
        return fn
    last = [*(k for k in hints if "+" in str(hints[k])), "return"]  # T+1 needs T
    order = sorted(hints, key=lambda k: last.index(k) if k in last else -1)
    names = list(inspect.signature(fn).parameters)
    passed: set[tuple] = set()

    def check(values: dict[str, Any]) -> None:
        forms = tuple(form(values[name]) if name in values else ... for name in order)
        if forms in passed:
            return
        with jaxtyped("context"):
            for name in order:
                if name in values and not fits(values[name], hints[name]):
                    raise TypeCheckError(complaint(fn, name, hints[name], values))
        passed.add(forms)

    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if torch.compiler.is_compiling():
            return fn(*args, **kwargs)
        given = {**dict(zip(names, args)), **kwargs}
        check(given)
        result = fn(*args, **kwargs)
        if "return" in hints:
            check({**given, "return": result})
        return result

    return wrapper


def form(value: Any) -> Any:
    """All that a check depends on, so that none is made twice."""
    if isinstance(value, torch.Tensor):
        return value.shape, value.dtype
    if isinstance(value, list | tuple):
        return tuple(form(v) for v in value)
    return tuple(form(v) for v in value.values()) if type(value) is dict else type(value)


def complaint(fn: Callable, name: str, hint: Any, values: dict[str, Any]) -> str:
    """What is wrong, with the shapes of everything that the axes may come from."""
    shapes = {k: tree_map(lambda x: f"{x.dtype}{list(x.shape)}" if isinstance(x, torch.Tensor) else type(x).__name__, v)
              for k, v in values.items()}  # fmt: skip
    return f"{fn.__module__}.{fn.__qualname__}: {name} is not {hint}, among {shapes}"


def shapes_of(fn: Callable) -> dict[str, Any]:
    """The types of a function's arguments and its `return` that state a shape."""
    if not any("[Tensor," in str(note) for note in inspect.get_annotations(fn).values()):
        return {}
    return {k: h for k, h in typing.get_type_hints(fn).items() if states_shape(h)}


def states_shape(hint: Any) -> bool:
    """Whether a shape is stated anywhere inside a type."""
    return is_shape(hint) or any(states_shape(inner) for inner in typing.get_args(hint))


def is_shape(hint: Any) -> bool:
    return inspect.isclass(hint) and issubclass(hint, AbstractArray)


def fits(value: Any, hint: Any) -> bool:
    """Whether every tensor in a value has the shape stated for it. All other types are left to mypy."""
    inner = typing.get_args(hint)
    if is_shape(hint):
        return isinstance(value, hint)
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        tensors = [h for h in inner if is_shape(h) or h is torch.Tensor]
        return not isinstance(value, torch.Tensor) or any(isinstance(value, h) for h in tensors)
    if isinstance(value, tuple) and len(value) == len(inner) and Ellipsis not in inner:
        return all(fits(v, h) for v, h in zip(value, inner))
    if isinstance(value, list | tuple) and inner:
        return all(fits(v, inner[0]) for v in value)
    if type(value) is dict and len(inner) == 2:
        return all(fits(v, inner[1]) for v in value.values())
    return True
