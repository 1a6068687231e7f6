"""Databases to measure in, on private servers that are started for the bench alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, create_engine

from models_db import tables
from models_db.engine import migration_engine
from tests.support import database_servers
from tests.support.own_database_server import MariaDB, PostgreSQL, Server

# The servers of the tests do not wait for the disk; those of the bench do, as servers do by default.
_POSTGRESQL_SETTINGS = "fsync = on\nfull_page_writes = on\nshared_buffers = 512MB\n"
_MARIADB_OPTIONS = (
    *("--debug-no-sync=0", "--innodb-flush-log-at-trx-commit=1", "--innodb-doublewrite=1"),
    *("--innodb-buffer-pool-size=512M", "--userstat=1"),
)


@dataclass(frozen=True)
class Databases:
    """Makes databases of one kind: sqlite, postgresql or mariadb."""

    kind: str
    folder: Path
    server: Server | None
    """None for SQLite."""

    @contextmanager
    def new(self) -> Iterator[str]:
        """The URL of a new empty database, which is dropped afterwards."""
        if self.server is not None:
            with database_servers.new_database(self.server.url) as url:
                yield url.set(drivername=self.kind).render_as_string(hide_password=False)
            return
        path = self.folder / f"{uuid4().hex}.db"
        yield f"sqlite:///{path}"
        for file in self.folder.glob(f"{path.name}*"):
            file.unlink()

    def version(self) -> str:
        with create_engine(self.server.url if self.server else "sqlite://").connect() as connection:
            return ".".join(map(str, connection.dialect.server_version_info or ()))


@contextmanager
def started(kind: str, folder: Path) -> Iterator[Databases]:
    """Start what is needed, and stop it afterwards."""
    folder.mkdir()
    if kind == "sqlite":
        yield Databases(kind, folder, None)
        return
    server = PostgreSQL(folder, _POSTGRESQL_SETTINGS) if kind == "postgresql" else MariaDB(folder, _MARIADB_OPTIONS)
    server.start()
    try:
        yield Databases(kind, folder, server)
    finally:
        server.kill()


@contextmanager
def administrator(url: str) -> Iterator[Connection]:
    """A connection that commits each statement."""
    with migration_engine(url).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection


def gather_statistics(url: str) -> None:
    """Let a server count its rows, as it does by itself in time: plans depend on it."""
    with administrator(url) as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("VACUUM (ANALYZE)")
        elif connection.dialect.name == "mariadb":
            connection.exec_driver_sql(f"ANALYZE TABLE {', '.join(tables.models.metadata.tables)}")
