"""Faults H8, H9 and H12: options of the URL, servers that want the password, servers of another kind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from models_db.engine import normalise_url
from models_db.engine.postgresql_login import login_arguments
from models_db.engine.tls import tls_of
from tests.cli.conftest import Shell
from tests.support.certificates import Authority
from tests.support.commands import error_line
from tests.support.impostors import Impostor, MariaDBImpostor, PostgreSQLImpostor
from tests.support.rude_server import RudeServer
from tests.support.secrets_search import PASSWORD

MODES = "sslmode=disable|prefer|require|verify-ca|verify-full"
UNKNOWN = [
    *("mariadb://u@h/d?ssl=true", "mariadb://u@h/d?ssl_mode=REQUIRED", "mariadb://u@h/d?tls=true"),
    *("mysql://u@h/d?useSSL=true", "mysql://u@h/d?ssl_ca=/x", "mariadb://u@h/d?ssl-mode=VERIFY_CA"),
    *("postgresql://u@h/d?pgbouncer=true", "postgresql://u@h/d?ssl=true", "postgresql://u@h/d?schema=s1"),
    *("postgresql://u@h/d?sslmod=require", "postgresql://u@h/d?SSLMODE=require", "postgresql://a,b/d?sslMode=require"),
    *("postgresql://u@h/d?pgbouncer", "mariadb://u@h/d?pool_size=3&sslmode=require", "postgresql://u@h/d?user=x"),
]


@pytest.mark.parametrize("url", UNKNOWN)
def test_h8_an_unknown_option_is_exit_2_and_the_line_names_it_and_the_accepted_words(shell: Shell, url: str) -> None:
    shell.set(DATABASE_URL=url)
    line = error_line(shell("status"), 2)

    assert url.partition("?")[2].partition("&")[0].partition("=")[0] in line
    assert f"accepted: {MODES}, sslrootcert" in line


@pytest.mark.parametrize(
    ("name", "meant"),
    [("ssl_ca", "sslrootcert"), ("ssl-ca-path", "sslrootcert"), ("ssl_key", "sslkey"), ("useSSL", "sslmode")],
)
def test_h8_an_option_of_another_driver_is_named_in_the_words_of_the_url(shell: Shell, name: str, meant: str) -> None:
    shell.set(DATABASE_URL=f"mariadb://u@h/d?{name}=x")
    assert f"did you mean {meant}?" in error_line(shell("status"), 2)


@pytest.mark.parametrize("scheme", ["postgresql", "mariadb"])
@pytest.mark.parametrize(
    ("option", "said"),
    {
        "sslmode=REQUIRED": f"write {MODES}",
        "sslmode=allow": f"write {MODES}",
        "sslmode=": f"no value; write {MODES}",
        "sslmode": f"no value; write {MODES}",
        "sslmode=require&sslmode=disable": "more than once",
        "sslrootcert=/none.pem": "sslrootcert of the database URL names no file",
        "sslmode=verify-ca": "add sslrootcert=",
        "sslmode=prefer&sslrootcert=system": "write sslmode=verify-full",
        "connect_timeout=soon": "connect_timeout of the database URL is not a whole number of seconds from 1 to 3600",
        "allow_cleartext=1": "write allow_cleartext=true",
    }.items(),
)
def test_h8_a_value_that_cannot_be_is_exit_2_and_the_line_names_the_option(
    shell: Shell, scheme: str, option: str, said: str
) -> None:
    shell.set(DATABASE_URL=f"{scheme}://u@db.example/d?{option}")

    assert said in error_line(shell("status"), 2)


DEFAULTS = {
    "db.example": "require",
    "10.0.0.1": "require",
    "127.0.0.1,db.example": "require",
    "localhost": "prefer",
    "127.0.0.9": "prefer",
    "[::1]": "prefer",
    "localhost,127.0.0.1": "prefer",
}


IMPOSSIBLE = {
    "mariadb://u@h/d?port=x": "a port of the database URL",
    "mariadb://u@h:99999/d": "a port of the database URL",
    "mariadb://u@a:1,b:x/d": "a port of the database URL",
    "postgresql://u@h:0/d": "a port of the database URL",
    "postgresql://u@h:-1/d": "a port of the database URL",
    "postgresql://u@a..b/d": "a host of the database URL",
    "postgresql://u@a..b,127.0.0.1:1/d": "a host of the database URL",
    f"mariadb://u@{'a' * 64}.example/d": "a host of the database URL",
    "postgresql://u@127.0.0.1:1/a%00b": "has a NUL",
    "mariadb://ro%00ot@127.0.0.1:1/d": "has a NUL",
    "postgresql://u@127.0.0.1:1/d?application_name=a%00b": "has a NUL",
    "postgresql://u:p@ss/word?x@127.0.0.1:1/d": "has too many @",
    "mariadb://u:p@ss/word?x=1@127.0.0.1:1/d": "has too many @",
    "postgresql://u@127.0.0.1:1/d?load_balance_hosts=yes": "write load_balance_hosts=disable|random",
    "postgresql://u@127.0.0.1:1/d?gssencmode=no": "write gssencmode=disable|prefer|require",
    "postgresql://u@127.0.0.1:1/d?ssl_min_protocol_version=1.2": "write ssl_min_protocol_version=TLSv1|",
    "postgresql://u@127.0.0.1:1/d?passfile=/no/such": "the option passfile of the database URL names no file",
    "mariadb://u@127.0.0.1:1/d?read_default_file=/no/such": "the option read_default_file of the database URL names",
}


@pytest.mark.parametrize(("url", "said"), IMPOSSIBLE.items(), ids=IMPOSSIBLE)
def test_h8_an_address_or_a_file_that_cannot_be_is_exit_2_before_anything_connects(
    shell: Shell, url: str, said: str
) -> None:
    shell.set(DATABASE_URL=url)

    assert said in error_line(shell("status"), 2)


@pytest.mark.parametrize("host", ["/var/run/postgresql", "[::1]", "db.example", "bücher.example", "a_b"])
def test_h8_a_host_that_can_be_is_accepted(host: str) -> None:
    place = f"/d?host={host}" if host.startswith("/") else f"{host}:65535/d"

    assert normalise_url(f"postgresql://u@{place}").database == "d"


@pytest.mark.parametrize("scheme", ["postgresql", "mariadb"])
@pytest.mark.parametrize("option", ["", "&sslmode=require", "&sslmode=verify-full"])
def test_h9_with_the_authorities_of_the_machine_the_name_of_the_server_is_verified(scheme: str, option: str) -> None:
    assert tls_of(normalise_url(f"{scheme}://u@db.example/d?sslrootcert=system{option}")).mode == "verify-full"


@pytest.mark.parametrize("scheme", ["postgresql", "mariadb"])
@pytest.mark.parametrize(("host", "mode"), DEFAULTS.items())
def test_h9_tls_is_required_unless_the_server_is_on_this_machine(scheme: str, host: str, mode: str) -> None:
    assert tls_of(normalise_url(f"{scheme}://u@{host}/d")).mode == mode


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority")).make()


def impostors(authority: Authority | None) -> Iterator[tuple[str, Impostor]]:
    tls = authority.certificate() if authority else None
    yield "postgresql", PostgreSQLImpostor(tls=tls)
    for method in ("mysql_clear_password", "dialog", "sha256_password", "caching_sha2_password"):
        yield "mariadb", MariaDBImpostor(tls=tls, method=method)
        yield "mariadb", MariaDBImpostor(tls=tls, method=method, greeting=method)


@pytest.mark.parametrize("number", range(9))
@pytest.mark.parametrize("mode", ["prefer", "disable", "require", None])
def test_h9_no_impostor_gets_the_password(shell: Shell, authority: Authority, number: int, mode: str | None) -> None:
    scheme, impostor = [*impostors(authority if mode == "require" else None)][number]
    with RudeServer(impostor, before_request=True) as server:
        option = f"?sslmode={mode}" if mode else ""
        shell.set(DATABASE_URL=f"{scheme}://u:{PASSWORD}@127.0.0.1:{server.port}/d{option}")
        line = error_line(shell("status"), 2)

    assert "asked for the password itself" in line
    assert "add allow_cleartext=true to the URL" in line
    assert PASSWORD.encode() not in impostor.heard
    assert impostor.heard


@pytest.mark.parametrize("number", [0, 1])
def test_h9_the_password_is_sent_if_the_url_allows_it(shell: Shell, number: int) -> None:
    scheme, impostor = [*impostors(None)][number]
    with RudeServer(impostor, before_request=True) as server:
        shell.set(DATABASE_URL=f"{scheme}://u:{PASSWORD}@127.0.0.1:{server.port}/d?allow_cleartext=true")
        shell.set(DATABASE_TIMEOUT="1")
        shell("status")

    assert PASSWORD.encode() in impostor.heard


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_h9_an_impostor_with_a_certificate_of_its_own_hears_nothing(
    shell: Shell, authority: Authority, tmp_path_factory: pytest.TempPathFactory, number: int, mode: str
) -> None:
    other = Authority(tmp_path_factory.mktemp("other")).make()
    scheme, impostor = [*impostors(other)][number]
    with RudeServer(impostor, before_request=True) as server:
        options = f"sslmode={mode}&sslrootcert={authority.file}"
        shell.set(DATABASE_URL=f"{scheme}://u:{PASSWORD}@localhost:{server.port}/d?{options}")
        line = error_line(shell("status"), 2)

    assert "the certificate of the server of the database URL is not accepted" in line
    assert "sslrootcert names the authority" in line
    assert PASSWORD.encode() not in impostor.heard


@pytest.mark.parametrize("scheme", ["postgresql", "mariadb"])
def test_h9_a_server_without_tls_is_exit_2_and_the_line_says_which_word_to_add(shell: Shell, scheme: str) -> None:
    impostor = PostgreSQLImpostor() if scheme == "postgresql" else MariaDBImpostor()
    with RudeServer(impostor, before_request=True) as server:
        shell.set(DATABASE_URL=f"{scheme}://u:{PASSWORD}@127.0.0.1:{server.port}/d?sslmode=require")
        line = error_line(shell("status"), 2)

    assert "has no TLS; turn it on there, or add sslmode=disable to the URL" in line


@pytest.mark.parametrize("version", ["8.0.36", "5.7.25-TiDB-v7.1.0", "8.0.36-28", "5.5.68-MariaDB"])
@pytest.mark.parametrize("method", ["mysql_native_password", "caching_sha2_password"])
@pytest.mark.parametrize("command", ["status", "sync", "migrate"])
def test_h12_mysql_and_other_servers_are_exit_2_and_named(
    shell: Shell, version: str, method: str, command: str
) -> None:
    other = method if method == "caching_sha2_password" else None
    impostor = MariaDBImpostor(version=version, greeting=method, method=other)
    with RudeServer(impostor, before_request=True) as server:
        shell.set(DATABASE_URL=f"mysql://u:{PASSWORD}@127.0.0.1:{server.port}/d")
        line = error_line(shell(command), 2)

    assert f"is version {version}" in line
    assert "use MariaDB 10.5 or later, PostgreSQL 12 or later, or SQLite" in line


OTHERS = {
    "CockroachDB": {"server_version": "13.0.0", "crdb_version": "CockroachDB CCL v23.1.0"},
    "PostgreSQL 8.0.2": {"server_version": "8.0.2"},  # Redshift
    "PostgreSQL 9.6.24": {"server_version": "9.6.24"},
}


@pytest.mark.parametrize(("name", "parameters"), OTHERS.items())
@pytest.mark.parametrize("command", ["status", "sync", "migrate"])
def test_h12_servers_that_only_speak_like_postgresql_are_exit_2_and_named(
    shell: Shell, name: str, parameters: dict[str, str], command: str
) -> None:
    with RudeServer(PostgreSQLImpostor(parameters=parameters), before_request=True) as server:
        shell.set(DATABASE_URL=f"postgresql://u:{PASSWORD}@127.0.0.1:{server.port}/d")
        line = error_line(shell(command), 2)

    assert f"is {name}; use PostgreSQL 12 or later" in line


def test_h9_the_variables_of_libpq_count_where_the_url_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    monkeypatch.setenv("PGHOST", "db.example")

    assert login_arguments(normalise_url("postgresql:///d"))["sslmode"] == "verify-full"
    assert login_arguments(normalise_url("postgresql://h/d?sslmode=require"))["sslmode"] == "require"
    monkeypatch.delenv("PGSSLMODE")
    assert login_arguments(normalise_url("postgresql:///d"))["sslmode"] == "require"
    monkeypatch.setenv("PGHOST", "/run/postgresql")
    assert login_arguments(normalise_url("postgresql:///d"))["sslmode"] == "prefer"
