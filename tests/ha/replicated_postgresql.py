"""A PostgreSQL primary with a synchronous standby, which can be killed, promoted and frozen."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from tests.ha.cluster import Kind
from tests.support.own_database_server import PostgreSQL

_SYNCHRONOUS = "synchronous_standby_names = '*'"
_START_SECONDS = 60


class ReplicatedPostgreSQL:
    """Every COMMIT waits for the standby, so a failover loses no acknowledged one."""

    kinds: tuple[Kind, ...] = ("kill", "kill", "kill", "freeze")

    def __init__(self, new_folder: Callable[[str], Path]) -> None:
        self._new_folder = new_folder
        self.primary = PostgreSQL(new_folder("primary"), _SYNCHRONOUS)
        self.primary.start()
        self.standby = self._new_standby()

    @property
    def url(self) -> str:
        """Both hosts, the standby first."""
        hosts = f"127.0.0.1:{self.standby.port},127.0.0.1:{self.primary.port}"
        return f"postgresql://postgres@{hosts}/postgres"

    def urls_to_check(self) -> list[str]:
        return [self.primary.url.render_as_string(hide_password=False)]

    def disturb(self, kind: Kind, chance: random.Random) -> None:
        if kind == "kill":
            self._fail_over(promoted_after=chance.choice((0, 0.5, 2, 5)))
        else:
            with self.standby.frozen():
                time.sleep(chance.choice((1, 5)))

    def _fail_over(self, promoted_after: float) -> None:
        """Kills the primary, promotes the standby, and makes the killed one, at its port, a standby of that one."""
        old, port = self.primary, self.primary.port
        old.kill()
        time.sleep(promoted_after)
        self.standby.execute("SELECT pg_promote()")
        self.primary = self.standby
        self.standby = self._new_standby(port)

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
