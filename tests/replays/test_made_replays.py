"""Made-up histories, more eventful than real ones, give exactly the rows of their truth on each database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine

from models_db.engine import open_engine
from tests.replays.comparison import (
    as_of_findings,
    import_file,
    moments,
    printed_findings,
    verify_findings,
    view_findings,
)
from tests.replays.made_catalog import MODES
from tests.replays.made_history import make_history
from tests.replays.truth import Truth, cost_of
from tests.support.commands import environment, output, run_process
from tests.support.migrated_databases import MigratedDatabases
from tests.support.run_driver import dump
from tests.support.stored_rows_checker import assert_consistent

KINDS = {"added", "removed", "relisted", "increase", "decrease", "cost_set", "cost_unset"}
ENTITIES = {"models", "credits", "params", "inputs", "input_rules", "capabilities", "raw_available_params"}
UNUSUAL_IDS = {"acme/sketch", "acme/Sketch", "acme/sketch ", "caf\u00e9", "cafe\u0301", "\t", "NULL", "\\", "x" * 255}
SIZE = {"seed": 8, "lines": 24, "models": 75}
DAMAGES = {
    "an exact cost": "UPDATE credits SET default_cost_exact = '4' WHERE model_pk = (SELECT MIN(model_pk) FROM credits)",
    "a rounded cost": "UPDATE credit_history SET default_cost = default_cost + 1 WHERE default_cost > 0",
    "a percent": "UPDATE catalog_changes SET pct_change = 1 WHERE change_kind = 'relisted'",
    "an old cost": "UPDATE catalog_changes SET old_cost_exact = '7' WHERE change_kind = 'increase'",
    "a name of the time": "UPDATE catalog_changes SET model_name = 'x' WHERE change_kind = 'removed'",
    "a value": "UPDATE catalog_changes SET new_value = '[]' WHERE change_kind = 'changed'",
    "a delta of a price": "UPDATE catalog_changes SET delta_cost = 77 WHERE delta_cost <> 0 AND is_cost_event = 0",
    "a price beside the cost": "UPDATE credit_details SET value = '77'",
    "an event": "DELETE FROM catalog_changes WHERE change_id = 5",
    "a day": "DELETE FROM calendar_days WHERE day = '2020-02-29'",
    "an end": "UPDATE credit_history SET valid_to = datetime(valid_to, '+1 day') WHERE valid_to IS NOT NULL",
}


@pytest.fixture
def history(tmp_path: Path) -> tuple[Path, Truth]:
    path = tmp_path / "responses.jsonl"
    return path, make_history(path, **SIZE)


def test_the_views_give_exactly_a_made_up_history(engine: Engine, history: tuple[Path, Truth]) -> None:
    path, truth = history
    statuses = {result.status for result in import_file(engine, path) if result}

    assert statuses == {"success", "partial"}
    with engine.connect() as connection:
        assert list(view_findings(connection, truth)) == []
        assert verify_findings(connection) == []
    assert_consistent(engine)


def test_a_made_up_catalog_at_any_moment_is_what_was_sent(
    engine: Engine, migrated_url: str, history: tuple[Path, Truth], tmp_path: Path
) -> None:
    path, truth = history
    import_file(engine, path)
    when = truth.observed[len(truth.observed) // 2]
    arguments = ("models", "--json", "--as-of", when.isoformat())
    printed = output(run_process(*arguments, environ=environment(tmp_path, DATABASE_URL=migrated_url)))

    with engine.connect() as connection:
        assert [finding for one in moments(truth, 4) for finding in as_of_findings(connection, truth, one)] == []
    assert list(printed_findings(printed, truth, when)) == []


def test_a_second_import_of_a_made_up_history_stores_nothing(engine: Engine, history: tuple[Path, Truth]) -> None:
    path, _ = history
    import_file(engine, path)
    before = dump(engine)

    assert set(import_file(engine, path)) == {None}
    assert dump(engine) == before


def test_a_made_up_history_has_every_kind_of_change(history: tuple[Path, Truth]) -> None:
    path, truth = history
    costs = [cost_of(state.value) for story in truth.stories.values() for state in story]
    removed = Counter((event.at, event.key[0]) for event in truth.costs if event.kind == "removed")
    ids = {mode: {id_ for listed_in, id_ in truth.stories if listed_in == mode} for mode in MODES}

    assert {event.kind for event in truth.costs} == KINDS
    assert {event.entity for event in truth.fields} == ENTITIES
    assert any(event.numbers for event in truth.fields)
    assert {-40, -23, 0} <= {cost.as_tuple().exponent for cost in costs if cost is not None}
    assert ids["image"] | ids["video"] >= UNUSUAL_IDS
    assert ids["image"] & ids["video"]
    assert min(removed.values()) < 3
    assert max(removed.values()) > 20
    assert {'"all": ' in line for line in path.read_text().splitlines()} == {True, False}


@pytest.fixture(scope="module")
def damageable(
    tmp_path_factory: pytest.TempPathFactory, _migrated: MigratedDatabases
) -> Iterator[tuple[Connection, Truth]]:
    """An SQLite database with a history; a test rolls its damage back."""
    folder = tmp_path_factory.mktemp("made")
    truth = make_history(folder / "responses.jsonl", **SIZE)
    with ExitStack() as stack:
        engine = open_engine(_migrated.new("sqlite", folder / "catalog.db", stack))
        stack.callback(engine.dispose)
        import_file(engine, folder / "responses.jsonl")
        yield stack.enter_context(engine.connect()), truth


@pytest.mark.parametrize("statement", DAMAGES.values(), ids=[name.replace(" ", "-") for name in DAMAGES])
def test_a_wrong_row_in_a_view_is_found(damageable: tuple[Connection, Truth], statement: str) -> None:
    connection, truth = damageable
    with connection.begin() as transaction:
        connection.exec_driver_sql(statement)
        findings = list(view_findings(connection, truth))
        transaction.rollback()

    assert findings
