"""Verifies what a database contains, each contents once."""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection

from models_db.engine import open_engine, read_transaction
from models_db.tables.metadata import metadata
from sync.store.verify.read_models import Verification
from tests.support.secrets_search import require_hidden
from tests.support.stored_rows_checker import findings_on

_VERIFIED: set[str] = set()
"""The hashes of contents that were consistent. Most tests change nothing after they verified, or nothing at all."""


def require_consistent(url: str) -> None:
    """The program and an independent checker find the stored data consistent, and it contains no secret."""
    engine = open_engine(url)
    try:
        with read_transaction(engine) as connection:
            contents = _contents(connection)
            digest = hashlib.sha256(contents.encode(errors="surrogatepass")).hexdigest()
            if digest in _VERIFIED:
                return
            assert list(Verification(connection).findings()) == []
            assert findings_on(connection) == []
    finally:
        engine.dispose()
    require_hidden(contents)
    _VERIFIED.add(digest)


def _contents(connection: Connection) -> str:
    """The kind of the database and each row as the driver returns it."""
    rows = {
        table.name: connection.exec_driver_sql(f"SELECT * FROM {table.name}").all() for table in metadata.sorted_tables
    }
    return f"{connection.dialect.name} {rows}"
