"""The accounts of docs/operations.md, and a catalog that the job kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Shell, shell
from tests.operations.job_account import Accounts, accounts_on
from tests.support.synced_database import SyncedDatabase
from tests.support.whole_job import do_everything

__all__ = ["shell"]


@pytest.fixture
def accounts(database_kind: str, database_url: str, tmp_path: Path) -> Iterator[Accounts]:
    """The accounts with the grants of the page, and a catalog at head."""
    with accounts_on(database_kind, database_url, tmp_path) as accounts:
        yield accounts


@pytest.fixture
def lived(accounts: Accounts, shell: Shell, tmp_path: Path) -> SyncedDatabase:
    """A catalog in which everything that a run can store was stored by the job."""
    return do_everything(shell, accounts.job, tmp_path)
