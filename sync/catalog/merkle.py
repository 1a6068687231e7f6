"""Hash trees as RFC 6962 defines them: roots, growing trees, and paths that prove a leaf. Pure.

A leaf is hashed as ``SHA-256(0x00 || data)`` and a node as ``SHA-256(0x01 || left || right)``, so that no leaf
can be taken for a node. The left part of a tree holds the largest power of two of leaves that is less than all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256

from msgspec import Struct

HASH_BYTES = 32
EMPTY_ROOT = sha256().digest()
"""The root of a tree without leaves."""


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def tree_root(leaf_hashes: Sequence[bytes]) -> bytes:
    """The root of the tree over these leaf hashes."""
    level = leaf_hashes
    while len(level) > 1:
        level = _parents(level)
    return level[0] if level else EMPTY_ROOT


class Frontier(Struct, frozen=True):
    """What is needed of a tree to append leaves to it: the roots of its complete parts, from the left.

    The parts have the sizes of the ones in the binary number ``size``, so a tree of a million leaves needs at
    most 20 hashes.
    """

    size: int = 0
    """Number of leaves."""
    hashes: tuple[bytes, ...] = ()

    @staticmethod
    def of(leaf_hashes: Sequence[bytes]) -> Frontier:
        """The frontier of the tree over these leaf hashes."""
        frontier = Frontier()
        for leaf in leaf_hashes:
            frontier = frontier.append(leaf)
        return frontier

    @staticmethod
    def from_text(size: int, text: str) -> Frontier:
        """Reads what ``text`` gives. Raises ``ValueError`` if it is not the frontier of a tree of this size."""
        hashes = tuple(bytes.fromhex(part) for part in text.split(" ")) if text else ()
        if size < 0 or len(hashes) != size.bit_count() or any(len(one) != HASH_BYTES for one in hashes):
            raise ValueError(f"a tree of {size} leaves has another frontier than {len(hashes)} hashes")
        return Frontier(size, hashes)

    def text(self) -> str:
        """The hashes in hex, with blanks between; the size is not part of it."""
        return " ".join(one.hex() for one in self.hashes)

    def append(self, leaf: bytes) -> Frontier:
        """The frontier of the tree with one more leaf hash."""
        # Each one at the end of the binary number is a complete part that the new leaf makes part of a larger one.
        parts = [*self.hashes]
        size, last = self.size, leaf
        while size & 1:
            last = node_hash(parts.pop(), last)
            size >>= 1
        return Frontier(self.size + 1, (*parts, last))

    @property
    def root(self) -> bytes:
        """The root of the tree."""
        if not self.hashes:
            return EMPTY_ROOT
        *parts, root = self.hashes
        for part in reversed(parts):
            root = node_hash(part, root)
        return root


def inclusion_path(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes that lead from the leaf at this index to the root, the lowest first.

    Raises ``IndexError`` if there is no such leaf.
    """
    if not 0 <= index < len(leaf_hashes):
        raise IndexError(f"a tree of {len(leaf_hashes)} leaves has no leaf {index}")
    return [*_siblings(leaf_hashes, index)]


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root of a tree of this size in which the path leads from the leaf hash at this index to it.

    Raises ``ValueError`` if a path of this length cannot belong to the index and the size.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    root, rest, last = leaf, iter(path), size - 1
    while last:
        if index & 1 or index < last:  # else the node is the last of an odd number, and moves up as it is
            sibling = next(rest, None)
            if sibling is None:
                raise ValueError(f"a path of {len(path)} hashes is too short")
            root = node_hash(sibling, root) if index & 1 else node_hash(root, sibling)
        index, last = index >> 1, last >> 1
    if next(rest, None) is not None:
        raise ValueError(f"a path of {len(path)} hashes is too long")
    return root


def _siblings(level: Sequence[bytes], index: int) -> Iterator[bytes]:
    while len(level) > 1:
        if (sibling := index ^ 1) < len(level):
            yield level[sibling]
        level, index = _parents(level), index >> 1


def _parents(level: Sequence[bytes]) -> Sequence[bytes]:
    """The nodes above these; the last of an odd number moves up as it is."""
    pairs = zip(level[::2], level[1::2], strict=False)
    # The text of ``node_hash`` again: a call per node would take a third of the time of a large tree.
    parents = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
    return [*parents, level[-1]] if len(level) % 2 else parents
