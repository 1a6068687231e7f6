"""A shell that runs commands in the process of the test, which is faster than a new process, and its database."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sync.cli.entry_point import run
from tests.support.commands import PREFIX, CommandResult
from tests.support.secrets_search import KEY

if TYPE_CHECKING:
    from tests.support.migrated_databases import MigratedDatabases


class Shell:
    """Runs commands in this process, with settings that the test makes."""

    def __init__(self, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self._patch, self._capture = patch, capture

    def set(self, **settings: str | None) -> None:
        """Changes settings for the following commands; None removes one."""
        for name, value in settings.items():
            if value is None:
                self._patch.delenv(PREFIX + name, raising=False)
            else:
                self._patch.setenv(PREFIX + name, value)

    def __call__(self, *arguments: str) -> CommandResult:
        self._capture.readouterr()
        code = run(arguments, os.environ)
        return CommandResult(code, *self._capture.readouterr())


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Shell]:
    """A shell with a home folder and an API key, and no other setting."""
    for name in [name for name in os.environ if name.startswith((PREFIX, "XDG_")) or name.lower().endswith("_proxy")]:
        if not name.startswith(PREFIX + "TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(PREFIX + "API_KEY", KEY)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield Shell(monkeypatch, capsys)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def sqlite_url(tmp_path: Path, _migrated: MigratedDatabases) -> str:
    """An SQLite database at head, for tests that do not depend on the kind of database."""
    with ExitStack() as nothing_to_close:
        return _migrated.new("sqlite", tmp_path / "catalog.db", nothing_to_close)
