"""A setting that cannot be used is reported before the first request and the first statement."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.cli.conftest import Shell
from tests.support.api_address import emulator
from tests.support.api_catalogs import catalog, numbered_models
from tests.support.commands import error_line, output
from tests.support.database_contents import every_row
from tests.support.secrets_search import KEY

UNUSABLE: Mapping[str, tuple[dict[str, str | None], list[str], str]] = {
    "no key": ({"API_KEY": None}, ["sync"], "there is no API key"),
    "an empty key": ({"API_KEY": " \n"}, ["sync"], "there is no API key"),
    "a key with a newline": ({"API_KEY": KEY[:9] + "\n" + KEY[9:]}, ["sync"], "line break"),
    "a key with a blank": ({"API_KEY": KEY[:9] + " " + KEY[9:]}, ["sync"], "blank"),
    "a key in typographic quotes": ({"API_KEY": f"“{KEY}”"}, ["sync"], "outside ASCII"),
    "a key in quotes": ({"API_KEY": f'"{KEY}"'}, ["sync"], "begins with a quote"),
    "a key behind its name": ({"API_KEY": f"CATALOG_SYNC_API_KEY={KEY}"}, ["sync"], "with the name of the setting"),
    "a key and a key file": ({"API_KEY_FILE": "/somewhere"}, ["sync"], "is set twice"),
    "a key file that is missing": ({"API_KEY": None, "API_KEY_FILE": "/no/such"}, ["sync"], "/no/such cannot be read"),
    "a key file without an end": (
        {"API_KEY": None, "API_KEY_FILE": "/dev/zero"},
        ["sync"],
        "is longer than 65536 characters",
    ),
    "plain http to a host": ({"BASE_URL": "http://api.example/v1"}, ["sync"], "plain http to api.example"),
    "a base url with a password": (
        {"BASE_URL": f"https://me:{KEY}@api.example/v1"},
        ["sync"],
        "has a user, a password",
    ),
    "a base url with an empty query": ({"BASE_URL": "https://api.example/v1?"}, ["sync"], "a query or a fragment"),
    "a base url with the key": ({"BASE_URL": f"https://api.example/{KEY}/v1"}, ["sync"], "contains the API key"),
    "a base url with a part of the key": (
        {"BASE_URL": f"https://api.example/{quote(KEY.partition('.')[2].replace('T', '%54'), safe='%')}"},
        ["sync"],
        "contains the API key",
    ),
    "an invalid base url": ({"BASE_URL": "api.example"}, ["sync"], "https://HOST/PATH"),
    "a base url with a line break": ({"BASE_URL": "https://api.example/\nv1"}, ["sync"], "https://HOST/PATH"),
    "a base url with a control character": ({"BASE_URL": "https://api.example/\x1b[1m"}, ["sync"], "https://HOST/PATH"),
    "a base url with a bad port": ({"BASE_URL": "https://api.example:port/v1"}, ["sync"], "is not a URL"),
    "an unknown scheme": ({"DATABASE_URL": "oracle://host/db"}, ["sync"], "begins with oracle"),
    "a database in memory": ({"DATABASE_URL": "sqlite://"}, ["sync"], "does not name a file"),
    "an @ too many": ({"DATABASE_URL": f"postgresql://me:{KEY}@x@host/db"}, ["sync"], "too many"),
    "a setting that is not a number": ({"DEADLINE": "soon"}, ["sync"], "soon"),
    "a guard that is not a number": ({"MAX_REMOVAL_PERCENT": "nan"}, ["sync"], "is not a number"),
    "a deadline without end": ({"DEADLINE": "inf"}, ["sync"], "is not a number"),
    "a dry run that migrates": ({}, ["sync", "--dry-run", "--migrate"], "give one of them"),
    "a deadline of nothing": ({"DEADLINE": "0"}, ["sync"], "0"),
    "an unknown option": ({}, ["sync", "--fast"], "No such option"),
    "an unknown command": ({}, ["synk"], "synk"),
    "no command": ({}, [], "command"),
    "an unknown mode": ({}, ["sync", "--mode", "audio"], "audio"),
    "removals that are not a number": ({}, ["sync", "--accept-removals", "some"], "neither a number nor all"),
    "import without a file": ({}, ["import"], "FILE"),
    "import of a file that is missing": ({}, ["import", "/no/such"], "/no/such cannot be read"),
    "emulator with a file that is missing": ({}, ["emulator", "/no/such"], "/no/such cannot be read"),
    "an invalid time": ({}, ["changes", "--since", "yesterday"], "'yesterday' is not a time"),
    "a time before all times": ({}, ["changes", "--since", "999999w"], "out of range"),
    "an invalid duration": ({}, ["status", "--max-age", "1 hour"], "is not a duration"),
    "json and csv": ({}, ["models", "--json", "--csv"], "--json and --csv exclude each other"),
    "demo in a folder that cannot be": ({}, ["demo", "--directory", "/dev/null/demo"], "/dev/null/demo"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_unusable_setting_is_exit_2_and_nothing_is_done(shell: Shell, sqlite_url: str, name: str) -> None:
    settings, arguments, part = UNUSABLE[name]
    shell.set(**{"DATABASE_URL": sqlite_url, "BASE_URL": "http://127.0.0.1:9/v1", **settings})
    before = every_row(sqlite_url)
    assert part in error_line(shell(*arguments), 2)
    assert every_row(sqlite_url) == before


def test_a_key_file_that_others_can_read_is_refused(shell: Shell, sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    file.chmod(0o644)
    shell.set(DATABASE_URL=sqlite_url, API_KEY=None, API_KEY_FILE=str(file))
    assert "chmod 600" in error_line(shell("sync"), 2)


def test_a_key_file_with_mode_600_is_accepted(shell: Shell, sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    file.chmod(0o600)
    shell.set(DATABASE_URL=sqlite_url, API_KEY=None, API_KEY_FILE=str(file))
    with emulator([catalog(*numbered_models(4))], keys={KEY}) as api:
        output(shell("sync", "--base-url", api.base_url))


def test_a_key_file_that_is_too_long_is_refused_and_not_cut(shell: Shell, sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("k" * 1_000_000)
    file.chmod(0o600)
    shell.set(DATABASE_URL=sqlite_url, API_KEY=None, API_KEY_FILE=str(file))
    assert "is longer than 65536 characters" in error_line(shell("sync"), 2)


@pytest.mark.parametrize("content", [f"\ufeff{KEY}\r\n", f" {KEY}\n\n"], ids=["of Windows", "with blanks"])
def test_a_key_file_may_be_written_by_any_editor(shell: Shell, sqlite_url: str, tmp_path: Path, content: str) -> None:
    file = tmp_path / "key"
    file.write_bytes(content.encode())
    file.chmod(0o600)
    shell.set(DATABASE_URL=sqlite_url, API_KEY=None, API_KEY_FILE=str(file))
    with emulator([catalog(*numbered_models(4))], keys={KEY}) as api:
        output(shell("sync", "--base-url", api.base_url))


def test_a_key_may_come_from_a_pipe(shell: Shell, sqlite_url: str) -> None:
    reader, writer = os.pipe()
    os.write(writer, f"{KEY}\n".encode())
    os.close(writer)
    with emulator([catalog(*numbered_models(2))]) as api:
        shell.set(API_KEY=None, API_KEY_FILE=f"/dev/fd/{reader}", BASE_URL=api.base_url, DATABASE_URL=sqlite_url)
        output(shell("sync"))
    os.close(reader)


def test_a_key_file_from_a_service_manager_may_have_any_mode(
    shell: Shell, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "api_key"
    file.write_text(KEY)
    file.chmod(0o440)
    shell.set(API_KEY=None, API_KEY_FILE=str(file), DATABASE_URL=sqlite_url)
    assert "can be read by others" in error_line(shell("sync"), 2)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with emulator([catalog(*numbered_models(2))]) as api:
        shell.set(BASE_URL=api.base_url)
        output(shell("sync"))
