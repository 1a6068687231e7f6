"""Reads the seals: the state of their tree, their leaves, and the runs that they are of. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, select

from models_db.tables import catalog_identity, seals, sync_runs
from sync.catalog.checkpoint import Checkpoint, FoundCheckpoint
from sync.catalog.merkle import HASH_BYTES, Frontier
from sync.catalog.verify.checkpoints import checkpoint_findings
from sync.catalog.verify.findings import Finding, format_time
from sync.errors import CheckFailed
from sync.store.verify.raw_rows import raw, time, tolerate_bad_utf8


def read_checkpoint(connection: Connection) -> Checkpoint:
    """The checkpoint of now. Raises ``CheckFailed`` if the state of the tree does not fit its seals."""
    columns = [raw(catalog_identity, name) for name in ("catalog_id", "tree_size", "frontier")]
    last = select(raw(seals, "seal_no"), raw(seals, "tree_root")).order_by(seals.c.seal_no.desc()).limit(1)
    with tolerate_bad_utf8(connection):
        identities = connection.execute(select(*columns)).all()
        seal_no, tree_root = connection.execute(last).first() or (-1, None)
    try:
        [(catalog_id, tree_size, text)] = identities
        frontier = Frontier.from_text(tree_size, text or "")
    except (TypeError, ValueError, AttributeError) as error:
        raise _damaged("catalog_identity has no readable state of the seals") from error
    if (frontier.size - 1, frontier.root.hex()) != (seal_no, tree_root or frontier.root.hex()):
        raise _damaged("the state of the tree in catalog_identity is not that of the last seal")
    return Checkpoint(catalog_id, frontier.size, frontier.root)


def _damaged(reason: str) -> CheckFailed:
    return CheckFailed(f"the seals are damaged: {reason}; run catalog-sync verify, and restore a backup that verifies")


def findings_of_checkpoints(connection: Connection, found: Sequence[FoundCheckpoint]) -> Iterator[Finding]:
    """What checkpoints that were kept elsewhere say against the seals."""
    with tolerate_bad_utf8(connection):
        identity = connection.execute(select(raw(catalog_identity, "catalog_id"))).first()
    catalog_id = str(identity.catalog_id) if identity else "without an id"
    return checkpoint_findings(found, catalog_id, read_leaves(connection), partial(seal_text, connection))


def read_leaves(connection: Connection) -> list[bytes]:
    """The leaf hashes of the seals from number 0 on, up to the first one that is missing or unreadable."""
    query = select(raw(seals, "seal_no"), raw(seals, "leaf_hash")).order_by(seals.c.seal_no)
    leaves: list[bytes] = []
    with tolerate_bad_utf8(connection):
        rows = connection.execute(query).all()
    for seal_no, text in rows:
        leaf = _hash(text)
        if seal_no != len(leaves) or leaf is None:
            break
        leaves.append(leaf)
    return leaves


def _hash(text: object) -> bytes | None:
    try:
        value = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        return None
    return value if len(value) == HASH_BYTES and value.hex() == text else None


def seal_text(connection: Connection, seal_no: int) -> str:
    """What a seal is of, as the database says now: the run, and when, where and how it was recorded."""
    with tolerate_bad_utf8(connection):
        columns = [raw(seals, name) for name in ("run_id", "kind")]
        seal = connection.execute(select(*columns).where(seals.c.seal_no == seal_no)).first()
        names = ("status", "trigger_kind", "host", "finished_at", "app_version")
        query = select(*(raw(sync_runs, name) for name in names))
        run = seal and connection.execute(query.where(sync_runs.c.run_id == seal.run_id)).first()
    if seal is None:
        return "which is missing"
    if seal.kind == "genesis":
        return f"of the history up to run {seal.run_id}, which is older than the seals"
    if run is None:
        return f"of run {seal.run_id} ({seal.kind}), whose row was deleted"
    finished_at = time(run.finished_at)
    when = f" at {format_time(finished_at)}" if isinstance(finished_at, datetime) else ""
    where = f" on {run.host}" if run.host else ""
    return f"of run {seal.run_id} ({seal.kind}, {run.status}, {run.trigger_kind}{where}{when})"
