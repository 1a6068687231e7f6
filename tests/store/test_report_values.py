"""What a report reads is what the views say, on every database, at one moment."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import zip_longest
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, column, select, text

from models_db.tables.column_types import UtcDateTime
from sync.catalog.history.evidence import SealedTree
from sync.catalog.history.period_costs import net_moves, provider_means
from sync.catalog.history.report_data import Period, ReportData
from sync.store import catalog_facts, report
from sync.store.database import in_snapshot
from sync.store.ignored import add_ignored
from sync.store.report import ReportFilter, read_report
from tests.support.eventful_history import make_history
from tests.support.made_responses import FULL, model
from tests.support.run_driver import Host

START = datetime(2026, 3, 1, tzinfo=UTC)
WHOLE = Period(START, START + timedelta(days=30))
LATER = Period(START + timedelta(hours=14), START + timedelta(hours=19))


@pytest.fixture
def host(engine: Engine) -> Host:
    """A database with every kind of event."""
    made = Host(engine)
    make_history(made)
    return made


def values(engine: Engine, period: Period = WHOLE, **filters: Any) -> ReportData:
    return in_snapshot(engine, lambda connection: read_report(connection, ReportFilter(period, **filters)))


def rows(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


@pytest.mark.parametrize("period", [WHOLE, LATER], ids=["whole", "later"])
def test_the_intervals_are_those_of_the_view(host: Host, period: Period) -> None:
    read = [
        (each.mode, each.model_id, each.name, each.provider, interval.credit_cost)
        for each in values(host.engine, period).models
        for interval in each.intervals
    ]
    since, until = (f"'{each:%Y-%m-%d %H:%M:%S}.000000'" for each in (period.since, period.until))
    expected = rows(
        host.engine,
        "SELECT mode, model_id, model_name, provider, credit_cost_exact FROM v_credit_cost_history"
        f" WHERE valid_from < {until} AND (valid_to IS NULL OR valid_to > {since})"
        " ORDER BY mode, model_id, valid_from",
    )

    assert len(expected) > 5
    assert sorted(read, key=repr) == sorted(expected, key=repr)


def test_the_corners_of_the_charts_are_the_rows_of_the_view_of_steps(host: Host) -> None:
    corners = set()
    for each in values(host.engine).models:
        for interval, following in zip_longest(each.intervals, each.intervals[1:]):
            corners.add((each.mode, each.model_id, interval.valid_from, interval.credit_cost, 1))
            if interval.valid_to and (following is None or following.valid_from > interval.valid_to):
                corners.add((each.mode, each.model_id, interval.valid_to, None, 0))
    steps = table("mode", "model_id", "step_at", "credit_cost_exact", "is_listed", name="v_credit_cost_steps")

    assert {0, 1} == {corner[-1] for corner in corners}
    assert corners == set(host_rows(host, steps))


def test_the_net_moves_are_those_of_the_view(host: Host) -> None:
    host.sync([model("a", cost=6), model("new", cost=5), FULL], [], accept="all")
    columns = ("period_start_at", "mode", "model_id", "cost_then", "cost_now", "is_new", "is_gone")
    expected = host_rows(host, table(*columns, name="v_net_movers").where(text("period_days = 7")))
    (start,) = {row[0] for row in expected}
    read = values(host.engine, Period(start, WHOLE.until))
    found = {
        (each.model.mode, each.model.model_id): (
            each.change.old,
            each.change.new,
            not each.was_listed,
            not each.is_listed,
        )
        for each in net_moves(read.models, read.period, read.mode_begins)
    }

    assert len(expected) == len(found) > 1
    for _, mode, model_id, then, now, *flags in expected:
        old, new, *mine = found[mode, model_id]
        assert [_rounded(old), _rounded(new)] == [_rounded(then), _rounded(now)]
        assert mine == [bool(flag) for flag in flags]


def table(*columns: str, name: str) -> Any:
    """A query of a view whose times are read as the program reads them."""
    return select(*(column(each, UtcDateTime() if each.endswith("_at") else None) for each in columns)).select_from(
        text(name)
    )


def host_rows(host: Host, query: Any) -> list[tuple[Any, ...]]:
    with host.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query)]


def test_the_intervals_of_a_model_are_in_order_and_the_models_too(host: Host) -> None:
    found = values(host.engine).models
    places = [(each.mode, each.provider, each.model_id) for each in found]

    assert places == sorted(places)
    for each in found:
        starts = [interval.valid_from for interval in each.intervals]
        assert starts == sorted(starts)


@pytest.mark.parametrize("period", [WHOLE, LATER], ids=["whole", "later"])
def test_the_events_are_those_of_the_view_but_for_the_first_sync(host: Host, period: Period) -> None:
    read = values(host.engine, period)
    since, until = (f"'{each:%Y-%m-%d %H:%M:%S}.000000'" for each in (period.since, period.until))
    expected = rows(
        host.engine,
        "SELECT mode, model_id, change_kind, old_cost_exact, new_cost_exact, not_before FROM v_credit_cost_changes"
        f" WHERE changed_at >= {since} AND changed_at < {until}",
    )
    first = [row for row in expected if row[2] == "added" and row[5] is None]
    events = [(each.mode, each.model_id, each.kind, each.old_cost, each.new_cost) for each in read.events]

    assert sorted(events, key=repr) == sorted((row[:5] for row in expected if row not in first), key=repr)
    assert read.first_listed == len(first)
    assert sum(read.event_counts.values()) == len(read.events)
    assert [each.changed_at for each in read.events] == sorted((each.changed_at for each in read.events), reverse=True)


def test_the_means_are_those_of_the_view(host: Host) -> None:
    read = values(host.engine)
    found = {
        (each.mode, each.provider): (each.model_count, each.priced_count, each.lowest, each.mean, each.highest)
        for each in provider_means(read.models, read.period, read.mode_begins)
        if each.model_count
    }
    columns = "mode, provider, model_count, priced_model_count, min_credit_cost, avg_credit_cost, max_credit_cost"
    expected = rows(host.engine, f"SELECT {columns} FROM v_provider_costs")

    assert len(found) == len(expected)
    for mode, provider, *numbers in expected:
        assert [_rounded(each) for each in found[mode, provider or ""]] == [_rounded(each) for each in numbers]


def _rounded(number: Any) -> Decimal | None:
    return None if number is None else round(Decimal(str(number)), 9)


def test_other_changes_are_counted_by_entity(host: Host) -> None:
    expected = rows(
        host.engine,
        "SELECT entity, COUNT(*) FROM v_catalog_changes WHERE change_kind = 'changed' GROUP BY entity ORDER BY entity",
    )

    assert list(values(host.engine).other_changes.items()) == expected


def test_a_report_of_a_mode_or_a_provider_has_only_its_models(host: Host) -> None:
    video = values(host.engine, mode="video")

    assert {each.mode for each in video.models} == {"video"}
    assert {each.mode for each in video.events} == {"video"}
    assert [each.mode for each in video.watched] == ["video"]
    assert {each.provider for each in values(host.engine, provider=FULL["provider"]).models} == {FULL["provider"]}
    assert values(host.engine, provider="nobody").models == []


def test_the_days_with_a_successful_sync_are_those_of_the_view(host: Host) -> None:
    watched = {each.mode: each for each in values(host.engine).watched}
    days = rows(host.engine, "SELECT mode, day FROM v_watch_daily WHERE is_gap = 0")

    assert {(mode, day) for mode, each in watched.items() for day in each.watched_days} == {
        (mode, str(day)) for mode, day in days
    }

    assert watched["image"].watched_days == {"2026-03-01", "2026-03-03"}
    first_days = rows(host.engine, "SELECT mode, MIN(day) FROM v_watch_daily GROUP BY mode")
    assert {mode: str(each.first_day) for mode, each in watched.items()} == {mode: str(day) for mode, day in first_days}
    assert watched["image"].last_success == datetime(2026, 3, 3, 18, 59, 2, tzinfo=UTC)


def test_rejected_models_are_found_newest_first(host: Host) -> None:
    read = values(host.engine)
    found = [(each.mode, each.model_id, each.until is None) for each in read.rejected]

    assert found == [("image", "rejected", True), ("video", "a", False), ("image", "gone", False)]
    assert read.rejected_count == 3
    assert [each.model_id for each in values(host.engine, mode="video").rejected] == ["a"]


def test_what_is_held_back_ignored_and_accepted_is_found(host: Host) -> None:
    host.sync([FULL], [])
    with host.engine.begin() as connection:
        add_ignored(connection, ["models.rank"], host.now, "noise", "kim")
    read = values(host.engine)

    assert [(each.mode, each.reason, each.number) for each in read.held] == [
        ("image", "removals", 6),
        ("video", "removals", 1),
    ]
    assert [(each.path, each.added_by, each.until) for each in read.ignored] == [("models.rank", "kim", None)]
    host.sync([FULL], [], accept="all")
    read = values(host.engine)
    assert read.held == []
    assert [each.accepted["removals"] for each in read.accepted] == [{"image": 6, "video": 1}]


def test_the_number_of_events_is_limited_and_counted(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    total = len(values(host.engine).events)
    monkeypatch.setattr(report, "MOST_EVENTS", 2)
    read = values(host.engine)

    assert (len(read.events), sum(read.event_counts.values())) == (2, total)


def test_a_report_sees_one_moment_while_a_sync_runs(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    before = values(host.engine)
    original = catalog_facts.first_observed
    calls: list[object] = []

    def sync_in_between(connection: Connection, mode: str | None) -> datetime | None:
        first = original(connection, mode)
        if not calls:
            calls.append(host.sync([model("new", cost=5), FULL], [], accept="all"))
        return first

    monkeypatch.setattr(report, "first_observed", sync_in_between)
    during = values(host.engine)
    after = values(host.engine)

    assert during == before
    assert calls
    assert after != before


def test_a_catalog_that_was_never_synced_gives_an_empty_report(engine: Engine) -> None:
    read = values(engine)

    assert (read.first_observed, read.models, read.events, read.has_history) == (None, [], [], False)


def test_the_record_has_the_runs_of_the_period_and_the_checkpoint(host: Host) -> None:
    record = values(host.engine).record
    counted = dict(rows(host.engine, "SELECT status, COUNT(*) FROM sync_runs GROUP BY status"))
    ((size, root),) = rows(host.engine, "SELECT COUNT(*), MAX(seal_no) FROM seals")
    ((last,),) = rows(host.engine, f"SELECT tree_root FROM seals WHERE seal_no = {root}")

    assert record is not None
    assert record.run_counts == counted
    assert (record.first_run_id, record.last_run_id) == (1, sum(counted.values()))
    assert (record.base_urls, record.keys, record.imported) == (["https://example.org"], [], 0)
    assert (record.tree.tree_size, b64decode(record.tree.root or "").hex()) == (size, last)


def test_the_record_of_a_catalog_that_was_never_synced_is_empty(engine: Engine) -> None:
    record = values(engine).record

    assert record is not None
    assert (record.run_counts, record.first_run_id, record.tree) == ({}, None, SealedTree(0, None))
