"""Reads the stored rows that a seal is over: a run, the versions that it opened and closed, the listed models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from models_db.tables import ignored_fields, model_versions, models, sync_run_modes, sync_runs
from sync.catalog.changes.mode_plan import ModePlan
from sync.catalog.model.normalise import text_hash
from sync.catalog.seal import (
    RUN_COLUMNS,
    Entry,
    closed_line,
    genesis_entry,
    lines_root,
    listed_line,
    opened_line,
    raw_hash,
    run_entry,
)

# Models of which the versions are read at a time: their texts may be large, and their number too.
_MODELS_PER_BATCH = 1000


def read_entry(connection: Connection, catalog_id: str, run_id: int, *, has_facts: bool = True) -> Entry:
    """The entry of a run that was applied and whose end is written. ``has_facts`` is False if it changed nothing."""
    run = connection.execute(select(*(sync_runs.c[name] for name in RUN_COLUMNS)).where(sync_runs.c.run_id == run_id))
    row = run.mappings().one()
    modes = connection.execute(select(sync_run_modes).where(sync_run_modes.c.run_id == run_id)).mappings().all()
    facts = read_facts(connection, run_id) if has_facts else []
    return run_entry(
        catalog_id, {**row}, [{**mode} for mode in modes], _ignored_paths(connection, row["observed_at"]), facts
    )


def read_facts(connection: Connection, run_id: int) -> list[str]:
    """The fact lines of a run, in no order."""
    versions = model_versions.c
    opened = _opened().where(versions.opened_run_id == run_id)
    closed = _closed().where(versions.closed_run_id == run_id)
    return [*_opened_lines(connection, opened), *_closed_lines(connection, closed)]


def read_genesis(connection: Connection, catalog_id: str, run_id: int) -> Entry | None:
    """The entry over all versions as they were before this run; None if there were none."""
    versions = model_versions.c
    lines: list[str] = []
    # Versions that another run opens now are not committed, and so not read.
    older, ended = versions.opened_run_id != run_id, versions.closed_run_id != run_id
    last_model = connection.scalar(select(func.max(versions.model_pk)).where(older)) or 0
    for first in range(0, last_model + 1, _MODELS_PER_BATCH):
        batch = versions.model_pk.between(first, first + _MODELS_PER_BATCH - 1)
        lines += _opened_lines(connection, _opened().where(batch, older))
        lines += _closed_lines(connection, _closed().where(batch, ended))
    if not lines:
        return None
    last_runs = [func.max(column) for column in (versions.opened_run_id, versions.closed_run_id)]
    opened = connection.scalar(select(last_runs[0]).where(older)) or 0
    closed = connection.scalar(select(last_runs[1]).where(ended)) or 0
    return genesis_entry(catalog_id, max(opened, closed), lines)


def read_listed_root(connection: Connection, mode: str) -> str:
    """The root of the tree over the models that are listed in a mode."""
    listed = select(models.c.model_id, models.c.fingerprint).where(models.c.mode == mode, models.c.removed_at.is_(None))
    # The fingerprint carries the hash of the open version's text, so that no text need be read.
    return lines_root(listed_line(mode, row[0], text_hash(row[1])) for row in connection.execute(listed))


def listed_root_after(connection: Connection, plan: ModePlan, before: str | None) -> str:
    """The root after the plan was written, which is the one before it if the plan changed nothing."""
    return read_listed_root(connection, plan.mode) if plan.changes or before is None else before


def _ignored_paths(connection: Connection, moment: Any) -> list[str]:
    """The paths that are ignored at a moment."""
    columns = ignored_fields.c
    begun, not_ended = columns.valid_from <= moment, columns.valid_to.is_(None) | (columns.valid_to > moment)
    return [*connection.scalars(select(columns.path).where(begun, not_ended))]


def _opened_lines(connection: Connection, query: Select[Any]) -> Iterator[str]:
    for mode, model_id, valid_from, raw in connection.execute(query):
        yield opened_line(mode, model_id, valid_from, raw_hash(raw))


def _closed_lines(connection: Connection, query: Select[Any]) -> Iterator[str]:
    for row in connection.execute(query):
        yield closed_line(*row)


def _opened() -> Select[Any]:
    return _versions(model_versions.c.raw)


def _closed() -> Select[Any]:
    return _versions(model_versions.c.valid_to)


def _versions(column: ColumnElement[Any]) -> Select[Any]:
    return select(models.c.mode, models.c.model_id, model_versions.c.valid_from, column).join(
        models, models.c.model_pk == model_versions.c.model_pk
    )
