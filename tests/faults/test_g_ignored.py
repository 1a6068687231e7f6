"""Fault G9: fields that change at every response, and what a person ignores of them."""

from __future__ import annotations

import json
import shlex
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models_db.engine import open_engine
from models_db.tables import ignored_fields
from tests.faults.conftest import on_sqlite
from tests.support.api_catalogs import Model, envelope, model
from tests.support.commands import error_line, output
from tests.support.database_contents import changed_tables, every_row
from tests.support.synced_database import SyncedDatabase, image

NAMES = [f"acme/image-{number}" for number in range(4)]
PATHS = "SELECT entity, field, old_value, new_value FROM catalog_changes WHERE run_id > 1 ORDER BY change_id"
NOTE = "SELECT note FROM sync_runs ORDER BY run_id"
VERSIONS = "SELECT COUNT(*) FROM model_versions"


def noisy(value: int, **fields: Any) -> list[Model]:
    """The models of run 1 with a latency, and a rank in a parameter that the raw parameters repeat."""
    params = {"size": {"type": "string", "rank": value}}
    extra = {"latency_ms": value, "params": params, "raw_available_params": params, **fields}
    return [model(name, cost, **extra) for cost, name in enumerate(NAMES, start=1)]


def sync(synced: SyncedDatabase, value: int, **fields: Any) -> str:
    return synced.succeeds(image=image(noisy(value, **fields)))


def add(synced: SyncedDatabase, *paths: str) -> str:
    return output(synced.shell("ignore", "add", *paths, "--why", "it is noise", "--by", "Ada"))


def changed_fields(synced: SyncedDatabase) -> set[str]:
    return {f"{entity}.{field}" for entity, field, *_ in synced.query(PATHS)}


def test_g9_an_ignored_field_opens_no_version_and_makes_no_event(synced: SyncedDatabase) -> None:
    sync(synced, 1)
    printed = add(synced, "models.latency_ms", "params.*.rank")
    before = synced.catalog()
    sync(synced, 2)
    sync(synced, 3)

    assert "models.latency_ms is ignored from " in printed
    assert changed_tables(before, synced.catalog()) == {"sync_state"}
    assert synced.query("SELECT models_changed FROM sync_run_modes WHERE mode = 'image' ORDER BY run_id")[-2:] == [
        (0,),
        (0,),
    ]


def test_g9_what_changes_beside_it_is_recorded_with_the_text_as_it_was_sent(synced: SyncedDatabase) -> None:
    sync(synced, 1)
    add(synced, "models.latency_ms", "params.*.rank")
    before = len(synced.query(PATHS))
    sync(synced, 2, tier="pro")

    assert synced.query(PATHS)[before:] == [("models", "tier", None, '"pro"')] * 4
    newest = synced.query("SELECT raw FROM model_versions WHERE valid_to IS NULL ORDER BY model_pk")
    assert [json.loads(raw)["latency_ms"] for (raw,) in newest[:4]] == [2] * 4
    definitions = synced.query("SELECT definition FROM params")
    assert {json.loads(definition)["rank"] for (definition,) in definitions} == {2}


def test_g9_after_remove_the_first_difference_says_that_it_may_be_as_old_as_the_ignoring(
    synced: SyncedDatabase,
) -> None:
    sync(synced, 1)
    add(synced, "models.latency_ms")
    ((start,),) = synced.query("SELECT valid_from FROM ignored_fields")
    sync(synced, 2, params={}, raw_available_params={})
    output(synced.shell("ignore", "remove", "models.latency_ms", "--by", "Bob", "--why", "rounded now"))
    sync(synced, 3, params={}, raw_available_params={}, tier="pro")
    sync(synced, 4, params={}, raw_available_params={}, tier="pro")

    query = "SELECT new_value, not_before FROM catalog_changes WHERE field = '{}' AND run_id >= 4 ORDER BY change_id"
    latencies, tiers = (synced.query(query.format(field)) for field in ("latency_ms", "tier"))
    assert [value for value, _ in latencies] == ["3"] * 4 + ["4"] * 4
    assert {not_before for _, not_before in latencies[:4]} == {start}
    assert all(not_before > start for _, not_before in (*tiers, *latencies[4:]))
    ((reason,),) = synced.query("SELECT reason FROM ignored_fields")
    assert reason == "it is noise (removed by Bob: rounded now)"


def test_g9_after_remove_nothing_is_found_where_nothing_differs(synced: SyncedDatabase) -> None:
    sync(synced, 1)
    add(synced, "models.latency_ms", "params.*.rank")
    sync(synced, 2)
    for path in ("models.latency_ms", "params.*.rank"):
        output(synced.shell("ignore", "remove", path))
    before = synced.query(PATHS)
    sync(synced, 1)

    assert synced.query(PATHS) == before


def test_g9_a_field_that_changes_run_after_run_is_noted_with_the_command_that_ignores_it(
    synced: SyncedDatabase,
) -> None:
    for value in range(1, 6):
        sync(synced, value)
    # In the first of these runs the field came; in each of them it is changed.
    notes = [note for (note,) in synced.query(NOTE)]
    assert notes[:5] == [None] * 5
    command = "catalog-sync ignore add models.latency_ms params.size.rank --why"
    assert command not in (notes[5] or "")  # params came as a whole in run 2
    sync(synced, 6)
    ((note,),) = synced.query(NOTE)[-1:]
    assert command in note
    assert "more than half of the image models in each of the last 5 runs" in note

    arguments = shlex.split(note.partition("run catalog-sync ")[2].partition(" --why")[0])
    output(synced.shell(*arguments, "--why", "it is noise"))
    before = synced.catalog()
    sync(synced, 7)
    assert changed_tables(before, synced.catalog()) == {"sync_state"}
    assert synced.query(NOTE)[-1] == (None,)


