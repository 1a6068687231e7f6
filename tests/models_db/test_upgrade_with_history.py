"""An upgrade from the first release keeps all history, also if a revision is interrupted."""

from __future__ import annotations

from datetime import timedelta
from itertools import count, pairwise
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from models_db import migrate
from models_db.engine import migration_engine, open_engine, read_transaction
from models_db.tables.column_types import UtcDateTime
from models_db.tables.columns import MODES
from models_db.tables.metadata import metadata
from sync import __version__
from sync.catalog.changes.mode_plan import APPLIED_STATUSES
from sync.store.verify.read_models import Verification
from tests.models_db.first_release import (
    FIRST_RELEASE_COLUMNS,
    FIRST_REVISION,
    create_first_release,
    first_release_rows,
    revisions,
)
from tests.models_db.interrupted_migrations import Interrupted, OnStatement, interrupt_at
from tests.models_db.migrated_schema import TABLES_AND_VIEWS, table_definitions, tables_and_views
from tests.models_db.newer_program import NEXT, add_revision
from tests.support.stored_rows_checker import assert_consistent

STEPS = list(pairwise(revisions()))
# A batch neither copies generated columns nor keeps AUTOINCREMENT: see alembic/script.py.mako.
REBUILD = f"""
def upgrade() -> None:
    for name in {sorted(metadata.tables)}:
        counts = {{"sqlite_autoincrement": True}} if name in ("models", "sync_runs", "catalog_changes") else {{}}
        with op.batch_alter_table(name, recreate="always", table_kwargs=counts) as table:
            if name in ("model_versions", "credit_history"):
                is_open = sa.Computed("CASE WHEN valid_to IS NULL THEN model_pk END", persisted=True)
                table.drop_constraint(f"uq_{{name}}_open_model_pk", type_="unique")
                table.drop_column("open_model_pk")
                table.add_column(sa.Column("open_model_pk", sa.Integer(), is_open))
                table.create_unique_constraint(f"uq_{{name}}_open_model_pk", ["open_model_pk"])


def downgrade() -> None:
    pass
"""


@pytest.fixture
def released_url(database_url: str) -> str:
    """A database of the first release, with history."""
    create_first_release(database_url)
    return database_url


def revision_of(url: str) -> str | None:
    with migration_engine(url).connect() as connection:
        return migrate.current_revision(connection)


def require_consistent(url: str) -> None:
    """Runs the program's verification and the independent one of the tests."""
    engine = open_engine(url)
    assert_consistent(engine)
    with read_transaction(engine) as connection:
        assert list(Verification(connection).findings()) == []
    engine.dispose()


def unquoted(tables: dict[str, list[str]]) -> dict[str, list[str]]:
    """The definitions without quotes: SQLite quotes the name of a table that was rebuilt."""
    return {name: [line.replace('"', "") for line in lines] for name, lines in tables.items()}


def test_the_history_of_the_first_release_has_every_status_and_kind_of_change(released_url: str) -> None:
    rows = first_release_rows(released_url)

    assert revision_of(released_url) == FIRST_REVISION
    assert all(rows.values())
    with migration_engine(released_url).connect() as connection:
        statuses = set(connection.scalars(text("SELECT status FROM sync_runs")))
        kinds = set(connection.scalars(text("SELECT change_kind FROM catalog_changes")))
    assert statuses == {"success", "partial", "held", "failed", "abandoned", "running"}
    assert len(kinds) == 8


def test_an_upgrade_to_head_keeps_every_row(released_url: str, migrated_url: str) -> None:
    before = first_release_rows(released_url)
    migrate.upgrade(released_url)

    assert first_release_rows(released_url) == before
    assert tables_and_views(released_url) == TABLES_AND_VIEWS
    assert table_definitions(released_url) == table_definitions(migrated_url)
    require_consistent(released_url)


STAMPS = "SELECT mode, stamp, is_good, hold_reason, status FROM sync_run_modes ORDER BY mode, run_id"
A_RUN = (
    "INSERT INTO sync_runs (run_id, started_at, observed_at, status, trigger_kind, app_version)"
    " VALUES (900, '2020-01-01 00:00:00', '2020-01-01 00:00:00', 'success', 'cli', '0.1.0')"
)
CLOCK_SET_BACK = (
    A_RUN,
    "INSERT INTO sync_run_modes (run_id, mode, status, attempts) VALUES (900, 'image', 'success', 1)",
)


def test_an_upgrade_gives_each_applied_mode_its_stamp(released_url: str) -> None:
    with migration_engine(released_url).begin() as connection:
        for statement in CLOCK_SET_BACK:
            connection.exec_driver_sql(statement)
    migrate.upgrade(released_url)

    with migration_engine(released_url).connect() as connection:
        rows = connection.execute(text(STAMPS).columns(stamp=UtcDateTime)).all()
    for mode in MODES:
        stamps = [row.stamp for row in rows if row.mode == mode and row.stamp]
        assert stamps == sorted(set(stamps))
        assert len(stamps) == len([row for row in rows if row.mode == mode and row.status in APPLIED_STATUSES])
    image = [row.stamp for row in rows if row.mode == "image" and row.stamp]
    assert image[-1] - image[-2] == timedelta(microseconds=1)
    assert {(row.status, row.is_good, row.hold_reason) for row in rows} == {
        ("success", 1, None),
        ("partial", 0, None),
        ("held", 0, "removals"),
        ("failed", 0, None),
        ("superseded", 0, None),
    }


