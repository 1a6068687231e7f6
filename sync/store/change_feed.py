"""The change feed, filtered. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, select

from models_db.tables import catalog_changes, models
from sync.store.queries import Filter

_ROWS_PER_PART = 1000


@dataclass(frozen=True, slots=True)
class Change:
    """A row of the change feed. Costs are exact decimals, values are JSON text, times are in UTC."""

    change_id: int
    changed_at: datetime
    not_before: datetime | None
    mode: str
    model_id: str
    model_name: str | None
    provider: str | None
    entity: str
    field: str | None
    change_kind: str
    old_value: str | None
    new_value: str | None
    old_cost: str | None
    new_cost: str | None
    delta_cost: Decimal | None
    pct_change: Decimal | None
    run_id: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a part of the change feed ends."""

    changed_at: datetime
    change_id: int


def changes(connection: Connection, filters: Filter, limit: int | None = None) -> Iterator[Change]:
    """The change feed, newest first; with ``limit`` only the newest rows."""
    return (Change(*row) for row in _rows(connection, _newest_first(), filters, limit))


def changes_page(
    connection: Connection, filters: Filter, last: Place | None = None
) -> tuple[list[Change], Place | None]:
    """A part of the change feed, newest first, and where the next part begins: after this place; None at the end.

    A part may be empty although another one follows.
    """
    log = catalog_changes.c
    query = _filtered(connection, _newest_first(), filters)
    if last is not None:
        # The first condition alone can use the index.
        is_older = (log.changed_at < last.changed_at) | (log.change_id < last.change_id)
        query = query.where(log.changed_at <= last.changed_at, is_older)
    rows = [Change(*row) for row in connection.execute(query.limit(_ROWS_PER_PART))]
    place = Place(rows[-1].changed_at, rows[-1].change_id) if len(rows) == _ROWS_PER_PART else None
    if not _is_decided_by_database(filters):
        rows = [row for row in rows if _has_field(row, filters.field or "")]
    return rows, place


def _newest_first() -> Select[Any]:
    log = catalog_changes.c
    return (
        select(
            log.change_id,
            log.changed_at,
            log.not_before,
            models.c.mode,
            models.c.model_id,
            log.model_name,
            log.provider,
            log.entity,
            log.field,
            log.change_kind,
            log.old_value,
            log.new_value,
            log.old_cost_exact,
            log.new_cost_exact,
            log.delta_cost,
            log.pct_change,
            log.run_id,
        )
        # Every change has a model. With an inner join MariaDB would start from the models and sort all changes.
        .outerjoin(models, models.c.model_pk == log.model_pk)
        .order_by(log.changed_at.desc(), log.change_id.desc())
    )


def count_changes(connection: Connection, filters: Filter) -> int:
    """The number of rows that ``changes`` gives without a limit."""
    log = catalog_changes.c
    with_models = catalog_changes.outerjoin(models, models.c.model_pk == log.model_pk)
    if _is_decided_by_database(filters):
        query = _filtered(connection, select(func.count()).select_from(with_models), filters)
        return connection.execute(query).scalar() or 0
    fields = select(log.entity, log.field).select_from(with_models)
    return sum(1 for _ in _rows(connection, fields, filters))


def is_pattern(text: str) -> bool:
    """Whether a filter for models or fields is a pattern and not a name."""
    return any(character in text for character in "*?[")


def matches_pattern(name: str, pattern: str) -> bool:
    """Whether a name matches a pattern, in case too."""
    return fnmatchcase(name, pattern)


def _rows(connection: Connection, query: Select[Any], filters: Filter, limit: int | None = None) -> Iterator[Any]:
    query = _filtered(connection, query, filters)
    if _is_decided_by_database(filters):
        yield from connection.execute(query.limit(limit))
        return
    # Matched here, as patterns for models are, and read in parts: the first rows may be enough.
    with connection.execute(query, execution_options={"yield_per": _ROWS_PER_PART}) as found:
        yield from islice((row for row in found if _has_field(row, filters.field or "")), limit)


def _is_decided_by_database(filters: Filter) -> bool:
    return filters.field is None or not is_pattern(filters.field)


def _filtered(connection: Connection, query: Select[Any], filters: Filter) -> Select[Any]:
    return query.where(*_conditions(connection, filters))


def _conditions(connection: Connection, filters: Filter) -> Iterator[ColumnElement[bool]]:
    log = catalog_changes.c
    if filters.mode is not None:
        yield models.c.mode == filters.mode
    if filters.provider is not None:
        yield log.provider == filters.provider
    if filters.kinds:
        yield log.change_kind.in_(filters.kinds)
    if filters.since is not None:
        yield log.changed_at >= filters.since
    if filters.until is not None:
        yield log.changed_at < filters.until
    if filters.entities:
        yield log.entity.in_(filters.entities)
    if filters.model is not None:
        yield _matches_model(connection, filters.model)
    if filters.field is not None:
        yield from _field_conditions(filters.field)
    if filters.min_percent is not None:
        yield func.abs(log.pct_change) >= filters.min_percent


def _field_conditions(pattern: str) -> Iterator[ColumnElement[bool]]:
    """What the database can decide of a pattern for fields."""
    log = catalog_changes.c
    entity, dot, field = pattern.partition(".")
    if not is_pattern(entity):
        yield log.entity == entity
    if not is_pattern(pattern):
        yield log.field == field if dot else log.field.is_(None)


def _has_field(row: Any, pattern: str) -> bool:
    return fnmatchcase(row.entity if row.field is None else f"{row.entity}.{row.field}", pattern)


def _matches_model(connection: Connection, model: str) -> ColumnElement[bool]:
    """A pattern is matched in Python: LIKE differs between the databases in case and in what is a letter."""
    if not is_pattern(model):
        return models.c.model_id == model
    ids = connection.execute(select(models.c.model_pk, models.c.model_id))
    pks = [model_pk for model_pk, model_id in ids if fnmatchcase(model_id, model)]
    # The keys become part of the statement's text: they may be more than a statement's parameters.
    return catalog_changes.c.model_pk.in_(bindparam("pks", pks, expanding=True, literal_execute=True))
