"""Databases at head, for tests that need many of them."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import URL

from models_db.engine import migration_engine
from models_db.migrate import upgrade
from tests.support import database_servers


class MigratedDatabases:
    """Makes databases at head in the cheapest way of each kind; one instance serves a whole process.

    SQLite copies a file, PostgreSQL a template. MariaDB empties one database, so only one is in use at a time.
    """

    def __init__(self, folder: Path, room: Path, kept: ExitStack) -> None:
        self._folder = folder
        self._room = room
        self._kept = kept
        self._templates: dict[str, URL] = {}

    def new(self, kind: str, path: Path, stack: ExitStack) -> str:
        make = {"sqlite": self._sqlite, "postgresql": self._postgresql, "mariadb": self._mariadb}[kind]
        return make(path, stack).render_as_string(hide_password=False)

    def _sqlite(self, path: Path, stack: ExitStack) -> URL:
        template = self._folder / "template.db"
        if not template.exists():
            upgrade(f"sqlite:///{template}")
        return URL.create("sqlite", database=str(shutil.copyfile(template, path)))

    def _postgresql(self, path: Path, stack: ExitStack) -> URL:
        template = self._migrated_once("postgresql")
        server = database_servers.server_url("postgresql", self._room)
        return stack.enter_context(database_servers.new_database(server, template=template.database))

    def _mariadb(self, path: Path, stack: ExitStack) -> URL:
        template = self._migrated_once("mariadb")
        with migration_engine(template).connect() as connection:
            database_servers.empty_database(connection)
        return template

    def _migrated_once(self, kind: str) -> URL:
        if kind not in self._templates:
            server = database_servers.server_url(kind, self._room)
            self._templates[kind] = self._kept.enter_context(database_servers.new_database(server))
            upgrade(self._templates[kind])
        return self._templates[kind]