@on_sqlite
def test_g9_half_of_the_models_four_runs_and_costs_are_not_noted(synced: SyncedDatabase) -> None:
    for value in range(8):
        half = [model(name, value + 1, beat=value) for name in NAMES[:2]]
        synced.succeeds("--mode", "image", image=image(half + [model(name, value + 1) for name in NAMES[2:]]))
    assert {note for (note,) in synced.query(NOTE)} == {None}


def test_g9_the_list_and_status_show_what_is_ignored_since_when_and_why(synced: SyncedDatabase) -> None:
    add(synced, "models.latency_ms", "params.*.rank")
    output(synced.shell("ignore", "remove", "params.*.rank"))
    shown = output(synced.shell("ignore", "list"))
    document = json.loads(output(synced.shell("ignore", "list", "--json")))
    status = json.loads(output(synced.shell("status", "--json")))["ignored"]

    assert [row["path"] for row in document] == ["models.latency_ms", "params.*.rank"]
    assert (document[0]["valid_to"], document[0]["added_by"], document[0]["reason"]) == (None, "Ada", "it is noise")
    assert document[1]["valid_to"] > document[1]["valid_from"]
    assert "PATH" in shown
    assert "params.*.rank" in shown
    assert [row["path"] for row in status] == ["models.latency_ms"]
    assert "ignored: models.latency_ms since " in output(synced.shell("status"))
    assert "params.*.rank" not in output(synced.shell("status"))
    synced.verify()


REFUSED = [
    *("", ".", "models", "models.", "models.*", "models.id", "models.id.x", "models.mode", "latency_ms"),
    *("credits", "credits.*", "credits.default_cost", "*", "*.latency_ms", "*.id", "model.latency_ms", "Models.x"),
    *("models..x", "models.x.", "params.a\\", "params.a\\x", "params.ra*", "params.**", "models.params.x.rank"),
    "models." + "x" * 249,
]


def test_g9_a_path_that_cannot_be_ignored_is_exit_2_and_nothing_is_stored(synced: SyncedDatabase) -> None:
    before = every_row(synced.url)
    for path in REFUSED:
        line = error_line(synced.shell("ignore", "add", "--why", "x", "--", path), 2)
        assert "not added" in line, line
        error_line(synced.shell("ignore", "add", "--why", "x", "--", "models.fine", path), 2)
    error_line(synced.shell("ignore", "add", "models.fine"), 2)
    error_line(synced.shell("ignore", "add", "models.fine", "--why", " "), 2)
    assert "not ignored" in error_line(synced.shell("ignore", "remove", "models.fine"), 2)
    assert changed_tables(before, every_row(synced.url)) == set()

    add(synced, "models.fine")
    before = every_row(synced.url)
    assert "ignored already" in error_line(synced.shell("ignore", "add", "models.fine", "--why", "x"), 2)
    assert changed_tables(before, every_row(synced.url)) == set()
    output(synced.shell("ignore", "remove", "models.fine"))
    error_line(synced.shell("ignore", "remove", "models.fine"), 2)
    add(synced, "models.fine")
    synced.verify()


def test_g9_an_import_judges_by_the_time_of_the_line(synced: SyncedDatabase) -> None:
    sync(synced, 1)
    add(synced, "models.latency_ms")
    with open_engine(synced.url).connect() as connection:
        start = connection.execute(select(ignored_fields.c.valid_from)).scalar_one()
    before = len(synced.query(PATHS))
    lines = [
        {"at": at.isoformat(), "image": json.loads(envelope(noisy(value, params={}, raw_available_params={})))}
        for at, value in ((start - timedelta(microseconds=1), 2), (start, 3), (start + timedelta(seconds=1), 4))
    ]
    (synced.home / "lines.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    output(synced.shell("import", str(synced.home / "lines.jsonl")))

    latencies = [row for row in synced.query(PATHS)[before:] if row[1] == "latency_ms"]
    assert latencies == [("models", "latency_ms", "1", "2")] * 4
    synced.verify()


STORED: list[tuple[str, str]] = [
    ("UPDATE ignored_fields SET path = 'credits.*'", "cannot be ignored"),
    ("UPDATE ignored_fields SET path = 'nothing.x'", "cannot be ignored"),
    (
        "INSERT INTO ignored_fields SELECT path, '2001-01-01 00:00:00.000000', NULL, '', '' FROM ignored_fields",
        "overlaps the previous one",
    ),
    ("DELETE FROM ignored_fields", "missing"),
]


@on_sqlite
@pytest.mark.parametrize(("statement", "problem"), STORED)
def test_g9_verify_finds_rows_that_the_command_would_not_have_written(
    synced: SyncedDatabase, statement: str, problem: str
) -> None:
    sync(synced, 1)
    add(synced, "models.latency_ms")
    sync(synced, 2, tier="pro")
    with open_engine(synced.url).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE before AS SELECT * FROM ignored_fields")
        connection.exec_driver_sql(statement)
    ended = synced.shell("verify")
    with open_engine(synced.url).begin() as connection:
        connection.exec_driver_sql("DELETE FROM ignored_fields")
        connection.exec_driver_sql("INSERT INTO ignored_fields SELECT * FROM before")
        connection.exec_driver_sql("DROP TABLE before")

    assert ended.code == 9
    assert problem in ended.out
