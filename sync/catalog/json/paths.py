"""Dotted paths into a tree, and the differences between two trees as paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from sync.catalog.json.tree import Tree

Path: TypeAlias = tuple[str, ...]


def dotted(path: Path) -> str:
    """The keys joined by dots; a dot or backslash inside a key follows a backslash."""
    return ".".join(key.replace("\\", "\\\\").replace(".", "\\.") for key in path)


def differences(old: Tree | None, new: Tree | None, path: Path = ()) -> Iterator[tuple[Path, Tree | None, Tree | None]]:
    """Where two canonical trees differ, in the order of the paths; None stands for absent.

    Two objects are compared field by field. Whatever came, went or became something else is one
    difference at its root, with the whole value before and after.
    """
    if old == new:
        return
    if not (isinstance(old, dict) and isinstance(new, dict)):
        yield path, old, new
        return
    for key in sorted(old.keys() | new.keys()):
        yield from differences(old.get(key), new.get(key), (*path, key))


def leaves(tree: Mapping[str, Tree], path: Path = ()) -> Iterator[tuple[Path, Tree]]:
    """Everything in nested objects that is not itself an object with fields, with its path."""
    for key in sorted(tree):
        value = tree[key]
        if isinstance(value, dict) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def strings(tree: Tree | None) -> Iterator[str]:
    """Every string in a tree, keys included."""
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield key
            yield from strings(value)
    elif isinstance(tree, list):
        for item in tree:
            yield from strings(item)
