"""A shell that syncs from an API whose responses the test sets, and keeps them in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.support.archived import ApiToArchive, api_to_archive


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "archive").mkdir()
    return tmp_path / "archive"


@pytest.fixture
def api(shell: Shell, sqlite_url: str, folder: Path) -> Iterator[ApiToArchive]:
    """The shell syncs from it, and keeps the responses."""
    with api_to_archive() as (api, base_url):
        shell.set(DATABASE_URL=sqlite_url, BASE_URL=base_url, ARCHIVE=str(folder))
        yield api
