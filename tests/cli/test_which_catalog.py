"""The reading commands say which database they read, and how old the catalog is."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url

from sync.cli import options
from tests.cli.conftest import Shell
from tests.faults.conftest import on_postgresql
from tests.support.api_address import emulator
from tests.support.api_catalogs import catalog, envelope, model
from tests.support.commands import output
from tests.support.terminals import on_a_terminal

WITH_AGE = (["models"], ["changes"], ["show", "a"], ["costs", "a"], ["ask", "current-costs"])
READING = (*WITH_AGE, ["status"], ["verify"], ["ignore", "list"])


@pytest.fixture
def synced(shell: Shell, sqlite_url: str) -> Shell:
    shell.set(DATABASE_URL=sqlite_url)
    with emulator([catalog(model("a", 3), model("v", 2, mode="video"))]) as api:
        output(shell("sync", "--base-url", api.base_url))
    return shell


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_i3_a_terminal_sees_the_database_and_the_age_first(
    synced: Shell, sqlite_url: str, tmp_path: Path, arguments: list[str]
) -> None:
    lines = on_a_terminal(sqlite_url, tmp_path, *arguments)
    assert lines[0].startswith(sqlite_url)
    assert re.search(r"last successful sync \d+s ago", " ".join(lines[:2]))


@on_postgresql
def test_a_password_is_not_shown(migrated_url: str, tmp_path: Path) -> None:
    url = make_url(migrated_url)
    url = url if url.password else url.set(password="hunter2")  # a server that trusts this machine ignores it
    (first, *_) = on_a_terminal(url.render_as_string(hide_password=False), tmp_path, "models")
    assert first.startswith(f"postgresql://{url.username}:***@")


@pytest.mark.parametrize("arguments", WITH_AGE, ids=" ".join)
def test_i3_a_pipe_sees_the_date_of_the_last_sync_if_it_is_more_than_a_day_ago(
    synced: Shell, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    assert "last successful sync" not in output(synced(*arguments))
    now = options.now()
    monkeypatch.setattr(options, "now", lambda: now + timedelta(days=148))
    expected = rf"last successful sync 148d 0h ago \({now:%Y-%m-%d} \d\d:\d\d UTC\)"
    assert re.fullmatch(expected, output(synced(*arguments)).splitlines()[-1])
    json.loads(output(synced(*arguments, "--json")))


def test_modes_of_different_ages_are_told_apart(shell: Shell, sqlite_url: str, tmp_path: Path) -> None:
    shell.set(DATABASE_URL=sqlite_url)
    image, video = envelope([model("a", 3)]).decode(), envelope([model("v", 2, mode="video")], "video").decode()
    days = {"2026-03-01": f'"image": {image}, "video": {video}', "2026-03-02": f'"image": {image}'}
    lines = [f'{{"at": "{day}T00:00:00Z", {envelopes}}}' for day, envelopes in days.items()]
    (tmp_path / "responses.jsonl").write_text("\n".join(lines))
    output(shell("import", "--quiet", str(tmp_path / "responses.jsonl")))

    ages = r"image: last .* ago \(2026-03-02 00:00 UTC\); video: last .* ago \(2026-03-01 00:00 UTC\)"
    assert re.fullmatch(ages, output(shell("models")).splitlines()[-1])
    assert re.fullmatch(
        r"last .* ago \(2026-03-01 00:00 UTC\)", output(shell("models", "--mode", "video")).splitlines()[-1]
    )
    assert re.match(r"image: last .* ago \(2026-03-02 00:00 UTC\)\n", output(shell("status")))
