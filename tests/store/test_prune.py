"""Deleting old runs: every view but ``v_sync_runs`` keeps its rows, and every run that is needed stays."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from models_db.engine import open_engine, read_transaction, write_transaction
from models_db.views.loader import VIEWS
from sync.errors import ApiUnreachable
from sync.run.import_ import ImportDependencies, import_responses
from sync.source.files.jsonl import read_saved_responses
from sync.store import prune, retries
from sync.store.verify.read_models import Verification
from tests.support.eventful_history import make_history
from tests.support.made_responses import body, model
from tests.support.run_driver import START, Host, column, nothing
from tests.support.stored_rows_checker import assert_consistent

A, V = model("a"), model("v")
LATER = START + timedelta(days=365)


@pytest.fixture
def host(engine: Engine) -> Iterator[Host]:
    """After every test the stored data must be consistent."""
    host = Host(engine)
    yield host
    assert_consistent(engine)
    assert findings(engine) == []


def findings(engine: Engine) -> list[Any]:
    with read_transaction(engine) as connection:
        return list(Verification(connection).findings())


def delete_old_runs(engine: Engine, before: Any = LATER) -> int:
    return sum(prune.delete_old_runs(engine, before))


def view_rows(engine: Engine) -> dict[str, list[Any]]:
    """The rows of each view but ``v_sync_runs``."""
    with read_transaction(engine) as connection:
        return {view.name: rows(connection, view.name) for view in VIEWS if view.name != "v_sync_runs"}


def rows(connection: Connection, view: str) -> list[Any]:
    return sorted((tuple(row) for row in connection.execute(text(f"SELECT * FROM {view}"))), key=repr)


def make_rich_history(host: Host) -> None:
    """Every kind of event, a cost that is not that of the first day, and then runs that changed nothing."""
    make_history(host)
    for _ in range(6):
        host.sync(video=[model("a", cost=6)], modes=["video"])


def runs(engine: Engine) -> list[int]:
    return column(engine, "sync_runs.run_id")


def saved(folder: Path, *catalogs: list[Any]) -> Path:
    """A file with one line a day, for mode image."""
    path = folder / "responses.jsonl"
    days = (f"2026-02-{day:02}T00:00:00Z" for day in range(1, len(catalogs) + 1))
    lines = ({"at": at, "image": json.loads(body("image", sent))} for at, sent in zip(days, catalogs, strict=True))
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return path


def import_file(engine: Engine, path: Path) -> list[Any]:
    return list(
        import_responses(engine, read_saved_responses(path), ImportDependencies(clock=lambda: START, app_version="0"))
    )


def test_every_view_but_that_of_the_runs_keeps_its_rows(host: Host) -> None:
    make_rich_history(host)
    before = view_rows(host.engine)

    assert all(before.values())
    assert delete_old_runs(host.engine) > 0
    assert view_rows(host.engine) == before


def test_a_second_call_finds_nothing_to_delete(host: Host) -> None:
    make_rich_history(host)
    with read_transaction(host.engine) as connection:
        counts = prune.old_runs(connection, LATER)

    assert delete_old_runs(host.engine) == counts.deletable > 0
    assert len(runs(host.engine)) == counts.needed > 0
    assert delete_old_runs(host.engine) == 0
    with read_transaction(host.engine) as connection:
        assert prune.old_runs(connection, LATER) == prune.OldRuns(0, counts.needed)


def test_successful_and_superseded_runs_without_changes_are_deleted_and_all_others_stay(host: Host) -> None:
    host.sync([A], [V])
    host.sync([A], [V])
    host.sync([A, model("b")], [V])
    host.sync([A, model("b", cost="x")], [V])  # partial
    host.sync([A, model("b")], ApiUnreachable("no response"))
    host.sync([A, model("b")], b"<html>")
    host.sync([], [V])  # held back
    host.sync(b"<html>", b"<html>")
    host.meanwhile = lambda: host.sync([A, model("b")], [V]) if len(host.fetched) % 4 == 2 else None
    host.sync([A, model("b")], [V])  # superseded by the run during its fetch
    host.meanwhile = nothing
    host.sync([A, model("b")], [V])
    before = dict(column(host.engine, "sync_runs.run_id", "status"))

    assert before[9] == "superseded"
    delete_old_runs(host.engine)

    kept = {run_id: status for run_id, status in before.items() if run_id not in {2, 9, 10}}
    assert dict(column(host.engine, "sync_runs.run_id", "status")) == kept
    assert set(column(host.engine, "sync_run_modes.run_id")) == kept.keys()


def test_only_runs_that_ended_before_the_time_are_deleted(host: Host) -> None:
    for _ in range(5):
        host.sync([A], [V])
    (ended,) = column(host.engine, "sync_runs.finished_at", where={"run_id": 3})

    assert delete_old_runs(host.engine, ended) == 1
    assert runs(host.engine) == [1, 3, 4, 5]
    assert delete_old_runs(host.engine, ended + timedelta(microseconds=1)) == 1
    assert runs(host.engine) == [1, 4, 5]


def test_a_running_run_that_was_marked_abandoned_still_stores_its_end(host: Host) -> None:
    """A run that another one marked abandoned may be alive, and needs its row when it ends."""
    for _ in range(3):
        host.sync([A], [V])

    def meanwhile() -> None:
        host.meanwhile = nothing
        host.sync([model("a", cost=9)], modes=["image"])
        assert column(host.engine, "sync_runs.status", where={"run_id": 4}) == ["abandoned"]
        assert delete_old_runs(host.engine) == 1

    host.meanwhile = meanwhile
    result = host.sync(modes=["video"], video=[model("v", cost=9)])

    assert (result.run_id, result.status) == (4, "success")
    assert runs(host.engine) == [1, 3, 4, 5]


def test_a_run_without_an_end_stays(host: Host) -> None:
    host.sync([A], [V])
    with write_transaction(host.engine) as connection:
        connection.execute(
            text(
                "INSERT INTO sync_runs (started_at, status, trigger_kind, app_version)"
                " VALUES ('2026-03-01 10:00:00.000000', 'running', 'cli', '0')"
            )
        )

    assert delete_old_runs(host.engine) == 0
    assert column(host.engine, "sync_runs.status") == ["success", "running"]


def test_a_second_import_of_the_same_file_skips_its_lines(host: Host, tmp_path: Path) -> None:
    path = saved(tmp_path, [A], [A], [A], [model("a", cost=9)], [model("a", cost=9)])
    assert None not in import_file(host.engine, path)
    host.sync([model("a", cost=9)], [V])

    delete_old_runs(host.engine)

    assert import_file(host.engine, path) == [None] * 5


def test_a_run_id_is_never_reused(host: Host) -> None:
    host.sync([A], [V])
    host.meanwhile = lambda: host.sync([A], [V]) if len(host.fetched) % 4 == 0 else None
    superseded = host.sync([A], [V])
    host.meanwhile = nothing
    assert superseded.status == "superseded"
    newest = max(runs(host.engine))
    delete_old_runs(host.engine)

    result = host.sync([A], [V])

    assert result.run_id is not None
    assert result.run_id > newest


def test_runs_are_deleted_a_window_at_a_time(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prune, "WINDOW", 3)
    for _ in range(8):
        host.sync([A], [V])

    assert list(prune.delete_old_runs(host.engine, LATER)) == [2, 3, 1]
    assert list(prune.delete_old_runs(host.engine, LATER)) == [0]
    assert runs(host.engine) == [1, 8]


def test_a_step_whose_commit_was_not_acknowledged_is_counted_once(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.run.test_lost_commit import lost

    for _ in range(4):
        host.sync([A], [V])
    commit = host.engine.dialect.do_commit
    failed: list[int] = []

    def unacknowledged(connection: Any) -> None:
        commit(connection)
        if not failed:
            failed.append(1)
            connection.dbapi_connection.commit()
            raise lost(connection.dbapi_connection, host.engine.dialect.name)

    monkeypatch.setattr(retries, "_PAUSE_SECONDS", 0)
    monkeypatch.setattr(host.engine.dialect, "do_commit", unacknowledged)

    assert delete_old_runs(host.engine) == 2
    assert runs(host.engine) == [1, 4]


def test_the_rest_is_consistent_when_two_runs_observed_at_the_same_time(host: Host) -> None:
    """After the clock was set back, the second run has the first one's time and another begin of its request."""
    host.sync([A], [V])
    host.sync([A], [V])

    def wait() -> None:
        host.now += timedelta(seconds=3)

    host.meanwhile = wait
    host.now = column(host.engine, "sync_runs.observed_at")[1] - timedelta(seconds=5)
    host.sync([model("a", cost=9)], [V])
    assert len(set(column(host.engine, "sync_runs.observed_at"))) == 2
    assert findings(host.engine) == []

    assert delete_old_runs(host.engine) == 1
    assert findings(host.engine) == []


def test_syncs_at_the_same_time_are_stored_completely(host: Host) -> None:
    """Every second run changes a cost, while another thread deletes old runs."""
    stop, deleted = threading.Event(), []
    second_engine = open_engine(host.engine.url)

    def keep_deleting() -> None:
        while not stop.wait(0.005):
            deleted.append(delete_old_runs(second_engine))

    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(keep_deleting)
        results = [host.sync([model("a", cost=number // 2)], [V]) for number in range(30)]
        stop.set()
    work.result()
    second_engine.dispose()

    assert {result.status for result in results} == {"success"}
    assert len(column(host.engine, "model_versions.raw", where={"model_pk": 1})) == 15
    assert sum(deleted) + len(runs(host.engine)) == 30
    assert sum(deleted) > 0
