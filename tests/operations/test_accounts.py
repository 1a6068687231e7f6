"""Fault H14: the two accounts of docs/operations.md, and what each of them may do."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from models_db import migrate
from models_db.job_grants import JOB_RIGHTS
from models_db.tables.metadata import metadata
from tests.cli.conftest import Shell
from tests.operations.job_account import AFTER_THE_END, HEADINGS, REMARKS, WITHOUT_A_SEAL, Accounts
from tests.support.commands import error_line, eventually, finished, output
from tests.support.database_contents import query_rows
from tests.support.protected_columns import PROTECTED
from tests.support.rude_server import RudeServer
from tests.support.synced_database import STATUS, SyncedDatabase, image, video
from tests.support.whole_job import STATUSES, do_everything

SCHEMA = (
    *(f"UPDATE {migrate.VERSION_TABLE} SET version_num = '0001'", f"DELETE FROM {migrate.VERSION_TABLE}"),
    *("DROP VIEW v_sync_runs", "DROP TABLE credits", "CREATE TABLE other (a int)", "CREATE VIEW other AS SELECT 1"),
    *("ALTER TABLE models ADD COLUMN a int", "CREATE INDEX other ON models (name)"),
)
OF_THE_SERVER = {
    "postgresql": (
        *("SELECT setval('sync_runs_run_id_seq', 1)", "SET ROLE postgres", "ALTER TABLE models DISABLE TRIGGER ALL"),
        "SET session_replication_role = replica",
        "CREATE RULE other AS ON UPDATE TO models DO INSTEAD NOTHING",
        "MERGE INTO catalog_changes USING sync_runs ON true WHEN MATCHED THEN DELETE",
    ),
    "mariadb": (
        "REPLACE INTO sync_run_modes SELECT * FROM sync_run_modes",
        "INSERT INTO sync_run_modes SELECT * FROM sync_run_modes ON DUPLICATE KEY UPDATE status = 'failed'",
        "CREATE TRIGGER other BEFORE UPDATE ON models FOR EACH ROW SET NEW.name = 'x'",
        "LOCK TABLES models WRITE",
    ),
}

pytestmark = pytest.mark.parametrize("database_kind", HEADINGS, indirect=True)


def rewrites() -> Iterator[str]:
    """A statement for each column that the job may not change, and for each table that it may not empty."""
    for table in metadata.tables:
        rights = JOB_RIGHTS[table]
        yield from (f"UPDATE {table} SET {column} = DEFAULT" for column in PROTECTED[table])
        yield f"TRUNCATE TABLE {table}"
        if not rights.delete:
            yield f"DELETE FROM {table}"
        if not rights.insert:
            yield f"INSERT INTO {table} SELECT * FROM {table}"


def test_h14_the_job_keeps_the_catalog_and_the_owner_migrates_and_prunes(
    accounts: Accounts, lived: SyncedDatabase, shell: Shell
) -> None:
    assert {status for (status,) in lived.query(STATUS)} == STATUSES
    assert "lacks this permission" in error_line(shell("prune", "--before", "2100-01-01T00:00:00Z"), 6)
    lived.verify()

    shell.set(DATABASE_URL=accounts.owner)
    output(shell("migrate"))
    output(shell("prune", "--before", "2100-01-01T00:00:00Z"))
    output(shell("verify"))


def test_h14_the_job_keeps_the_catalog_beside_the_triggers(accounts: Accounts, shell: Shell, tmp_path: Path) -> None:
    accounts.add_triggers()
    accounts.add_triggers()  # as after an upgrade

    lived = do_everything(shell, accounts.job, tmp_path)

    assert {status for (status,) in lived.query(STATUS)} == STATUSES
    assert accounts.permitted([*AFTER_THE_END, *REMARKS, *WITHOUT_A_SEAL]) == []
    lived.verify()


def test_h14_a_schedule_runs_with_the_account_of_the_job(accounts: Accounts, shell: Shell, tmp_path: Path) -> None:
    synced = SyncedDatabase(shell, accounts.job, tmp_path, is_synced=True)
    with (
        RudeServer(image=image(), video=video()) as api,
        synced.process("schedule", "--every", "1h", api=api) as run,
    ):
        eventually(lambda: query_rows(accounts.owner, STATUS) == [("success",)])
        run.send_signal(signal.SIGTERM)
        assert finished(run, within=10).code == 0


def test_h14_the_job_cannot_rewrite_what_is_recorded(
    accounts: Accounts, lived: SyncedDatabase, database_kind: str
) -> None:
    statements = [*rewrites(), *SCHEMA, *OF_THE_SERVER[database_kind]]

    assert accounts.permitted(statements) == []
    lived.verify()


def test_h14_the_job_may_set_the_columns_that_it_is_granted(accounts: Accounts) -> None:
    columns = [(table, column) for table, rights in JOB_RIGHTS.items() for column in rights.update]
    statements = [f"UPDATE {table} SET {column} = {column} WHERE 1 = 0" for table, column in columns]

    assert accounts.permitted(statements) == statements


def test_h14_an_upgrade_by_the_job_is_exit_2_and_says_whose_task_it_is(accounts: Accounts, shell: Shell) -> None:
    migrate.downgrade(accounts.owner, "0004")
    shell.set(DATABASE_URL=accounts.job)

    line = error_line(shell("sync", "--migrate"), 2)
    assert "as the account that owns the tables" in line or "may not create tables in schema public" in line
