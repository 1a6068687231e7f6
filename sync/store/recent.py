"""What the guards have to know of the database beside the listed models. Reads only."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from models_db.tables import catalog_changes, credit_history, models, sync_run_modes, sync_runs
from sync.catalog.changes.evidence import RecentChanges


def changes_since(connection: Connection, mode: str, since: datetime) -> RecentChanges:
    """The models of a mode that were removed or added after this time, but for what a person accepted."""
    log, is_later = catalog_changes.c, sync_run_modes.c.previous_success_at.is_not(None)
    query = (
        select(models.c.model_id, models.c.removed_at, log.changed_at, log.change_kind, sync_runs.c.accepted)
        .select_from(catalog_changes)
        .join(models, models.c.model_pk == log.model_pk)
        .join(sync_runs, sync_runs.c.run_id == log.run_id)
        .join(sync_run_modes, (sync_run_modes.c.run_id == log.run_id) & (sync_run_modes.c.mode == models.c.mode))
        .where(log.is_cost_event == 1, log.changed_at > since, models.c.mode == mode)
        # The first models of a mode were there before they were first observed.
        .where((log.change_kind == "removed") | ((log.change_kind == "added") & is_later))
    )
    removed: set[str] = set()
    added: set[str] = set()
    for model_id, removed_at, changed_at, kind, accepted in connection.execute(query):
        if accepted is not None and _removals_accepted(accepted, mode):
            continue
        if kind == "removed" and removed_at == changed_at:
            removed.add(model_id)
        elif kind == "added" and removed_at is None:
            added.add(model_id)
    return RecentChanges(frozenset(removed), frozenset(added))


def _removals_accepted(text: str, mode: str) -> bool:
    from sync.catalog.verify.accepted import parse_accepted  # few runs need it

    # What cannot be read counts as not accepted: the guards then hold back too much, and not too little.
    accepted = parse_accepted(text)
    return accepted is not None and mode in accepted.removals


def listed_costs(connection: Connection, mode: str) -> dict[str, str | None]:
    """The exact cost of every listed model of a mode by id."""
    query = (
        select(models.c.model_id, credit_history.c.default_cost_exact)
        .join(credit_history, credit_history.c.open_model_pk == models.c.model_pk)
        .where(models.c.mode == mode, models.c.removed_at.is_(None))
    )
    return {row.model_id: row.default_cost_exact for row in connection.execute(query)}