RUNS = (
    (901, "image", "success", "cli", "https://one.example"),
    (902, "video", "partial", "schedule", "https://two.example"),
    (903, "image", "success", "import", None),
    (904, "video", "failed", "cli", "https://three.example"),
)
INSERT_RUN = text(
    "INSERT INTO sync_runs (run_id, started_at, finished_at, status, trigger_kind, base_url, app_version)"
    " VALUES (:run, '2026-03-09 00:00:00', '2026-03-09 00:00:00', :status, :kind, :url, '0.1.0')"
)
INSERT_MODE = text("INSERT INTO sync_run_modes (run_id, mode, status, attempts) VALUES (:run, :mode, :status, 1)")


def test_an_upgrade_takes_the_base_url_from_the_last_applied_sync(released_url: str) -> None:
    with migration_engine(released_url).begin() as connection:
        for run, mode, status, kind, url in RUNS:
            connection.execute(INSERT_RUN, {"run": run, "status": status, "kind": kind, "url": url})
            connection.execute(INSERT_MODE, {"run": run, "mode": mode, "status": status})
    migrate.upgrade(released_url)

    with migration_engine(released_url).connect() as connection:
        states = {(row.mode, row.base_url) for row in connection.execute(text("SELECT mode, base_url FROM sync_state"))}
    assert states == {("image", "https://one.example"), ("video", "https://two.example")}


def test_an_upgrade_gives_the_catalog_an_id_and_another_one_leaves_it(released_url: str) -> None:
    identities = []
    for _ in range(2):
        migrate.upgrade(released_url)
        with migration_engine(released_url).connect() as connection:
            identities.append([tuple(row) for row in connection.execute(text("SELECT * FROM catalog_identity"))])

    assert identities[0] == identities[1]
    ((catalog_id, _, version, *_),) = identities[0]
    assert str(UUID(catalog_id)) == catalog_id
    assert version == __version__


@pytest.mark.parametrize(("older", "newer"), STEPS)
def test_a_revision_interrupted_at_any_statement_can_be_run_again(
    released_url: str, on_statement: OnStatement, older: str, newer: str
) -> None:
    """On MariaDB each attempt continues after the last one; elsewhere the last one was rolled back."""
    migrate.upgrade(released_url, older)
    before, schema = first_release_rows(released_url), (older, table_definitions(released_url))
    for number in count(1):
        on_statement(interrupt_at(number))
        try:
            migrate.upgrade(released_url, newer)
        except Interrupted:
            assert first_release_rows(released_url) == before
            assert (
                released_url.startswith("mariadb")
                or (revision_of(released_url), table_definitions(released_url)) == schema
            )
            continue
        break

    assert number > 1
    assert (revision_of(released_url), first_release_rows(released_url)) == (newer, before)
    on_statement(lambda _: None)
    migrate.upgrade(released_url)
    require_consistent(released_url)


@pytest.mark.parametrize(("older", "newer"), STEPS)
def test_a_downgrade_and_an_upgrade_keep_the_history(released_url: str, older: str, newer: str) -> None:
    before = first_release_rows(released_url)
    migrate.upgrade(released_url, newer)
    migrate.downgrade(released_url, older)
    assert (revision_of(released_url), first_release_rows(released_url)) == (older, before)

    migrate.upgrade(released_url)

    assert first_release_rows(released_url) == before
    require_consistent(released_url)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_rebuilding_every_table_deletes_no_row_on_sqlite(
    released_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite drops a table to rebuild it, and enforced foreign keys would delete the referring rows or fail."""
    migrate.upgrade(released_url)
    before, tables = first_release_rows(released_url), table_definitions(released_url)
    add_revision(REBUILD, tmp_path, monkeypatch)
    migrate.upgrade(released_url)

    assert unquoted(table_definitions(released_url)) == unquoted(tables)
    assert (revision_of(released_url), first_release_rows(released_url)) == (NEXT, before)
    require_consistent(released_url)
    with open_engine(released_url).connect() as connection, pytest.raises(IntegrityError):
        connection.execute(text("INSERT INTO credits (model_pk) VALUES (77)"))


def test_every_table_and_column_of_the_first_release_still_exists() -> None:
    """History is never dropped."""
    assert FIRST_RELEASE_COLUMNS.keys() <= metadata.tables.keys()
    assert {
        name: set(columns) - {*metadata.tables[name].columns.keys()} for name, columns in FIRST_RELEASE_COLUMNS.items()
    } == {name: set() for name in FIRST_RELEASE_COLUMNS}
