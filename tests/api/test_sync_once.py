"""One sync as a call: its result is a value, whatever it is."""

from __future__ import annotations

import json
import pickle
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sync.api import Change, Limits, Outcome, SyncResult, open_catalog, sync_once
from sync.source.emulator.server import BUSY_KEY, EXPIRED_KEY, Emulator
from tests.api.conftest import sync_from
from tests.support.api_catalogs import catalog, model, numbered_models
from tests.support.secrets_search import KEY

Serve = Callable[..., Emulator]


def test_a_sync_gives_counts_changes_and_checkpoint_as_they_are_stored(migrated_url: str, serve: Serve) -> None:
    api = serve(catalog(model("a", 3), model("b", 2)), catalog(model("a", "5.50"), model("c", None)))
    first = sync_from(api, migrated_url)
    api.step_to(1)
    refused = sync_from(api, migrated_url)  # the cost is a text
    api.step_to(0)
    same = sync_from(api, migrated_url)

    assert (first.outcome, first.status, first.ok, first.error) == (Outcome.DONE, "success", True, None)
    assert [(mode.mode, mode.status, mode.models_added, mode.models_listed) for mode in first.modes] == [
        ("image", "success", 2, 2),
        ("video", "success", 0, 0),
    ]
    assert [(each.model_id, each.change_kind, each.new_cost) for each in first.changes] == [
        ("a", "added", Decimal(3)),
        ("b", "added", Decimal(2)),
    ]
    assert (refused.outcome, refused.status) == (Outcome.REJECTED, "partial")
    assert (same.outcome, same.run_id) == (Outcome.DONE, (refused.run_id or 0) + 1)
    with open_catalog(migrated_url) as stored:
        assert stored.checkpoint() == same.checkpoint
        changes = {each.change_id: each for each in stored.changes() if each.run_id == first.run_id}
        assert sorted(map(_without_id, changes.values())) == sorted(map(_without_id, first.changes))
        assert [run.run_id for run in stored.runs()] == [same.run_id, refused.run_id, first.run_id]
        assert stored.verify() == []


def _without_id(change: Change) -> tuple[str, ...]:
    return tuple(repr(getattr(change, name)) for name in Change.__slots__ if name != "change_id")


def test_the_line_of_a_run_is_that_of_the_command(sqlite_url: str, serve: Serve) -> None:
    result = sync_from(serve(catalog(model())), sqlite_url)

    assert result.checkpoint
    assert result.line == (
        f"run 1 success: image 1 model: 1 added; video 0 models: nothing changed; 1 seal, root"
        f" {result.checkpoint.root_text}; note: {'; note: '.join(result.notes)}"
    ).removesuffix("; note: ")


def test_a_result_is_plain_in_json_and_can_be_pickled(sqlite_url: str, serve: Serve) -> None:
    result = sync_from(serve(catalog(model("a", 3))), sqlite_url)
    document = json.loads(json.dumps(result.as_dict()))

    assert pickle.loads(pickle.dumps(result)) == result
    assert {name: document[name] for name in ("outcome", "exit_code", "retry_helps", "run_id", "status")} == {
        "outcome": "done",
        "exit_code": 0,
        "retry_helps": False,
        "run_id": 1,
        "status": "success",
    }
    assert document["changes"][0]["new_cost"] == "3"
    assert document["checkpoint"] == (result.checkpoint.text() if result.checkpoint else None)


def test_a_dry_run_gives_the_changes_and_writes_nothing(sqlite_url: str, serve: Serve) -> None:
    result = sync_from(serve(catalog(model("a", 3))), sqlite_url, dry_run=True)

    assert (result.outcome, result.run_id, result.checkpoint) == (Outcome.DONE, None, None)
    assert [(each.model_id, each.run_id) for each in result.changes] == [("a", None)]
    assert result.line.startswith("dry run, nothing written: image 1 model: 1 added")
    with open_catalog(sqlite_url) as stored:
        assert (stored.runs(), stored.models()) == ([], [])


def test_one_mode_can_be_synced(sqlite_url: str, serve: Serve) -> None:
    result = sync_from(serve(catalog(model(), model("v", mode="video"))), sqlite_url, modes={"video"})

    assert [mode.mode for mode in result.modes] == ["video"]


def test_what_is_held_back_is_named_and_can_be_accepted(sqlite_url: str, serve: Serve) -> None:
    api = serve(catalog(*numbered_models(6)), catalog(*numbered_models(2)))
    sync_from(api, sqlite_url)
    api.step_to(1)
    held = sync_from(api, sqlite_url)
    accepted = sync_from(api, sqlite_url, accept_removals=4, by="ann", why="a test")

    assert (held.outcome, held.outcome.retry_helps, held.modes[0].hold_reason) == (Outcome.HELD, False, "removals")
    assert held.modes[0].held_ids == tuple(f"acme/image-{number}" for number in range(2, 6))
    assert [(each.mode, each.outcome) for each in held.problems] == [("image", Outcome.HELD)]
    assert held.error
    assert "--accept-removals 4" in held.error
    assert (accepted.outcome, accepted.modes[0].models_removed) == (Outcome.DONE, 4)
    assert json.loads(accepted.accepted or "") == {"removals": {"image": 4}, "by": "ann", "why": "a test"}


