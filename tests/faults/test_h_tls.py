"""Fault H9: TLS to real servers, with the right certificate, and with wrong ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from models_db.engine import open_engine
from models_db.migrate import upgrade
from tests.cli.conftest import Shell
from tests.faults.conftest import on_servers
from tests.support.api_address import emulator
from tests.support.api_catalogs import catalog, numbered_models
from tests.support.certificates import Authority
from tests.support.commands import error_line, output
from tests.support.database_servers import new_database
from tests.support.impostors import MariaDBImpostor, PostgreSQLImpostor
from tests.support.rude_server import RudeServer
from tests.support.secrets_search import PASSWORD
from tests.support.tls_servers import USER, TlsServer, missing, started

ENCRYPTED = {
    "postgresql": "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    "mariadb": "SELECT variable_value <> '' FROM information_schema.session_status WHERE variable_name = 'Ssl_cipher'",
}
pytestmark = on_servers


@pytest.fixture(scope="module")
def _tls_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, TlsServer]]:
    servers: dict[str, TlsServer] = {}
    yield servers
    for each in servers.values():
        each.server.kill()


@pytest.fixture
def tls(
    database_kind: str,
    _tls_servers: dict[str, TlsServer],
    new_folder: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> TlsServer:
    if reason := missing(database_kind):
        pytest.skip(reason)
    if database_kind not in _tls_servers:
        authority = Authority(tmp_path_factory.mktemp("authority")).make()
        _tls_servers[database_kind] = started(database_kind, new_folder(f"tls-{database_kind}"), authority)
    return _tls_servers[database_kind]


ENCRYPTING = {
    "sslmode=require": "localhost",
    "sslmode=verify-ca&sslrootcert={authority}": "127.0.0.1",
    "sslmode=verify-full&sslrootcert={authority}": "localhost",
    "sslmode=require&sslrootcert={authority}": "127.0.0.1",
    "sslrootcert={authority}": "127.0.0.1",
    "sslmode=prefer": "127.0.0.1",
    "": "127.0.0.1",
}


@pytest.mark.parametrize(("options", "host"), ENCRYPTING.items())
def test_h9_these_words_encrypt(tls: TlsServer, options: str, host: str) -> None:
    engine = open_engine(tls.url(options, host))
    with engine.connect() as connection:
        assert connection.exec_driver_sql(ENCRYPTED[connection.dialect.name]).scalar()
    engine.dispose()


def test_h9_disable_does_not_encrypt(tls: TlsServer) -> None:
    engine = open_engine(tls.url("sslmode=disable", "127.0.0.1", tls.server.url.username or ""))
    with engine.connect() as connection:
        assert not connection.exec_driver_sql(ENCRYPTED[connection.dialect.name]).scalar()
    engine.dispose()


def test_h9_a_catalog_is_synced_over_verified_tls(tls: TlsServer, shell: Shell) -> None:
    with new_database(tls.server.url) as database:
        url = URL.create(**{**database._asdict(), "username": USER, "password": PASSWORD, "host": "localhost"})
        secured = url.update_query_dict({"sslmode": "verify-full", "sslrootcert": str(tls.authority.file)})
        text = secured.render_as_string(hide_password=False)
        upgrade(text)
        shell.set(DATABASE_URL=text)

        assert USER in output(shell("migrate"))
        with emulator([catalog(*numbered_models(2))]) as api:
            output(shell("sync", "--base-url", api.base_url))
        output(shell("verify"))


REFUSED = {
    "sslmode=verify-full&sslrootcert={authority}": "127.0.0.1",
    "sslmode=verify-full": "localhost",
    "sslmode=verify-full&sslrootcert=system": "localhost",
}


@pytest.mark.parametrize(("options", "host"), REFUSED.items())
def test_h9_a_certificate_of_another_name_or_authority_is_exit_2(
    tls: TlsServer, shell: Shell, options: str, host: str
) -> None:
    shell.set(DATABASE_URL=tls.url(options, host))

    assert "the certificate of the server of the database URL is not accepted: " in error_line(shell("status"), 2)


def test_h9_an_unknown_authority_is_exit_2(tls: TlsServer, shell: Shell, tmp_path: Path) -> None:
    other = Authority(tmp_path).make()
    shell.set(DATABASE_URL=tls.url(f"sslmode=verify-ca&sslrootcert={other.file}"))

    assert "not accepted: " in error_line(shell("status"), 2)


def test_h9_an_expired_certificate_is_exit_2(tls: TlsServer, shell: Shell, database_kind: str) -> None:
    expired = tls.authority.certificate(days=-1)
    kinds = {"postgresql": PostgreSQLImpostor, "mariadb": MariaDBImpostor}
    with RudeServer(kinds[database_kind](tls=expired), before_request=True) as server:
        options = f"sslmode=verify-full&sslrootcert={tls.authority.file}"
        shell.set(DATABASE_URL=f"{database_kind}://u:{PASSWORD}@localhost:{server.port}/d?{options}")

        assert "not accepted: " in error_line(shell("status"), 2)
