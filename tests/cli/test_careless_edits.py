"""A single edit by hand, of any cell or row of any table, is found by ``verify``, or the page says what finds it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from sync.store.verify.read_models import Verification
from tests.support import database_servers
from tests.support.audited_history import make_audited_history
from tests.support.careless_edits import TABLES, CarelessEdit, careless_edits
from tests.support.shared_history import CHECKS_OFF, shared_history

PAGE = Path(__file__).parents[2] / "docs/commands.md"
# Rows of each column that are edited. Each costs a whole verification, which takes longer on a server.
ROWS_OF_EACH = {"sqlite": 2, "postgresql": 1, "mariadb": 1}
SEALED = {
    *("model_versions.raw", "ignored_fields.path", "catalog_identity.catalog_id"),
    *("sync_run_modes.payload_sha256", "sync_run_modes.payload_bytes", "sync_run_modes.asked_at"),
    *("sync_run_modes.hold_reason", "sync_runs.accepted", "sync_runs.finished_at", "sync_runs.trigger_kind"),
    *("sync_runs.app_version", "sync_runs.host", "sync_runs.key_fingerprint"),
}
"""Places where an edit may agree with everything else that is stored, but for the seal of the run."""
NEVER_FOUND = {
    *("sync_runs.started_at", "sync_runs.note", "sync_runs.error_type", "sync_runs.error_message"),
    *("sync_runs.source_catalog_id", "sync_runs.source_run_id", "sync_runs.tick"),
    *("sync_run_modes.attempts", "sync_run_modes.response_age", "catalog_changes.change_id"),
    *("ignored_fields.reason", "ignored_fields.added_by", "ignored_fields.valid_from", "ignored_fields.valid_to"),
    *("rejected_models.reason", "catalog_identity.created_at", "catalog_identity.created_by_version"),
}
"""Places that no seal covers, or not always."""
WHOLE_ROWS = {"copy sync_runs", "delete ignored_fields"}
"""What a run that failed may have written, or a field that was ignored without effect."""
WITHOUT_SEAL = text(
    "SELECT run_id FROM sync_runs WHERE NOT EXISTS"
    " (SELECT 1 FROM sync_run_modes WHERE sync_run_modes.run_id = sync_runs.run_id AND stamp IS NOT NULL)"
)
"""Runs that applied nothing: what they say of themselves follows from nothing else."""


@pytest.fixture(scope="module", params=database_servers.KINDS)
def history(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("audited")
    with shared_history(str(request.param), folder, make_audited_history) as engine:
        yield engine


def test_the_history_without_an_edit_is_consistent(history: Engine) -> None:
    with history.connect() as connection:
        assert list(Verification(connection).findings()) == []


@pytest.mark.parametrize("table", TABLES)
def test_a_careless_edit_is_found_or_the_page_names_its_place(history: Engine, table: str) -> None:
    with history.connect() as connection:
        edits = list(careless_edits(connection, table, ROWS_OF_EACH[connection.dialect.name]))
        failed = set(connection.scalars(WITHOUT_SEAL))
        connection.rollback()
        checked = [edit for edit in edits if not _is_exempt(edit, failed)]
        missed = [str(edit) for edit in checked if not _is_found(connection, edit)]

    assert missed == []


def _is_exempt(edit: CarelessEdit, failed_runs: Collection[object]) -> bool:
    is_of_failed_run = edit.table in ("sync_runs", "sync_run_modes") and edit.row[0] in failed_runs
    return is_of_failed_run or edit.place in NEVER_FOUND | WHOLE_ROWS


def _is_found(connection: Connection, edit: CarelessEdit) -> bool:
    """Whether ``verify`` finds the edit, which is undone, or the database refuses it."""
    connection.exec_driver_sql(CHECKS_OFF[connection.dialect.name])
    try:
        connection.execute(edit.statement)
    except DBAPIError:
        return True
    else:
        return next(Verification(connection).findings(), None) is not None
    finally:
        connection.rollback()


def test_the_page_names_each_place_that_contradicts_nothing_else() -> None:
    section = PAGE.read_text().partition("### What verify alone does not find")[2].partition("\n### ")[0]
    sealed, _, never = section.partition("No seal covers")

    assert (_places(sealed), _places(never)) == (SEALED, NEVER_FOUND)


def _places(part: str) -> set[str]:
    return set(re.findall(r"`(\w+\.\w+)`", part))
