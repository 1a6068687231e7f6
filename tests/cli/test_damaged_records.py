"""Values that were damaged in SQLite, which takes any: a command says so in one line, and ``verify`` finds it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url

from models_db.engine import open_engine
from tests.cli.conftest import Shell
from tests.support.commands import error_line
from tests.support.made_responses import model
from tests.support.run_driver import Host

OTHERS = [model(f"other-{number}", cost=number) for number in range(4)]
SHOW = ("show", "a", "--as-of", "2026-03-01T12:30Z")
DEEP = "[" * 100_000


@pytest.fixture
def path(shell: Shell, sqlite_url: str) -> Path:
    """Three hourly runs, of which the last one held removals back."""
    engine = open_engine(sqlite_url)
    host = Host(engine)
    host.sync([model("a", cost=1), *OTHERS])
    host.sync([model("a", cost=2), *OTHERS])
    host.sync([model("a", cost=2)])
    engine.dispose()
    shell.set(DATABASE_URL=sqlite_url)
    return Path(str(make_url(sqlite_url).database))


def damage(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute(statement, values)


@pytest.mark.parametrize("text", ["{", "[]", '{"removals": [1]}', DEEP, b"\xff"])
def test_a_damaged_acceptance_is_named(shell: Shell, path: Path, text: object) -> None:
    damage(path, "UPDATE sync_runs SET accepted = ? WHERE run_id = 2", text)

    for command in (("status",), ("status", "--json"), (*SHOW, "--json"), ("report", "-", "--since", "2026-03-01")):
        assert "the record is damaged: sync_runs.accepted of run 2 is " in error_line(shell(*command), 9)
    error_line(shell("verify"), 9)


@pytest.mark.parametrize("text", ["{", "{}", "[1]", DEEP])
def test_damaged_ids_that_were_held_back_are_named(shell: Shell, path: Path, text: object) -> None:
    damage(path, "UPDATE sync_run_modes SET held_ids = ? WHERE run_id = 3 AND mode = 'image'", text)

    for command in (("status",), SHOW, ("report", "-", "--since", "2026-03-01")):
        assert "the record is damaged: sync_run_modes.held_ids of run 3 is " in error_line(shell(*command), 9)
    error_line(shell("verify"), 9)


@pytest.mark.parametrize("value", ["x", b"\xff"])
def test_a_seal_whose_number_is_none_is_named(shell: Shell, path: Path, value: object) -> None:
    damage(path, "UPDATE seals SET seal_no = ? WHERE seal_no = 2", value)

    for command in (("checkpoint",), SHOW, ("prove", *SHOW[1:2], "--at", SHOW[3])):
        assert "the seals are damaged: " in error_line(shell(*command), 9)
    error_line(shell("verify"), 9)


def test_texts_that_are_none_are_shown_in_json(shell: Shell, path: Path) -> None:
    damage(path, "UPDATE sync_runs SET host = ? WHERE run_id = 2", b"a\xff")

    assert '"host": "a\\\\xff"' in shell(*SHOW, "--json").out


@pytest.mark.parametrize("value", ["2026-13-01 10:00:00.000000", 7])
def test_a_time_that_is_none_is_named(shell: Shell, path: Path, value: object) -> None:
    damage(path, "UPDATE sync_runs SET finished_at = ? WHERE run_id = 2", value)

    assert "the database is damaged: " in error_line(shell("status"), 6)
    error_line(shell("verify"), 9)


@pytest.mark.parametrize("place", ["sync_runs SET observed_at", "sync_runs SET finished_at", "calendar_days SET day"])
def test_times_at_the_end_of_the_calendar_are_findings(shell: Shell, path: Path, place: str) -> None:
    damage(path, f"UPDATE {place} = ?", "9999-12-31" + ("" if "day" in place else " 23:59:59.999999"))

    error_line(shell("verify"), 9)


def test_a_root_of_the_state_that_runs_repeated_is_found_after_a_change_too(shell: Shell, path: Path) -> None:
    damage(path, "UPDATE sync_state SET listed_root = ? WHERE mode = 'video'", "ab" * 32)
    engine = open_engine(f"sqlite:///{path}")
    host = Host(engine)
    host.now = host.now.replace(day=2)
    host.sync([model("a", cost=2), *OTHERS])
    host.sync([model("a", cost=2), *OTHERS], [model("v")])
    engine.dispose()

    ended = shell("verify")
    error_line(ended, 9)
    assert "listed_root of mode video is 'abab" in ended.out
    assert "the run changed nothing in it, and the one before left " in ended.out
