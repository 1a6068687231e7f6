"""Opens the imported dashboard in Chromium and compares each tile with its view: run by ``make bi-check``.

``python bi/superset/check.py ADDRESS URL --screenshot FILE`` with the Python of Superset, where Playwright is installed
too. ADDRESS is that of a running Superset whose user admin has the password admin. Prints a line for each tile, and
ends with exit code 1 if a tile has not its own title, or other numbers than its view has in the period. The seconds are
those of each tile's request alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))
from bi.chromium import FLAGS, chromium_program
from bi.superset.charts import CHARTS, Chart
from bi.superset.load import superset_url

SLUG = "ai-model-costs"
SECONDS = 2.0
WAIT = 180_000


def expected(connection: Any, chart: Chart, since: datetime, until: datetime) -> list[tuple[Any, ...]]:
    """The rows of a tile, from its view by SQL that Superset did not make."""
    return [tuple(map(plain, row)) for row in connection.exec_driver_sql(statement(chart, since, until))]


def statement(chart: Chart, since: datetime, until: datetime) -> str:
    """The SQL of a tile."""
    day = chart.params.get("x_axis")
    keys = [*([day] if day else []), *chart.params.get("groupby", [])]
    columns = chart.params.get("all_columns") or [*keys, _metric(chart)["sqlExpression"]]
    conditions = [*_conditions(chart)]
    if chart.time_column:
        conditions += [f"{chart.time_column} >= '{since}'", f"{chart.time_column} < '{until}'"]
    text = f"SELECT {', '.join(columns)} FROM {chart.view}"
    text += f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return text + (f" GROUP BY {', '.join(keys)}" if keys else "")


def _conditions(chart: Chart) -> Iterator[str]:
    for each in chart.conditions:
        value = each["comparator"]
        if isinstance(value, list):
            yield f"{each['subject']} IN ({', '.join(repr(one) for one in value)})"
        else:
            yield f"{each['subject']} = {value}"


def plain(value: Any) -> Any:
    """A value of the database or of the page's data in one form: times as seconds, numbers as rounded doubles."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, datetime):
        return round(value.replace(tzinfo=value.tzinfo or UTC).timestamp(), 3)
    try:
        return round(float(value), 8)
    except (TypeError, ValueError):
        pass
    try:
        return plain(datetime.fromisoformat(str(value)))
    except ValueError:
        return str(value)


def columns_of(chart: Chart) -> list[str]:
    """The names of the columns in the data of a table or number, in the order of ``statement``."""
    return chart.params.get("all_columns") or [*chart.params.get("groupby", []), _metric(chart)["label"]]


def _metric(chart: Chart) -> dict[str, Any]:
    """The one aggregate of a chart."""
    (metric,) = chart.params.get("metrics") or [chart.params["metric"]]
    return dict(metric)


