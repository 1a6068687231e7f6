"""Which seals there are, for sheets and reports. Reads only; ``verify`` says whether they are right."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable

from sqlalchemy import Connection, select

from models_db.tables import seals
from sync.catalog.history.evidence import Seal, SealedTree
from sync.catalog.verify.findings import format_value
from sync.errors import CheckFailed

GENESIS = "genesis"


def sealed_tree(connection: Connection) -> SealedTree:
    """The tree after the last seal, as a checkpoint says it; of size 0 without a root before the first one."""
    last = select(seals.c.seal_no, seals.c.tree_root).order_by(seals.c.seal_no.desc()).limit(1)
    row = connection.execute(last).first()
    if row is None:
        return SealedTree(0, None)
    if not isinstance(row.seal_no, int):  # SQLite takes any value in any column
        raise CheckFailed(
            f"the seals are damaged: the last one has the number {format_value(row.seal_no)}; run catalog-sync verify,"
            " and restore a backup that verifies"
        )
    return SealedTree(row.seal_no + 1, _base64(row.tree_root))


def seals_of(connection: Connection, run_ids: Iterable[int]) -> dict[int, Seal]:
    """The seal of each run that has one. That of older history names a run, but is not its seal."""
    of = seals.c
    query = select(of.run_id, of.seal_no, of.leaf_hash).where(of.run_id.in_(list(run_ids)), of.kind != GENESIS)
    return {row.run_id: Seal(row.seal_no, row.leaf_hash) for row in connection.execute(query)}


def _base64(root: str) -> str | None:
    try:
        return b64encode(bytes.fromhex(root)).decode()
    except (TypeError, ValueError):  # somebody changed it
        return None
