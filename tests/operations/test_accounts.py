"""Fault H14: the two accounts of docs/operations.md, and what each of them may do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import NullPool, create_engine, make_url
from sqlalchemy.exc import DBAPIError

from models_db import migrate
from models_db.engine import normalise_url
from models_db.tables.metadata import metadata
from tests.cli.conftest import Shell, shell
from tests.operations.documented_commands import run_statements
from tests.support.api_catalogs import model
from tests.support.commands import error_line, output
from tests.support.docs_pages import blocks, page, section
from tests.support.synced_database import LISTED, SyncedDatabase, image

__all__ = ["shell"]

HEADINGS = {"postgresql": "### Accounts on PostgreSQL", "mariadb": "### Accounts on MariaDB"}
DROP = {"postgresql": "DROP OWNED BY {name} CASCADE; DROP ROLE {name};", "mariadb": "DROP USER {name};"}
DEAR = [model("acme/image-0", 77), *LISTED[1:]]
REJECTED = [model("acme/image-0", -1), *LISTED[1:]]
REWRITES = (
    *("DELETE FROM catalog_changes", "DELETE FROM model_versions", "DELETE FROM credit_history"),
    *("DELETE FROM sync_runs", "DELETE FROM sync_run_modes", "DELETE FROM models", "DELETE FROM sync_state"),
    *("DELETE FROM rejected_models", "DELETE FROM ignored_fields", "DELETE FROM catalog_identity"),
    *("UPDATE catalog_changes SET new_cost = 1", "UPDATE catalog_changes SET run_id = 1"),
    *("UPDATE model_versions SET raw = '{}'", "UPDATE model_versions SET valid_from = valid_from"),
    *("UPDATE credit_history SET default_cost = 1", "UPDATE credit_history SET opened_run_id = 1"),
    "UPDATE model_versions SET valid_to = NULL, closed_run_id = NULL WHERE valid_to IS NOT NULL",
    "UPDATE credit_history SET valid_to = '2030-01-01 00:00:00' WHERE valid_to IS NOT NULL",
    "UPDATE rejected_models SET valid_to = NULL, closed_run_id = NULL WHERE valid_to IS NOT NULL",
    "UPDATE ignored_fields SET valid_to = NULL WHERE valid_to IS NOT NULL",
    *("UPDATE sync_runs SET note = 'x' WHERE run_id = 1", "UPDATE sync_runs SET started_at = started_at"),
    *("UPDATE sync_run_modes SET status = 'failed'", "UPDATE models SET model_id = 'x'"),
    *("UPDATE catalog_identity SET catalog_id = 'x'", "UPDATE calendar_days SET day_start_at = day_end_at"),
    *(f"UPDATE {migrate.VERSION_TABLE} SET version_num = '0001'", "DROP VIEW v_sync_runs", "DROP TABLE credits"),
    *("TRUNCATE TABLE catalog_changes", "CREATE TABLE other (a int)", "ALTER TABLE models ADD COLUMN a int"),
)

pytestmark = pytest.mark.parametrize("database_kind", HEADINGS, indirect=True)


@dataclass(frozen=True)
class Accounts:
    owner: str
    job: str

    def refused(self, statement: str) -> bool:
        engine = create_engine(normalise_url(self.job), poolclass=NullPool, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql(statement)
        except DBAPIError as error:
            return any(word in str(error.orig) for word in ("denied", "must be owner"))
        return False


@pytest.fixture
def accounts(database_kind: str, database_url: str, tmp_path: Path) -> Iterator[Accounts]:
    database = make_url(database_url)
    owner, job = (f"{name}_{uuid4().hex[:8]}" for name in ("owner", "job"))  # other tests use the same server
    first, second = (
        block.replace("catalog_owner", owner).replace("catalog_job", job).replace("catalog.*", f"{database.database}.*")
        for block in blocks(section(page("docs/operations.md"), HEADINGS[database_kind]), "sql")
    )
    run_statements(database, tmp_path, first)
    urls = [
        database.set(username=name, password="change me").render_as_string(hide_password=False) for name in (owner, job)
    ]
    migrate.upgrade(urls[0])
    run_statements(database, tmp_path, second)
    run_statements(database, tmp_path, second)  # as after an upgrade
    yield Accounts(*urls)
    for name in (job, owner):
        run_statements(database, tmp_path, DROP[database_kind].format(name=name))


@pytest.fixture
def lived(accounts: Accounts, shell: Shell, tmp_path: Path) -> SyncedDatabase:
    """A catalog in which everything that a run can store was stored by the job."""
    catalog = SyncedDatabase(shell, accounts.job, tmp_path)
    catalog.succeeds(image=image(DEAR))
    catalog.succeeds("--accept-removals", "all", image=image(DEAR[2:]))
    catalog.succeeds("--migrate", image=image(DEAR))
    output(shell("ignore", "add", "models.latency_ms", "--why", "noise"))
    assert catalog.sync(image=image(REJECTED)).code == 5
    output(shell("ignore", "remove", "models.latency_ms"))
    for _ in range(3):
        catalog.succeeds()
    return catalog


def test_h14_the_job_keeps_the_catalog_and_the_owner_migrates_and_prunes(
    accounts: Accounts, lived: SyncedDatabase, shell: Shell
) -> None:
    for command in ("status", "models", "changes", "verify"):
        output(shell(command))
    assert "lacks this permission" in error_line(shell("prune", "--before", "2100-01-01T00:00:00Z"), 6)
    lived.verify()

    shell.set(DATABASE_URL=accounts.owner)
    output(shell("migrate"))
    output(shell("prune", "--before", "2100-01-01T00:00:00Z"))
    output(shell("verify"))


def test_h14_the_job_cannot_rewrite_what_is_recorded(accounts: Accounts, lived: SyncedDatabase) -> None:
    assert [statement for statement in REWRITES if not accounts.refused(statement)] == []
    lived.verify()


def test_h14_an_upgrade_by_the_job_is_exit_2_and_says_whose_task_it_is(accounts: Accounts, shell: Shell) -> None:
    migrate.downgrade(accounts.owner, "0004")
    shell.set(DATABASE_URL=accounts.job)

    line = error_line(shell("sync", "--migrate"), 2)
    assert "as the account that owns the tables" in line or "may not create tables in schema public" in line


def test_h14_every_table_that_runs_write_is_named(database_kind: str) -> None:
    text = section(page("docs/operations.md"), HEADINGS[database_kind])
    unwritten = {"installed_views", "catalog_identity"}
    assert [name for name in metadata.tables if name not in text and name not in unwritten] == []
