"""The key and the database password are in no output, no log line and no row.

Every command of every test here is searched for them when it ends; this file is about the places where
they are most likely to slip out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote
from uuid import uuid4

import pytest
from sqlalchemy import URL, make_url

from models_db.engine import open_engine
from sync.cli.composition import database
from sync.composition.masking import masker
from tests.cli.conftest import Shell
from tests.support.api_address import emulator
from tests.support.api_catalogs import catalog, envelope, model, numbered_models
from tests.support.commands import environment, error_line, eventually, finished, output, run_process, started
from tests.support.database_contents import every_row, query_rows
from tests.support.rude_server import RudeServer, response, says
from tests.support.secrets_search import KEY, PASSWORD, require_hidden


@contextmanager
def with_password(url: str) -> Iterator[str]:
    """The URL of the same database for a user with a password."""
    plain, name = make_url(url), f"catalog_{uuid4().hex[:12]}"
    make, drop = {
        "postgresql": (
            [f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}' IN ROLE {plain.username}"],
            f"DROP ROLE {name}",
        ),
        "mariadb": (
            [
                f"CREATE USER {name}@'%%' IDENTIFIED BY '{PASSWORD}'",
                f"GRANT ALL ON {plain.database}.* TO {name}@'%%'",
            ],
            f"DROP USER {name}@'%%'",
        ),
    }[plain.get_backend_name()]
    execute(plain, *make)
    yield _render(plain.set(username=name, password=PASSWORD))
    execute(plain, drop)


def execute(url: URL, *statements: str) -> None:
    engine = open_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def _render(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@pytest.fixture
def guarded(shell: Shell, migrated_url: str, database_kind: str) -> Iterator[Shell]:
    """A shell for a database that needs a password, where the kind of database has users."""
    if database_kind == "sqlite":
        shell.set(DATABASE_URL=migrated_url)
        yield shell
        return
    with with_password(migrated_url) as url:
        shell.set(DATABASE_URL=url)
        yield shell


def test_no_command_shows_a_secret_even_with_debug(guarded: Shell, migrated_url: str) -> None:
    with emulator([catalog(*numbered_models(3)), catalog(*numbered_models(2))], keys={KEY}) as api:
        guarded.set(BASE_URL=api.base_url)
        for arguments in (
            ("migrate",),
            ("migrate", "--check"),
            ("sync", "--dry-run"),
            ("sync",),
            ("sync", "--json"),
            ("models", "--json"),
            ("models",),
            ("changes", "--csv"),
            ("changes",),
            ("status",),
            ("status", "--json"),
        ):
            ended = guarded("--debug", *arguments)  # searches its output for secrets
            assert ended.code == 0, ended
            assert output(guarded(*arguments)), arguments
    require_hidden(repr(every_row(migrated_url)))


def test_the_log_of_the_libraries_is_shown_with_debug_and_masked(guarded: Shell) -> None:
    with emulator([catalog(*numbered_models(3))], keys={KEY}) as api:
        ended = guarded("--debug", "sync", "--base-url", api.base_url)
    assert "urllib3" in ended.err
    assert "studio/models?mode=image" in ended.err


ECHOES = {
    "a refusal": ("403 Forbidden", {"message": f"key {KEY} may not", "error_code": KEY}),
    "half of it": ("401 Unauthorized", {"message": f"no such key: {KEY[:14]}... and {KEY[18:]}"}),
    "in capitals": ("402 Payment Required", {"message": KEY.upper()}),
    "under 200": ("200 OK", {"ok": False, "code": 422, "message": KEY}),
    "a fault": ("500 Internal Server Error", {"headers": {"Authorization": f"Bearer {KEY}"}}),
}


@pytest.mark.parametrize("debug", [[], ["--debug"]], ids=["plain", "debug"])
@pytest.mark.parametrize("name", ECHOES)
def test_an_error_body_that_repeats_the_key_is_masked(
    shell: Shell, sqlite_url: str, name: str, debug: list[str]
) -> None:
    status, body = ECHOES[name]
    shell.set(DATABASE_URL=sqlite_url, ATTEMPTS="1")
    with RudeServer(says(response(status, json.dumps(body).encode()))) as api:
        ended = shell(*debug, "sync", "--json", "--base-url", api.url)
    assert ended.code in {3, 4}
    stored = query_rows(sqlite_url, "SELECT error_message FROM sync_runs")
    assert len(stored) == 1
    require_hidden(repr(every_row(sqlite_url)))


@pytest.mark.parametrize(
    "body",
    [
        f"<html>Your key {KEY} is odd</html>".encode(),
        envelope([model(KEY, "a text")]),
        envelope([model("acme/one"), model("acme/one", name=KEY)]),
        envelope([model(KEY), model(KEY, name="other")]),
        envelope([], KEY),
        b'{"ok": true, "code": 200, "data": ' + KEY.encode(),
        f'{{"ok": true, "code": 200, "data": {{"{KEY}": 1, "{KEY}": 2}}}}'.encode(),
    ],
)
def test_a_response_that_repeats_the_key_is_rejected_without_it(shell: Shell, sqlite_url: str, body: bytes) -> None:
    shell.set(DATABASE_URL=sqlite_url)
    video = says(response("200 OK", envelope([], "video")))
    with RudeServer(image=says(response("200 OK", body)), video=video) as api:
        for options in ((), ("--json",), ("--dry-run",), ("--dry-run", "--json")):
            error_line(shell("sync", "--base-url", api.url, *options), 5)
        assert shell("--debug", "sync", "--base-url", api.url).code == 5
    require_hidden(repr(every_row(sqlite_url)))


def test_an_import_of_a_file_with_the_key_does_not_repeat_it(shell: Shell, sqlite_url: str, tmp_path: Path) -> None:
    line = {"at": "2026-01-01T00:00:00Z", "image": json.loads(envelope([model(KEY, "a text")]))}
    (tmp_path / "saved.jsonl").write_text(json.dumps(line))
    shell.set(DATABASE_URL=sqlite_url)
    for options in ((), ("--json",)):
        assert shell("import", str(tmp_path / "saved.jsonl"), *options).code in {0, 5}
    require_hidden(repr(every_row(sqlite_url)["sync_runs"]))


def test_a_redirect_to_an_address_with_the_key_is_masked(shell: Shell, sqlite_url: str) -> None:
    shell.set(DATABASE_URL=sqlite_url)
    target = f"Location: https://{KEY.replace('_', '-')}.example/{KEY}?key={KEY}"
    with RudeServer(says(response("302 Found", b"", target))) as api:
        error_line(shell("sync", "--base-url", api.url), 5)
    require_hidden(repr(every_row(sqlite_url)))


def test_a_database_that_refuses_the_password_does_not_get_it_printed(shell: Shell, migrated_url: str) -> None:
    wrong = make_url(migrated_url)
    if wrong.get_backend_name() == "sqlite":
        shell.set(DATABASE_URL=f"sqlite://me:{PASSWORD}@/catalog.db")
        code = 2
    else:
        # The private PostgreSQL takes any password, so there it is the database that is wrong.
        wrong = wrong.set(password=PASSWORD, database="no_such_database")
        shell.set(DATABASE_URL=_render(wrong))
        code = 6
    for arguments in (("sync",), ("models",), ("migrate",), ("status", "--json"), ("schedule", "--every", "1h")):
        error_line(
            shell(*arguments, "--base-url", "http://127.0.0.1:9")
            if arguments[0] in {"sync", "schedule"}
            else shell(*arguments),
            code,
        )
        assert shell("--debug", *arguments).code == code


@pytest.mark.parametrize("password", ["xkcd%54hePasswordOf", "xkcdThe/PasswordOf", "xkcdThe@PasswordOf"])
def test_a_password_is_hidden_however_it_is_written(shell: Shell, password: str) -> None:
    url = f"postgresql://me:{password}@127.0.0.1:9/catalog"
    shell.set(DATABASE_URL=url, DATABASE_TIMEOUT="1")
    assert shell("models").code in {2, 6}
    assert shell("--debug", "models").code in {2, 6}
    hide = masker({"CATALOG_SYNC_DATABASE_URL": url})
    require_hidden(hide(f"{password} and {unquote(password)}"))


def test_a_running_process_shows_no_secret_in_its_arguments(sqlite_url: str, tmp_path: Path) -> None:
    with RudeServer(says()) as api:
        settings = {"DATABASE_URL": sqlite_url, "BASE_URL": api.url, "API_KEY": KEY, "DEADLINE": "2"}
        with started("sync", environ=environment(tmp_path, **settings), new_interpreter=True) as process:
            eventually(lambda: api.requests)
            arguments = Path(f"/proc/{process.pid}/cmdline").read_text()
            assert finished(process).code == 4
    require_hidden(arguments)


def test_a_traceback_is_shown_with_debug_and_masked(
    shell: Shell, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"with {KEY} inside")

    monkeypatch.setattr("sync.run.ticks.run_sync", fail)
    shell.set(DATABASE_URL=sqlite_url, BASE_URL="http://127.0.0.1:9")
    line = error_line(shell("sync"), 1)
    assert "unexpected error: RuntimeError: with [hidden] inside" in line
    ended = shell("--debug", "sync")
    assert ended.code == 1
    assert "Traceback" in ended.err


def test_help_shows_no_setting_of_the_environment(tmp_path: Path) -> None:
    settings = {
        "API_KEY": KEY,
        "DATABASE_URL": f"postgresql://me:{PASSWORD}@host/db",
        "BASE_URL": f"https://{PASSWORD}",
    }
    for command in ("sync", "schedule", "models"):
        output(run_process(command, "--help", environ=environment(tmp_path, **settings)))


def test_the_database_of_a_command_shows_no_password_when_printed() -> None:
    url = f"postgresql://me:{PASSWORD}@host/db"

    assert PASSWORD not in repr(database(url))
    assert PASSWORD not in database(url).masked_url
