"""Runs that fail in part or as a whole: the stored data stays consistent, and the run records what happened."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from models_db.tables import sync_runs
from sync.errors import ApiRefused, ApiUnreachable, CatalogSyncError, DatabaseError, Interrupted, Outcome, UsageError
from tests.support.made_responses import body, model
from tests.support.run_driver import HOUR, SECOND, START, Host, added_rows, column, dump

A, B, C, D, E = (model(id_) for id_ in "abcde")
FIVE = [A, B, C, D, E]
DOWN = ApiUnreachable("the API did not respond")


def runs(host: Host) -> list[Any]:
    return column(host.engine, "sync_runs.status")


def listed(host: Host, mode: str = "image") -> list[str]:
    return column(host.engine, "models.model_id", where={"mode": mode, "removed_at": None})


def events(host: Host) -> list[Any]:
    return column(host.engine, "catalog_changes.change_kind")


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (DOWN, Outcome.UNREACHABLE),
        (ApiRefused("no"), Outcome.REFUSED),
        (b"<html>", Outcome.REJECTED),
        (body("image", [A], total=2), Outcome.REJECTED),
        (body("image", [A, model("a", cost=9)]), Outcome.REJECTED),
        (body("image", [model("b", mode="video")]), Outcome.REJECTED),
        (body("image", [A])[:-9], Outcome.REJECTED),
        (b'{"ok": false, "code": 402, "error_code": "subscription_required"}', Outcome.REFUSED),
    ],
)
def test_a_mode_with_a_bad_response_stays_while_the_other_is_applied(
    host: Host, bad: bytes | CatalogSyncError, code: Outcome
) -> None:
    host.sync(FIVE, [A])
    state = column(host.engine, "sync_state.version", "observed_at")
    result = host.sync(bad, [model("a", cost=9), B])

    assert (result.status, result.exit_code) == ("partial", code)
    assert events(host)[6:] == ["increase", "added"]
    assert (listed(host), listed(host, "video")) == (list("abcde"), ["a", "b"])
    assert column(host.engine, "sync_state.version", "observed_at")[0] == state[0]
    assert column(host.engine, "sync_run_modes.status", where={"run_id": 2}) == ["failed", "success"]


def test_when_no_mode_can_be_used_only_the_run_is_written(host: Host) -> None:
    host.sync([A], [B])
    before = dump(host.engine)
    result = host.sync(DOWN, b"<html>")

    assert (result.status, result.exit_code) == ("failed", Outcome.UNREACHABLE)
    assert added_rows(before, dump(host.engine)) == {"sync_runs": 1, "sync_run_modes": 2}
    assert before["sync_state"] == dump(host.engine)["sync_state"]
    assert column(host.engine, "sync_runs.error_type")[1] == "ApiUnreachable"
    assert "; also: the response for mode video" in column(host.engine, "sync_runs.error_message")[1]


def test_a_rejected_model_keeps_its_rows_while_the_others_change(host: Host) -> None:
    host.sync(FIVE)
    before = column(host.engine, "credits.model_pk", "default_cost_exact")
    result = host.sync([model("a", cost="free"), model("b", cost=9), C, D])

    assert (result.status, result.exit_code) == ("partial", Outcome.REJECTED)
    assert "1 of 4 image models were rejected and kept as stored: 'a' (credits.default_cost is" in str(result.errors[0])
    assert listed(host) == list("abcd")
    assert column(host.engine, "credits.model_pk", "default_cost_exact") == [before[0], (2, "9"), before[2], before[3]]


def test_a_superseded_run_writes_nothing_but_its_own_rows(host: Host) -> None:
    host.sync([A], [B])
    other = Host(host.engine, now=host.now)
    host.meanwhile = lambda: other.sync([model("a", cost=9)], [B])
    result = host.sync([model("a", cost=1)], [])

    assert (result.status, result.exit_code) == ("superseded", Outcome.SUPERSEDED)
    assert events(host) == ["added", "added", "increase"]
    assert column(host.engine, "sync_runs.status", "error_type")[1:] == [
        ("superseded", "Superseded"),
        ("success", None),
    ]
    assert column(host.engine, "sync_state.version", "run_id") == [(2, 3), (2, 3)]


def test_a_run_superseded_in_one_mode_is_applied_in_the_other(host: Host) -> None:
    other = Host(host.engine, now=host.now)
    host.meanwhile = lambda: other.sync([A], modes=["image"])
    result = host.sync([B], [C])

    assert (result.status, result.exit_code) == ("partial", Outcome.SUPERSEDED)
    assert (listed(host), listed(host, "video")) == (["a"], ["c"])


def test_dead_runs_are_marked_abandoned_by_the_next_run_that_applies(host: Host) -> None:
    with host.engine.begin() as connection:
        dead = {"started_at": START, "status": "running", "trigger_kind": "cli", "app_version": "0"}
        connection.execute(insert(sync_runs), [dead, dead])
    host.sync(DOWN, DOWN)
    assert runs(host) == ["running", "running", "failed"]
    host.sync([A])

    assert runs(host) == ["abandoned", "abandoned", "failed", "success"]


def test_a_run_that_began_later_is_not_marked_abandoned(host: Host) -> None:
    def begin() -> None:
        with host.engine.begin() as connection:
            later = {"started_at": START, "status": "running", "trigger_kind": "cli", "app_version": "0"}
            connection.execute(insert(sync_runs), [later])

    host.meanwhile = begin
    host.sync([A])

    assert runs(host) == ["success", "running"]


def test_a_live_run_that_was_marked_abandoned_writes_its_own_end(host: Host) -> None:
    other = Host(host.engine, now=host.now)
    statuses: list[str] = []

    def meanwhile() -> None:
        other.sync([A], modes=["image"])
        statuses.extend(runs(host))

    host.meanwhile = meanwhile
    host.sync([B], [C], modes=["video"])

    assert statuses == ["abandoned", "success"]
    assert runs(host) == ["success", "success"]


def test_after_a_clock_step_back_rows_are_stamped_just_after_the_last_stamp_and_a_note_is_stored(host: Host) -> None:
    host.sync([A])
    last = START + 2 * SECOND
    host.now = START - HOUR
    host.sync([model("a", cost=9)])
    host.sync([model("a", cost=8)])

    tick = timedelta(microseconds=1)
    assert column(host.engine, "catalog_changes.changed_at") == [last, last + tick, last + 2 * tick]
    assert column(host.engine, "sync_runs.observed_at")[1] == last - HOUR
    assert "the clock is 3600.000000 s behind the last stamp of mode image" in column(host.engine, "sync_runs.note")[1]


@pytest.mark.parametrize("behind", [HOUR + SECOND, -HOUR - SECOND])
def test_a_clock_more_than_an_hour_from_that_of_the_api_applies_nothing(host: Host, behind: timedelta) -> None:
    host.sync([A], [B])
    before = dump(host.engine)
    host.server_is_behind = behind
    with pytest.raises(UsageError, match="correct this host's clock"):
        host.sync([model("a", cost=9)], [B])

    assert added_rows(before, dump(host.engine)) == {"sync_runs": 1}
    assert column(host.engine, "sync_runs.status", "error_type")[1] == ("failed", "UsageError")


@pytest.mark.parametrize("behind", [HOUR, -HOUR])
def test_a_clock_an_hour_ahead_or_behind_is_accepted(host: Host, behind: timedelta) -> None:
    host.server_is_behind = behind

    assert host.sync([A]).status == "success"


def test_an_interrupted_run_is_recorded_as_failed(host: Host) -> None:
    def stop() -> None:
        raise Interrupted("stopped", Outcome.TERMINATED)

    host.meanwhile = stop
    with pytest.raises(Interrupted):
        host.sync([A])

    assert column(host.engine, "sync_runs.status", "error_message") == [("failed", "stopped")]


def test_of_an_unexpected_error_only_the_type_is_recorded(host: Host) -> None:
    def fail() -> None:
        raise ZeroDivisionError("secret")

    host.meanwhile = fail
    with pytest.raises(ZeroDivisionError):
        host.sync([A])

    assert column(host.engine, "sync_runs.error_type", "error_message") == [("ZeroDivisionError", "ZeroDivisionError")]


def test_a_stored_version_that_cannot_be_read_stops_the_run_before_it_writes(host: Host) -> None:
    host.sync([A, B])
    with host.engine.begin() as connection:
        kept = connection.exec_driver_sql("SELECT raw FROM model_versions WHERE model_pk = 1").scalar_one()
        connection.exec_driver_sql("UPDATE model_versions SET raw = '{' WHERE model_pk = 1")
    with pytest.raises(DatabaseError, match="model 'a' in mode image cannot be read"):
        host.sync([model("a", cost=9), model("b", cost=9)])
    with host.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE model_versions SET raw = '{kept}' WHERE model_pk = 1")

    assert events(host) == ["added", "added"]
    assert runs(host) == ["success", "failed"]


@pytest.mark.parametrize("first", [True, False])
def test_a_dry_run_decides_in_the_same_way_and_writes_nothing(host: Host, *, first: bool) -> None:
    if not first:
        host.sync(FIVE, [B])
    before = dump(host.engine)
    result = host.sync([model("a", cost=9)], b"<html>", dry_run=True)

    assert dump(host.engine) == before
    assert result.run_id is None
    assert result.exit_code == Outcome.REJECTED
    assert result.modes[0].row.status == ("success" if first else "held")
    assert result.modes[0].row.models_changed == (0 if first else 1)


def test_only_the_requested_mode_is_touched(host: Host) -> None:
    host.sync([A], [B])
    host.sync([], [model("b", cost=9)], modes=["video"])

    assert host.fetched == ["image", "video", "video"]
    assert listed(host) == ["a"]
    assert column(host.engine, "sync_run_modes.mode", where={"run_id": 2}) == ["video"]


def test_of_a_response_with_fewer_models_than_its_total_both_numbers_and_the_hash_are_recorded(host: Host) -> None:
    sent = body("image", [A, B]).replace(b'"total": 2', b'"total": 3')
    host.sync(sent)

    kept = column(
        host.engine,
        "sync_run_modes.status",
        "models_reported",
        "models_received",
        "payload_bytes",
        "payload_sha256",
        where={"mode": "image"},
    )
    assert kept == [("failed", 3, 2, len(sent), hashlib.sha256(sent).hexdigest())]
