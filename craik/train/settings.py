"""Typed settings: frozen dataclasses to JSON and back, with every key and value checked."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from craik.core.errors import CraikError, UnknownName

Settings = TypeVar("Settings")


class BadSetting(CraikError):
    """A setting whose value is not of its type."""


def plain(settings: Any) -> Any:
    """A dataclass as JSON can hold it: nested dicts, lists, numbers, strings."""
    if dataclasses.is_dataclass(settings) and not isinstance(settings, type):
        return {f.name: plain(getattr(settings, f.name)) for f in dataclasses.fields(settings)}
    if isinstance(settings, Mapping):
        return {str(k): plain(v) for k, v in settings.items()}
    if isinstance(settings, list | tuple):
        return [plain(v) for v in settings]
    return settings


def parse(kind: type[Settings], data: Mapping[str, Any], where: str = "") -> Settings:
    """The dataclass that `plain` wrote.

    Args:
        kind: a dataclass.
        data: its fields; those left out take their defaults.
        where: what to call it in an error.

    Raises:
        UnknownName: if a key is no field, with the nearest ones.
        BadSetting: if a value is not of its field's type.
    """
    hints = typing.get_type_hints(kind)
    fields = {f.name for f in dataclasses.fields(kind) if f.init}  # type: ignore[arg-type]
    for key in data:
        if key not in fields:
            raise UnknownName(f"setting of {where or kind.__name__}", key, fields)
    return kind(**{k: _fit(v, hints[k], f"{where}.{k}".removeprefix(".")) for k, v in data.items()})


def override(settings: Settings, changes: Mapping[str, Any], where: str = "") -> Settings:
    """The settings with some changed.

    Args:
        settings: a dataclass.
        changes: field -> value; fields of fields with dots, "head.width".
        where: what to call it in an error.

    Raises:
        UnknownName, BadSetting: as `parse` does.
    """
    kind = type(settings)
    hints = typing.get_type_hints(kind)
    fields = {f.name for f in dataclasses.fields(settings)}  # type: ignore[arg-type]
    new: dict[str, Any] = {}
    for key, value in changes.items():
        name, _, rest = key.partition(".")
        if name not in fields:
            raise UnknownName(f"setting of {where or kind.__name__}", name, fields)
        path, now = f"{where}.{name}".removeprefix("."), new.get(name, getattr(settings, name))
        if not rest:
            new[name] = _fit(value, hints[name], path)
        elif isinstance(now, Mapping):
            inner = (typing.get_args(hints[name]) or (Any, Any))[1]
            new[name] = {**now, rest: _fit(value, inner, f"{path}.{rest}")}
        elif dataclasses.is_dataclass(now):
            new[name] = override(now, {rest: value}, path)
        else:
            raise BadSetting(f"{path} is a single value; it has no {rest!r}", f"set {path} itself")
    return dataclasses.replace(settings, **new)  # type: ignore[type-var]


def changes(old: Any, new: Any, where: str = "") -> dict[str, tuple[Any, Any]]:
    """What differs between two plain trees: dotted key -> (old, new)."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        found: dict[str, tuple[Any, Any]] = {}
        for key in [*old, *(k for k in new if k not in old)]:
            found |= changes(old.get(key), new.get(key), f"{where}.{key}".removeprefix("."))
        return found
    return {} if old == new else {where: (old, new)}


def _fit(value: Any, hint: Any, where: str) -> Any:
    """The value as its type has it: lists become tuples, whole numbers floats; nothing else is converted."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        return _fit_any(value, args, where)
    if origin is typing.Literal:
        if value not in args:
            raise UnknownName(f"value of {where}", str(value), map(str, args))
        return value
    if origin is tuple and isinstance(value, list | tuple):
        inner = [args[0]] * len(value) if args[-1:] == (Ellipsis,) else list(args)
        if len(inner) == len(value):
            return tuple(_fit(v, t, f"{where}[{i}]") for i, (v, t) in enumerate(zip(value, inner)))
    elif isinstance(origin or hint, type):
        kind: Any = origin or hint
        if dataclasses.is_dataclass(kind) and isinstance(value, Mapping):
            return parse(kind, value, where)  # type: ignore[arg-type]
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, kind) and isinstance(value, bool) == (kind is bool):
            if issubclass(kind, Mapping) and args:
                return {k: _fit(v, args[1], f"{where}.{k}") for k, v in value.items()}
            return value
    shown = getattr(hint, "__name__", str(hint)) if origin is None else str(hint)
    raise BadSetting(f"{where} is {value!r}, not a {shown}", f"give {where} a value of type {shown}")


def _fit_any(value: Any, options: tuple[Any, ...], where: str) -> Any:
    if value is None and type(None) in options:
        return None
    kinds = [o for o in options if o is not type(None)]
    for kind in sorted(kinds, key=lambda k: k is not type(value)):
        try:
            return _fit(value, kind, where)
        except (BadSetting, UnknownName):
            continue
    return _fit(value, kinds[0], where)
