"""A connection that breaks while a command prints what it reads: every line once, and all of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from sync.cli.process.written_once import WrittenOnce
from sync.errors import DatabaseError
from sync.store.verify.read_models import Verification
from tests.cli.conftest import Shell
from tests.support.api_address import emulator
from tests.support.api_catalogs import catalog, numbered_models
from tests.support.commands import output


def test_each_line_is_written_once() -> None:
    written: list[bytes] = []
    once = WrittenOnce(written.append)
    for lines in ([b"a"], [b"a", b"b"], [b"a", b"b", b"c"]):
        write = once.begin()
        for line in lines:
            write(line)

    assert written == [b"a", b"b", b"c"]


def test_other_lines_than_before_are_an_error() -> None:
    once = WrittenOnce(lambda _: None)
    first = once.begin()
    first(b"a")
    first(b"b")
    second = once.begin()
    second(b"another")
    with pytest.raises(DatabaseError, match="the history has changed since"):
        second(b"b")


def lost() -> OperationalError:
    return OperationalError(None, None, psycopg.OperationalError("gone"), connection_invalidated=True)


@pytest.fixture
def synced_url(shell: Shell, sqlite_url: str) -> str:
    shell.set(DATABASE_URL=sqlite_url)
    with emulator([catalog(*numbered_models(3))], stepping="manual") as api:
        output(shell("sync", "--base-url", api.base_url))
    return sqlite_url


def test_verify_prints_no_finding_twice(
    shell: Shell, synced_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sqlite3.connect(tmp_path / "catalog.db") as connection:
        connection.execute("UPDATE credits SET notes = 'changed by hand'")
    connection.close()
    findings, calls = Verification.findings, []

    def breaking(self: Verification) -> Iterator[Any]:
        calls.append(1)
        for number, finding in enumerate(findings(self)):
            if len(calls) == 1 and number == 2:
                raise lost()
            yield finding

    whole = shell("verify")
    monkeypatch.setattr(Verification, "findings", breaking)
    broken = shell("verify")

    assert len(calls) == 2
    assert (broken.code, broken.out, broken.err) == (9, whole.out, whole.err)


@pytest.mark.parametrize("name", ["-", "history.jsonl"])
def test_export_is_whole(
    shell: Shell, synced_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    from sync.run import export as module

    file = name if name == "-" else str(tmp_path / name)
    lines, calls = module.export_lines, []

    def breaking(*arguments: Any) -> Iterator[bytes]:
        calls.append(1)
        for number, line in enumerate(lines(*arguments)):
            if len(calls) == 1 and number == 1:
                raise lost()
            yield line

    def exported() -> str:
        printed = output(shell("export", file))
        return printed if name == "-" else Path(file).read_text()

    whole = exported()
    monkeypatch.setattr(module, "export_lines", breaking)

    assert exported() == whole
    assert len(calls) == 2
