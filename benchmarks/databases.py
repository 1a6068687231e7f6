"""Databases to measure in: each can be kept as it is, and given again and again as an identical copy."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from benchmarks.servers import Mariadb, Postgresql, mariadbd

KINDS = ("sqlite", "postgresql", "mariadb")


class MeasuredDatabase(Protocol):
    """One kind of database."""

    kind: str
    version: str

    @property
    def url(self) -> str:
        """That of the database at work, which is the only one."""

    def empty(self) -> str:
        """The URL of a new database with nothing in it; the one that was at work before is gone."""

    def keep(self, name: str) -> None:
        """Keeps the database at work under a name, as it is now."""

    def fresh(self, name: str) -> str:
        """The URL of an identical copy of what was kept; the one that was at work before is gone."""

    def forget(self) -> None:
        """Lets go of everything that was kept."""

    def stop(self) -> None: ...


class Sqlite:
    """Files."""

    kind = "sqlite"
    version = sqlite3.sqlite_version

    def __init__(self, folder: Path) -> None:
        self._folder, self.work = folder, folder / "work.db"
        folder.mkdir(parents=True)

    @property
    def url(self) -> str:
        return f"sqlite:///{self.work}"

    def empty(self) -> str:
        for ending in ("", "-wal", "-shm", "-journal"):
            self.work.with_name(self.work.name + ending).unlink(missing_ok=True)
        return self.url

    def keep(self, name: str) -> None:
        with closing(sqlite3.connect(self.work)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copyfile(self.work, self._folder / f"{name}.kept")

    def fresh(self, name: str) -> str:
        self.empty()
        shutil.copyfile(self._folder / f"{name}.kept", self.work)
        # Else the first to ask for a safe commit would pay for writing out the whole copy.
        with self.work.open("rb") as copy:
            os.fsync(copy.fileno())
        return self.url

    def forget(self) -> None:
        for path in self._folder.glob("*.kept"):
            path.unlink()

    def stop(self) -> None:
        """Nothing runs."""


def missing(kind: str) -> str | None:
    """Why this kind of database cannot be measured here; None when it can."""
    if kind == "mariadb" and (mariadbd() is None or shutil.which("mariadb-install-db") is None):
        return "no mariadbd was found on this machine"
    return None


@contextmanager
def place_of(kind: str, folder: Path) -> Iterator[MeasuredDatabase]:
    """A place that is stopped at the end."""
    make: dict[str, Callable[[Path], MeasuredDatabase]] = {
        "sqlite": Sqlite,
        "postgresql": Postgresql,
        "mariadb": Mariadb,
    }
    place = make[kind](folder / kind)
    try:
        yield place
    finally:
        place.stop()
