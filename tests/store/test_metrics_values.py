"""What the metrics say of a catalog, on all three databases."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, insert

from models_db.tables import sync_runs
from sync.errors import ApiRefused, ApiUnreachable, UsageError, outcome_of_type
from sync.store import metrics
from sync.store.database import in_snapshot
from sync.store.metrics import CatalogMetrics, LastRun, ModeMetrics, read_metrics
from tests.support.eventful_history import RUNS, make_history
from tests.support.made_responses import model
from tests.support.run_driver import HOUR, START, Host


def metrics_at(host: Host) -> CatalogMetrics:
    return in_snapshot(host.engine, lambda connection: read_metrics(connection, host.now))


def insert_runs(engine: Engine, number: int, **values: object) -> None:
    row = {"status": "success", "trigger_kind": "cli", "app_version": "0", "event_rules": 2, "started_at": START}
    with engine.begin() as connection:
        connection.execute(insert(sync_runs), [{**row, "finished_at": row["started_at"], **values}] * number)


def test_a_history_in_numbers(engine: Engine) -> None:
    host = Host(engine)
    modes = (ModeMetrics("image"), ModeMetrics("video"))
    assert metrics_at(host) == CatalogMetrics(modes, None, Counter(), {}, 0)

    host.sync(ApiRefused("no"), ApiRefused("no"))
    found = metrics_at(host)
    assert found.runs_last_day == {"refused": 1}
    assert found.last_run == LastRun(START + timedelta(seconds=2), 2.0)
    assert [(each.models, each.last_success_at, each.response_bytes) for each in found.modes] == [({}, None, None)] * 2

    host.sync([model(f"m{number}", cost=1) for number in range(5)], ApiUnreachable("no response"))
    host.sync([model("m0", cost=2)], [model("v", cost=-1)])
    image, video = metrics_at(host).modes
    assert image.models == {"listed": 5, "rejected": 0, "held": 4}
    assert video.models == {"listed": 0, "rejected": 1, "held": 0}
    assert metrics_at(host).runs_last_day == {"refused": 1, "unreachable": 1, "rejected": 1}
    assert metrics_at(host).changes_last_day == {"added": 5, "increase": 1}
    assert metrics_at(host).tree_size == 2
    assert image.last_success_at == START + HOUR + timedelta(seconds=2)

    host.now += timedelta(hours=22)
    host.base_url = "https://other.example"
    with pytest.raises(UsageError):
        host.sync()
    found = metrics_at(host)
    assert found.runs_last_day == {"usage": 1, "rejected": 1}
    assert found.changes_last_day == {"increase": 1}
    assert (found.modes[0].attempts, found.modes[1].models["rejected"]) == (1, 1)


def test_the_eventful_history_ends_with_pages_in_place_of_responses(engine: Engine) -> None:
    host = Host(engine)
    make_history(host)
    found = metrics_at(host)

    assert sum(found.runs_last_day.values()) <= RUNS
    assert found.modes[0].response_bytes == len(b"<html>")
    assert found.runs_last_day["rejected"] >= 1


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_imports_copies_and_runs_without_an_end_are_no_runs(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_BATCH", 3)
    host = Host(engine)
    host.sync([model("m")], [])
    host.now += timedelta(minutes=1)
    now = {"started_at": host.now, "finished_at": host.now}
    insert_runs(engine, 4, **now, status="abandoned")
    insert_runs(engine, 1, **now, status="running")
    insert_runs(engine, 5, **now, trigger_kind="import")
    for number in range(4):
        insert_runs(engine, 1, **now, source_catalog_id="c", source_run_id=number)
    found = metrics_at(host)

    assert found.runs_last_day == {"done": 1, "abandoned": 4}
    assert found.last_run == LastRun(START + timedelta(seconds=2), 2.0)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_of_many_old_runs_only_the_newest_are_read(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_BATCH", 10)
    read: list[object] = []
    below = metrics._runs_below

    def counted(connection: Connection, run_id: int | None) -> object:
        read.append(run_id)
        return below(connection, run_id)

    monkeypatch.setattr(metrics, "_runs_below", counted)
    insert_runs(engine, 500)
    host = Host(engine, START + timedelta(days=2))
    host.sync([model("m")], [])

    assert metrics_at(host).runs_last_day == {"done": 1}
    assert len(read) == 2


def test_an_outcome_is_known_by_the_name_of_its_error() -> None:
    names = (None, "RemovalsHeld", "ResponseHeld", "CommitUnanswered", "Interrupted", "KeyboardInterrupt", "KeyError")

    assert [outcome_of_type(name).label for name in names] == [
        *("done", "held", "held", "database", "interrupted", "interrupted", "unexpected"),
    ]
