"""Reading what is recorded: as of a moment, the changes, a cost with what else is possible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from models_db.engine import open_engine
from sync.api import CostAt, UnknownModel, open_catalog
from sync.store import change_feed
from tests.support.made_responses import model
from tests.support.migrated_databases import MigratedDatabases
from tests.support.run_driver import HOUR, SECOND, START, Host


def store_history(url: str) -> None:
    """Six syncs, one an hour: ``a`` costs 3, 5, is away, is back for 2.5; ``b`` keeps its cost of 0.

    A request begins at the full hour, and its response is observed two seconds later.
    """
    engine = open_engine(url)
    host, video = Host(engine), [model("v", None)]
    host.sync([model("a", 3), model("b", 0)], video)
    host.sync([model("a", 5), model("b", 0)], video)
    host.sync([model("b", 0)], video)
    host.sync([model("b", 0)], video)
    host.sync([model("a", "2.5"), model("b", 0)], video)  # a cost that is a text is rejected
    host.sync([model("a", 2.5), model("b", 0)], video)
    engine.dispose()


@pytest.fixture
def history_url(database_kind: str, tmp_path: Path, _migrated: MigratedDatabases) -> Iterator[str]:
    """A database of each kind with that history."""
    with ExitStack() as stack:
        yield _migrated.new(database_kind, tmp_path / "catalog.db", stack, store_history)


@pytest.fixture
def sqlite_history(tmp_path: Path, _migrated: MigratedDatabases) -> str:
    """An SQLite file with it, for tests that do not depend on the kind of database."""
    with ExitStack() as nothing_to_close:
        return _migrated.new("sqlite", tmp_path / "catalog.db", nothing_to_close, store_history)


def seen(number: int) -> datetime:
    """When the response of a sync had arrived."""
    return START + number * HOUR + 2 * SECOND


def asked(number: int) -> datetime:
    return START + number * HOUR


def test_the_catalog_now_and_as_of_a_moment(history_url: str) -> None:
    with open_catalog(history_url) as catalog:
        now = {(each.mode, each.model_id): each.credit_cost for each in catalog.models()}
        then = {each.model_id: each.credit_cost for each in catalog.models(mode="image", as_of=seen(1))}
        nobody = catalog.models(provider="nobody"), catalog.models(as_of=START - HOUR)

    assert now == {("image", "a"): Decimal("2.5"), ("image", "b"): Decimal(0), ("video", "v"): None}
    assert then == {"a": Decimal(5), "b": Decimal(0)}
    assert nobody == ([], [])


def test_a_moment_may_have_any_time_zone_and_results_are_in_utc(sqlite_history: str) -> None:
    moment = seen(1).astimezone(timezone(timedelta(hours=5, minutes=30)))
    with open_catalog(sqlite_history) as catalog:
        cost = catalog.cost_at("a", "image", moment)
        (first, *_) = catalog.models(as_of=moment)

    assert (cost.moment, cost.moment.tzinfo, cost.value) == (moment, UTC, Decimal(5))
    assert (first.credit_cost_since, first.credit_cost_since.tzinfo) == (seen(1), UTC)


def test_a_model_in_full_as_of_a_moment(sqlite_history: str) -> None:
    with open_catalog(sqlite_history) as catalog:
        now, then, away = (catalog.model("a", "image", as_of=each) for each in (None, seen(0), seen(3)))

    assert (now.is_listed, now.credit_cost, [each.credit_cost for each in now.cost_history]) == (
        True,
        Decimal("2.5"),
        [Decimal(3), Decimal(5), Decimal("2.5")],
    )
    assert (then.is_listed, then.credit_cost, then.unchanged_since) == (True, Decimal(3), seen(0))
    assert [(each.valid_from, each.valid_to) for each in then.cost_history] == [(seen(0), None)]
    assert (away.is_listed, away.credit_cost) == (False, Decimal(5))


COSTS_OF_A: Mapping[datetime, tuple[object, ...]] = {
    # value, low, high, is_listed, is_sure
    asked(0): (None, None, None, None, False),  # before the history
    seen(0): ("3", "3", "5", True, False),  # the next change may have happened just after the request
    seen(0) + HOUR / 2: ("3", "3", "5", True, False),
    seen(1) - SECOND: ("3", "3", "5", True, False),  # it may have been removed already too
    seen(1): ("5", "5", "5", True, False),
    seen(2): (None, None, None, False, True),
    asked(3): (None, "2.5", "2.5", False, False),
    seen(5) - SECOND: (None, "2.5", "2.5", False, False),
    seen(5): ("2.5", "2.5", "2.5", True, True),
    seen(900): ("2.5", "2.5", "2.5", True, True),
}


def test_a_cost_at_a_moment_has_its_bounds(history_url: str) -> None:
    with open_catalog(history_url) as catalog:
        costs = {moment: catalog.cost_at("a", "image", moment) for moment in COSTS_OF_A}

    assert {
        moment: (*(each and str(each) for each in (cost.value, cost.low, cost.high)), cost.is_listed, cost.is_sure)
        for moment, cost in costs.items()
    } == COSTS_OF_A
    assert {cost.last_observed_at for cost in costs.values()} == {seen(5)}


def test_what_is_unsure_says_between_which_times(sqlite_history: str) -> None:
    with open_catalog(sqlite_history) as catalog:
        unsure = catalog.cost_at("a", "image", seen(0) + HOUR / 2)
        sure = catalog.cost_at("b", "image", seen(4))

    assert (unsure.since, unsure.unsure_from, unsure.unsure_until) == (seen(0), asked(0), seen(1))
    assert sure == CostAt(
        mode="image",
        model_id="b",
        moment=seen(4),
        value=Decimal(0),
        low=Decimal(0),
        high=Decimal(0),
        is_listed=True,
        is_sure=True,
        since=seen(0),
        unsure_from=None,
        unsure_until=None,
        last_observed_at=seen(5),
    )


def test_changes_are_read_in_parts_newest_first(history_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_catalog(history_url) as catalog:
        whole = list(catalog.changes())
        monkeypatch.setattr(change_feed, "_ROWS_PER_PART", 2)
        in_parts = list(catalog.changes())
        of_field = list(catalog.changes(field="credits.*"))

    assert in_parts == whole
    assert [(each.model_id, each.change_kind) for each in whole] == [
        ("a", "relisted"),
        ("a", "removed"),
        ("a", "increase"),
        ("v", "added"),
        ("b", "added"),
        ("a", "added"),
    ]
    assert [each.change_kind for each in of_field] == ["increase"]
    rise = of_field[0]
    assert (rise.old_cost, rise.new_cost, rise.delta_cost, rise.pct_change) == tuple(
        map(Decimal, ("3", "5", "2", "66.666667"))
    )
    assert (rise.not_before, rise.changed_at) == (asked(0), seen(1))


def test_changes_can_be_filtered(sqlite_history: str) -> None:
    with open_catalog(sqlite_history) as catalog:

        def kinds(**filters: object) -> list[str]:
            return [each.change_kind for each in catalog.changes(**filters)]  # type: ignore[arg-type]

        assert kinds(since=seen(1), until=seen(2)) == ["increase"]
        assert kinds(kinds=["removed", "increase"], mode="image") == ["removed", "increase"]
        assert kinds(model="[bv]") == ["added", "added"]
        assert kinds(entities={"credits"}) == ["increase"]
        assert kinds(min_percent=60) == ["increase"]
        assert kinds(provider="nobody") == []


def test_an_unknown_model_raises_with_the_nearest_ids(sqlite_history: str) -> None:
    with open_catalog(sqlite_history) as catalog:
        with pytest.raises(UnknownModel, match="did you mean 'a'") as unknown:
            catalog.cost_at("A", "image", seen(1))
        with pytest.raises(UnknownModel, match="never listed in mode video, but in mode image"):
            catalog.model("a", "video")
        with pytest.raises(LookupError, match="was not listed yet"):
            catalog.model("a", "image", as_of=START - HOUR)

    assert (unknown.value.model_id, unknown.value.similar) == ("A", ("a",))


def test_runs_and_the_last_success(sqlite_history: str) -> None:
    with open_catalog(sqlite_history) as catalog:
        runs, last = catalog.runs(limit=2), catalog.last_success("video")

    assert [(run.run_id, run.status) for run in runs] == [(6, "success"), (5, "partial")]
    assert [(each.mode, each.models_added, each.models_listed) for each in runs[0].modes] == [
        ("image", 1, 2),
        ("video", 0, 1),
    ]
    assert last == seen(5)
