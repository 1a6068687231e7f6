"""What the account of the job may do with each table, and the statements of docs/operations.md that grant it.

The job appends to the history, sets the ends of what is open, and keeps the tables of the current catalog. A table
or column that is not named here is one that the job only reads, or only inserts.

``python -m models_db.schema_doc`` writes the statements into the page.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from models_db.tables.metadata import metadata

PAGE = "docs/operations.md"

_PLACE = re.compile(
    r"(<!-- grants on (\w+) \(written by python -m models_db\.schema_doc\) -->\n).*?(<!-- end of grants -->)", re.DOTALL
)
# A table of the current catalog has rows only of listed models, all of which follow from the open versions.
_CURRENT = ("credits", "credit_details", "params", "param_options", "inputs", "input_rules", "capabilities")


class Rights(NamedTuple):
    """What the job may do with the rows of a table beside reading them; ``update`` are columns."""

    insert: bool = True
    update: tuple[str, ...] = ()
    delete: bool = False


_APPENDS = Rights()
_READS = Rights(insert=False)
_ENDS_RUN = ("status", "finished_at", "observed_at", "error_type", "error_message", "note", "accepted", "tick")
_MOVES_STATE = (
    *("version", "observed_at", "good_asked_at", "good_observed_at"),
    *("run_id", "base_url", "models_listed", "listed_root"),
)

_MOVES_CURSOR = (
    *("last_seal_no", "last_run_id", "sent_events", "claimed_until"),
    *("failures", "next_try_at", "last_error", "updated_at"),
)


def _keeps(table: str) -> Rights:
    return Rights(update=tuple(c.name for c in metadata.tables[table].columns if not c.primary_key), delete=True)


JOB_RIGHTS: dict[str, Rights] = {
    "models": Rights(update=("name", "provider", "description", "removed_at", "last_seen_at", "fingerprint")),
    **{table: _keeps(table) for table in _CURRENT},
    "model_versions": Rights(update=("valid_to", "closed_run_id")),
    "credit_history": Rights(update=("valid_to", "closed_run_id", "gap_to")),
    "catalog_changes": _APPENDS,
    "rejected_models": Rights(update=("valid_to", "closed_run_id")),
    "ignored_fields": Rights(update=("valid_to", "reason")),
    "sync_runs": Rights(update=_ENDS_RUN),
    "sync_run_modes": _APPENDS,
    "sync_state": Rights(insert=False, update=_MOVES_STATE),
    "catalog_identity": Rights(insert=False, update=("tree_size", "frontier")),
    "seals": _APPENDS,
    "calendar_days": _APPENDS,
    "watch_days": Rights(update=("successful_syncs", "last_success_at", "longest_gap_seconds")),
    "installed_views": _READS,
    "notify_cursors": Rights(update=_MOVES_CURSOR),
}
"""The rights on every table."""


def grants(dialect: str) -> str:
    """Return the statements, which replace all rights that the account ``catalog_job`` had on the tables.

    ``dialect`` is postgresql or mariadb.
    """
    before, after = _FRAME[dialect]
    lines = [f"GRANT {words} ON {table} TO catalog_job;" for table in metadata.tables if (words := _words(table))]
    return "\n".join([*before, *lines, *after, ""])


def with_grants(page: str) -> str:
    """Return the page with the current statements between its markers."""
    return _PLACE.sub(lambda found: f"{found[1]}\n```sql\n{grants(found[2].lower())}```\n\n{found[3]}", page)


# On PostgreSQL nobody sees the moment without rights. On MariaDB each statement takes effect by itself.
_FRAME: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "postgresql": (
        (
            "BEGIN;",
            "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM catalog_job;",
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO catalog_job;",
            "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO catalog_job;",
        ),
        ("COMMIT;",),
    ),
    "mariadb": (
        (
            "REVOKE ALL PRIVILEGES, GRANT OPTION FROM catalog_job;",
            "GRANT SELECT, SHOW VIEW ON catalog.* TO catalog_job;",
        ),
        (),
    ),
}


def _words(table: str) -> str:
    rights = JOB_RIGHTS[table]
    words = ["INSERT"] if rights.insert else []
    words += [f"UPDATE ({', '.join(rights.update)})"] if rights.update else []
    words += ["DELETE"] if rights.delete else []
    return ", ".join(words)
