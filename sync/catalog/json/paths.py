"""Paths into a canonical tree: dotted names, leaves, strings, and the differences between two trees."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from sync.catalog.json.tree import MAX_KEY_CHARACTERS, Tree, is_storable

Path: TypeAlias = tuple[str, ...]

_ESCAPED = re.compile("[\x00\ud800-\udfff]")


def dotted(path: Path) -> str:
    r"""The keys joined by dots. A dot or a backslash inside a key is escaped by a backslash.

    NUL and lone surrogates, which no database stores, are written as in JSON: ``\u0000``. Different
    paths therefore have different names.
    """
    name = ".".join(key.replace("\\", "\\\\").replace(".", "\\.") for key in path)
    return name if is_storable(name) else _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", name)


def differences(old: Tree | None, new: Tree | None, path: Path = ()) -> Iterator[tuple[Path, Tree | None, Tree | None]]:
    """Each path at which two trees differ, with the values before and after, in the order of the paths.

    None means absent. Two objects are compared field by field. A value that was added, removed or
    replaced by one of another kind is one difference, with the whole value, and so is a value under a
    key that is too long for a column.
    """
    if old == new:
        return
    if not (isinstance(old, dict) and isinstance(new, dict)):
        yield path, old, new
        return
    # Sorted, so that events have the same order whatever the order of the keys in the texts.
    for key in sorted(old.keys() | new.keys()):
        if len(key) <= MAX_KEY_CHARACTERS:
            yield from differences(old.get(key), new.get(key), (*path, key))
        elif old.get(key) != new.get(key):  # whole: each difference below would repeat a key of up to a mebibyte
            yield (*path, key), old.get(key), new.get(key)


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


def scalars(tree: Tree | None, path: Path = ()) -> Iterator[tuple[Path, Tree | None]]:
    """Each value in nested objects and lists, with its path; places in a list count from 0.

    An empty object or list is one too.
    """
    if isinstance(tree, dict) and tree:
        for key in sorted(tree):
            yield from scalars(tree[key], (*path, key))
    elif isinstance(tree, list) and tree:
        for place, item in enumerate(tree):
            yield from scalars(item, (*path, str(place)))
    else:
        yield path, tree


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
