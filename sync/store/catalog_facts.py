"""What a catalog has, for the reason why a command found nothing. Reads only."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from models_db.tables import catalog_changes, credit_history, models

_MAX_NAMES = 10_000


def first_observed(connection: Connection, mode: str | None) -> datetime | None:
    """When the history begins, in all modes or in one; None without any."""
    query = select(func.min(models.c.first_seen_at))
    query = query if mode is None else query.where(models.c.mode == mode)
    return connection.execute(query).scalar()


def last_changed(connection: Connection) -> datetime | None:
    """When the newest change was observed; None without any."""
    return connection.execute(select(func.max(catalog_changes.c.changed_at))).scalar()


def current_providers(connection: Connection) -> list[tuple[str, str]]:
    """Pairs of a mode and a provider of the models that are listed now."""
    query = (
        select(models.c.mode, models.c.provider)
        .join(credit_history, credit_history.c.open_model_pk == models.c.model_pk)
        .where(models.c.provider.is_not(None))
        .distinct()
        .limit(_MAX_NAMES)
    )
    return [(row.mode, row.provider or "") for row in connection.execute(query)]


def past_providers(connection: Connection) -> list[str]:
    """The providers that changes name, as they were spelled then."""
    provider = catalog_changes.c.provider
    query = select(provider).where(provider.is_not(None)).distinct().limit(_MAX_NAMES)
    return [name for name in connection.scalars(query) if name]


def changed_fields(connection: Connection) -> list[str]:
    """The fields that ever changed, each with its entity before it."""
    log = catalog_changes.c
    query = select(log.entity, log.field).distinct().limit(_MAX_NAMES)
    return [row.entity if row.field is None else f"{row.entity}.{row.field}" for row in connection.execute(query)]
