"""Faults F1 to F8, each where a secret is most likely to be printed or stored."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from pathlib import Path

import pytest

from sync.cli.composition import sync_dependencies
from sync.composition.masking import masker
from sync.composition.sync_parts import ApiSettings
from sync.source.http.cancellation import SocketCanceller
from sync.source.http.context import FetchContext
from sync.source.http.session import open_session
from tests.cli.conftest import Shell
from tests.support.api_catalogs import envelope, model
from tests.support.commands import environment, error_line, output, run_process
from tests.support.database_contents import every_row
from tests.support.rude_server import RudeServer, resets, response, says
from tests.support.secrets_search import KEY, PASSWORD, require_hidden
from tests.support.synced_database import LISTED, SyncedDatabase, image, video

FAULTS = {
    "a reset": resets(b"HTTP/1.1 200 OK\r\n"),
    "no HTTP": says(b"220 mail.example ESMTP\r\n"),
    "a bad header": says(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n{}"),
    "a busy server": says(response("503 Service Unavailable", b"", "Retry-After: 0")),
}


@pytest.mark.parametrize("name", FAULTS)
def test_f1_no_error_log_or_traceback_of_the_http_libraries_shows_the_key(
    synced_sqlite: SyncedDatabase, name: str
) -> None:
    with RudeServer(FAULTS[name]) as api:
        for debug in ([], ["--debug"]):
            result = synced_sqlite.shell(*debug, "sync", "--attempts", "2", "--base-url", api.url)
            assert result.code in {4, 5}
        assert "urllib3" in result.err
    require_hidden(repr(every_row(synced_sqlite.url)))


def test_f1_a_traceback_is_printed_with_debug_and_masked(
    synced_sqlite: SyncedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"with {KEY} inside")

    monkeypatch.setattr("sync.run.ticks.run_sync", fail)
    result = synced_sqlite.shell("--debug", "sync", "--base-url", "http://127.0.0.1:9")

    assert result.code == 1
    assert "Traceback" in result.err
    assert "[hidden]" in result.err


def test_f2_headers_are_never_logged_and_would_be_masked(
    synced_sqlite: SyncedDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    output(synced_sqlite.shell("--help"))
    result = synced_sqlite.shell("--debug", "sync", "--base-url", "http://127.0.0.1:9")
    logging.getLogger("anything").warning("headers: %r", {"Authorization": f"Bearer {KEY}"})

    assert "send: b'GET" not in result.err  # the debug output of http.client
    logged = capsys.readouterr().err
    assert "[hidden]" in logged
    require_hidden(logged)


def test_f3_no_command_accepts_a_key_or_a_password_as_an_argument(shell: Shell) -> None:
    for command in ("sync", "schedule"):
        assert "No such option" in error_line(shell(command, "--api-key", KEY[:4]), 2)
    for command in ("sync", "models", "migrate", "verify", "prune"):
        line = error_line(shell(command, "--database-url", f"postgresql://me:{PASSWORD}@host/db"), 2)
        assert "set CATALOG_SYNC_DATABASE_URL" in line


def test_f3_a_key_file_that_others_can_read_is_refused(shell: Shell, sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    shell.set(DATABASE_URL=sqlite_url, API_KEY=None, API_KEY_FILE=str(file))
    # Readable for others, for the group, or both.
    for mode in (0o644, 0o640, 0o604, 0o666):
        file.chmod(mode)
        assert "chmod 600" in error_line(shell("sync"), 2)


def test_f4_a_printed_object_does_not_show_its_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATALOG_SYNC_API_KEY", KEY)
    values = ApiSettings(
        base_url="https://api.example",
        deadline=1,
        attempts=1,
        max_bytes=1,
        max_models=1,
        max_removal_percent=1,
        max_removal_count=1,
        max_cost_move_percent=1,
        max_cost_move_count=1,
        max_cost_move_factor=1,
    )
    require_hidden(repr(sync_dependencies(values, threading.Event())))
    require_hidden(repr(open_session(KEY, SocketCanceller(), trust_environment=False).auth))
    assert not FetchContext.__dataclass_fields__["api_key"].repr


def test_f4_help_shows_no_setting_of_the_environment(tmp_path: Path) -> None:
    settings = {"API_KEY": KEY, "DATABASE_URL": f"postgresql://me:{PASSWORD}@host/db"}
    for command in ("sync", "schedule", "models", "import"):
        output(run_process(command, "--help", environ=environment(tmp_path, **settings)))


@pytest.mark.parametrize("password", ["xkcd%54hePasswordOf", "xkcdThe/PasswordOf", "xkcdThe@PasswordOf", PASSWORD])
@pytest.mark.parametrize("scheme", ["postgresql", "mariadb"])
def test_f5_a_password_in_a_url_is_masked_in_every_notation(shell: Shell, scheme: str, password: str) -> None:
    url = f"{scheme}://me:{password}@127.0.0.1:9/catalog"
    shell.set(DATABASE_URL=url, DATABASE_TIMEOUT="1")
    for debug in ([], ["--debug"]):
        assert shell(*debug, "models").code in {2, 6}
    require_hidden(masker({"CATALOG_SYNC_DATABASE_URL": url})(f"connecting to {url}"))


def test_f5_a_password_among_the_options_of_a_url_is_refused(shell: Shell) -> None:
    for url in (f"postgresql://me@host/db?password={PASSWORD}", f"mariadb://me@host/db?passwd={PASSWORD}"):
        shell.set(DATABASE_URL=url)
        assert "user:password@host" in error_line(shell("sync"), 2)


NAMED = image([model("acme/image-0", 5, name="A name that is in no log", params={"p": 1}), *LISTED[1:]])


def test_f6_debug_prints_statements_without_their_values(synced: SyncedDatabase) -> None:
    with RudeServer(image=NAMED, video=video()) as api:
        result = synced.shell("--debug", "sync", "--base-url", api.url)

    assert result.code == 0
    assert ("COPY params" if synced.url.startswith("postgresql") else "INSERT INTO params") in result.err
    assert "hide_parameters=True" in result.err
    assert "A name that is in no log" not in result.err


def test_f6_an_error_of_the_database_is_printed_without_values(synced_sqlite: SyncedDatabase) -> None:
    file = synced_sqlite.home / "catalog.db"
    content = file.read_bytes()
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TABLE params")
    connection.close()
    with RudeServer(image=NAMED, video=video()) as api:
        for debug in ([], ["--debug"]):
            result = synced_sqlite.shell(*debug, "sync", "--base-url", api.url)
            assert result.code == 6
            assert "no such table: params" in result.err
            assert "A name that is in no log" not in result.err
    file.write_bytes(content)


def test_f7_a_migration_does_not_print_a_url_with_percent_signs(shell: Shell) -> None:
    for scheme in ("postgresql", "mariadb"):
        shell.set(DATABASE_URL=f"{scheme}://me:{PASSWORD}%25%40@127.0.0.1:9/cata%25log", DATABASE_TIMEOUT="1")
        for debug in ([], ["--debug"]):
            result = shell(*debug, "migrate")
            assert result.code == 6
            assert "interpolat" not in result.err


ECHOES = {
    "a page": (f"<html>Your key {KEY} is invalid</html>".encode(), 5),
    "an id": (envelope([model(KEY)]), 5),
    "a refusal": (json.dumps({"ok": False, "code": 403, "message": f"key {KEY} may not"}).encode(), 3),
    "half of it": (json.dumps({"ok": False, "code": 401, "message": f"no key {KEY[:14]}..."}).encode(), 3),
    "in capitals": (json.dumps({"ok": False, "code": 402, "message": KEY.upper()}).encode(), 3),
}


@pytest.mark.parametrize("name", ECHOES)
def test_f8_a_key_in_a_response_is_neither_printed_nor_stored(synced: SyncedDatabase, name: str) -> None:
    body, code = ECHOES[name]
    before = synced.catalog()
    with RudeServer(says(response("200 OK", body))) as api:
        for debug in ([], ["--debug"]):
            assert synced.shell(*debug, "sync", "--json", "--base-url", api.url).code == code
    synced.require_unchanged(before)
