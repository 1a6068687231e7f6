"""What a report shows in a browser is what the views say: the points of its charts, and its numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from models_db.engine import open_engine
from sync.catalog.history.report_data import Period
from sync.cli.commands.report import write_report
from sync.demo import run_demo
from sync.show.report.page import ReportHead
from sync.store.database import Database
from sync.store.report import ReportFilter
from tests.browser.conftest import OpenPage, OpenReport

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
PERIOD = Period(NOW - timedelta(days=80), NOW)
PLOT_WIDTH, PLOT_TOP, PLOT_BOTTOM = 218, 6, 76
COMMAND = re.compile(r"([MVH])([\d. ]+)")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of the demo."""
    file = tmp_path_factory.mktemp("demo") / "demo.db"
    run_demo(file, NOW, "0", lambda *_: None)
    return file


@pytest.fixture
def opened(demo: Path, tmp_path: Path, open_report: OpenPage) -> OpenReport:
    file = tmp_path / "report.html"
    write_report(Database(f"sqlite:///{demo}"), ReportFilter(PERIOD), ReportHead("Demo", NOW, "0"), file)
    report = open_report(file)
    report.open_all()
    return report


def rows(demo: Path, query: str) -> list[Any]:
    engine = open_engine(f"sqlite:///{demo}")
    with closing(engine.connect()) as connection:
        found = list(connection.execute(text(query)))
    engine.dispose()
    return found


def moment(value: str) -> datetime:
    return datetime.fromisoformat(value).replace(tzinfo=UTC)


def corners(path: str) -> Iterator[tuple[float, float, float]]:
    """The horizontal lines of a path: from, to, height."""
    x = y = 0.0
    for command, numbers in COMMAND.findall(path):
        values = [float(each) for each in numbers.split()]
        if command == "M":
            x, y = values
        elif command == "V":
            (y,) = values
        else:
            yield x, values[0], y
            (x,) = values


def place(at: datetime) -> float:
    return (max(at, PERIOD.since) - PERIOD.since) / (PERIOD.until - PERIOD.since) * PLOT_WIDTH


def test_the_points_of_every_chart_are_the_intervals(opened: OpenReport, demo: Path) -> None:
    ids = opened.texts(".card .id")
    paths = opened.page.eval_on_selector_all(".card .line", "lines => lines.map(line => line.getAttribute('d'))")
    charts = dict(zip(ids, paths, strict=True))
    shown = 0
    for model_id, path in charts.items():
        query = f"SELECT valid_from, valid_to, credit_cost FROM v_credit_cost_history WHERE model_id = '{model_id}'"
        priced = [
            (moment(start), moment(end) if end else PERIOD.until, float(cost))
            for start, end, cost in rows(demo, f"{query} ORDER BY valid_from")
            if cost is not None and (end is None or moment(end) > PERIOD.since)
        ]
        highest = max(cost for *_, cost in priced)
        expected = [
            (place(start), place(end), PLOT_BOTTOM - (PLOT_BOTTOM - PLOT_TOP) * (cost / highest if highest else 0))
            for start, end, cost in priced
        ]
        drawn = list(corners(path))
        assert drawn == [pytest.approx(line, abs=0.011) for line in expected], model_id
        shown += len(drawn)
    assert len(charts) == 9
    assert shown > 15


def test_the_numbers_of_the_summary_are_those_of_the_views(opened: OpenReport, demo: Path) -> None:
    tiles = dict(zip(opened.texts(".tiles dt"), opened.texts(".tiles dd b"), strict=True))
    since = f"{PERIOD.since:%Y-%m-%d %H:%M:%S}"
    kinds = dict(
        rows(
            demo,
            "SELECT change_kind, COUNT(*) FROM v_credit_cost_changes"
            f" WHERE changed_at >= '{since}' GROUP BY change_kind",
        )
    )
    (listed,) = rows(demo, "SELECT COUNT(*), COUNT(DISTINCT provider) FROM v_current_catalog")

    assert [tiles["Models listed"], tiles["Providers"]] == [str(each) for each in listed]
    assert (tiles["▲ Costs up"], tiles["▼ Costs down"]) == (str(kinds.pop("increase")), str(kinds.pop("decrease")))
    assert tiles["Other events"] == str(sum(kinds.values()))
    days = rows(demo, f"SELECT mode, SUM(is_gap) FROM v_watch_daily WHERE day >= '{since[:10]}' GROUP BY mode")
    lines = opened.texts(".watches > div p")
    assert len(days) == 2
    assert all(f"{int(gaps)} of 81 days" in line for (_, gaps), line in zip(days, lines, strict=True))


def test_the_rows_of_the_feed_are_those_of_the_view(opened: OpenReport, demo: Path) -> None:
    expected = rows(
        demo,
        "SELECT changed_at, model_id, change_kind, old_cost_exact, new_cost_exact, delta_cost, pct_change"
        f" FROM v_credit_cost_changes WHERE changed_at >= '{PERIOD.since:%Y-%m-%d %H:%M:%S}' ORDER BY changed_at DESC",
    )
    shown = opened.rows(".feed")

    assert len(shown) == len(expected) > 10
    for row in expected:
        at, model_id, kind, old, new, delta, percent = row
        (found,) = [each for each in shown if each[0].startswith(at[:16]) and each[1].split()[0] == model_id]
        costs = ["" if kind == "added" else old or "no cost", "" if kind == "removed" else new or "no cost"]
        assert found[3:5] == costs
        assert Decimal(found[5] or 0) == Decimal(str(delta or 0))
        assert Decimal(found[6].removesuffix(" %") or 0) == round(Decimal(str(percent or 0)), 2)


def test_the_costs_of_providers_are_those_of_the_view(opened: OpenReport, demo: Path) -> None:
    columns = "provider, mode, model_count, priced_model_count, min_credit_cost, avg_credit_cost, max_credit_cost"
    expected = [
        [f"{provider} {mode}", *(Decimal(str(each)) if each is not None else "" for each in numbers)]
        for provider, mode, *numbers in rows(demo, f"SELECT {columns} FROM v_provider_costs ORDER BY mode, provider")
    ]
    shown = [[row[0], *(Decimal(each) if each else "" for each in row[1:6])] for row in opened.rows(".means")]

    assert shown == expected


def test_the_net_movers_are_the_costs_at_both_ends(opened: OpenReport, demo: Path) -> None:
    shown = {row[0].split()[0]: row[1:3] for row in opened.rows(".movers")}
    since = f"{PERIOD.since:%Y-%m-%d %H:%M:%S}"
    then = dict(
        rows(
            demo,
            "SELECT model_id, credit_cost_exact FROM v_credit_cost_history"
            f" WHERE valid_from <= '{since}' AND (valid_to IS NULL OR valid_to > '{since}')",
        )
    )
    now = dict(rows(demo, "SELECT model_id, credit_cost_exact FROM v_current_catalog"))
    moved = {each for each, cost in then.items() if each in now and now[each] != cost}
    expected = {each: [then[each] or "no cost", now[each] or "no cost"] for each in moved}

    assert shown == expected
    assert len(shown) > 3
