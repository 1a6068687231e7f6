"""The identity of the catalog in a database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, inspect, select

from models_db.engine import masked_url, open_engine
from models_db.errors import DatabaseSettingError
from models_db.tables import catalog_identity
from sync.errors import UsageError


@dataclass(frozen=True, slots=True)
class CatalogIdentity:
    """The id of a catalog, and when and by which version its row was made."""

    catalog_id: str
    created_at: datetime
    created_by_version: str


def read_identity(connection: Connection) -> CatalogIdentity | None:
    """The identity of the catalog; None if the row is missing, which ``verify`` reports."""
    columns = catalog_identity.c
    query = select(columns.catalog_id, columns.created_at, columns.created_by_version).order_by(columns.created_at)
    row = connection.execute(query).first()
    return None if row is None else CatalogIdentity(*row)


def require_catalog(engine: Engine, catalog_id: str) -> None:
    """Raises ``UsageError`` unless the database has the catalog with this id. It may be at an older revision."""
    with engine.connect() as connection:
        has_table = inspect(connection).has_table(catalog_identity.name)
        identity = read_identity(connection) if has_table else None
    found = None if identity is None else identity.catalog_id
    if found == catalog_id:
        return
    has, otherwise = (
        (f"has the catalog {found}", "set CATALOG_SYNC_CATALOG_ID to the id that catalog-sync status prints")
        if found
        # Only a migration gives an older catalog its id.
        else ("has no catalog with an id", "unset CATALOG_SYNC_CATALOG_ID and run catalog-sync migrate")
    )
    raise UsageError(
        f"the database was refused: {masked_url(engine.url)} {has}, and CATALOG_SYNC_CATALOG_ID is {catalog_id};"
        f" correct CATALOG_SYNC_DATABASE_URL, or {otherwise}"
    )


def require_catalog_at(url: str, timeout: float, catalog_id: str) -> None:
    """``require_catalog`` for a database that is not open, and that may not exist."""
    try:
        engine = open_engine(url, timeout=timeout)
    except DatabaseSettingError as error:
        raise UsageError(
            f"{error}; while CATALOG_SYNC_CATALOG_ID is set, no catalog is made: unset it to make one"
        ) from error
    try:
        require_catalog(engine, catalog_id)
    finally:
        engine.dispose()
