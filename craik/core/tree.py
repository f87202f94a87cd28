"""Trees of tensors: the five things anybody may do with an opaque state.

A tree is a tensor, a frozen dataclass, a dict, a tuple or a list of trees, or None. Leaves have a leading batch
axis `B`; every function returns a new tree and leaves its arguments alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import torch
from jaxtyping import Bool
from torch import Tensor

Tree = TypeVar("Tree")


def map(fn: Callable[..., Tensor], tree: Tree, *others: Tree) -> Tree:
    """Applies `fn` leaf by leaf to trees of one shape, and builds the same tree from the results."""
    if tree is None:
        return tree
    if isinstance(tree, Tensor):
        return fn(tree, *others)  # type: ignore[return-value]
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        names = [f.name for f in dataclasses.fields(tree)]
        new = {n: map(fn, getattr(tree, n), *[getattr(o, n) for o in others]) for n in names}
        return dataclasses.replace(tree, **new)  # type: ignore[type-var]
    if isinstance(tree, dict):
        return {k: map(fn, v, *[o[k] for o in others]) for k, v in tree.items()}  # type: ignore[index,return-value]
    if isinstance(tree, list | tuple):
        return type(tree)(map(fn, v, *[o[i] for o in others]) for i, v in enumerate(tree))  # type: ignore
    raise TypeError(f"a tree holds tensors, dataclasses, dicts, tuples, lists or None, not {type(tree).__name__}")


def flatten(tree: Any, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    """Yields `(name, leaf)` in a fixed order; names join fields, keys and positions with dots."""
    if tree is None:
        return
    if isinstance(tree, Tensor):
        yield prefix.removesuffix("."), tree
    elif dataclasses.is_dataclass(tree):
        for f in dataclasses.fields(tree):
            yield from flatten(getattr(tree, f.name), f"{prefix}{f.name}.")
    elif isinstance(tree, dict):
        for k, v in tree.items():
            yield from flatten(v, f"{prefix}{k}.")
    elif isinstance(tree, list | tuple):
        for i, v in enumerate(tree):
            yield from flatten(v, f"{prefix}{i}.")
    else:
        raise TypeError(f"a tree holds tensors, dataclasses, dicts, tuples, lists or None, not {type(tree).__name__}")


def leaves(tree: Any) -> list[Tensor]:
    """All tensors of the tree, in the order of `flatten`."""
    return [leaf for _, leaf in flatten(tree)]


def index(tree: Tree, key: Any) -> Tree:
    """`leaf[key]` for every leaf: picks rows, slices, or a step of a stacked tree."""
    return map(lambda x: x[key], tree)


def stack(trees: Sequence[Tree], dim: int = 0) -> Tree:
    """Stacks trees of one shape along a new axis, e.g. `dim=1` for time: `[B, ...]` x T -> `[B, T, ...]`."""
    return map(lambda *xs: torch.stack(xs, dim), trees[0], *trees[1:])


def cat(trees: Sequence[Tree], dim: int = 0) -> Tree:
    """Joins trees of one shape along an existing axis."""
    return map(lambda *xs: torch.cat(xs, dim), trees[0], *trees[1:])


def repeat(tree: Tree, n: int) -> Tree:
    """Each row n times, neighbours together: `[B, ...]` -> `[B * n, ...]`. Row `b`'s copies are `b*n .. b*n+n-1`."""
    return map(lambda x: x.repeat_interleave(n, 0), tree)


def where(mask: Bool[Tensor, "*B"], a: Tree, b: Tree) -> Tree:
    """`a` where `mask` is true and `b` elsewhere: row by row, or over as many leading axes as the mask has."""

    def choose(x: Tensor, y: Tensor) -> Tensor:
        return torch.where(mask.reshape(mask.shape + (1,) * (x.dim() - mask.dim())), x, y)

    return map(choose, a, b)


def merge(tree: Tree) -> Tree:
    """Joins the two leading axes: `[B, T, ...]` -> `[B * T, ...]`."""
    return map(lambda x: x.flatten(0, 1), tree)


def split(tree: Tree, b: int) -> Tree:
    """Undoes `merge`: `[B * T, ...]` -> `[B, T, ...]`."""
    return map(lambda x: x.unflatten(0, (b, -1)), tree)


def detach(tree: Tree) -> Tree:
    """The same values, cut from the autograd graph."""
    return map(Tensor.detach, tree)


def to(tree: Tree, *args: Any, **kwargs: Any) -> Tree:
    """`Tensor.to` for every leaf."""
    return map(lambda x: x.to(*args, **kwargs), tree)
