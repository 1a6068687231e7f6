"""Databases at head, for tests that need many of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import URL

from models_db.engine import migration_engine
from models_db.migrate import upgrade
from tests.support import database_servers

Fill = Callable[[str], object]
"""Stores the first contents of the database of this URL."""


def nothing(_url: str) -> None:
    """Leaves a database without data."""


class MigratedDatabases:
    """Makes databases at head in the cheapest way of each kind; one instance serves a whole process.

    Each kind of contents is stored once, in a template. SQLite copies its file, PostgreSQL the database.
    MariaDB copies the rows into one database, so only one is in use at a time.
    """

    def __init__(self, folder: Path, servers_folder: Path, kept: ExitStack) -> None:
        self._folder = folder
        self._servers_folder = servers_folder
        self._kept = kept
        self._templates: dict[tuple[str, str], URL] = {}

    def new(self, kind: str, path: Path, stack: ExitStack, fill: Fill = nothing) -> str:
        """The URL of a new database, which has no data or what ``fill`` stored; a file is at ``path``."""
        make = {"sqlite": self._sqlite, "postgresql": self._postgresql, "mariadb": self._mariadb}[kind]
        return _text(make(self._template(kind, fill), path, stack))

    def _sqlite(self, template: URL, path: Path, stack: ExitStack) -> URL:
        return URL.create("sqlite", database=str(shutil.copyfile(str(template.database), path)))

    def _postgresql(self, template: URL, path: Path, stack: ExitStack) -> URL:
        server = database_servers.server_url("postgresql", self._servers_folder)
        return stack.enter_context(database_servers.new_database(server, template=template.database))

    def _mariadb(self, template: URL, path: Path, stack: ExitStack) -> URL:
        in_use = self._template("mariadb", nothing)
        with migration_engine(in_use).connect() as connection:
            database_servers.empty_database(connection)
            if template != in_use:
                database_servers.copy_rows(connection, str(template.database))
        return in_use

    def _template(self, kind: str, fill: Fill) -> URL:
        key = (kind, fill.__qualname__)
        if key not in self._templates:
            template = self._migrated(kind, self._folder / f"template-{len(self._templates)}.db")
            fill(_text(template))
            self._templates[key] = template
        return self._templates[key]

    def _migrated(self, kind: str, path: Path) -> URL:
        if kind == "sqlite":
            url = URL.create("sqlite", database=str(path))
        else:
            server = database_servers.server_url(kind, self._servers_folder)
            url = self._kept.enter_context(database_servers.new_database(server))
        upgrade(url)
        return url


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)
