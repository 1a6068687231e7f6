"""Paths into a canonical tree: dotted names, leaves, strings, and the differences between two trees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from sync.catalog.json.tree import Tree

Path: TypeAlias = tuple[str, ...]


def dotted(path: Path) -> str:
    """The keys joined by dots. A dot or a backslash inside a key is escaped by a backslash.

    Different paths therefore have different names.
    """
    return ".".join(key.replace("\\", "\\\\").replace(".", "\\.") for key in path)


def differences(old: Tree | None, new: Tree | None, path: Path = ()) -> Iterator[tuple[Path, Tree | None, Tree | None]]:
    """Each path at which two trees differ, with the values before and after, in the order of the paths.

    None means absent. Two objects are compared field by field. A value that was added, removed or
    replaced by one of another kind is one difference, with the whole value.
    """
    if old == new:
        return
    if not (isinstance(old, dict) and isinstance(new, dict)):
        yield path, old, new
        return
    # Sorted, so that events have the same order whatever the order of the keys in the texts.
    for key in sorted(old.keys() | new.keys()):
        yield from differences(old.get(key), new.get(key), (*path, key))


def leaves(tree: Mapping[str, Tree], path: Path = ()) -> Iterator[tuple[Path, Tree]]:
    """Each value in nested objects that is not an object with fields, with its path.

    A list is one leaf, and so is an empty object.
    """
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
