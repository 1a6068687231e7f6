"""The charts of the dashboard: what each shows, in Superset's own terms, and its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

COST_CHANGES = ["increase", "decrease", "cost_set", "cost_unset"]


@dataclass(frozen=True)
class Chart:
    """A chart of one view. ``time_column`` is the column that the period of the dashboard filters, if it does."""

    name: str
    view: str
    kind: str
    width: int
    height: int
    params: dict[str, Any] = field(default_factory=dict)
    time_column: str | None = None
    conditions: tuple[dict[str, Any], ...] = ()


def metric(sql: str, label: str) -> dict[str, Any]:
    """An aggregate with its name."""
    option = "metric_" + label.replace(" ", "_")
    return {
        "expressionType": "SQL",
        "sqlExpression": sql,
        "label": label,
        "optionName": option,
        "hasCustomLabel": True,
    }


def condition(column: str, operator: str, value: Any) -> dict[str, Any]:
    """A condition that the chart always has."""
    names = {"==": "EQUALS", "IN": "IN"}
    return {
        "clause": "WHERE",
        "subject": column,
        "operator": operator,
        "operatorId": names[operator],
        "comparator": value,
        "expressionType": "SIMPLE",
    }


def _table(columns: list[str], order: list[tuple[str, bool]], formats: dict[str, str], **more: Any) -> dict[str, Any]:
    """The parameters of a table of rows, sorted by columns (ascending or not)."""
    return {
        "query_mode": "raw",
        "all_columns": columns,
        "order_by_cols": [f'["{column}", {str(ascending).lower()}]' for column, ascending in order],
        "column_config": {column: {"d3NumberFormat": each} for column, each in formats.items()},
        # Bars in the cells would also paint numbers such as run_id.
        "show_cell_bars": False,
        "table_timestamp_format": "%Y-%m-%d %H:%M:%S",
        "page_length": 20,
        **more,
    }


def _lines(column: str, value: dict[str, Any], group: str, **more: Any) -> dict[str, Any]:
    """The parameters of a chart over days. Weeks would begin on Monday or Sunday, depending on the database."""
    return {
        "x_axis": column,
        "time_grain_sqla": "P1D",
        "metrics": [value],
        "groupby": [group],
        "order_desc": True,
        "row_limit": 10000,
        "show_legend": True,
        "legendType": "scroll",
        "rich_tooltip": True,
        "truncate_metric": True,
        "comparison_type": "values",
        "y_axis_format": "~g",
        "connect_nulls": False,
        **more,
    }


_MEAN = (
    "SUM(avg_credit_cost * priced_model_count)"
    " / NULLIF(SUM(CASE WHEN avg_credit_cost IS NOT NULL THEN priced_model_count END), 0)"
)

CHARTS = (
    Chart(
        "Models listed now",
        "v_current_catalog",
        "big_number_total",
        3,
        25,
        {"metric": metric("COUNT(*)", "models"), "subheader": "at the last successful sync", "y_axis_format": ",d"},
    ),
    Chart(
        "Cost changes",
        "v_credit_cost_changes",
        "big_number_total",
        3,
        25,
        {"metric": metric("COUNT(*)", "changes"), "subheader": "of listed models in the period", "y_axis_format": ",d"},
        "changed_at",
        (condition("change_kind", "IN", COST_CHANGES),),
    ),
    Chart(
        "Days without a sync",
        "v_watch_daily",
        "big_number_total",
        3,
        25,
        {
            "metric": metric("SUM(is_gap)", "days"),
            "subheader": "in the period, counted per mode",
            "y_axis_format": ",d",
        },
        "day_start_at",
    ),
    Chart(
        "Last successful sync",
        "v_watch_daily",
        "table",
        3,
        25,
        {
            "query_mode": "aggregate",
            "groupby": ["mode"],
            "metrics": [metric("MAX(last_success_at)", "last sync (UTC)")],
            "show_cell_bars": False,
            "table_timestamp_format": "%Y-%m-%d %H:%M:%S",
        },
    ),
    Chart(
        "Cost over time",
        "v_credit_cost_daily",
        "echarts_timeseries_step",
        12,
        60,
        _lines(
            "day_start_at",
            metric("MAX(credit_cost)", "credits"),
            "series",
            limit=10,
            timeseries_limit_metric=metric("COUNT(DISTINCT credit_cost)", "different costs"),
            seriesType="end",
            y_axis_title="credits",
            y_axis_title_margin=50,  # else the title stands on the numbers
            x_axis_sort_asc=True,
        ),
        "day_start_at",
    ),
    Chart(
        "Mean cost by provider",
        "v_provider_costs_daily",
        "echarts_timeseries_line",
        6,
        50,
        _lines("day_start_at", metric(_MEAN, "mean cost"), "provider", seriesType="line"),
        "day_start_at",
    ),
    Chart(
        "Cost changes per day",
        "v_credit_cost_changes",
        "echarts_timeseries_bar",
        6,
        50,
        _lines("changed_at", metric("COUNT(*)", "changes"), "change_kind", stack="Stack", orientation="vertical"),
        "changed_at",
    ),
    Chart(
        "Net movers over 30 days",
        "v_net_movers",
        "table",
        8,
        50,
        _table(
            ["mode", "model_id", "provider", "cost_then", "cost_now", "net_change", "net_pct", "is_new", "is_gone"],
            # net_pct would put its NULLs first on PostgreSQL and last elsewhere, and it has ties.
            [("rank_pct", False), ("mode", True), ("model_id", True)],
            {"net_pct": "+.1f", "cost_then": "~g", "cost_now": "~g", "net_change": "+~g"},
            row_limit=50,
        ),
        None,
        (condition("period_days", "==", 30),),
    ),
    Chart(
        "Successful syncs per day",
        "v_watch_daily",
        "echarts_timeseries_bar",
        4,
        50,
        _lines("day_start_at", metric("SUM(successful_syncs)", "successful syncs"), "mode", orientation="vertical"),
        "day_start_at",
    ),
    Chart(
        "Change feed",
        "v_credit_cost_changes",
        "table",
        12,
        60,
        _table(
            [
                *("changed_at", "not_before", "mode", "model_id", "provider", "change_kind"),
                *("old_cost", "new_cost", "delta_cost", "pct_change", "run_id"),
            ],
            [("changed_at", False), ("mode", True), ("model_id", True)],
            {"pct_change": "+.2f", "old_cost": "~g", "new_cost": "~g", "delta_cost": "+~g", "run_id": "d"},
            row_limit=1000,
        ),
        "changed_at",
    ),
    Chart(
        "What every model costs now",
        "v_current_catalog",
        "table",
        12,
        60,
        _table(
            ["mode", "model_id", "provider", "credit_cost", "credit_cost_since", "last_seen_at"],
            # Not by cost: NULLs come last on PostgreSQL and first elsewhere.
            [("mode", True), ("model_id", True)],
            {"credit_cost": "~g"},
            row_limit=1000,
        ),
    ),
)
