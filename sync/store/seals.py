"""Writes the seal of a run: the last thing that its transaction does."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import Connection, insert, select, update

from models_db.tables import catalog_identity, seals
from sync.catalog.checkpoint import Checkpoint
from sync.catalog.merkle import Frontier
from sync.catalog.seal import Entry
from sync.errors import DatabaseError
from sync.store.sealed_rows import read_entry, read_genesis


class _Tree(Struct, frozen=True):
    """The tree of the seals as ``catalog_identity`` has it."""

    catalog_id: str
    frontier: Frontier


def write_seal(connection: Connection, run_id: int, *, has_facts: bool) -> Checkpoint:
    """Seals a run that was applied, and returns the checkpoint after it. ``has_facts`` is as in ``read_entry``.

    All other rows of the run must have been written, its end included: from here to the COMMIT a run of another
    mode waits. Raises ``DatabaseError`` if the stored seals have no tree that can grow.
    """
    tree = _lock_tree(connection)
    try:
        entries = [] if tree.frontier.size else [read_genesis(connection, tree.catalog_id, run_id)]
        entries.append(read_entry(connection, tree.catalog_id, run_id, has_facts=has_facts))
        frontier = _append(connection, tree.frontier, [entry for entry in entries if entry is not None])
    except (TypeError, ValueError) as error:  # SQLite takes any value in any column
        raise _no_tree(f"a stored value is not of its type: {error}") from error
    return Checkpoint(tree.catalog_id, frontier.size, frontier.root)


def _lock_tree(connection: Connection) -> _Tree:
    # The locks of the modes do not keep runs of other modes away, and the seals are numbered without a gap.
    row = connection.execute(select(catalog_identity).with_for_update()).first()
    if row is None:
        raise _no_tree("catalog_identity has no row")
    try:
        tree = _Tree(row.catalog_id, Frontier.from_text(row.tree_size, row.frontier or ""))
    except (AttributeError, TypeError, ValueError):
        raise _no_tree(f"the frontier in catalog_identity is not that of {row.tree_size} seals") from None
    last = connection.execute(select(seals.c.seal_no, seals.c.tree_root).order_by(seals.c.seal_no.desc()).limit(1))
    expected = (tree.frontier.size - 1, tree.frontier.root.hex()) if tree.frontier.size else None
    # On a tree that was damaged further seals would hide what happened.
    if (found := last.first()) != expected:
        number = "no seal" if found is None else f"seal {found.seal_no}"
        raise _no_tree(f"catalog_identity has the tree of {tree.frontier.size} seals, and {number} is the last one")
    return tree


def _append(connection: Connection, frontier: Frontier, entries: list[Entry]) -> Frontier:
    rows: list[dict[str, object]] = []
    for entry in entries:
        seal_no, leaf = frontier.size, entry.leaf_hash()
        frontier = frontier.append(leaf)
        hashes = {"leaf_hash": leaf.hex(), "tree_root": frontier.root.hex()}
        rows.append({"seal_no": seal_no, "run_id": entry.run, "kind": entry.kind, **hashes})
    connection.execute(insert(seals), rows)
    connection.execute(update(catalog_identity).values(tree_size=frontier.size, frontier=frontier.text()))
    return frontier


def _no_tree(reason: str) -> DatabaseError:
    return DatabaseError(
        f"the run was not stored: it cannot be sealed, because {reason}; run catalog-sync verify, and restore a backup"
        " that verifies"
    )
