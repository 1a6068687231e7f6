"""What people ask the views: each view whole and for a period, and the questions. A query returns one row of sums."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from models_db.views.loader import VIEWS
from sync.store.questions import questions

DAILY = ("v_credit_cost_daily", "v_provider_costs_daily")
"""Views whose rows are models or providers by days: over all days they are as long as the history."""

_PERIODS = (1, 30, 90)  # days
_FILTERS = {
    "v_credit_cost_changes": "changed_at",
    "v_catalog_changes": "changed_at",
    "v_credit_cost_history": "valid_from",
    "v_credit_cost_steps": "step_at",
    "v_credit_cost_daily": "day_start_at",
    "v_provider_costs_daily": "day_start_at",
    "v_watch_daily": "day_start_at",
    "v_calendar_days": "day_start_at",
    "v_sync_runs": "started_at",
}


def view_queries(last: datetime) -> Iterator[tuple[str, str]]:
    """Name and SQL of each query over a view. ``last`` is the end of the newest day."""
    for view in VIEWS:
        columns = ", ".join(f"MIN({column.name})" for column in view.columns)
        every = f"SELECT COUNT(*), {columns} FROM {view.name}"  # names of this project
        yield view.name, every
        if time := _FILTERS.get(view.name):
            for days in _PERIODS:
                since = f"{last - timedelta(days=days):%Y-%m-%d %H:%M:%S.%f}"
                yield f"{view.name}, {days} days", f"{every} WHERE {time} >= '{since}'"
        if view.name in DAILY:
            day = f"{last - timedelta(days=500):%Y-%m-%d}"
            yield f"{view.name}, one day", f"{every} WHERE day = '{day}'"
        if "model_id" in {column.name for column in view.columns}:
            yield f"{view.name}, one model", f"{every} WHERE mode = 'image' AND model_id = 'acme/model-110'"


def question_queries(now: datetime) -> Iterator[tuple[str, str]]:
    """Name and SQL of each question, with the defaults of its parameters, and with a model and a year."""
    for question in questions().values():
        values = question.values({}, now)
        if "model" in values:
            values["model"] = "acme/model-110"
        yield f"ask {question.name}", question.statement(values).rstrip("\n;")
        wider = {name: now - timedelta(days=365) for name, one in question.parameters.items() if name == "since"}
        if wider:
            since = question.values(wider, now)["since"]
            yield f"ask {question.name} since a year", question.statement({**values, "since": since}).rstrip("\n;")
