"""The SQL files of the views: what is read from them, and that every database agrees with them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, inspect

from models_db.engine import migration_engine, open_engine, read_transaction
from models_db.migrate import upgrade
from models_db.tables.metadata import metadata
from models_db.views import install
from models_db.views.loader import FOLDER, NAMES, VIEWS, View, load, parse
from tests.models_db.first_release import create_first_release
from tests.support.made_responses import FULL, model
from tests.support.run_driver import HOUR, Host

TEXT = """\
-- One row per model,
-- and another line.
--
-- A note on the SQL.

SELECT
    models.model_id,  -- the id
    name,             -- a name -- with dashes
    -- A reason.
    CASE WHEN 1 = 1
        THEN 1
    END AS is_new     -- 1 if new
FROM models
"""
AFTER_THE_FIRST_RELEASE = datetime(2027, 1, 1, tzinfo=UTC)
# Where the comment of the stored column would be wrong for the view.
OTHER_WORDS = {
    ("v_credit_cost_changes", "delta_cost"),
    ("v_credit_cost_changes", "pct_change"),
    ("v_credit_cost_changes", "change_kind"),
    ("v_current_catalog", "credit_cost_since"),
    ("v_rejected_models", "since"),
    ("v_credit_cost_steps", "step_at"),
    ("v_watch_daily", "first_success_at"),
    ("v_watch_daily", "last_success_at"),
}


def test_a_file_gives_the_views_comment_and_its_columns_in_order() -> None:
    view = parse("v_x", TEXT)

    assert view.comment == "One row per model, and another line."
    assert [(column.name, column.comment) for column in view.columns] == [
        ("model_id", "the id"),
        ("name", "a name -- with dashes"),
        ("is_new", "1 if new"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT\n    1 AS one  -- one\nFROM models\n",
        "-- One row.\nSELECT\n    1 AS one\nFROM models\n",
        "-- One row.\nSELECT\n    1 AS one,  -- one\n    2 AS one  -- two\nFROM models\n",
    ],
    ids=["no comment of the view", "no comment of a column", "two comments of a column"],
)
def test_a_file_without_its_comments_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="view v_x has no comment"):
        parse("v_x", text)


def test_every_file_is_a_view_and_every_view_a_file() -> None:
    files = {path.name for path in FOLDER.glob("*.sql")}
    other_texts = {f"{view.name}.{dialect}.sql" for view in VIEWS for dialect in view.other_texts}

    assert files == {f"{name}.sql" for name in NAMES} | other_texts


def test_one_database_can_have_a_text_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "v_x.sql").write_text(TEXT)
    (tmp_path / "v_x.postgresql.sql").write_text(TEXT.replace("1 = 1", "TRUE"))
    (view,) = load(tmp_path, ["v_x"])

    assert "TRUE" in view.select("postgresql")
    assert "TRUE" not in view.select("sqlite") + view.select("mariadb")
    assert view.digest("postgresql") != view.digest("sqlite") == view.digest("mariadb")


@pytest.mark.parametrize("comment", ["-- One row per model,", "-- the id"])
def test_two_texts_of_a_view_have_the_same_comments(tmp_path: Path, comment: str) -> None:
    (tmp_path / "v_x.sql").write_text(TEXT)
    (tmp_path / "v_x.postgresql.sql").write_text(TEXT.replace(comment, f"{comment} or so"))

    with pytest.raises(ValueError, match="differ in a column or a comment"):
        list(load(tmp_path, ["v_x"]))


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_database_gets_its_own_text(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "v_x.sql").write_text("-- One row.\nSELECT\n    1 AS number  -- a number\n")
    (tmp_path / "v_x.postgresql.sql").write_text("-- One row.\nSELECT\n    2 AS number  -- a number\n")
    monkeypatch.setattr(install, "VIEWS", (*VIEWS, *load(tmp_path, ["v_x"])))

    upgrade(database_url)

    with migration_engine(database_url).connect() as connection:
        assert connection.exec_driver_sql("SELECT number FROM v_x").scalar() == 2


@pytest.mark.parametrize("view", VIEWS, ids=NAMES)
def test_a_text_has_nothing_that_a_driver_or_a_database_takes_differently(view: View) -> None:
    """Drivers replace ``%s`` and SQLAlchemy ``:name``, in comments too; a script is split at ``;`` and line end."""
    for text in (view.text, *view.other_texts.values()):
        assert re.findall(r"%|(?<![:\w\\]):\w|;$", text, re.MULTILINE) == []
        assert "'" not in re.sub("--.*", "", text), "MariaDB gives a string literal the session's collation"


def test_a_stored_column_is_described_in_the_same_words_as_in_its_table() -> None:
    stored = {str(column): column.comment for table in metadata.tables.values() for column in table.columns}
    table_definitions = {
        (view.name, alias or column.partition(".")[2]): (comment, stored[column])
        for view in VIEWS
        for column, alias, comment in re.findall(r"^ +(\w+\.\w+)(?: AS (\w+))?,? +-- (.+)$", view.text, re.MULTILINE)
        if column in stored
    }

    assert {name for name, (comment, words) in table_definitions.items() if comment != words} == OTHER_WORDS


def rows(connection: Connection, query: str) -> list[str]:
    return sorted(map(repr, connection.exec_driver_sql(query)))


def test_the_database_reports_the_columns_of_the_file(engine: Engine) -> None:
    reported = inspect(engine)

    assert {view.name: [column["name"] for column in reported.get_columns(view.name)] for view in VIEWS} == {
        view.name: [column.name for column in view.columns] for view in VIEWS
    }


def test_a_text_that_is_copied_and_run_gives_the_rows_of_the_view(database_url: str) -> None:
    """A text for all databases gives them too where the database has a separate text."""
    create_first_release(database_url)
    upgrade(database_url)
    engine = open_engine(database_url)
    # The first release has no rows of later tables. The sync fills every table.
    host = Host(engine, now=AFTER_THE_FIRST_RELEASE)
    for cost in (5, 7):
        host.sync([{**FULL, "credits": {**FULL["credits"], "default_cost": cost}}, model("bad", cost=-1)], [])
        host.now += 24 * HOUR
    with read_transaction(engine) as connection:
        for view in VIEWS:
            installed = rows(connection, f"SELECT * FROM {view.name}")
            assert installed
            assert rows(connection, view.select(engine.dialect.name)) == installed
            assert rows(connection, view.text) == installed
    engine.dispose()
