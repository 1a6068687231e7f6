"""What the grants of the job permit, because a run needs it, is found by ``verify`` when it is not what a run did."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, Update, text
from sqlalchemy.exc import DBAPIError

from models_db.engine import open_engine
from models_db.engine.permissions import is_denied
from models_db.job_grants import JOB_RIGHTS
from sync.store.verify.read_models import Verification
from tests.cli.conftest import Shell
from tests.operations.job_account import AFTER_THE_END, HEADINGS, REMARKS, Accounts
from tests.support.commands import error_line
from tests.support.other_values import changes_of
from tests.support.synced_database import SyncedDatabase
from tests.support.whole_job import CHECKPOINTS

NO_HISTORY = {"notify_cursors"}
"""Tables that say nothing about the catalog."""
GRANTED = {
    f"{table}.{column}" for table, rights in JOB_RIGHTS.items() if table not in NO_HISTORY for column in rights.update
}
UNSEALED = {
    *("sync_runs.error_type", "sync_runs.error_message", "sync_runs.note", "ignored_fields.reason"),  # remarks
    *("sync_state.version", "watch_days.successful_syncs"),  # they also count runs that were pruned
    *("sync_runs.observed_at", "sync_runs.tick"),
}
"""Columns of which ``verify`` does not find every change."""
_PAST = "'2024-01-01 06:00:00.000000'"
_LATER = "'2024-01-01 07:00:00.000000'"
_RUN = (
    "INSERT INTO sync_runs (run_id, started_at, observed_at, finished_at, status, trigger_kind, app_version)"
    f" VALUES (900, {_PAST}, {_PAST}, {_PAST}, 'success', 'import', '0')"
)
_OF_RUN = (
    "INSERT INTO sync_run_modes (run_id, mode, status, attempts, stamp, is_good)"
    f" VALUES (900, 'image', 'success', 1, {_PAST}, 1)"
)
MADE_UP = {
    "a version": f"INSERT INTO model_versions (model_pk, raw, valid_from, valid_to, opened_run_id, closed_run_id)"
    f" SELECT min(model_pk), '{{}}', {_PAST}, {_LATER}, 1, 1 FROM models",
    "a cost": "INSERT INTO credit_history (model_pk, default_cost, default_cost_exact, valid_from, valid_to,"
    f" opened_run_id, closed_run_id) SELECT min(model_pk), 1, '1', {_PAST}, {_LATER}, 1, 1 FROM models",
    "a change": "INSERT INTO catalog_changes (run_id, model_pk, changed_at, entity, change_kind, is_cost_event)"
    f" SELECT 1, min(model_pk), {_PAST}, 'models', 'changed', 0 FROM models",
    "a model": f"INSERT INTO models (mode, model_id, first_seen_at) VALUES ('image', 'made-up', {_PAST})",
    "a rejection": "INSERT INTO rejected_models (mode, raw_sha256, valid_from, reason, opened_run_id)"
    f" VALUES ('image', 'abc', {_PAST}, 'x', 1)",
    "an ignored field": "INSERT INTO ignored_fields (path, valid_from, valid_to, reason, added_by)"
    f" VALUES ('models.name', {_PAST}, '2030-01-01 00:00:00.000000', 'x', 'x')",
    "a run": f"{_RUN}; {_OF_RUN}",
    "a mode of a run": "INSERT INTO sync_run_modes (run_id, mode, status, attempts, stamp, is_good)"
    f" SELECT run_id, 'video', 'success', 1, {_PAST}, 1 FROM sync_runs WHERE run_id = 1",
    "a seal": "INSERT INTO seals (seal_no, run_id, kind, leaf_hash, tree_root)"
    " SELECT max(seal_no) + 1, 1, 'unchanged', min(leaf_hash), min(tree_root) FROM seals",
    "a day": "INSERT INTO calendar_days (day, day_start_at, day_end_at)"
    " VALUES ('2020-01-01', '2020-01-01 00:00:00.000000', '2020-01-02 00:00:00.000000')",
    "a watched day": "INSERT INTO watch_days (mode, day, successful_syncs, first_success_at, last_success_at)"
    " VALUES ('image', '2035-01-01', 1, '2035-01-01 01:00:00.000000', '2035-01-01 01:00:00.000000')",
    "a note of a removed model": "INSERT INTO credits (model_pk) SELECT min(model_pk) FROM models"
    " WHERE removed_at IS NOT NULL",
    **{
        f"no rows in {table}": f"DELETE FROM {table}"
        for table, rights in JOB_RIGHTS.items()
        if rights.delete and table != "params"  # its options refer to it
    },
}

pytestmark = pytest.mark.parametrize("database_kind", HEADINGS, indirect=True)


@contextmanager
def job_connection(accounts: Accounts) -> Iterator[Connection]:
    engine = open_engine(accounts.job)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def is_found(connection: Connection, *statements: Update | str) -> bool:
    """Whether ``verify`` finds what the statements did. They are undone afterwards."""
    try:
        for statement in statements:
            connection.execute(text(statement) if isinstance(statement, str) else statement)
        return next(iter(Verification(connection).findings()), None) is not None
    finally:
        connection.rollback()


def is_found_or_no_row(connection: Connection, change: Update | str) -> bool:
    """``is_found``, or a constraint of the table, which is no matter of the account, refuses the change."""
    try:
        return is_found(connection, change)
    except DBAPIError as error:
        return not is_denied(error)


def test_each_column_that_the_job_may_change_is_verified(accounts: Accounts, lived: SyncedDatabase) -> None:
    tried, unseen = set(), set()
    with job_connection(accounts) as connection:
        for name in GRANTED:
            changes = list(changes_of(connection, *name.split(".")))
            connection.rollback()
            tried |= {name for _ in changes}
            unseen |= {name for change in changes if not is_found_or_no_row(connection, change)}
    assert tried == GRANTED
    assert unseen - UNSEALED == set()
    lived.verify()


def test_moved_ends_and_made_up_or_lost_rows_are_verified(accounts: Accounts, lived: SyncedDatabase) -> None:
    with job_connection(accounts) as connection:
        assert [change for change in AFTER_THE_END if not is_found_or_no_row(connection, change)] == []
        assert [change for change in REMARKS if is_found(connection, change)] == []
        assert [name for name, sql in MADE_UP.items() if not is_found(connection, *sql.split("; "))] == []
    lived.verify()


def test_a_kept_checkpoint_shows_a_moved_end_and_on_a_changed_tree_no_run_is_stored(
    accounts: Accounts, lived: SyncedDatabase, shell: Shell
) -> None:
    verify = ("verify", "--checkpoint", str(lived.home / CHECKPOINTS))
    assert shell(*verify).code == 0
    accounts.execute("UPDATE model_versions SET valid_to = '2030-01-01 00:00:00.000000' WHERE closed_run_id = 3")
    assert shell(*verify).code == 9

    accounts.execute("UPDATE catalog_identity SET tree_size = 0, frontier = NULL")
    assert shell(*verify).code == 9
    assert "it cannot be sealed" in error_line(lived.sync(), 6)
