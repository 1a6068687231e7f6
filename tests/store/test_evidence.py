"""The evidence for a model at a moment, on every database: which runs observed it so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Engine

from models_db.engine import read_transaction
from sync.catalog.history.evidence import Evidence, RecordedRun
from sync.run.import_ import ImportDependencies, import_responses
from sync.run.source_check import Acceptance
from sync.source.files.jsonl import SavedResponse
from sync.store import model_queries
from sync.store.evidence import read_evidence
from sync.store.prune import delete_old_runs
from tests.support.made_responses import body, model
from tests.support.run_driver import HOUR, SECOND, START, Host

HOSTILE = '\x1b[31m\u202e=cmd|\'!A0; --\\ %s :at "x"'
OTHERS = [model(f"other-{number}", cost=number) for number in range(4)]


def stamp(run: int) -> datetime:
    """When the run with this number observed the catalog: one an hour."""
    return START + (run - 1) * HOUR + 2 * SECOND


def asked(run: int) -> datetime:
    return START + (run - 1) * HOUR


def evidence(engine: Engine, moment: datetime, model_id: str = "a", mode: str = "image") -> Evidence | None:
    with read_transaction(engine) as connection:
        (known,) = model_queries.find(connection, model_id, mode)
        return read_evidence(connection, known, moment)


def found(engine: Engine, moment: datetime, model_id: str = "a", mode: str = "image") -> Evidence:
    value = evidence(engine, moment, model_id, mode)
    assert value is not None
    return value


def run_of(value: Evidence, run_id: int) -> RecordedRun:
    (run,) = (each for each in value.runs if each.run_id == run_id)
    return run


def sync(host: Host, *images: Any) -> None:
    """A run for each list of image models."""
    for each in images:
        host.sync(each if isinstance(each, bytes) else [*each, *OTHERS], [])


def test_a_listed_model_lies_between_the_run_that_opened_it_and_the_one_that_closed_it(engine: Engine) -> None:
    sync(Host(engine), [model("a", cost=1)], [model("a", cost=1)], [model("a", cost=1)], [model("a", cost=2)])
    value = found(engine, stamp(2) + SECOND)

    assert (value.is_listed, value.state.observed_from, value.state.not_before) == (True, stamp(1), None)
    assert (value.confirmed_at, value.confirmed_run_id) == (stamp(2), 2)
    assert (value.next_at, value.next_run_id) == (stamp(3), 3)
    assert (value.state.observed_until, value.state.ended_not_before) == (stamp(4), asked(3))
    assert (value.state.opened_run_id, value.state.closed_run_id) == (1, 4)
    assert [each.run_id for each in value.runs] == [1, 2, 3, 4]
    assert all(each.is_recorded for each in value.runs)


def test_a_run_has_who_asked_which_url_and_the_hash_of_the_response(engine: Engine) -> None:
    sync(Host(engine), [model("a", cost=1)])
    sent = body("image", [model("a", cost=1), *OTHERS])
    run = run_of(found(engine, stamp(1)), 1)

    assert (run.trigger_kind, run.base_url, run.app_version) == ("cli", "https://example.org", "0")
    assert (run.asked_at, run.stamp, run.http_status, run.mode_status) == (asked(1), stamp(1), 200, "success")
    assert (run.payload_bytes, run.payload_sha256) == (len(sent), sha256(sent).hexdigest())


def test_the_begin_belongs_to_an_interval_and_the_end_does_not(engine: Engine) -> None:
    sync(Host(engine), [model("a", cost=1)], [model("a", cost=2)])

    assert evidence(engine, stamp(1) - timedelta(microseconds=1)) is None
    assert found(engine, stamp(2) - timedelta(microseconds=1)).state.opened_run_id == 1
    at_end = found(engine, stamp(2))
    assert (at_end.state.opened_run_id, at_end.state.closed_run_id, at_end.next_at) == (2, None, None)


def test_a_cost_may_be_older_than_the_rest_of_the_model(engine: Engine) -> None:
    sync(Host(engine), [model("a", cost=1)], [model("a", cost=1, name="A2")], [model("a", cost=3, name="A2")])
    value = found(engine, stamp(2))

    assert value.cost is not None
    assert (value.state.opened_run_id, value.state.closed_run_id) == (2, 3)
    assert (value.cost.opened_run_id, value.cost.closed_run_id) == (1, 3)
    assert (value.state.not_before, value.cost.not_before) == (asked(1), None)


def test_a_removed_model_was_absent_until_it_came_back(engine: Engine) -> None:
    sync(Host(engine), [model("a", cost=1)], [], [], [model("a", cost=1)])
    value = found(engine, stamp(3) + SECOND)

    assert (value.is_listed, value.raw_sha256, value.cost) == (False, None, None)
    assert (value.state.observed_from, value.state.opened_run_id, value.state.not_before) == (stamp(2), 2, asked(1))
    assert (value.confirmed_at, value.confirmed_run_id) == (stamp(3), 3)
    assert (value.state.observed_until, value.state.closed_run_id, value.next_run_id) == (stamp(4), 4, 4)


def test_a_removed_model_that_did_not_come_back_is_absent_until_now(engine: Engine) -> None:
    sync(Host(engine), [model("a", cost=1)], [])
    value = found(engine, stamp(9))

    assert (value.state.opened_run_id, value.state.observed_until, value.next_at) == (2, None, None)


def test_a_response_in_which_the_model_was_rejected_confirms_nothing(engine: Engine) -> None:
    sync(Host(engine), [model("a", cost=1)], [model("a", cost="one")], [model("a", cost="one")], [model("a", cost=1)])
    value = found(engine, stamp(3) + SECOND)

    assert (value.confirmed_at, value.confirmed_run_id) == (stamp(1), 1)
    assert (value.next_at, value.next_run_id) == (stamp(4), 4)
    assert [(each.valid_from, each.valid_to, each.run_id) for each in value.rejections] == [(stamp(2), stamp(4), 2)]
    assert found(engine, stamp(4)).rejections == []
    other = found(engine, stamp(3), "other-1")
    assert (other.confirmed_run_id, other.rejections) == (3, [])


def test_what_was_held_back_at_the_moment_is_named(engine: Engine) -> None:
    costs = [[model(name, cost=1) for name in "abcd"], [model(name, cost=100) for name in "abcd"]]
    sync(Host(engine), *costs)

    for model_id, is_named in (("a", True), ("other-0", False)):
        value = found(engine, stamp(2), model_id)
        assert value.held is not None
        assert (value.held.run_id, value.held.at, value.held.reason) == (2, stamp(2), "costs")
        assert value.held.is_named is is_named
        assert (value.confirmed_run_id, value.next_at) == (1, None)  # a response that is held back confirms nothing
        assert found(engine, stamp(1), model_id).held is None


def test_what_a_person_accepted_is_with_the_run(engine: Engine) -> None:
    host = Host(engine)
    host.sync([model(name, cost=1) for name in "abcd"], [])
    host.sync([], [], accept="all", acceptance=Acceptance(by=HOSTILE, why=HOSTILE))
    run = run_of(found(engine, stamp(2)), 2)

    assert run.accepted == {"removals": {"image": 4}, "by": HOSTILE, "why": HOSTILE}


def test_a_pruned_run_is_missing_and_its_day_still_says_when_it_was(engine: Engine) -> None:
    sync(Host(engine), *[[model("a", cost=1)]] * 4, [model("a", cost=2)])
    assert sum(delete_old_runs(engine, stamp(5))) == 3
    day_has_only = stamp(1), stamp(5)  # the first and the last success of the day
    value = found(engine, stamp(3))

    assert (value.confirmed_at, value.confirmed_run_id) == (day_has_only[0], 1)
    assert [each.run_id for each in value.runs] == [1, 5]


def test_the_last_success_of_an_earlier_day_confirms_although_its_run_was_pruned(engine: Engine) -> None:
    host = Host(engine)
    sync(host, *[[model("a", cost=1)]] * 3)
    host.now += 48 * HOUR
    sync(host, [model("a", cost=2)])
    assert sum(delete_old_runs(engine, host.now)) == 2
    value = found(engine, stamp(3) + HOUR)

    assert (value.confirmed_at, value.confirmed_run_id) == (stamp(3), None)
    assert (value.next_run_id, [each.run_id for each in value.runs]) == (4, [1, 4])


def test_imported_history_has_no_url_and_no_key(engine: Engine) -> None:
    saved = SavedResponse("saved", 1, datetime(2026, 2, 1, tzinfo=UTC), {"image": body("image", [model("a", cost=1)])})
    list(import_responses(engine, [saved], ImportDependencies(clock=lambda: START, app_version="0.9")))
    run = run_of(found(engine, START), 1)

    assert (run.trigger_kind, run.base_url, run.key_fingerprint, run.http_status) == ("import", None, None, None)
    assert run.payload_sha256 == sha256(body("image", [model("a", cost=1)])).hexdigest()


def test_two_modes_with_one_id_have_their_own_evidence(engine: Engine) -> None:
    host = Host(engine)
    host.sync([model(HOSTILE, cost=1)], [])
    host.sync([model(HOSTILE, cost=1)], [model(HOSTILE, cost=2)])

    assert found(engine, stamp(2), HOSTILE).state.opened_run_id == 1
    assert found(engine, stamp(2), HOSTILE, "video").state.opened_run_id == 2
    assert evidence(engine, stamp(1), HOSTILE, "video") is None
