"""Upgrades lose nothing: the history of the first release comes to head, also when a step dies half-way."""

from __future__ import annotations

from itertools import count, pairwise
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from models_db import migrate
from models_db.engine import migration_engine, open_engine, read_transaction
from models_db.tables.metadata import metadata
from sync.store.verify.read_models import Verification
from tests.models_db.first_release import COLUMNS, FIRST, kept, release, revisions
from tests.models_db.interrupted_migration import Halt, Watch, halt_at
from tests.models_db.migrated_schema import OURS, contents, described
from tests.models_db.newer_program import NEXT, add_revision
from tests.support.stored_rows_checker import assert_consistent

STEPS = list(pairwise(revisions()))
# As the template of a revision says: a batch copies no generated column, and forgets AUTOINCREMENT.
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
    """The first release's database, with history."""
    release(database_url)
    return database_url


def revision_of(url: str) -> str | None:
    with migration_engine(url).connect() as connection:
        return migrate.current_revision(connection)


def require_sound(url: str) -> None:
    """By the program's own proof and by the independent one."""
    engine = open_engine(url)
    assert_consistent(engine)
    with read_transaction(engine) as connection:
        assert list(Verification(connection).findings()) == []
    engine.dispose()


def unquoted(tables: dict[str, list[str]]) -> dict[str, list[str]]:
    """A table that was rebuilt has its name in quotes."""
    return {name: [line.replace('"', "") for line in lines] for name, lines in tables.items()}


def test_the_history_of_the_first_release_has_everything_in_it(released_url: str) -> None:
    rows = kept(released_url)

    assert revision_of(released_url) == FIRST
    assert all(rows.values())
    with migration_engine(released_url).connect() as connection:
        statuses = set(connection.scalars(text("SELECT status FROM sync_runs")))
        kinds = set(connection.scalars(text("SELECT change_kind FROM catalog_changes")))
    assert statuses == {"success", "partial", "held", "failed", "abandoned", "running"}
    assert len(kinds) == 8


def test_it_comes_to_head_with_the_same_events_and_intervals(released_url: str, migrated_url: str) -> None:
    before = kept(released_url)
    migrate.upgrade(released_url)

    assert kept(released_url) == before
    assert contents(released_url) == OURS
    assert described(released_url) == described(migrated_url)
    require_sound(released_url)


@pytest.mark.parametrize(("older", "newer"), STEPS)
def test_a_step_that_dies_after_any_statement_can_be_run_again(
    released_url: str, watch: Watch, older: str, newer: str
) -> None:
    """On MariaDB each try goes on from what the last one left; elsewhere nothing of it is left."""
    migrate.upgrade(released_url, older)
    before, standing = kept(released_url), (older, described(released_url))
    for number in count(1):
        watch(halt_at(number))
        try:
            migrate.upgrade(released_url, newer)
        except Halt:
            assert kept(released_url) == before
            assert (
                released_url.startswith("mariadb") or (revision_of(released_url), described(released_url)) == standing
            )
            continue
        break

    assert number > 1
    assert (revision_of(released_url), kept(released_url)) == (newer, before)
    migrate.upgrade(released_url)
    require_sound(released_url)


@pytest.mark.parametrize(("older", "newer"), STEPS)
def test_down_a_step_and_up_again_keeps_the_history(released_url: str, older: str, newer: str) -> None:
    before = kept(released_url)
    migrate.upgrade(released_url, newer)
    migrate.downgrade(released_url, older)
    assert (revision_of(released_url), kept(released_url)) == (older, before)

    migrate.upgrade(released_url)

    assert kept(released_url) == before
    require_sound(released_url)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_making_every_table_anew_takes_no_row_along_on_sqlite(
    released_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There most changes of a table drop it: with foreign keys enforced, what refers to it would go or stop it."""
    migrate.upgrade(released_url)
    before, tables = kept(released_url), described(released_url)
    add_revision(REBUILD, tmp_path, monkeypatch)
    migrate.upgrade(released_url)

    assert unquoted(described(released_url)) == unquoted(tables)
    assert (revision_of(released_url), kept(released_url)) == (NEXT, before)
    require_sound(released_url)
    with open_engine(released_url).connect() as connection, pytest.raises(IntegrityError):
        connection.execute(text("INSERT INTO credits (model_pk) VALUES (77)"))


def test_every_table_of_the_first_release_is_still_there() -> None:
    """History is never dropped: a table that goes would take the proof of what was seen along."""
    assert COLUMNS.keys() <= metadata.tables.keys()
    assert {name: set(columns) - {*metadata.tables[name].columns.keys()} for name, columns in COLUMNS.items()} == {
        name: set() for name in COLUMNS
    }
