"""Databases at head, for whoever needs many of them."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import URL

from models_db.engine import migration_engine
from models_db.migrate import upgrade
from tests.support import database_servers


class MigratedDatabases:
    """Databases at head, made as cheaply as each kind allows; one of these serves a whole process."""

    def __init__(self, folder: Path, room: Path, kept: ExitStack) -> None:
        self._folder = folder
        self._room = room
        self._kept = kept
        self._first: dict[str, URL] = {}

    def new(self, kind: str, path: Path, stack: ExitStack) -> str:
        make = {"sqlite": self._sqlite, "postgresql": self._postgresql, "mariadb": self._mariadb}[kind]
        return make(path, stack).render_as_string(hide_password=False)

    def _sqlite(self, path: Path, stack: ExitStack) -> URL:
        model = self._folder / "model.db"
        if not model.exists():
            upgrade(f"sqlite:///{model}")
        return URL.create("sqlite", database=str(shutil.copyfile(model, path)))

    def _postgresql(self, path: Path, stack: ExitStack) -> URL:
        first = self._migrated_once("postgresql")
        server = database_servers.server_url("postgresql", self._room)
        return stack.enter_context(database_servers.new_database(server, template=first.database))

    def _mariadb(self, path: Path, stack: ExitStack) -> URL:
        first = self._migrated_once("mariadb")
        with migration_engine(first).connect() as connection:
            database_servers.empty_database(connection)
        return first

    def _migrated_once(self, kind: str) -> URL:
        if kind not in self._first:
            server = database_servers.server_url(kind, self._room)
            self._first[kind] = self._kept.enter_context(database_servers.new_database(server))
            upgrade(self._first[kind])
        return self._first[kind]
