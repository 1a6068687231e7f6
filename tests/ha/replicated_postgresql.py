"""A PostgreSQL primary with a synchronous standby, each of them behind a PgBouncer too."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sqlalchemy import NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from tests.ha.cluster import Kind
from tests.ha.pgbouncer import PgBouncer, program
from tests.ha.processes import frozen_family, kill_family
from tests.support.own_database_server import PostgreSQL

_SYNCHRONOUS = "synchronous_standby_names = '*'"
_START_SECONDS = 180
_FREEZE_SECONDS = (1, 5, 10, 30)


class ReplicatedPostgreSQL:
    """Every COMMIT waits for the standby, so a failover loses no acknowledged one.

    The order of the hosts in a URL never changes; the primary may be either of them.
    """

    kinds: tuple[Kind, ...] = (
        *("fail over", "fail over", "fail over", "fail over", "kill a standby"),
        *("restart", "restart", "restart three times", "restart three times", "restart three times"),
        *("freeze a standby", "freeze the primary", "thaw after a promotion", "kill PgBouncer"),
    )

    def __init__(self, new_folder: Callable[[str], Path]) -> None:
        self._new_folder = new_folder
        self.primary = PostgreSQL(new_folder("primary"), _SYNCHRONOUS)
        self.primary.start()
        self.standby = self._new_standby()
        self._ports = (self.primary.port, self.standby.port)
        self.poolers = [self._new_pooler(port) for port in self._ports] if program() else []
        self.make_database("catalog")

    def urls(self, database: str = "catalog") -> dict[str, str]:
        paths = {"direct": self._ports}
        if self.poolers:
            paths["PgBouncer"] = (self.poolers[0].port, self.poolers[1].port)
        hosts = {name: ",".join(f"127.0.0.1:{port}" for port in ports) for name, ports in paths.items()}
        return {name: f"postgresql://postgres@{each}/{database}" for name, each in hosts.items()}

    def urls_to_check(self, database: str = "catalog") -> list[str]:
        return [self.primary.url.set(database=database).render_as_string(hide_password=False)]

    def make_database(self, name: str) -> None:
        self._at_primary(f"CREATE DATABASE {name}")

    def drop_database(self, name: str) -> None:
        self._at_primary(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _at_primary(self, statement: str) -> None:
        """Ends after a time: a frozen server takes a connection and is silent."""
        hosts = {"host": "127.0.0.1,127.0.0.1", "port": ",".join(map(str, self._ports))}
        limits = {"connect_timeout": 3, "target_session_attrs": "read-write", "tcp_user_timeout": 5000}
        engine = create_engine(
            "postgresql+psycopg://postgres@/postgres", isolation_level="AUTOCOMMIT", poolclass=NullPool,
            connect_args={**hosts, **limits, "options": "-c statement_timeout=10s"},
        )  # fmt: skip
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)

    def disturb(self, kind: Kind, chance: random.Random) -> None:
        actions: dict[Kind, Callable[[random.Random], None]] = {
            "fail over": self._fail_over,
            "restart": self._restart,
            "restart three times": self._restart_three_times,
            "kill a standby": self._kill_standby,
            "freeze a standby": lambda chance: self._freeze(self.standby, chance),
            "freeze the primary": lambda chance: self._freeze(self.primary, chance),
            "thaw after a promotion": self._thaw_after_promotion,
            "kill PgBouncer": self._kill_pooler,
        }
        actions[kind](chance)
        self._wait_until_replicated()

    def _fail_over(self, chance: random.Random) -> None:
        """Kills the primary, promotes the standby, and makes the killed one, at its port, a standby of that one."""
        _kill(self.primary)
        time.sleep(chance.choice((0, 0.5, 2, 5)))
        self._promote()

    def _thaw_after_promotion(self, chance: random.Random) -> None:
        """The old primary takes connections again for some seconds, and knows of no other."""
        with frozen_family(self.primary.process.pid):
            time.sleep(chance.choice((0, 2)))
            self.standby.execute("SELECT pg_promote()")
        time.sleep(chance.choice(_FREEZE_SECONDS))
        _kill(self.primary)
        self._replace_primary()

    def _promote(self) -> None:
        self.standby.execute("SELECT pg_promote()")
        self._replace_primary()

    def _replace_primary(self) -> None:
        port = self.primary.port
        self.primary = self.standby
        self.standby = self._new_standby(port)

    def _restart(self, chance: random.Random) -> None:
        _kill(self.primary)
        time.sleep(chance.choice((0, 1, 3)))
        self.primary.start()

    def _restart_three_times(self, chance: random.Random) -> None:
        """A server that does not stay up: a retry meets the next kill."""
        for _ in range(3):
            _kill(self.primary)
            self.primary.start()
            time.sleep(chance.uniform(0, 3))

    def _kill_standby(self, chance: random.Random) -> None:
        _kill(self.standby)
        time.sleep(chance.choice((0, 2, 5)))
        self.standby.start()

    def _freeze(self, server: PostgreSQL, chance: random.Random) -> None:
        with frozen_family(server.process.pid):
            time.sleep(chance.choice(_FREEZE_SECONDS))

    def _kill_pooler(self, chance: random.Random) -> None:
        pooler = chance.choice(self.poolers)
        pooler.kill()
        time.sleep(chance.choice((0, 1, 3)))
        pooler.start()

    def stop(self) -> None:
        for server in (self.standby, self.primary):
            with suppress(AssertionError):
                _kill(server)
        for pooler in self.poolers:
            pooler.kill()

    def _new_standby(self, port: int | None = None) -> PostgreSQL:
        standby = PostgreSQL(self._new_folder("standby"), _SYNCHRONOUS, copy_of=self.primary)
        standby.port = port or standby.port
        standby.start()
        self._wait_until_replicated()
        return standby

    def _new_pooler(self, port: int) -> PgBouncer:
        pooler = PgBouncer(self._new_folder("pgbouncer"), port, self.primary.user())
        pooler.start()
        return pooler

    def _wait_until_replicated(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        query = "SELECT COUNT(*) FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'"
        while time.monotonic() < deadline:
            with suppress(DBAPIError), self.primary.engine().connect() as connection:
                if connection.exec_driver_sql(query).scalar():
                    return
            time.sleep(0.05)
        raise RuntimeError("the standby does not follow the primary")


def _kill(server: PostgreSQL) -> None:
    kill_family(server.process.pid)
    server.process.wait(10)