def shown(chart: Chart, data: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """The rows that Superset sent to the page for a tile. It sends a chart over days with a column for each series."""
    day = chart.params.get("x_axis")
    if day is None:
        return [tuple(_sent(name, row.get(name)) for name in columns_of(chart)) for row in data]
    points = ((row[day] / 1000, series, value) for row in data for series, value in row.items() if series != day)
    return [(round(moment, 3), series, plain(value)) for moment, series, value in points if value is not None]


def _sent(name: str, value: Any) -> Any:
    """A value of a table. Superset sends times as milliseconds."""
    is_time = name.endswith(("_at", "_since", "not_before", "(UTC)"))
    return round(value / 1000, 3) if is_time and isinstance(value, int | float) else plain(value)


def difference(chart: Chart, want: list[tuple[Any, ...]], got: list[tuple[Any, ...]]) -> str:
    """What is wrong with a tile, or nothing."""
    limit = chart.params.get("row_limit", 10_000)
    if chart.params.get("limit"):
        series = {row[1] for row in got}
        want = [row for row in want if row[1] in series]
        if len(series) > chart.params["limit"]:
            return f"{len(series)} series"
    if chart.params.get("x_axis") == "changed_at":
        want = _per_day(want)
    if chart.params.get("x_axis"):
        want = [row for row in want if row[-1] is not None]  # no point
    missing = [row for row in got if row not in set(want)]
    if missing:
        return f"{len(missing)} rows are not in the view, such as {missing[0]}"
    if len(got) != min(len(want), limit):
        return f"{len(got)} rows and not {min(len(want), limit)}"
    return ""


def _per_day(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    counts: dict[tuple[Any, ...], float] = {}
    for moment, *keys, count in rows:
        day = (moment // 86400 * 86400, *keys)
        counts[day] = counts.get(day, 0) + count
    return [(*key, count) for key, count in counts.items()]


def _open(page: Any, address: str) -> dict[str, tuple[float, list[dict[str, Any]]]]:
    """The title, seconds and data of every tile of the loaded dashboard."""
    answers: dict[str, list[dict[str, Any]]] = {}
    requests: dict[str, Any] = {}

    def note(response: Any) -> None:
        if "/api/v1/chart/data" in response.url and "dashboard_id" in response.url:
            slice_id = json.loads(response.request.post_data)["form_data"]["slice_id"]
            requests[str(slice_id)] = response.request
            answers[str(slice_id)] = response.json()["result"][0].get("data") or []

    page.on("response", note)
    page.set_default_timeout(WAIT)
    page.goto(f"{address}/login/")
    page.fill("input[name=username], #username", "admin")
    page.fill("input[name=password], #password", "admin")
    page.keyboard.press("Enter")
    page.wait_for_timeout(5000)
    page.goto(f"{address}/superset/dashboard/{SLUG}/")
    page.wait_for_selector("[data-test-chart-id]", timeout=WAIT)
    for _ in range(WAIT // 1000):
        # Tiles load when they come into view.
        page.evaluate("document.querySelectorAll('[data-test-chart-id]').forEach(e => e.scrollIntoView())")
        page.mouse.wheel(0, 400)
        page.wait_for_timeout(1000)
        if len(answers) == len(CHARTS):
            break
    titles = page.evaluate(
        "Array.from(document.querySelectorAll('[data-test-chart-id]')).map(e => [e.dataset.testChartId,"
        " (e.querySelector('[data-test=editable-title]') || e).innerText.split('\\n')[0]])"
    )
    page.wait_for_timeout(3000)
    return {title: (_seconds(page, requests[each]), answers[each]) for each, title in titles if each in answers}


def _seconds(page: Any, request: Any) -> float:
    """How long the answer to a tile's request takes when it is the only one, without the cache: the better of two."""
    headers = {name: value for name, value in request.headers.items() if name in ("content-type", "x-csrftoken")}
    body = {**json.loads(request.post_data), "force": True}
    taken = []
    for _ in range(2):
        begin = monotonic()
        answer = page.request.post(request.url, headers={**headers, "referer": page.url}, data=body, timeout=WAIT)
        taken.append(monotonic() - begin)
        if not answer.ok:
            raise RuntimeError(f"Superset answered {answer.status} to the request of a tile")
    return min(taken)


def main() -> None:
    """Reads the arguments, opens the dashboard and prints what was found."""
    parser = argparse.ArgumentParser(description="Compares the dashboard with the views.")
    parser.add_argument("address")
    parser.add_argument("url")
    parser.add_argument("--screenshot", type=Path)
    given = parser.parse_args()
    from playwright.sync_api import sync_playwright
    from sqlalchemy import create_engine

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_program(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 1000}, timezone_id="UTC")
        tiles = _open(page, given.address)
        if given.screenshot:
            page.evaluate("window.scrollTo(0, 0)")
            page.screenshot(path=given.screenshot, full_page=True)
        browser.close()
    until = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None) + timedelta(days=1)
    failures = 0
    with create_engine(superset_url(given.url)).connect() as connection:
        for chart in CHARTS:
            problem = "has no data under its title"
            seconds, data = tiles.get(chart.name, (0.0, []))
            if chart.name in tiles:
                want = expected(connection, chart, until - timedelta(days=30), until)
                problem = difference(chart, want, shown(chart, data))
            failures += bool(problem)
            slow = " (slow)" if seconds > SECONDS else ""
            print(f"{chart.name}: {len(data)} rows, {seconds:.2f} s{slow}, {problem or 'equal'}", flush=True)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
