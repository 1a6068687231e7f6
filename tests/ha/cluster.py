"""A PostgreSQL primary with a synchronous standby, which can be killed, promoted and frozen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from tests.support.own_database_server import PostgreSQL

_SYNCHRONOUS = "synchronous_standby_names = '*'"
_START_SECONDS = 60


class ReplicatedPostgreSQL:
    """Every COMMIT waits for the standby, so a failover loses no acknowledged one."""

    def __init__(self, new_folder: Callable[[str], Path]) -> None:
        self._new_folder = new_folder
        self.primary = PostgreSQL(new_folder("primary"), _SYNCHRONOUS)
        self.primary.start()
        self.standby = self._new_standby()
        self._ports = {self.primary.port, self.standby.port}

    @property
    def url(self) -> str:
        """Both hosts, the standby first."""
        hosts = f"127.0.0.1:{self.standby.port},127.0.0.1:{self.primary.port}"
        return f"postgresql://postgres@{hosts}/postgres"

    @property
    def primary_url(self) -> URL:
        return self.primary.url

    def kill_primary(self, promoted_after: float) -> None:
        """Kills the primary, promotes the standby, and makes the killed one, at its port, a standby of that one."""
        old, port = self.primary, self.primary.port
        old.kill()
        time.sleep(promoted_after)
        self.standby.execute("SELECT pg_promote()")
        self.primary = self.standby
        self.standby = self._new_standby(port)

    @contextmanager
    def frozen_standby(self) -> Iterator[None]:
        with self.standby.frozen():
            yield

    def stop(self) -> None:
        for server in (self.standby, self.primary):
            with suppress(AssertionError):
                server.kill()

    def _new_standby(self, port: int | None = None) -> PostgreSQL:
        standby = PostgreSQL(self._new_folder("standby"), _SYNCHRONOUS, copy_of=self.primary)
        standby.port = port or standby.port
        standby.start()
        self._wait_until_replicated()
        return standby

    def _wait_until_replicated(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        query = "SELECT COUNT(*) FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'"
        while time.monotonic() < deadline:
            with suppress(DBAPIError), self.primary.engine().connect() as connection:
                if connection.exec_driver_sql(query).scalar():
                    return
            time.sleep(0.05)
        raise RuntimeError("the standby does not follow the primary")
