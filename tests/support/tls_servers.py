"""Database servers with a certificate, and an account that they accept over TLS only."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from tests.support.certificates import Authority
from tests.support.own_database_server import MariaDB, Server
from tests.support.secrets_search import PASSWORD

USER = "tls_user"
_ACCOUNTS = {
    "postgresql": (f"CREATE ROLE {USER} LOGIN SUPERUSER PASSWORD '{PASSWORD}'",),
    "mariadb": (
        f"CREATE USER {USER}@'%%' IDENTIFIED BY '{PASSWORD}' REQUIRE SSL",
        f"GRANT ALL ON *.* TO {USER}@'%%'",
    ),
}
_RULES = f"hostssl all {USER} all scram-sha-256\nhost all {USER} all reject\nhost all all all trust\n"


@dataclass(frozen=True)
class TlsServer:
    """A server with a certificate for ``localhost``; ``USER`` must use TLS, its administrator need not."""

    server: Server
    authority: Authority

    def url(self, options: str, host: str = "localhost", user: str = USER) -> str:
        url = self.server.url.set(username=user, password=PASSWORD if user == USER else None, host=host)
        text = url.set(drivername=url.get_backend_name()).render_as_string(hide_password=False)
        return f"{text}?{options.format(authority=self.authority.file)}"


def missing(kind: str) -> str | None:
    """Why there can be no server of this kind with TLS; None if there can. The one of the wheel has none."""
    return "PostgreSQL: no server with TLS found" if kind == "postgresql" and not _system_postgresql() else None


def started(kind: str, folder: Path, authority: Authority) -> TlsServer:
    authority.certificate()
    for suffix in (".pem", ".key"):
        shutil.copy(authority.folder / f"localhost2{suffix}", folder / f"server{suffix}")
    (folder / "server.key").chmod(0o600)
    server: Server = SystemPostgreSQL(folder) if kind == "postgresql" else _mariadb(folder)
    server.start()
    server.execute(*_ACCOUNTS[kind])
    return TlsServer(server, authority)


def _mariadb(folder: Path) -> MariaDB:
    return MariaDB(folder, [f"--ssl-cert={folder}/server.pem", f"--ssl-key={folder}/server.key"])


class SystemPostgreSQL(Server):
    """A PostgreSQL server from the packages of the machine, with the certificate in its folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        for each in (folder, folder.parent):
            each.chmod(0o755)  # the server's user passes through them
        (folder / "data").mkdir(mode=0o700)
        if user := self.user():
            for name in ("data", "server.key"):
                shutil.chown(folder / name, user)
        initdb = [f"{_system_postgresql()}/initdb", "-D", f"{folder}/data", "-U", "postgres", "-A", "trust", "-N"]
        subprocess.run(initdb, check=True, capture_output=True, user=user, cwd=folder)
        (folder / "data" / "pg_hba.conf").write_text(_RULES)

    @property
    def url(self) -> URL:
        return URL.create("postgresql+psycopg", "postgres", None, "127.0.0.1", self.port, "postgres")

    def user(self) -> str | None:
        return "postgres" if os.geteuid() == 0 and "postgres" in {each.pw_name for each in pwd.getpwall()} else None

    def command(self) -> Sequence[str]:
        settings = {
            "ssl": "on",
            "ssl_cert_file": f"{self.folder}/server.pem",
            "ssl_key_file": f"{self.folder}/server.key",
            "fsync": "off",
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [f"{_system_postgresql()}/postgres", "-D", f"{self.folder}/data", *options]


def _system_postgresql() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None