@pytest.mark.parametrize(
    ("arguments", "outcome"),
    [
        ({"api_key": EXPIRED_KEY}, Outcome.REFUSED),
        ({"api_key": BUSY_KEY, "limits": Limits(attempts=1)}, Outcome.UNREACHABLE),
        ({"api_key": ""}, Outcome.USAGE),
        ({"api_key": "two words"}, Outcome.USAGE),
        ({"base_url": "http://example.org"}, Outcome.USAGE),
        ({"archive": "/dev/null/archive"}, Outcome.USAGE),
        ({"catalog_id": "not an id"}, Outcome.USAGE),
        ({"catalog_id": "3f0c5e0e-9d5e-4f6c-8b53-1c0a7d1b2c3d"}, Outcome.USAGE),
    ],
)
def test_what_the_command_exits_with_is_in_the_result(
    arguments: dict[str, Any], outcome: Outcome, sqlite_url: str, serve: Serve
) -> None:
    result = sync_from(serve(catalog(model())), sqlite_url, **arguments)

    assert result.outcome is outcome
    assert result.error
    assert all(each.message for each in result.problems)
    assert not result.changes


def test_a_database_without_a_catalog_is_an_outcome(tmp_path: Path, serve: Serve) -> None:
    result = sync_from(serve(catalog(model())), f"sqlite:///{tmp_path / 'none.db'}")

    assert (result.outcome, result.status, result.run_id) == (Outcome.USAGE, None, None)
    assert "catalog-sync migrate" in result.line


def test_another_base_url_than_the_last_one_is_refused_with_the_run_that_says_so(sqlite_url: str, serve: Serve) -> None:
    api = serve(catalog(model()))
    sync_from(api, sqlite_url)
    refused = sync_from(api, sqlite_url, base_url=f"{api.base_url}/other")

    assert (refused.outcome, refused.status, refused.run_id) == (Outcome.USAGE, "failed", 2)


def test_an_unexpected_error_is_an_outcome_with_its_traceback_masked(
    sqlite_url: str, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"made up for {KEY}")

    monkeypatch.setattr("sync.run.ticks.run_sync", fail)
    result = sync_from(serve(catalog(model())), sqlite_url)

    assert result.outcome is Outcome.UNEXPECTED
    assert result.line == "unexpected error: RuntimeError: made up for [hidden]; report the traceback"
    assert result.traceback
    assert "in fail" in result.traceback
    assert KEY not in result.traceback


def test_a_sync_that_is_cancelled_stores_nothing_and_ends_soon(sqlite_url: str) -> None:
    cancel = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor() as pool:
        base_url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        run = pool.submit(sync_once, sqlite_url, api_key=KEY, base_url=base_url, cancel=cancel)
        with silent.accept()[0]:  # the sync waits for the response now
            cancel.set()
            result = run.result(timeout=10)

    assert (result.outcome, result.outcome.retry_helps, result.status) == (Outcome.INTERRUPTED, True, "failed")
    with open_catalog(sqlite_url) as stored:
        assert [run.status for run in stored.runs()] == ["failed"]
        assert stored.models() == []


def test_syncs_at_once_in_threads_store_one_observation(migrated_url: str, serve: Serve) -> None:
    api = serve(catalog(model(), model("v", mode="video")))
    start = threading.Barrier(3, timeout=30)

    def sync(_: int) -> Outcome:
        start.wait()
        return sync_from(api, migrated_url).outcome

    with ThreadPoolExecutor(3) as pool:
        outcomes = set(pool.map(sync, range(3)))

    assert Outcome.DONE in outcomes
    assert outcomes <= {Outcome.DONE, Outcome.SUPERSEDED}
    with open_catalog(migrated_url) as stored:
        assert [each.change_kind for each in stored.changes()] == ["added", "added"]
        assert stored.verify() == []


def test_of_syncs_of_a_tick_one_is_made_and_the_others_are_skipped(sqlite_url: str, serve: Serve) -> None:
    api, now = serve(catalog(model())), datetime.now(UTC)

    def sync(tick: timedelta | datetime) -> SyncResult:
        return sync_from(api, sqlite_url, tick=tick, clock=lambda: now)

    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(sync, [timedelta(hours=1)] * 3))
    again = sync(now.replace(minute=0, second=0, microsecond=0))
    next_one = sync(now + timedelta(hours=1))

    assert sorted(each.status or "" for each in results) == ["skipped", "skipped", "success"]
    assert (again.outcome, again.status, again.run_id, again.changes) == (Outcome.DONE, "skipped", None, ())
    assert again.line == f"skipped: another run has claimed the tick of {now:%Y-%m-%dT%H:00:00Z}"
    assert next_one.status == "success"
    with open_catalog(sqlite_url) as stored:
        assert [run.status for run in stored.runs()] == ["success", "success"]


def test_a_sync_that_waits_for_its_database_can_be_cancelled() -> None:
    cancel = threading.Event()
    cancel.set()
    url = "mariadb://user:hidden-word@127.0.0.1:9/none?sslmode=disable"
    result = sync_once(url, api_key=KEY, base_url="http://127.0.0.1:9", cancel=cancel)

    assert (result.outcome, result.status, result.run_id) == (Outcome.INTERRUPTED, None, None)
    assert "database was unreachable" in result.line
