"""Passwords in the drivers' own files: the URL names the file, and neither the URL nor a message has the password."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from models_db.migrate import upgrade
from tests.cli.conftest import Shell
from tests.faults.conftest import on_mariadb, on_postgresql
from tests.support.api_address import emulator
from tests.support.api_catalogs import catalog, numbered_models
from tests.support.commands import error_line, output
from tests.support.database_servers import new_database
from tests.support.own_database_server import Server
from tests.support.secrets_search import PASSWORD

USER = "catalog_job"


@pytest.fixture
def with_password(own_server: Server, database_kind: str) -> Iterator[URL]:
    """A database of a user who needs a password: the URL without it."""
    if database_kind == "postgresql":
        hba = own_server.folder / "data" / "pg_hba.conf"
        trusting = hba.read_text()
        hba.write_text(f"host all {USER} all scram-sha-256\n{trusting}")
        own_server.execute(f"CREATE USER {USER} SUPERUSER PASSWORD '{PASSWORD}'", "SELECT pg_reload_conf()")
    else:
        own_server.execute(f"CREATE USER {USER}@'%%' IDENTIFIED BY '{PASSWORD}'", f"GRANT ALL ON *.* TO {USER}@'%%'")
    with new_database(own_server.url) as url:
        upgrade(url)
        yield url.set(username=USER, password=None)
    if database_kind == "postgresql":
        hba.write_text(trusting)
        own_server.execute(f"DROP USER {USER}", "SELECT pg_reload_conf()")
    else:
        own_server.execute(f"DROP USER {USER}@'%%'")


def require_works(shell: Shell, url: URL, **options: str) -> None:
    shell.set(DATABASE_URL=url.update_query_dict(options).render_as_string(hide_password=False))
    with emulator([catalog(*numbered_models(2))]) as api:
        output(shell("sync", "--migrate", "--base-url", api.base_url))
    output(shell("status"))


def require_refused(shell: Shell, url: URL, **options: str) -> None:
    shell.set(DATABASE_URL=url.update_query_dict(options).render_as_string(hide_password=False))
    assert "password" in error_line(shell("status"), 6)


@on_postgresql
def test_a_password_file_of_postgresql_is_named_by_the_url_or_the_environment(
    shell: Shell, with_password: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pgpass"
    file.write_text(f"*:*:*:{USER}:{PASSWORD}\n")
    file.chmod(0o600)

    require_refused(shell, with_password)
    require_works(shell, with_password, passfile=str(file))
    monkeypatch.setenv("PGPASSFILE", str(file))
    require_works(shell, with_password)
    file.write_text(f"*:*:*:{USER}:{PASSWORD}x\n")
    require_refused(shell, with_password)


@on_mariadb
def test_an_option_file_of_mariadb_is_named_by_the_url(shell: Shell, with_password: URL, tmp_path: Path) -> None:
    file = tmp_path / "my.cnf"
    file.write_text(f"[client]\npassword = {PASSWORD}\n")
    file.chmod(0o600)

    require_refused(shell, with_password)
    require_works(shell, with_password, read_default_file=str(file))
    file.write_text(f"[client]\npassword = {PASSWORD}x\n")
    require_refused(shell, with_password, read_default_file=str(file))
