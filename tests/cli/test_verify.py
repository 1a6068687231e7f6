"""The command ``verify``: one line for consistent rows, and a line for each row that breaks a rule."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine

from models_db.engine import migration_engine, open_engine
from sync.catalog.verify.findings import Finding
from sync.store.verify.read_models import Verification
from tests.cli.conftest import Shell
from tests.cli.damaged_days import DAMAGED_DAYS
from tests.cli.damaged_rows import DAMAGES
from tests.support import database_servers
from tests.support.commands import error_line, output
from tests.support.database_contents import every_row
from tests.support.eventful_history import RUNS, make_history
from tests.support.run_driver import Host
from tests.support.shared_history import CHECKS_OFF, shared_history


@dataclass(frozen=True)
class SharedHistory:
    """A database with a history, shared by the tests: each damage is undone."""

    engine: Engine

    def findings_after(self, damage: str) -> list[Finding]:
        """The findings after a damage, which is then undone. The constraints of the database are off."""
        with self.engine.connect() as connection:
            connection.exec_driver_sql(CHECKS_OFF[connection.dialect.name])
            connection.exec_driver_sql(damage.replace("%", "%%"))
            found = list(Verification(connection).findings())
            connection.rollback()
        return found


@pytest.fixture(scope="module", params=database_servers.KINDS)
def history(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedHistory]:
    folder = tmp_path_factory.mktemp("history")
    with shared_history(str(request.param), folder, make_history) as engine:
        yield SharedHistory(engine)


def test_an_eventful_history_is_consistent(history: SharedHistory) -> None:
    with history.engine.connect() as connection:
        verification = Verification(connection)
        assert list(verification.findings()) == []
        statuses = connection.exec_driver_sql("SELECT DISTINCT status FROM sync_run_modes").scalars()
        kinds = connection.exec_driver_sql("SELECT DISTINCT change_kind FROM catalog_changes").scalars()
        assert {"success", "partial", "held", "failed"} == set(statuses)
        assert {"removed", "relisted", "cost_set", "cost_unset", "increase", "decrease", "changed"} < set(kinds)
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM sync_runs").scalar() == RUNS
    assert (
        verification.models,
        verification.versions > verification.models,
        verification.costs > verification.models,
    ) == (9, True, True)


@pytest.mark.parametrize(("damage", "table", "model_id", "problem"), [*DAMAGES, *DAMAGED_DAYS])
def test_a_damaged_row_is_named(
    history: SharedHistory, damage: str, table: str, model_id: str | None, problem: str
) -> None:
    found = history.findings_after(damage)

    assert [
        finding
        for finding in found
        if (finding.table, finding.model_id) == (table, model_id) and problem in finding.problem
    ]


@pytest.mark.parametrize("value", ["'2026-03-01T10:00:02Z'", "'soon'", "7", "x'ff'"])
def test_a_value_that_is_not_a_time_is_named_on_sqlite(shell: Shell, sqlite_url: str, value: str) -> None:
    damage_after_history(sqlite_url, f"UPDATE credit_history SET valid_to = {value} WHERE valid_to IS NOT NULL")
    shell.set(DATABASE_URL=sqlite_url)
    ended = shell("verify")

    error_line(ended, 9)
    assert "credit_history image 'gone' 2026-03-01T10:00:02Z: valid_to holds " in ended.out


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ("UPDATE models SET name = x'ff' WHERE model_id = 'gone'", "models image 'gone': name holds "),
        ("UPDATE models SET name = CAST(x'ff' AS TEXT) WHERE model_id = 'gone'", "models image 'gone': name holds "),
        ("UPDATE model_versions SET raw = CAST(x'ff' AS TEXT)", "model_versions image 'a' 2026-03-01T10:00:02Z: raw h"),
        ("UPDATE credits SET default_cost = 'dear'", "credits image 'a': default_cost holds 'dear'"),
        ("UPDATE params SET is_required = 'yes'", "params image 'full': is_required holds 'yes'"),
        ("UPDATE calendar_days SET day = 'monday' WHERE day = '2026-03-02'", "calendar_days: day holds 'monday'"),
        ("UPDATE sync_state SET good_asked_at = 'soon'", "sync_state image: good_asked_at holds 'soon'"),
        ("UPDATE sync_runs SET observed_at = 'soon'", "model_versions image 'a' 2026-03-01T10:00:02Z: opened_run_id i"),
    ],
)
def test_a_value_of_another_type_is_named_on_sqlite(shell: Shell, sqlite_url: str, damage: str, named: str) -> None:
    damage_after_history(sqlite_url, damage)
    shell.set(DATABASE_URL=sqlite_url)
    ended = shell("verify")

    error_line(ended, 9)
    assert named in ended.out


def damage_after_history(url: str, damage: str) -> None:
    engine = open_engine(url)
    make_history(Host(engine))
    engine.dispose()
    with migration_engine(url).begin() as connection:
        connection.exec_driver_sql(CHECKS_OFF["sqlite"])
        connection.exec_driver_sql(damage)


def test_consistent_rows_are_one_line_and_nothing_is_written(shell: Shell, migrated_url: str, engine: Engine) -> None:
    make_history(Host(engine))
    before = every_row(migrated_url)
    shell.set(DATABASE_URL=migrated_url)

    printed = output(shell("verify"))
    assert printed.startswith("consistent: 9 models, ")
    assert printed.count("\n") == 1
    assert every_row(migrated_url) == before


def test_an_empty_database_is_consistent(shell: Shell, migrated_url: str) -> None:
    shell.set(DATABASE_URL=migrated_url)

    assert output(shell("verify")) == "consistent: 0 models, 0 versions, 0 costs and 0 changes agree\n"


def test_each_finding_is_a_line_and_their_number_is_in_the_error_line_of_exit_9(
    shell: Shell, migrated_url: str, engine: Engine
) -> None:
    make_history(Host(engine))
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE credits SET notes = 'x' WHERE notes IS NULL")
    shell.set(DATABASE_URL=migrated_url)
    ended = shell("verify")

    line = error_line(ended, 9)
    lines = ended.out.splitlines()
    assert line.startswith(f"catalog-sync: the stored rows are not consistent: {len(lines)} findings, ")
    assert lines[0] == "credits image 'a': notes is 'x', but the open version gives NULL"
    assert all(line.startswith("credits ") for line in lines)


def test_json_has_each_finding_with_its_row_and_time(shell: Shell, migrated_url: str, engine: Engine) -> None:
    make_history(Host(engine))
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE credit_history SET default_cost_exact = '8' WHERE default_cost_exact = '7'")
    shell.set(DATABASE_URL=migrated_url)
    ended = shell("verify", "--json")

    error_line(ended, 9)
    assert json.loads(ended.out)["findings"] == [
        {
            "table": "credit_history",
            "mode": "image",
            "model_id": "gone",
            "at": "2026-03-01T10:00:02Z",
            "problem": "default_cost_exact is '8', but model_versions gives '7'",
        }
    ]


def test_json_of_consistent_rows_has_counts_and_no_findings(shell: Shell, sqlite_url: str) -> None:
    shell.set(DATABASE_URL=sqlite_url)

    assert json.loads(output(shell("verify", "--json"))) == {
        "models": 0,
        "versions": 0,
        "costs": 0,
        "changes": 0,
        "outdated": 0,
        "checkpoints": None,
        "archive": None,
        "findings": [],
    }


def test_current_rows_of_another_version_are_counted_and_are_not_findings(shell: Shell, sqlite_url: str) -> None:
    damage_after_history(sqlite_url, "UPDATE models SET fingerprint = '0' || SUBSTR(fingerprint, 2)")
    with migration_engine(sqlite_url).begin() as connection:
        connection.exec_driver_sql("DELETE FROM capabilities")
    shell.set(DATABASE_URL=sqlite_url)

    printed = output(shell("verify"))
    assert "the current rows of 8 models come from another version of catalog-sync and were not compared" in printed
    assert printed.count("\n") == 1
    document = json.loads(output(shell("verify", "--json")))
    assert (document["outdated"], document["findings"]) == (8, [])


def test_rows_of_other_programs_cannot_control_the_terminal(shell: Shell, sqlite_url: str) -> None:
    damage_after_history(sqlite_url, "UPDATE credits SET notes = char(27) || '[31m' || char(10) || 'x'")
    shell.set(DATABASE_URL=sqlite_url)
    ended = shell("verify")

    error_line(ended, 9)
    assert all(line.startswith("credits ") and line.isprintable() for line in ended.out.splitlines())
