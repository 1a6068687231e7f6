"""Compares checkpoints that were kept elsewhere with the seals that are stored. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct

from sync.catalog.checkpoint import FoundCheckpoint
from sync.catalog.merkle import Frontier
from sync.catalog.verify.findings import Finding, RowScope

SealText = Callable[[int], str]
"""Describes the seal of this number for people: which run it is of, and what that was."""

_SCOPE = RowScope("seals")


class _Compared(Struct, frozen=True):
    """The checkpoints of this catalog, by what the seals say to them; each list in the order of sizes."""

    equal: list[FoundCheckpoint]
    other_root: list[FoundCheckpoint]
    beyond_end: list[FoundCheckpoint]

    @property
    def equal_size(self) -> int:
        """Up to this number of seals the tree is the one of a checkpoint."""
        return max((found.checkpoint.tree_size for found in self.equal), default=0)


def checkpoint_findings(
    found: Sequence[FoundCheckpoint], catalog_id: str, leaves: Sequence[bytes], seal_text: SealText
) -> Iterator[Finding]:
    """What checkpoints, in any order, say against the seals; ``leaves`` are the leaf hashes of seal 0 on.

    A finding stands for all checkpoints with the same fault: of another catalog, of a larger tree, with another root.
    """
    others = Counter(each.checkpoint.catalog_id for each in found if each.checkpoint.catalog_id != catalog_id)
    for other, number in sorted(others.items()):
        yield _SCOPE.finding(
            f"{_checkpoints(number)} the catalog {other}, and the database {catalog_id}: it is another catalog, or was"
            " replaced"
        )
    own = [each for each in found if each.checkpoint.catalog_id == catalog_id]
    compared = _compare(sorted(own, key=lambda each: each.checkpoint.tree_size), leaves)
    if compared.other_root:
        yield _SCOPE.finding(_other_root(compared, seal_text))
    if compared.beyond_end:
        yield _SCOPE.finding(_beyond_end(compared, len(leaves), seal_text))


def _compare(found: Sequence[FoundCheckpoint], leaves: Sequence[bytes]) -> _Compared:
    roots = _roots({each.checkpoint.tree_size for each in found}, leaves)
    compared = _Compared([], [], [])
    for each in found:
        root = roots.get(each.checkpoint.tree_size)
        if root is None:
            compared.beyond_end.append(each)
        else:
            (compared.equal if root == each.checkpoint.root else compared.other_root).append(each)
    return compared


def _roots(sizes: set[int], leaves: Sequence[bytes]) -> Mapping[int, bytes]:
    """The root of the tree of each of these sizes that it had."""
    frontier = Frontier()
    roots = {0: frontier.root}
    for leaf in leaves:
        frontier = frontier.append(leaf)
        if frontier.size in sizes:
            roots[frontier.size] = frontier.root
    return roots


def _other_root(compared: _Compared, seal_text: SealText) -> str:
    first = compared.other_root[0]
    size = first.checkpoint.tree_size
    # Equal ones may come after it, in a file that holds two roots of one size.
    start = max((each.checkpoint.tree_size for each in compared.equal if each.checkpoint.tree_size < size), default=0)
    differs = (
        f"the first seal that differs is seal {start}, {seal_text(start)}"
        if start + 1 == size
        else f"the first seal that differs is one of {start} to {size - 1}; seal {start} is {seal_text(start)}"
    )
    return (
        f"{_checkpoints(len(compared.other_root))} another root than the seals, the first one in line {first.line}, of"
        f" size {size}: what was recorded has been rewritten; {differs}"
    )


def _beyond_end(compared: _Compared, size: int, seal_text: SealText) -> str:
    last = compared.beyond_end[-1]
    missing = last.checkpoint.tree_size - size
    cut = "the last seal was" if missing == 1 else f"the last {missing} seals were"
    end = f"; the last one that is there is seal {size - 1}, {seal_text(size - 1)}" if size else ""
    return (
        f"{_checkpoints(len(compared.beyond_end))} a larger tree than the database, the largest one in line"
        f" {last.line}, of size {last.checkpoint.tree_size}, whose number of seals is {size}: it is an older backup, or"
        f" {cut} cut; the first seal that differs is seal {size}, which is missing{end}"
    )


def _checkpoints(number: int) -> str:
    return f"{number} checkpoint{' has' if number == 1 else 's have'}"
